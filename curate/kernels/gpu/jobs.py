"""Text kernels on a device: a job holds a batch's device arrays, runs on them, and gives the CPU kernels' results.

What a job does apart from `run` (ordering texts, allocating) is the host's; `run` only launches, so that its time is
the kernels'.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from curate.kernels.gpu.batches import Int64s
from curate.kernels.gpu.device import Argument, Device, DeviceArray
from curate.kernels.texts import Texts

THREADS = 128  # of a block whose threads work alone


class Job(Protocol):
    def run(self) -> None: ...


@dataclass(frozen=True, slots=True)
class DeviceTexts:
    """Texts in a device's memory: data uint8, offsets int64, as `Texts` has them; sizes stay on the host."""

    device: Device
    data: DeviceArray
    offsets: DeviceArray
    sizes: Int64s

    @classmethod
    def upload(cls, device: Device, texts: Texts) -> DeviceTexts:
        """Copies the bytes of these texts and no others."""
        first, last = int(texts.offsets[0]), int(texts.offsets[-1])
        data = device.copied(texts.data[first:last])
        return cls(device, data, device.copied(texts.offsets - first), texts.sizes)

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def arguments(self) -> tuple[Argument, ...]:
        return (self.data, self.offsets)

    def longest_first(self) -> Int64s:
        """The order of work: texts of like size side by side, long ones early so that none is left for the end."""
        return np.argsort(-self.sizes, kind="stable")


class TextHashJob:
    """128-bit hashes of all texts."""

    def __init__(self, texts: DeviceTexts) -> None:
        self._texts, device = texts, texts.device
        self._order = device.upload(texts.longest_first())
        self._hashes = device.empty((len(texts), 2), np.uint64)

    def run(self) -> None:
        count = len(self._texts)
        if count:
            arguments = (*self._texts.arguments, self._order, self._order, np.int64(count), self._hashes)
            self._texts.device.launch("text_hash", -(-count // THREADS), THREADS, arguments)

    def result(self) -> NDArray[np.uint64]:
        """uint64, shape (texts, 2)."""
        return self._texts.device.download(self._hashes)
