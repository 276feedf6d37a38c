"""The CPU extension's functions on a device, in batches that fit its memory.

A text that is much longer than the others would keep a GPU waiting for one thread. Where a kernel cannot cut a text,
the CPU takes those from a stated length on, at the same time; the bits are the same.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.kernels import _cpu
from curate.kernels.gpu import fasttext, heuristics, ngrams, normal, redact
from curate.kernels.gpu.batches import SHARE_OF_FREE, Int64s
from curate.kernels.gpu.device import Device
from curate.kernels.gpu.fasttext import DeviceModel, FastTextJob
from curate.kernels.gpu.held import Held
from curate.kernels.gpu.heuristics import FamiliesJob, HeuristicsJob
from curate.kernels.gpu.jobs import DeviceTexts, TextHashJob, Utf8Job
from curate.kernels.gpu.join import edge_bytes, key_edges
from curate.kernels.gpu.line_sieve import DeviceSieve, LineSieveJob
from curate.kernels.gpu.ngrams import DeviceNgrams, NgramJob
from curate.kernels.gpu.normal import NormalJob
from curate.kernels.gpu.redact import RedactJob
from curate.kernels.gpu.resident import ResidentTexts, adopted
from curate.kernels.gpu.rewriting import Rewriting, Room, replaced, rewritten
from curate.kernels.gpu.runs import RUNS_IN_MEMORY, TOO_LARGE, Columns, Work, run
from curate.kernels.gpu.sketch import SketchJob
from curate.kernels.heuristics import PLAIN
from curate.kernels.interface import CPU, Edges, Redacted, SketchShape, TextMemory
from curate.kernels.lines import LineSieve
from curate.kernels.texts import Texts

#: A thread hashes a text alone.
LONGEST_HASHED_TEXT = 4 << 20
#: Of the memory for statistics, what texts at work may take.
SHARE_OF_SCRATCH = 0.7
#: Of a batch's bytes, what kernels take on the device beside the text: results, scratch memory, copies in turn.
BYTES_A_BATCH_BYTE = 4


class DeviceKernels:
    """Text kernels on one device. Threads take turns."""

    def __init__(self, device: Device) -> None:
        self.device, self.processor = device, device.name
        self._turn = threading.RLock()
        self._held = Held(device)

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
            work = Work(texts, rows, texts.sizes + 32, on_device, on_host)
            (valid,) = run(self.device, work, self._free_bytes())
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
            (hashes,) = run(self.device, Work(texts, rows, costs, on_device, on_host), self._free_bytes())
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
        work = Work(texts, rows, costs, on_device, on_host)
        with self._turn:
            keys, signatures, sketched = run(self.device, work, self._free_bytes())
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
        work = Work(texts, rows, costs, on_device, on_host)
        with self._turn:
            scratch_bytes = int(self._free_bytes() * SHARE_OF_SCRATCH)
            (statistics,) = run(self.device, work, self._free_bytes() - scratch_bytes)
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
                on_this = self._held.copy_of(model, DeviceModel)
            except MemoryError:
                return CPU.fasttext(model, *texts.on_host(rows), k, characters)
            costs = _limited(FastTextJob.bytes_of(sizes, on_this, k), sizes, fasttext.LONGEST_TEXT)
            budget = self._free_bytes() - RUNS_IN_MEMORY * FastTextJob.fixed_bytes(self.device, on_this)
            work = Work(texts, rows, costs, on_device, on_host)
            labels, scores = run(self.device, work, budget)
        strays = np.flatnonzero(labels[:, 0] == fasttext.STRAYS)
        if len(strays):
            labels[strays], scores[strays] = work.beside(strays)
        return labels, scores

    def normalized(self, texts: Texts, rows: Int64s, steps: int) -> tuple[Texts, Int64s]:
        """As interface.Kernels has it; where there is room, the texts stay on the device."""

        def job(batch: DeviceTexts, room: Room, scratch_bytes: int) -> NormalJob:
            return NormalJob(batch, room, steps)

        def on_host(texts: Texts, rows: Int64s) -> tuple[Texts, Int64s]:
            return CPU.normalized(texts, rows, steps)

        sizes = texts.sizes[rows]
        costs = _limited(NormalJob.bytes_of(sizes), sizes, normal.LONGEST_TEXT)
        with self._turn:
            return rewritten(self.device, Rewriting(texts, rows, costs, job, on_host), self._free_bytes)

    def edited(self, texts: Texts, rows: Int64s, families: Sequence[str]) -> tuple[Texts, Int64s]:
        """As interface.Kernels has it; where there is room, the texts stay on the device."""
        steps = [(family, 0) for family in families]

        def job(batch: DeviceTexts, room: Room, scratch_bytes: int) -> FamiliesJob:
            return FamiliesJob(batch, steps, scratch_bytes, room)

        def on_host(texts: Texts, rows: Int64s) -> tuple[Texts, Int64s]:
            return CPU.edited(texts, rows, families)

        sizes = texts.sizes[rows]
        costs = _limited(FamiliesJob.bytes_of(sizes, steps) + 24, sizes, heuristics.LONGEST_TEXT)
        work = Rewriting(texts, rows, costs, job, on_host, SHARE_OF_SCRATCH)
        with self._turn:
            return rewritten(self.device, work, self._free_bytes)

    def lines_may_match(self, sieve: LineSieve, texts: Texts, rows: Int64s) -> NDArray[np.bool_]:
        """As interface.Kernels has it."""

        def on_device(batch: DeviceTexts) -> Columns:
            job = LineSieveJob(batch, on_this)
            job.run()
            return (job.result(),)

        def on_host(texts: Texts, rows: Int64s) -> Columns:
            return (CPU.lines_may_match(sieve, texts, rows),)

        costs = LineSieveJob.bytes_of(texts.sizes[rows])
        with self._turn:
            try:
                on_this = self._held.copy_of(sieve, DeviceSieve)
            except MemoryError:
                return CPU.lines_may_match(sieve, *texts.on_host(rows))
            (passes,) = run(self.device, Work(texts, rows, costs, on_device, on_host), self._free_bytes())
        return passes

    def redact_counts(self, texts: Texts, rows: Int64s, what: Redacted) -> NDArray[np.int64]:
        """As interface.Kernels has it."""

        def on_device(batch: DeviceTexts) -> Columns:
            job = RedactJob(batch, what)
            job.run()
            return (job.result(),)

        def on_host(texts: Texts, rows: Int64s) -> Columns:
            return (CPU.redact_counts(texts, rows, what),)

        sizes = texts.sizes[rows]
        costs = _limited(RedactJob.bytes_of(sizes), sizes, redact.LONGEST_TEXT)
        with self._turn:
            (counts,) = run(self.device, Work(texts, rows, costs, on_device, on_host), self._free_bytes())
        return counts

    def replaced(self, texts: Texts, rows: Int64s, by: Texts, by_rows: Int64s) -> Texts:
        """As interface.Kernels has it; texts that do not lie on the device are replaced on the host."""
        if isinstance(texts, ResidentTexts) and len(texts):
            with self._turn:
                try:
                    return replaced(texts, rows, by, by_rows)
                except MemoryError:
                    pass
        return CPU.replaced(texts, rows, *by.on_host(by_rows))

    def overlaps(self, index: _cpu.NgramIndex, texts: Texts, rows: Int64s) -> NDArray[np.int64]:
        """As interface.Kernels has it."""

        def on_device(batch: DeviceTexts) -> Columns:
            job = NgramJob(batch, on_this)
            job.run()
            return (job.result(),)

        def on_host(texts: Texts, rows: Int64s) -> Columns:
            return (CPU.overlaps(index, texts, rows),)

        sizes = texts.sizes[rows]
        with self._turn:
            try:
                on_this = self._held.copy_of(index, DeviceNgrams)
            except MemoryError:
                return CPU.overlaps(index, *texts.on_host(rows))
            costs = _limited(NgramJob.bytes_of(sizes), sizes, ngrams.LONGEST_TEXT)
            (table,) = run(self.device, Work(texts, rows, costs, on_device, on_host), self._free_bytes())
        return table

    def key_edges(self, keys: NDArray[np.uint64], docs: NDArray[np.uint64]) -> Edges:
        """As dedup.bucket_edges; keys of shape (rows,) or, for 128-bit hashes, (rows, 2)."""
        with self._turn:
            if edge_bytes(len(keys), keys.ndim) <= self._free_bytes():
                try:
                    return key_edges(self.device, keys, docs)
                except MemoryError:
                    pass  # free, but in too small pieces
        return CPU.key_edges(keys, docs)

    def _free_bytes(self) -> int:
        return int(self.device.free_bytes() * SHARE_OF_FREE)


def _limited(costs: Int64s, sizes: Int64s, longest: int) -> Int64s:
    return np.where(sizes > longest, TOO_LARGE, costs)
