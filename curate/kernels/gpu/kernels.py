"""The CPU extension's functions on a device, in batches that fit its memory.

A text that is much longer than the others would keep a GPU waiting for one thread. Where a kernel cannot cut a text,
the CPU takes those from a stated length on, at the same time; the bits are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels import _cpu
from curate.kernels.gpu import fasttext, heuristics
from curate.kernels.gpu.batches import SHARE_OF_FREE, Int64s, batches
from curate.kernels.gpu.device import Device
from curate.kernels.gpu.fasttext import DeviceModel, FastTextJob
from curate.kernels.gpu.heuristics import HeuristicsJob
from curate.kernels.gpu.jobs import DeviceTexts, TextHashJob
from curate.kernels.gpu.join import edge_bytes, key_edges
from curate.kernels.gpu.sketch import SketchJob, SketchShape
from curate.kernels.heuristics import PLAIN
from curate.kernels.texts import Texts

#: A thread hashes a text alone.
LONGEST_HASHED_TEXT = 4 << 20
#: Of the memory for statistics, what texts at work may take.
SHARE_OF_SCRATCH = 0.7
TOO_LARGE = np.iinfo(np.int64).max

#: Arrays of a row a text.
Columns = tuple[NDArray[Any], ...]
Edges = tuple[NDArray[np.uint64], NDArray[np.uint64]]


@dataclass(frozen=True, slots=True)
class _Work:
    """What is to be done for rows of texts. costs: bytes of device memory for each row, TOO_LARGE for the CPU's."""

    texts: Texts
    rows: Int64s
    costs: Int64s
    on_device: Callable[[DeviceTexts], Columns]
    on_host: Callable[[Int64s], Columns]


class DeviceKernels:
    """Text kernels on one device. Not to be used by several threads at once."""

    def __init__(self, device: Device) -> None:
        self.device = device

    def text_hash(self, texts: Texts, rows: Int64s) -> NDArray[np.uint64]:
        """As dedup.text_hash."""

        def on_device(batch: DeviceTexts) -> Columns:
            job = TextHashJob(batch)
            job.run()
            return (job.result(),)

        def on_host(rows: Int64s) -> Columns:
            return (_cpu.text_hash(texts.data, texts.offsets, rows),)

        costs = _limited(texts.sizes[rows] + 32, texts.sizes[rows], LONGEST_HASHED_TEXT)
        (hashes,) = self._run(_Work(texts, rows, costs, on_device, on_host), self._free_bytes())
        return hashes

    def sketch(
        self, texts: Texts, rows: Int64s, shape: SketchShape
    ) -> tuple[NDArray[np.uint64], NDArray[np.uint8], NDArray[np.bool_]]:
        """Keys, signatures, sketched: the fields of dedup.Sketches."""

        def on_device(batch: DeviceTexts) -> Columns:
            job = SketchJob(batch, shape)
            job.run()
            keys, signatures, sketched = job.result()
            return keys.T, signatures, sketched

        def on_host(rows: Int64s) -> Columns:
            keys, signatures, sketched = _cpu.sketch(texts.data, texts.offsets, rows, **asdict(shape))
            return keys.T, signatures, sketched

        costs = SketchJob.bytes_of(texts.sizes[rows], shape)
        work = _Work(texts, rows, costs, on_device, on_host)
        keys, signatures, sketched = self._run(work, self._free_bytes())
        return np.ascontiguousarray(keys.T), signatures, sketched

    def heuristic_statistics(self, texts: Texts, rows: Int64s, groups: int) -> NDArray[np.int64]:
        """int64, shape (rows, statistics): the family "plain" of kernels.heuristics, in groups by their bits."""
        scratch_bytes = int(self._free_bytes() * SHARE_OF_SCRATCH)

        def on_device(batch: DeviceTexts) -> Columns:
            job = HeuristicsJob(batch, groups, scratch_bytes)
            job.run()
            return (job.result(),)

        def on_host(rows: Int64s) -> Columns:
            return (_cpu.heuristics(texts.data, texts.offsets, rows, [(PLAIN, groups)]),)

        sizes = texts.sizes[rows]
        costs = _limited(HeuristicsJob.bytes_of(sizes), sizes, heuristics.LONGEST_TEXT)
        work = _Work(texts, rows, costs, on_device, on_host)
        (statistics,) = self._run(work, self._free_bytes() - scratch_bytes)
        return statistics

    def fasttext(
        self, model: _cpu.FastText, texts: Texts, rows: Int64s, k: int, characters: int
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Labels and probabilities: the fields of models.Scores."""
        on_this = DeviceModel(self.device, model)

        def on_device(batch: DeviceTexts) -> Columns:
            job = FastTextJob(batch, on_this, k, characters)
            job.run()
            return job.result()

        def on_host(rows: Int64s) -> Columns:
            labels, scores = model.score(texts.data, texts.offsets, rows, k, characters)
            return labels, scores

        sizes = texts.sizes[rows]
        costs = _limited(FastTextJob.bytes_of(sizes, on_this, k), sizes, fasttext.LONGEST_TEXT)
        budget = self._free_bytes() - FastTextJob.fixed_bytes(self.device, on_this)
        labels, scores = self._run(_Work(texts, rows, costs, on_device, on_host), budget)
        return labels, scores

    def key_edges(self, keys: NDArray[np.uint64], docs: NDArray[np.uint64]) -> Edges:
        """As dedup.bucket_edges; keys of shape (rows,) or, for 128-bit hashes, (rows, 2)."""
        on_host = _cpu.hash_edges if keys.ndim == 2 else _cpu.bucket_edges
        if edge_bytes(len(keys), keys.ndim) > self._free_bytes():
            others, best = on_host(keys, docs)
            return others, best
        return key_edges(self.device, keys, docs)

    def _free_bytes(self) -> int:
        return int(self.device.free_bytes() * SHARE_OF_FREE)

    def _run(self, work: _Work, budget: int) -> Columns:
        """The columns for all rows, in their order."""
        runs, too_large = batches(work.costs, budget)
        with ThreadPoolExecutor(1) as pool:
            others = pool.submit(work.on_host, work.rows[too_large])
            parts = [part for run in runs for part in self._run_batch(work, *run)]
            parts.append((too_large, others.result()))
        return tuple(
            _placed(len(work.rows), [(places, columns[i]) for places, columns in parts])
            for i in range(len(parts[0][1]))
        )

    def _run_batch(self, work: _Work, first: int, end: int) -> list[tuple[Int64s, Columns]]:
        """Rows `first` to `end`; where memory turns out to be in too small pieces, in halves, then by the CPU."""
        places = np.arange(first, end)
        try:
            batch = DeviceTexts.upload(self.device, _chosen(work.texts, work.rows[first:end]))
            return [(places, work.on_device(batch))]
        except MemoryError:
            if end - first == 1:
                return [(places, work.on_host(work.rows[first:end]))]
        middle = (first + end) // 2
        return self._run_batch(work, first, middle) + self._run_batch(work, middle, end)


def _limited(costs: Int64s, sizes: Int64s, longest: int) -> Int64s:
    return np.where(sizes > longest, TOO_LARGE, costs)


def _chosen(texts: Texts, rows: Int64s) -> Texts:
    """The texts at `rows`, at least one; a view where they follow each other."""
    first = int(rows[0])
    if np.array_equal(rows, np.arange(first, first + len(rows))):
        return Texts(texts.data, texts.offsets[first : first + len(rows) + 1])
    return Texts.from_arrow(texts.to_arrow().take(pa.array(rows)))


def _placed(count: int, parts: list[tuple[Int64s, NDArray[Any]]]) -> NDArray[Any]:
    pattern = parts[0][1]
    whole = np.empty((count, *pattern.shape[1:]), pattern.dtype)
    for places, values in parts:
        whole[places] = values
    return whole
