"""Signatures and band keys on a device."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.kernels.gpu.batches import Int64s, Pieces, cut
from curate.kernels.gpu.device import Argument, DeviceArray
from curate.kernels.gpu.jobs import WARP_THREADS, DeviceTexts
from curate.kernels.interface import SketchShape

#: Texts up to so many windows are one warp's, longer ones a block's.
WARP_WINDOWS = 8 << 10
#: Longer texts are cut into pieces.
PIECE_WINDOWS = 64 << 10
CHAR_THREADS, WORD_THREADS = 256, 128
CODES = 256


@dataclass(frozen=True, slots=True)
class _Team:
    """Pieces for blocks of so many threads, on the device."""

    threads: int
    count: int
    arguments: tuple[Argument, ...]


class SketchJob:
    """Sketches of all texts."""

    def __init__(self, texts: DeviceTexts, shape: SketchShape) -> None:
        self._texts, self._shape, device = texts, shape, texts.device
        count = len(texts)
        self._keys = device.empty((shape.bands, count), np.uint64)
        self._signatures = device.empty((count, shape.hashes), np.uint8)
        self._sketched = device.empty((count,), np.uint8)
        self._split_documents, self._split_slots = np.zeros(0, np.int64), device.empty((0,), np.uint64)
        self._teams = self._plan_words() if shape.words else self._plan_chars()

    @staticmethod
    def bytes_of(sizes: Int64s, shape: SketchShape) -> Int64s:
        """Device memory for texts of these sizes in bytes: text, offset, work items and results; int64."""
        pieces = -(-sizes // PIECE_WINDOWS)
        slots = np.where(pieces > 1, 8 * shape.hashes + 16, 0)
        return np.asarray(sizes + 48 * (pieces + 1) + slots + 8 * shape.bands + shape.hashes + 1, np.int64)

    def run(self) -> None:
        device, shape = self._texts.device, self._shape
        if len(self._split_documents):
            self._split_slots.fill(np.uint64(2**64 - 1))
        for team in self._teams:
            blocks = min(team.count, device.blocks * WARP_THREADS // team.threads + 1)
            shared = 8 * (CODES + shape.hashes) + (self._word_bytes(team.threads) if shape.words else 0)
            name = "sketch_words" if shape.words else "sketch_chars"
            device.launch(name, blocks, team.threads, team.arguments, shared)
        if len(self._split_documents):
            self._finish_split_texts()

    def result(self) -> tuple[NDArray[np.uint64], NDArray[np.uint8], NDArray[np.bool_]]:
        """Keys, uint64, shape (bands, texts); signatures, uint8, shape (texts, hashes); sketched, bool."""
        download = self._texts.device.download
        return (
            download(self._keys),
            download(self._signatures),
            download(self._sketched).astype(np.bool_),
        )

    @staticmethod
    def _word_bytes(threads: int) -> int:
        """Shared memory of kernel sketch_words beside codes and slots: two histories of 64 words, the words that can
        end in a tile, and a stretch of 16 bytes a thread."""
        return 8 * (128 + 8 * threads) + 16 * threads

    def _plan_chars(self) -> list[_Team]:
        texts, order = self._texts, self._texts.longest_first()
        windows = np.where(texts.sizes > 0, np.maximum(texts.sizes - self._shape.length + 1, 1), 0)
        short = windows[order] <= WARP_WINDOWS
        pieces = cut(windows, order[~short], PIECE_WINDOWS)
        self._split_documents = pieces.split_documents
        self._split_slots = texts.device.empty((len(pieces.split_documents), self._shape.hashes), np.uint64)
        teams = [
            self._char_team(CHAR_THREADS, pieces),
            self._char_team(WARP_THREADS, cut(windows, order[short], WARP_WINDOWS)),
        ]
        return [team for team in teams if team.count]

    def _char_team(self, threads: int, pieces: Pieces) -> _Team:
        upload, count = self._texts.device.upload, len(pieces.documents)
        arguments = (
            *self._texts.arguments,
            *self._texts.work(pieces.documents),
            upload(pieces.begins),
            upload(pieces.ends),
            upload(pieces.splits),
            np.int64(count),
            *self._shape_arguments(),
            self._split_slots,
            *self._outputs(),
        )
        return _Team(threads, count, arguments)

    def _plan_words(self) -> list[_Team]:
        texts, order = self._texts, self._texts.longest_first()
        short = texts.sizes[order] <= WARP_WINDOWS
        teams = []
        for threads, chosen in ((WORD_THREADS, order[~short]), (WARP_THREADS, order[short])):
            arguments = (
                *texts.arguments,
                *texts.work(chosen),
                np.int64(len(chosen)),
                *self._shape_arguments(),
                *self._outputs(),
            )
            teams.append(_Team(threads, len(chosen), arguments))
        return [team for team in teams if team.count]

    def _shape_arguments(self) -> tuple[Argument, ...]:
        shape = self._shape
        numbers = (shape.length, shape.hashes, shape.bands, int(shape.minhash))
        return (np.uint64(shape.seed), *(np.int32(number) for number in numbers))

    def _outputs(self) -> tuple[Argument, ...]:
        return (np.int64(len(self._texts)), self._keys, self._signatures, self._sketched)

    def _finish_split_texts(self) -> None:
        device, shape, count = self._texts.device, self._shape, len(self._split_documents)
        places: DeviceArray = device.upload(self._split_documents)
        arguments = (
            self._split_slots,
            places,
            np.int64(count),
            np.int32(shape.hashes),
            np.int32(shape.bands),
            *self._outputs(),
        )
        device.launch("sketch_split_texts", count, WORD_THREADS, arguments)
