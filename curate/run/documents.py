"""A document pass over one source file: the text is read once, every stage of the pass looks at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.beside_gpu import texts_on_host
from curate.engines.task import Facts, timed
from curate.io import cudf_parquet
from curate.io.ahead import ahead
from curate.io.batches import joined
from curate.io.changes import ensure_unchanged
from curate.io.files import join
from curate.io.quarantine import write_quarantine
from curate.io.row_ranges import row_ranges
from curate.io.sources import BadRow, RawBatch, SourceColumns, SourceFile, read_batches
from curate.kernels import Texts
from curate.kernels.choice import kernels_on
from curate.kernels.interface import Kernels
from curate.memory import DEFAULT, Memory
from curate.models.tokens import TokenCount
from curate.plan import Step, editing
from curate.run.layers import LayerWriter
from curate.run.standing import Decided, Standing
from curate.stages.base import Batch, DocumentStage, edited, scatter
from curate.stages.corpus import Collector, CorpusStage

#: What the counting of tokens is called among the times of the stages.
TOKENS = "tokens"
#: Among the stages too, without a time: of how many documents cudf read the texts.
READ_BY_CUDF = "read by cudf"
#: Documents of a batch on a CPU, where nobody asks for another number.
DOCUMENTS = 16_384
#: On a GPU, a batch has a document for so many of its bytes.
BYTES_A_DOCUMENT = 1_024


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """How much of a file is in memory at once; results do not depend on it.

    asked: documents a batch that the user asks for, at most. device: what stages compute on.
    """

    asked: int | None = None
    bytes: int = DEFAULT.batch
    memory: Memory = DEFAULT
    device: str = "cpu"

    @property
    def documents(self) -> int:
        return self.asked or DOCUMENTS

    def on(self, kernels: Kernels) -> BatchLimits:
        """The limits where these kernels look at the batches: a GPU is kept busy by large ones."""
        free = kernels.batch_bytes()
        if free is None:
            return self
        size = max(self.bytes, min(self.memory.device_batch, free))
        return replace(self, asked=self.asked or max(DOCUMENTS, size // BYTES_A_DOCUMENT), bytes=size)


@dataclass(frozen=True, slots=True)
class DecideArguments:
    """What `decide_file` needs.

    edits: stages of earlier passes whose edits are made again before the stages of `steps` look at the texts.
    decided: what earlier passes decided; without layers in the first pass, which counts documents and quarantines.
    exchange: for each corpus stage of `steps`, in order, the paths of its exchange files.
    """

    file: SourceFile
    columns: SourceColumns
    reads_text: bool
    edits: tuple[DocumentStage, ...]
    steps: tuple[Step, ...]
    decided: Decided
    layer: str
    exchange: tuple[tuple[str, ...], ...]
    quarantine: str | None
    limits: BatchLimits
    tokens: TokenCount


def decide_file(out: str, arguments: DecideArguments) -> Facts:
    """Run the pass's stages over one file; write its layer, exchange files and quarantine."""
    standing = Standing.read(out, arguments.decided) if arguments.decided.layers else None
    return FilePass(out, arguments, standing, standing.alive if standing else None).run()


class FilePass:
    """The pass over one file: its stages look at the documents. Nothing is written before `read` has read it all.

    standing: what earlier passes decided; None in the first. alive: the documents to look at, where there is one.
    """

    def __init__(
        self,
        out: str,
        arguments: DecideArguments,
        standing: Standing | None = None,
        alive: NDArray[np.bool_] | None = None,
    ) -> None:
        self._out = out
        self._arguments = arguments
        self._standing = standing
        self._alive = np.zeros(0, np.bool_) if alive is None else alive
        stages = [step.stage for step in arguments.steps]
        self.layer = LayerWriter(
            [stage.columns for stage in stages if isinstance(stage, DocumentStage)],
            edits=bool(editing(arguments.steps)),
        )
        self.collectors: dict[str, Collector] = {
            step.name: step.stage.collector(arguments.limits.memory)
            for step in arguments.steps
            if isinstance(step.stage, CorpusStage)
        }
        self._collected = dict.fromkeys(self.collectors, 0)
        self._kept = 0

    def run(self) -> Facts:
        arguments = self._arguments
        bad = self.read()
        if not self._standing:
            for record in bad:
                self.layer.add_unreadable(record)
        facts = self.layer.write(
            join(self._out, arguments.layer), len(self._alive) if self._standing else None
        )
        collected = self.write_exchange()
        if arguments.quarantine is not None:
            write_quarantine(join(self._out, arguments.quarantine), arguments.file, bad)
            facts["quarantined"] = sum(max(1, record.rows) for record in bad)
        return {**facts, "collected": collected, "kept": self._kept}

    def read(self) -> list[BadRow]:
        """Let the stages look at the documents; returns what cannot be read."""
        arguments = self._arguments
        ensure_unchanged(arguments.file)
        bad: list[BadRow] = []
        if self._standing and not self._alive.any():
            return bad
        for raw in self._batches():
            bad.extend(raw.bad)
            if len(raw):
                self._kept += self.decide(raw)
        # A remote file is read by ranges, so one that is replaced meanwhile could be read half and half.
        ensure_unchanged(arguments.file)
        return bad

    def write_exchange(self) -> dict[str, int]:
        """Write the exchange files; returns how many documents each corpus stage was shown."""
        for collector, paths in zip(self.collectors.values(), self._arguments.exchange, strict=True):
            collector.write([join(self._out, path) for path in paths])
        return self._collected

    def _batches(self) -> Iterator[RawBatch]:
        """Of a GPU they are as large as it takes, and read while it works on the one before."""
        arguments, kernels = self._arguments, kernels_on(self._arguments.limits.device)
        limits = arguments.limits.on(kernels)
        rows = row_ranges(np.flatnonzero(self._alive)) if self._standing else None
        file, columns, memory = arguments.file, arguments.columns, kernels.text_memory
        if memory and self._texts_on_device() and cudf_parquet.installed():
            return ahead(cudf_parquet.read(file, columns, memory, limits.documents, limits.bytes, rows))
        read = read_batches(
            file,
            columns,
            text=arguments.reads_text,
            max_documents=limits.documents,
            max_bytes=limits.bytes,
            rows=rows,
        )
        if limits.bytes == arguments.limits.bytes:
            return read
        return ahead(joined(read, limits.documents, limits.bytes))

    def _texts_on_device(self) -> bool:
        """Whether nobody looks at the texts but kernels of a GPU."""
        arguments = self._arguments
        return (
            arguments.reads_text and texts_on_host(arguments.steps, arguments.edits, arguments.tokens) is None
        )

    def decide(self, raw: RawBatch) -> int:
        """Let the stages look at a batch; returns how many of its documents no stage has dropped."""
        known: dict[str, pa.Array] = {}
        texts = _texts(raw)
        if raw.device_texts is not None:
            with timed(READ_BY_CUDF, len(raw)):
                pass
        if self._standing:
            alive = self._alive[raw.start : raw.start + len(raw)].copy()
            if raw.texts is not None or raw.device_texts is not None:
                texts = edited(texts, np.flatnonzero(alive), self._arguments.edits)
        else:
            alive = _readable(raw)
            with timed(TOKENS, len(raw)):
                tokens = self._arguments.tokens.count(texts, np.arange(len(raw)))
            documents = self.layer.add_documents(raw.ids, texts.sizes, tokens)
            known = {name: documents[name] for name in documents.schema.names}
        for step in self._arguments.steps:
            rows = np.flatnonzero(alive)
            if not len(rows):
                break
            batch = Batch(self._arguments.file.source, texts, self._columns(step, raw, known))
            if isinstance(step.stage, DocumentStage):
                with timed(step.name, len(rows)):
                    verdicts = step.stage.decide(batch, rows)
                self.layer.add_verdicts(step.name, step.stage.rules, rows + raw.start, verdicts)
                known |= {name: scatter(values, rows, len(raw)) for name, values in verdicts.columns.items()}
                alive[rows[verdicts.rule >= 0]] = False
                if step.stage.edits:
                    rows = np.flatnonzero(alive)
                    with timed(step.name, 0):
                        texts = edited(texts, rows, [step.stage])
                    with timed(TOKENS, 0):
                        tokens = self._arguments.tokens.count(texts, rows)
                    sizes = self.layer.add_edited(rows + raw.start, texts.sizes[rows], tokens)
                    known |= {name: scatter(values, rows, len(raw)) for name, values in sizes.items()}
            else:
                self._collect(step.name, batch, rows, raw.start)
        return int(np.count_nonzero(alive))

    def _collect(self, name: str, batch: Batch, rows: NDArray[np.int64], first_row: int) -> None:
        with timed(name, len(rows)):
            self.collectors[name].add(batch, rows, first_row)
        self._collected[name] += len(rows)

    def _columns(self, step: Step, raw: RawBatch, known: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
        """What the stage requires: columns that the plan reads from the source, else the ledger's."""
        found = {}
        for name in step.stage.requires:
            if name in raw.columns:
                found[name] = raw.columns[name]
            elif name in known:
                found[name] = known[name]
            else:
                assert self._standing, f"no pass before this one could have written {name}"
                found[name] = self._standing.column(name, raw.start, len(raw))
        return found


def _readable(raw: RawBatch) -> NDArray[np.bool_]:
    if raw.texts is None:
        return np.ones(len(raw), np.bool_)
    readable: NDArray[np.bool_] = raw.texts.is_valid().to_numpy(zero_copy_only=False)
    return readable


def _texts(raw: RawBatch) -> Texts:
    """Those of the batch; empty ones where they were not read."""
    if raw.device_texts is not None:
        return raw.device_texts
    if raw.texts is not None:
        return Texts.from_arrow(raw.texts)
    return Texts(np.zeros(0, np.uint8), np.zeros(len(raw) + 1, np.int64))
