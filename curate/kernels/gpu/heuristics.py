"""Heuristic statistics on a device."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from curate.kernels import _cpu
from curate.kernels.gpu.batches import Int64s, threads_that_fit
from curate.kernels.gpu.jobs import THREADS, DeviceTexts
from curate.kernels.gpu.rewriting import Room
from curate.kernels.heuristics import FAMILY_STATISTICS, PLAIN, STATISTICS

#: A thread measures a text alone: longer ones would keep the others waiting, and are the CPU's.
LONGEST_TEXT = 128 << 10
#: Threads at work for each block that keeps the device busy.
THREADS_A_BLOCK = 16


def _threads(words: Int64s, scratch_bytes: int, blocks: int) -> int:
    """How many threads work at once; words: 64-bit words each text needs, not increasing. Raises MemoryError where
    the longest does not fit."""
    threads = threads_that_fit(words, scratch_bytes // 8, blocks * THREADS_A_BLOCK)
    if len(words) and threads == 0:
        raise MemoryError(
            f"{scratch_bytes:,} bytes of scratch memory, where {8 * int(words[0]):,} are needed"
        )
    return threads


class HeuristicsJob:
    """Statistics of all texts, none longer than LONGEST_TEXT.

    groups: bits of the groups of statistics that are wanted (heuristics_statistics.h). scratch_bytes: memory for
    texts at work; more of it lets more threads work. Raises MemoryError where it does not hold the longest text.
    """

    def __init__(self, texts: DeviceTexts, groups: int, scratch_bytes: int) -> None:
        self._texts, device = texts, texts.device
        order = texts.longest_first()
        words = _cpu.heuristic_scratch_words(np.ascontiguousarray(texts.sizes[order]))
        self._threads = _threads(words, scratch_bytes, device.blocks)
        ends = np.cumsum(words[: self._threads])
        self._statistics = device.empty((len(texts), len(STATISTICS)), np.int64)
        self._arguments = (
            *texts.arguments,
            *texts.work(order),
            np.int64(len(texts)),
            np.uint32(groups),
            device.empty((int(ends[-1]) if len(ends) else 0,), np.uint64),
            device.upload(np.concatenate([[0], ends]).astype(np.int64)),
            np.int64(self._threads),
            np.uint64(_cpu.HASH_SECRET),
            self._statistics,
        )

    def run(self) -> None:
        if self._threads:
            blocks = -(-self._threads // THREADS)
            self._texts.device.launch("heuristic_statistics", blocks, THREADS, self._arguments)

    def result(self) -> NDArray[np.int64]:
        """int64, shape (texts, statistics): columns in the order of STATISTICS."""
        return self._texts.device.download(self._statistics)


class FamiliesJob:
    """Statistics of steps of families, one after the other, of all texts, none longer than LONGEST_TEXT.

    steps: as interface.Kernels.heuristics has them. scratch_bytes: as of HeuristicsJob. room: where what they leave of
    the texts goes, if it is wanted.
    """

    def __init__(
        self,
        texts: DeviceTexts,
        steps: Sequence[tuple[str, int]],
        scratch_bytes: int,
        room: Room | None = None,
    ) -> None:
        self._texts, device = texts, texts.device
        order = texts.longest_first()
        sizes = np.ascontiguousarray(texts.sizes[order])
        plain = _cpu.heuristic_scratch_words(sizes) if PLAIN in dict(steps) else np.zeros_like(sizes)
        words = plain + _cpu.document_memory_words(sizes)
        self._threads = _threads(words, scratch_bytes, device.blocks)
        ends = np.cumsum(words[: self._threads], dtype=np.int64)
        numbers = [list(FAMILY_STATISTICS).index(family) for family, _ in steps]
        width = sum(len(FAMILY_STATISTICS[family]) for family, _ in steps)
        self._statistics = device.empty((len(texts), width), np.int64)
        left = room or Room.of(device, sizes[:0])
        self._bounds = device.empty((len(texts) if room else 0, 2), np.int64)
        self._arguments = (
            *texts.arguments,
            *texts.work(order),
            np.int64(len(texts)),
            device.upload(np.array(numbers, np.uint32)),
            device.upload(np.array([groups for _, groups in steps], np.uint32)),
            np.int32(len(steps)),
            device.empty((int(ends[-1]) if len(ends) else 0,), np.uint64),
            device.upload(ends - words[: self._threads]),
            device.upload(plain[: self._threads]),
            np.int64(self._threads),
            np.uint64(_cpu.HASH_SECRET),
            np.int64(width),
            self._statistics,
            np.int32(room is not None),
            left.data,
            device.upload(left.begins),
            self._bounds,
        )

    @staticmethod
    def bytes_of(sizes: Int64s, steps: Sequence[tuple[str, int]]) -> Int64s:
        """Device memory for texts of these sizes in bytes, without scratch: text, offsets and results; int64."""
        return sizes + 8 * (4 + sum(len(FAMILY_STATISTICS[family]) for family, _ in steps))

    def run(self) -> None:
        if self._threads:
            blocks = -(-self._threads // THREADS)
            self._texts.device.launch("heuristic_families", blocks, THREADS, self._arguments)

    def result(self) -> NDArray[np.int64]:
        """int64, shape (texts, statistics of all steps)."""
        return self._texts.device.download(self._statistics)

    def bounds(self) -> NDArray[np.int64]:
        """Where what is left of each text begins and ends in the room, int64, shape (texts, 2)."""
        return self._texts.device.download(self._bounds)
