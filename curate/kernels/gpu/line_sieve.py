"""Which texts have a line that passes a sieve, on a device."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from curate.kernels.gpu.batches import Int64s
from curate.kernels.gpu.device import Device
from curate.kernels.gpu.jobs import WARP_THREADS, DeviceTexts
from curate.kernels.lines import LineSieve


class DeviceSieve:
    """A sieve in a device's memory. Raises MemoryError where it does not fit."""

    def __init__(self, device: Device, sieve: LineSieve) -> None:
        folded, *others = (
            device.upload(array) for array in (sieve.folded, sieve.beginnings, sieve.buckets, sieve.slots)
        )
        self.nbytes = sum(array.nbytes for array in (folded, *others))
        self.arguments = (
            folded,
            np.uint32(len(sieve.folded)),
            *others,
            np.int64(len(sieve.slots)),
            np.int64(sieve.max_chars),
        )


class LineSieveJob:
    """Which of all texts have a line that passes."""

    def __init__(self, texts: DeviceTexts, sieve: DeviceSieve) -> None:
        self._texts, self._sieve = texts, sieve
        self._work = texts.work(texts.longest_first())
        self._passes = texts.device.full((len(texts),), 0, np.uint8)

    @staticmethod
    def bytes_of(sizes: Int64s) -> Int64s:
        """Device memory for texts of these sizes in bytes: text, offsets and results; int64."""
        return sizes + 40

    def run(self) -> None:
        count, device = len(self._texts), self._texts.device
        if count:
            arguments = (
                *self._texts.arguments,
                *self._work,
                np.int64(count),
                *self._sieve.arguments,
                self._passes,
            )
            device.launch("lines_may_match", min(count, device.blocks), WARP_THREADS, arguments)

    def result(self) -> NDArray[np.bool_]:
        """bool, shape (texts,)."""
        passes: NDArray[np.uint8] = self._texts.device.download(self._passes)
        return np.asarray(passes != 0, np.bool_)
