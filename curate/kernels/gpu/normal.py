"""Normal forms of texts on a device."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from curate.kernels.gpu.batches import Int64s
from curate.kernels.gpu.jobs import WARP_THREADS, DeviceTexts
from curate.kernels.gpu.rewriting import Room

#: A warp writes a text alone: longer ones would keep the others waiting, and are the CPU's.
LONGEST_TEXT = 1 << 20
#: Shared memory of kernel normal_forms: what becomes of ASCII, two counts a thread, and what each writes of a tile.
SHARED_BYTES = 128 + WARP_THREADS * (2 * 4 + 24)


class NormalJob:
    """Normal forms of all texts, none longer than LONGEST_TEXT, written into their room. steps: bits of normalize.h."""

    def __init__(self, texts: DeviceTexts, room: Room, steps: int) -> None:
        self._texts, device = texts, texts.device
        self._bounds = device.empty((len(texts), 2), np.int64)
        self._arguments = (
            *texts.arguments,
            *texts.work(texts.longest_first()),
            np.int64(len(texts)),
            np.int32(steps),
            room.data,
            device.upload(room.begins),
            self._bounds,
        )

    @staticmethod
    def bytes_of(sizes: Int64s) -> Int64s:
        """Device memory for texts of these sizes in bytes: text, offsets and bounds; int64."""
        return sizes + 64

    def run(self) -> None:
        count, device = len(self._texts), self._texts.device
        if count:
            blocks = min(count, device.blocks)
            device.launch("normal_forms", blocks, WARP_THREADS, self._arguments, SHARED_BYTES)

    def bounds(self) -> NDArray[np.int64]:
        """Where each text's normal form begins and ends in the room, int64, shape (texts, 2)."""
        return self._texts.device.download(self._bounds)
