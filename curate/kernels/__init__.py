"""Text kernels: arrays in, arrays out. One C++ definition each, for the CPU and the GPU."""

from curate.kernels.texts import Texts

__all__ = ["Texts"]
