"""Which kernels a process computes with: the CPU's, or those of its GPU; chosen once, the bits are the same."""

from __future__ import annotations

import importlib
import threading

from curate.errors import EngineError, Problem
from curate.kernels.gpu.device import CupyDevice
from curate.kernels.gpu.driver import LIBRARY, device_count
from curate.kernels.gpu.kernels import DeviceKernels
from curate.kernels.interface import CPU, Kernels

DEVICES = ("auto", "cpu", "gpu")

_lock = threading.Lock()
_gpu: DeviceKernels | None = None


def kernels_on(device: str) -> Kernels:
    """The kernels of this process for `device`: "cpu", "gpu", or "auto", the GPU if it can be used.

    The process's first GPU is meant: engines give each worker one of its own. Raises EngineError for "gpu" where none
    can be used.
    """
    if device == "cpu":
        return CPU
    with _lock:
        problem = why_no_gpu()
        if problem is None:
            return _opened()
    if device == "gpu":
        raise EngineError(problem)
    return CPU


def ensure_known(device: str) -> None:
    """Raises EngineError for what is none of DEVICES."""
    if device not in DEVICES:
        raise EngineError(Problem("--device", device, f"one of {', '.join(DEVICES)}"))


def why_no_gpu() -> Problem | None:
    """What keeps this process from using a GPU; None where nothing does."""
    if _gpu is not None:
        return None
    if device_count() == 0:
        found = f"the driver ({LIBRARY}) offers no GPU"
        return Problem("--device gpu", found, "a GPU and its driver", "give --device auto or cpu")
    try:
        importlib.import_module("cupy")
    except ImportError as error:
        return Problem("--device gpu", f"CuPy cannot be imported: {error}", fix="pip install 'curate[gpu]'")
    return None


def _opened() -> DeviceKernels:
    global _gpu
    if _gpu is None:
        _gpu = DeviceKernels(CupyDevice())
    return _gpu
