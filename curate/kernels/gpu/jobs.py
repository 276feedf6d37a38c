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
from curate.kernels.gpu.resident import ResidentTexts
from curate.kernels.texts import Texts

THREADS = 128  # of a block whose threads work alone
WARP_THREADS = 32


class Job(Protocol):
    def run(self) -> None: ...


@dataclass(frozen=True, slots=True)
class DeviceTexts:
    """Texts in a device's memory that are worked on: data uint8, offsets int64, as `Texts` has them.

    rows, sizes: int64, shape (texts,), on the host: where each stands among the offsets, and its bytes.
    first: the place of the first among all that are worked on, of which these are a run.
    """

    device: Device
    data: DeviceArray
    offsets: DeviceArray
    rows: Int64s
    sizes: Int64s
    first: int = 0

    @classmethod
    def upload(cls, device: Device, texts: Texts) -> DeviceTexts:
        """Copies the bytes of these texts and no others."""
        first, last = int(texts.offsets[0]), int(texts.offsets[-1])
        data = device.copied(texts.data[first:last])
        offsets = device.copied(texts.offsets - first)
        return cls(device, data, offsets, np.arange(len(texts)), texts.sizes)

    @classmethod
    def resident(cls, texts: ResidentTexts, rows: Int64s) -> DeviceTexts:
        """The texts at `rows`, where they lie."""
        return cls(texts.device, *texts.on_device, np.ascontiguousarray(rows, np.int64), texts.sizes[rows])

    def __len__(self) -> int:
        return len(self.sizes)

    @property
    def arguments(self) -> tuple[Argument, ...]:
        return (self.data, self.offsets)

    def longest_first(self) -> Int64s:
        """The order of work: texts of like size side by side, long ones early so that none is left for the end."""
        return np.argsort(-self.sizes, kind="stable")

    def work(self, places: Int64s) -> tuple[DeviceArray, DeviceArray]:
        """Rows and places, on the device, of the texts at `places` of these."""
        on_device = self.device.upload(places)
        rows = self.rows[places]
        return (on_device if np.array_equal(rows, places) else self.device.upload(rows)), on_device


class TextHashJob:
    """128-bit hashes of all texts."""

    def __init__(self, texts: DeviceTexts) -> None:
        self._texts, device = texts, texts.device
        self._work = texts.work(texts.longest_first())
        self._hashes = device.empty((len(texts), 2), np.uint64)

    def run(self) -> None:
        count = len(self._texts)
        if count:
            arguments = (*self._texts.arguments, *self._work, np.int64(count), self._hashes)
            self._texts.device.launch("text_hash", -(-count // THREADS), THREADS, arguments)

    def result(self) -> NDArray[np.uint64]:
        """uint64, shape (texts, 2)."""
        return self._texts.device.download(self._hashes)


class Utf8Job:
    """Which texts are well-formed UTF-8. A warp looks at a text."""

    def __init__(self, texts: DeviceTexts) -> None:
        self._texts = texts
        self._work = texts.work(texts.longest_first())
        self._broken = texts.device.full((len(texts),), 0, np.uint8)

    def run(self) -> None:
        count, device = len(self._texts), self._texts.device
        if count:
            arguments = (*self._texts.arguments, *self._work, np.int64(count), self._broken)
            device.launch("utf8_broken", min(count, device.blocks), WARP_THREADS, arguments)

    def result(self) -> NDArray[np.bool_]:
        """bool, shape (texts,)."""
        broken: NDArray[np.uint8] = self._texts.device.download(self._broken)
        valid: NDArray[np.bool_] = broken == 0
        return valid
