"""The CPU extension's functions on a device, in batches that fit its memory.

A text that is much longer than the others would keep a GPU waiting for one thread. Where a kernel cannot cut a text,
the CPU takes those from a stated length on, at the same time; the bits are the same.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels import _cpu
from curate.kernels.gpu import fasttext, heuristics
from curate.kernels.gpu.batches import SHARE_OF_FREE, Int64s, batches
from curate.kernels.gpu.device import Device
from curate.kernels.gpu.fasttext import DeviceModel, FastTextJob
from curate.kernels.gpu.heuristics import FamiliesJob, HeuristicsJob
from curate.kernels.gpu.jobs import DeviceTexts, TextHashJob, Utf8Job
from curate.kernels.gpu.join import edge_bytes, key_edges
from curate.kernels.gpu.resident import ResidentTexts, adopted
from curate.kernels.gpu.sketch import SketchJob
from curate.kernels.heuristics import PLAIN
from curate.kernels.interface import CPU, Edges, SketchShape, TextMemory
from curate.kernels.texts import Texts

#: A thread hashes a text alone.
LONGEST_HASHED_TEXT = 4 << 20
#: Of the memory for statistics, what texts at work may take.
SHARE_OF_SCRATCH = 0.7
TOO_LARGE = np.iinfo(np.int64).max
#: A run of texts is copied while the one before it is worked on, so two are in memory at a time.
RUNS_IN_MEMORY = 2
#: What is worked on at once is cut into so many runs, so that copying and computing overlap, of at least so many bytes.
OVERLAPPED_RUNS, LEAST_RUN_BYTES = 4, 64 << 20
#: Of a batch's bytes, what kernels take on the device beside the text: results, scratch memory, copies in turn.
BYTES_A_BATCH_BYTE = 4
#: Models that are kept on the device, the last used.
MODELS_HELD = 4

#: Arrays of a row a text.
Columns = tuple[NDArray[Any], ...]


@dataclass(frozen=True, slots=True)
class _Work:
    """What is to be done for rows of texts. costs: bytes of device memory for each row, TOO_LARGE for the CPU's."""

    texts: Texts
    rows: Int64s
    costs: Int64s
    on_device: Callable[[DeviceTexts], Columns]
    on_host: Callable[[Texts, Int64s], Columns]

    def beside(self, places: Int64s) -> Columns:
        """What the CPU makes of some of the rows."""
        return self.on_host(*self.texts.on_host(self.rows[places]))


class DeviceKernels:
    """Text kernels on one device. Threads take turns."""

    def __init__(self, device: Device) -> None:
        self.device, self.processor = device, device.name
        self._turn = threading.RLock()
        self._models: list[tuple[_cpu.FastText, DeviceModel]] = []

    def batch_bytes(self) -> int:
        return self._free_bytes() // BYTES_A_BATCH_BYTE

    def adopted(
        self, chars: int, offsets: int, width: type[np.signedinteger[Any]], count: int, owner: object
    ) -> Texts:
        """See interface.TextMemory."""
        return adopted(self.device, chars, offsets, width, count, owner)

    def fetched(self, address: int, size: int, owner: object) -> NDArray[np.uint8]:
        """See interface.TextMemory."""
        return self.device.download(self.device.adopted(address, size, np.uint8, owner))

    def utf8_valid(self, texts: Texts) -> NDArray[np.bool_]:
        """See interface.TextMemory."""

        def on_device(batch: DeviceTexts) -> Columns:
            job = Utf8Job(batch)
            job.run()
            return (job.result(),)

        def on_host(texts: Texts, rows: Int64s) -> Columns:
            return (texts.utf8_valid()[rows],)

        rows = np.arange(len(texts))
        with self._turn:
            work = _Work(texts, rows, texts.sizes + 32, on_device, on_host)
            (valid,) = self._run(work, self._free_bytes())
        return np.asarray(valid, np.bool_)

    @property
    def reading_stream(self) -> Any:
        return self.device.reading_stream

    @property
    def text_memory(self) -> TextMemory:
        return self

    def text_hash(self, texts: Texts, rows: Int64s) -> NDArray[np.uint64]:
        """As dedup.text_hash."""

        def on_device(batch: DeviceTexts) -> Columns:
            job = TextHashJob(batch)
            job.run()
            return (job.result(),)

        def on_host(texts: Texts, rows: Int64s) -> Columns:
            return (CPU.text_hash(texts, rows),)

        costs = _limited(texts.sizes[rows] + 32, texts.sizes[rows], LONGEST_HASHED_TEXT)
        with self._turn:
            (hashes,) = self._run(_Work(texts, rows, costs, on_device, on_host), self._free_bytes())
        return hashes

    def sketch(
        self, texts: Texts, rows: Int64s, shape: SketchShape, memory: _cpu.SketchMemory | None = None
    ) -> tuple[NDArray[np.uint64], NDArray[np.uint8], NDArray[np.bool_]]:
        """Keys, signatures, sketched: the fields of dedup.Sketches. memory: not used, sketching again is cheaper."""

        def on_device(batch: DeviceTexts) -> Columns:
            job = SketchJob(batch, shape)
            job.run()
            keys, signatures, sketched = job.result()
            return keys.T, signatures, sketched

        def on_host(texts: Texts, rows: Int64s) -> Columns:
            keys, signatures, sketched = CPU.sketch(texts, rows, shape)
            return keys.T, signatures, sketched

        costs = SketchJob.bytes_of(texts.sizes[rows], shape)
        work = _Work(texts, rows, costs, on_device, on_host)
        with self._turn:
            keys, signatures, sketched = self._run(work, self._free_bytes())
        return np.ascontiguousarray(keys.T), signatures, sketched

    def heuristics(self, texts: Texts, rows: Int64s, steps: Sequence[tuple[str, int]]) -> NDArray[np.int64]:
        """As interface.Kernels has it."""

        def on_device(batch: DeviceTexts) -> Columns:
            job: HeuristicsJob | FamiliesJob
            if [family for family, _ in steps] == [PLAIN]:
                job = HeuristicsJob(batch, steps[0][1], scratch_bytes)
            else:
                job = FamiliesJob(batch, steps, scratch_bytes)
            job.run()
            return (job.result(),)

        def on_host(texts: Texts, rows: Int64s) -> Columns:
            return (CPU.heuristics(texts, rows, steps),)

        sizes = texts.sizes[rows]
        costs = _limited(FamiliesJob.bytes_of(sizes, steps), sizes, heuristics.LONGEST_TEXT)
        work = _Work(texts, rows, costs, on_device, on_host)
        with self._turn:
            scratch_bytes = int(self._free_bytes() * SHARE_OF_SCRATCH)
            (statistics,) = self._run(work, self._free_bytes() - scratch_bytes)
        return statistics

    def fasttext(
        self, model: _cpu.FastText, texts: Texts, rows: Int64s, k: int, characters: int
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Labels and probabilities: the fields of models.Scores."""

        def on_device(batch: DeviceTexts) -> Columns:
            job = FastTextJob(batch, on_this, k, characters)
            job.run()
            return job.result()

        def on_host(texts: Texts, rows: Int64s) -> Columns:
            return CPU.fasttext(model, texts, rows, k, characters)

        sizes = texts.sizes[rows]
        with self._turn:
            try:
                on_this = self._model(model)
            except MemoryError:
                return CPU.fasttext(model, texts, rows, k, characters)
            costs = _limited(FastTextJob.bytes_of(sizes, on_this, k), sizes, fasttext.LONGEST_TEXT)
            budget = self._free_bytes() - RUNS_IN_MEMORY * FastTextJob.fixed_bytes(self.device, on_this)
            work = _Work(texts, rows, costs, on_device, on_host)
            labels, scores = self._run(work, budget)
        strays = np.flatnonzero(labels[:, 0] == fasttext.STRAYS)
        if len(strays):
            labels[strays], scores[strays] = work.beside(strays)
        return labels, scores

    def key_edges(self, keys: NDArray[np.uint64], docs: NDArray[np.uint64]) -> Edges:
        """As dedup.bucket_edges; keys of shape (rows,) or, for 128-bit hashes, (rows, 2)."""
        with self._turn:
            if edge_bytes(len(keys), keys.ndim) <= self._free_bytes():
                try:
                    return key_edges(self.device, keys, docs)
                except MemoryError:
                    pass  # free, but in too small pieces
        return CPU.key_edges(keys, docs)

    def _model(self, model: _cpu.FastText) -> DeviceModel:
        """The model in the device's memory. Raises MemoryError where it does not fit."""
        held = next((each for each in self._models if each[0] is model), None)
        if held is None:
            self._models = self._models[: MODELS_HELD - 1]
            held = (model, DeviceModel(self.device, model))
        self._models = [held, *(each for each in self._models if each is not held)]
        return held[1]

    def _free_bytes(self) -> int:
        return int(self.device.free_bytes() * SHARE_OF_FREE)

    def _run(self, work: _Work, budget: int) -> Columns:
        """The columns for all rows, in their order; a run is copied while the one before it is worked on. Texts that
        lie on the device already are one run, if the kernels' own memory allows."""
        costs = work.costs
        if isinstance(work.texts, ResidentTexts):
            costs = np.where(costs == TOO_LARGE, costs, costs - work.texts.sizes[work.rows])
        else:
            budget = _run_budget(costs, budget)
        runs, too_large = batches(costs, budget)
        with ThreadPoolExecutor(2) as pool:
            others = pool.submit(work.beside, too_large)
            parts: list[tuple[Int64s, Columns]] = []
            coming = pool.submit(self._copied, work, *runs[0]) if runs else None
            for number, (first, end) in enumerate(runs):
                batch = coming.result() if coming else None
                following = runs[number + 1 : number + 2]
                coming = pool.submit(self._copied, work, *following[0]) if following else None
                made = _made(work, batch)
                batch = None  # or it would stay in memory while its halves need some
                if made is None:
                    parts += self._in_halves(work, first, end)
                else:
                    parts.append((np.arange(first, end), made))
            parts.append((too_large, others.result()))
        return tuple(
            _placed(len(work.rows), [(places, columns[i]) for places, columns in parts])
            for i in range(len(parts[0][1]))
        )

    def _copied(self, work: _Work, first: int, end: int) -> DeviceTexts | None:
        """The texts of rows `first` to `end` on the device; None where memory is in too small pieces."""
        if isinstance(work.texts, ResidentTexts):
            return DeviceTexts.resident(work.texts, work.rows[first:end])
        try:
            return DeviceTexts.upload(self.device, _chosen(work.texts, work.rows[first:end]))
        except MemoryError:
            return None

    def _in_halves(self, work: _Work, first: int, end: int) -> list[tuple[Int64s, Columns]]:
        """Rows `first` to `end` where memory is in too small pieces; a row that fails alone is the CPU's."""
        if end - first == 1:
            return [(np.arange(first, end), work.beside(np.arange(first, end)))]
        middle = (first + end) // 2
        parts: list[tuple[Int64s, Columns]] = []
        for low, high in ((first, middle), (middle, end)):
            made = _made(work, self._copied(work, low, high))
            parts += self._in_halves(work, low, high) if made is None else [(np.arange(low, high), made)]
        return parts


def _made(work: _Work, batch: DeviceTexts | None) -> Columns | None:
    """What the kernels make of a run; None where memory is in too small pieces."""
    if batch is None:
        return None
    try:
        return work.on_device(batch)
    except MemoryError:
        return None


def _run_budget(costs: Int64s, budget: int) -> int:
    """Device memory for one run, where `budget` is there for all that are in memory at a time."""
    fits = costs[costs <= budget // RUNS_IN_MEMORY]
    overlapped = max(int(fits.sum()) // OVERLAPPED_RUNS, LEAST_RUN_BYTES)
    return min(budget // RUNS_IN_MEMORY, overlapped)


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
