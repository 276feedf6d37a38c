"""fastText scores on a device."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.kernels import _cpu
from curate.kernels.gpu.batches import Int64s
from curate.kernels.gpu.device import Device
from curate.kernels.gpu.jobs import THREADS, WARP_THREADS, DeviceTexts

#: A warp scores a text alone: longer ones would keep the others waiting, and are the CPU's.
LONGEST_TEXT = 1 << 20
#: Threads that look for the best labels for each block that keeps the device busy.
LABEL_THREADS_A_BLOCK = 16
#: FASTTEXT_LANES and FASTTEXT_STRAYS of fasttext_drift.h.
LANES, STRAYS = 12, -2

_POINTER = np.uint64
#: struct FastTextView of fasttext.h.
VIEW = np.dtype(
    [
        *((name, _POINTER) for name in ("spelling", "begin", "end", "word_slots")),
        *((name, np.int32) for name in ("word_shift", "words", "labels", "min_n", "max_n", "word_ngrams")),
        ("bucket", np.uint32),
        ("bucket_inverse", np.uint64),
        ("pruned", np.bool_),
        ("kept_filter", _POINTER),
        ("kept_mask", np.uint32),
        ("kept_slots", _POINTER),
        *((name, np.int32) for name in ("kept_shift", "dim")),
        *((name, _POINTER) for name in ("rows", "codes", "centroids", "norms")),
        *((name, np.int32) for name in ("part", "parts", "loss")),
        *((name, _POINTER) for name in ("output", "output_norms")),
        ("reach", np.float64),
        *((name, _POINTER) for name in ("left", "right", "sigmoid")),
    ],
    align=True,
)


class DeviceModel:
    """A fastText model in a device's memory."""

    def __init__(self, device: Device, model: _cpu.FastText) -> None:
        fields = model.view()
        if VIEW.itemsize != _cpu.FASTTEXT_VIEW_BYTES:
            raise TypeError(
                f"FastTextView takes {_cpu.FASTTEXT_VIEW_BYTES} bytes, its copy here {VIEW.itemsize}"
            )
        _without_the_rest_of_the_file(fields)
        view = np.zeros(1, VIEW)
        self._held = []
        for name, value in fields.items():
            if isinstance(value, np.ndarray) and len(value):
                self._held.append(device.upload(value))
                value = device.address(self._held[-1])
            elif isinstance(value, np.ndarray):
                value = 0
            view[name] = value
        self.view = device.upload(view.view(np.uint8))
        self.nbytes = self.view.nbytes + sum(array.nbytes for array in self._held)
        self.dim, self.labels = int(fields["dim"]), int(fields["labels"])
        self.word_ngrams = int(fields["word_ngrams"])
        #: Rows that one byte of text can bring: its word's, n-grams from the mark and from the character, or words'.
        self.rows_a_byte = max(2 * max(int(fields["max_n"]), 0) + 1, self.word_ngrams)


def _without_the_rest_of_the_file(fields: dict[str, Any]) -> None:
    """Of the bytes that hold the spellings, leaves those of the dictionary: a file can be gigabytes."""
    first, last = int(fields["begin"].min()), int(fields["end"].max())
    fields["spelling"] = fields["spelling"][first:last]
    fields["begin"], fields["end"] = fields["begin"] - first, fields["end"] - first


class FastTextJob:
    """The k best labels of all texts, none longer than LONGEST_TEXT; `characters`: code points that count."""

    def __init__(self, texts: DeviceTexts, model: DeviceModel, k: int, characters: int) -> None:
        self._texts, self._model, device = texts, model, texts.device
        count = len(texts)
        threads = min(count, device.blocks * LABEL_THREADS_A_BLOCK)
        self._label_blocks = -(-threads // THREADS)
        order = texts.longest_first()
        hashes = texts.sizes[order] // 2 + 2 if model.word_ngrams > 1 else np.zeros(count, np.int64)
        hidden, added = device.empty((count, model.dim), np.float32), device.empty((count,), np.int64)
        self._labels, self._scores = device.empty((count, k), np.int32), device.empty((count, k), np.float32)
        squares = device.empty((count,), np.float64)
        self._hidden_arguments = (
            *texts.arguments,
            *texts.work(order),
            np.int64(count),
            model.view,
            np.int64(characters),
            np.int32(model.rows_a_byte),
            device.empty((int(hashes.sum()),), np.uint32),
            device.upload(np.cumsum(hashes) - hashes),
            hidden,
            added,
            squares,
        )
        self._label_arguments = (
            model.view,
            hidden,
            added,
            squares,
            np.int64(count),
            device.empty((self._label_blocks * THREADS * 3 * (model.labels + 1),), np.float32),
            np.int32(k),
            self._labels,
            self._scores,
        )

    @staticmethod
    def bytes_of(sizes: Int64s, model: DeviceModel, k: int) -> Int64s:
        """Device memory for texts of these sizes in bytes: text, offsets, hidden vector and results; int64."""
        words = 2 * sizes + 8 if model.word_ngrams > 1 else 0
        return sizes + words + 48 + 4 * model.dim + 8 * k

    @staticmethod
    def fixed_bytes(device: Device, model: DeviceModel) -> int:
        """Device memory that a job takes however few texts it has."""
        return (device.blocks * LABEL_THREADS_A_BLOCK + THREADS) * 12 * (model.labels + 1)

    def run(self) -> None:
        device, model, count = self._texts.device, self._model, len(self._texts)
        if count == 0:
            return
        words = WARP_THREADS + 1
        shared = 28 * words + 4 * WARP_THREADS * model.rows_a_byte + 4 * (LANES + 1) + 2 * 4 * model.dim
        blocks = min(count, device.blocks)
        device.launch("fasttext_hidden", blocks, WARP_THREADS, self._hidden_arguments, shared)
        device.launch("fasttext_labels", self._label_blocks, THREADS, self._label_arguments)

    def result(self) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Labels, int32, and their probabilities, float32, both of shape (texts, k), as `models.Scores` has them.

        The first label of a text that is to be added in fastText's order is STRAYS: its scores are the CPU's.
        """
        download = self._texts.device.download
        return download(self._labels), download(self._scores)
