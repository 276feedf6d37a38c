"""A document pass over one source file: the text is read once, every stage of the pass looks at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.engines.task import Facts, timed
from curate.io.changes import ensure_unchanged
from curate.io.files import join
from curate.io.quarantine import write_quarantine
from curate.io.row_ranges import row_ranges
from curate.io.sources import BadRow, RawBatch, SourceColumns, SourceFile, read_batches
from curate.kernels import Texts
from curate.memory import DEFAULT, Memory
from curate.models.tokens import TokenCount, TokenEstimate
from curate.plan import EDITED_COLUMNS, Step, editing
from curate.run.layers import LayerWriter
from curate.run.standing import Decided, Standing
from curate.stages.base import Batch, DocumentStage, edited, scatter
from curate.stages.corpus import Collector, CorpusStage

#: The ledger column by which tokens are estimated.
LANGUAGE = "lang"
#: What the counting of tokens is called among the times of the stages.
TOKENS = "tokens"


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """How much of a file is in memory at once; results do not depend on it."""

    documents: int = 16_384
    bytes: int = DEFAULT.batch
    memory: Memory = DEFAULT


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
    return FilePass(out, arguments).run()


class FilePass:
    """The pass over one file. Nothing is written before `run` has read it all."""

    def __init__(self, out: str, arguments: DecideArguments) -> None:
        self._out = out
        self._arguments = arguments
        self._standing = Standing.read(out, arguments.decided) if arguments.decided.layers else None
        self._alive = self._standing.alive if self._standing else np.zeros(0, np.bool_)
        stages = [step.stage for step in arguments.steps]
        self._layer = LayerWriter(
            [stage.columns for stage in stages if isinstance(stage, DocumentStage)],
            edits=bool(editing(arguments.steps)),
        )
        self._collectors = {
            step.name: step.stage.collector(arguments.limits.memory)
            for step in arguments.steps
            if isinstance(step.stage, CorpusStage)
        }
        self._collected = dict.fromkeys(self._collectors, 0)

    def run(self) -> Facts:
        arguments = self._arguments
        ensure_unchanged(arguments.file)
        bad: list[BadRow] = []
        for raw in read_batches(
            arguments.file,
            arguments.columns,
            text=arguments.reads_text,
            max_documents=arguments.limits.documents,
            max_bytes=arguments.limits.bytes,
            rows=row_ranges(np.flatnonzero(self._alive)) if self._standing else None,
        ):
            bad.extend(raw.bad)
            if len(raw):
                self.decide(raw)
        # A remote file is read by ranges, so one that is replaced meanwhile could be read half and half.
        ensure_unchanged(arguments.file)
        if not self._standing:
            for record in bad:
                self._layer.add_unreadable(record)
        facts = self._layer.write(
            join(self._out, arguments.layer), len(self._alive) if self._standing else None
        )
        for collector, paths in zip(self._collectors.values(), arguments.exchange, strict=True):
            collector.write([join(self._out, path) for path in paths])
        if arguments.quarantine is not None:
            write_quarantine(join(self._out, arguments.quarantine), arguments.file, bad)
            facts["quarantined"] = sum(max(1, record.rows) for record in bad)
        return {**facts, "collected": self._collected}

    def decide(self, raw: RawBatch) -> int:
        """Let the stages look at a batch; returns how many of its documents no stage has dropped."""
        known: dict[str, pa.Array] = {}
        texts = _no_texts(len(raw)) if raw.texts is None else Texts.from_arrow(raw.texts)
        if self._standing:
            alive = self._alive[raw.start : raw.start + len(raw)].copy()
            if raw.texts is not None:
                texts = edited(texts, np.flatnonzero(alive), self._arguments.edits)
        else:
            alive = _readable(raw.texts)
            with timed(TOKENS, len(raw)):
                tokens = self._arguments.tokens.count(texts, np.arange(len(raw)))
            documents = self._layer.add_documents(raw.ids, texts.sizes, tokens)
            known = {name: documents[name] for name in documents.schema.names}
        for step in self._arguments.steps:
            rows = np.flatnonzero(alive)
            if not len(rows):
                break
            batch = Batch(self._arguments.file.source, texts, self._columns(step, raw, known))
            if isinstance(step.stage, DocumentStage):
                with timed(step.name, len(rows)):
                    verdicts = step.stage.decide(batch, rows)
                self._layer.add_verdicts(step.name, step.stage.rules, rows + raw.start, verdicts)
                known |= {name: scatter(values, rows, len(raw)) for name, values in verdicts.columns.items()}
                if LANGUAGE in verdicts.columns:
                    self._estimate_again(raw, rows, known)
                alive[rows[verdicts.rule >= 0]] = False
                if step.stage.edits:
                    rows = np.flatnonzero(alive)
                    with timed(step.name, 0):
                        texts = edited(texts, rows, [step.stage])
                    self._measure_edited(raw, texts, rows, known)
            else:
                self._collect(step.name, batch, rows, raw.start)
        return int(np.count_nonzero(alive))

    def _measure_edited(
        self, raw: RawBatch, texts: Texts, rows: NDArray[np.int64], known: dict[str, pa.Array]
    ) -> None:
        language = self._column(LANGUAGE, raw, known)
        with timed(TOKENS, 0):
            tokens = self._arguments.tokens.count(
                texts, rows, None if language is None else language.take(pa.array(rows))
            )
        values = (pa.array(texts.sizes[rows]), pa.array(tokens))
        self._put(raw, rows, dict(zip(EDITED_COLUMNS, values, strict=True)), known)

    def _estimate_again(self, raw: RawBatch, rows: NDArray[np.int64], known: dict[str, pa.Array]) -> None:
        """Tokens of documents whose language has just been told, where they are estimated by language."""
        if not isinstance(self._arguments.tokens, TokenEstimate):
            return
        at = pa.array(rows)
        languages = known[LANGUAGE].take(at)
        for size, tokens in (("bytes", "tokens"), EDITED_COLUMNS):
            sizes = self._column(size, raw, known)
            if sizes is not None:
                chosen = sizes.take(at)
                counted = pa.array(self._arguments.tokens.of(chosen.fill_null(0).to_numpy(), languages))
                values = pc.if_else(chosen.is_valid(), counted, None)
                self._put(raw, rows, {tokens: values}, known)

    def _put(
        self,
        raw: RawBatch,
        rows: NDArray[np.int64],
        columns: Mapping[str, pa.Array],
        known: dict[str, pa.Array],
    ) -> None:
        """Ledger columns of the batch's `rows`, over what stood there."""
        self._layer.add_columns(rows + raw.start, columns)
        for name, values in columns.items():
            known[name] = scatter(values, rows, len(raw))

    def _collect(self, name: str, batch: Batch, rows: NDArray[np.int64], first_row: int) -> None:
        collector: Collector = self._collectors[name]
        with timed(name, len(rows)):
            collector.add(batch, rows, first_row)
        self._collected[name] += len(rows)

    def _columns(self, step: Step, raw: RawBatch, known: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
        """What the stage requires: columns that the plan reads from the source, else the ledger's."""
        found = {}
        for name in step.stage.requires:
            column = raw.columns[name] if name in raw.columns else self._column(name, raw, known)
            assert column is not None, f"no pass could have written {name}"
            found[name] = column
        return found

    def _column(self, name: str, raw: RawBatch, known: Mapping[str, pa.Array]) -> pa.Array | None:
        """The batch's ledger column of that name, by this pass or those before it; None where it is in neither."""
        before = None
        if self._standing and name in self._standing.table.column_names:
            before = self._standing.column(name, raw.start, len(raw))
        if name not in known:
            return before
        return known[name] if before is None else pc.coalesce(known[name], before)


def _readable(texts: pa.Array) -> NDArray[np.bool_]:
    readable: NDArray[np.bool_] = texts.is_valid().to_numpy(zero_copy_only=False)
    return readable


def _no_texts(rows: int) -> Texts:
    return Texts(np.zeros(0, np.uint8), np.zeros(rows + 1, np.int64))
