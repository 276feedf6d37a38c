"""curate's language, heuristics and sketch stages as stages of NeMo Curator: a DocumentBatch in, a DocumentBatch out.

    pipeline.add_stage(LanguageStage(keep=["en"]))
    pipeline.add_stage(HeuristicsStage(profile="nemo", device="gpu"))
    pipeline.add_stage(SketchStage(preset="zyda2"))

What is decided, and every bit of a sketch, is what a recipe with the same keys gives. After nemo-curator 1.4.0,
nemo_curator/stages/base.py (ProcessingStage) and nemo_curator/tasks/document.py (DocumentBatch).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from nemo_curator.stages.base import ProcessingStage
from nemo_curator.stages.resources import Resources
from nemo_curator.tasks import DocumentBatch
from numpy.typing import NDArray

from curate.errors import Problem, SourceError
from curate.kernels import Texts
from curate.kernels.choice import kernels_on
from curate.stages.base import Batch, DocumentStage, scatter
from curate.stages.fuzzy_config import FuzzyDedupConfig
from curate.stages.heuristics import Heuristics
from curate.stages.language import Language

#: The reason of a document whose text is null, as in a run of curate.
TEXT_NULL = "text_null"


class _TextStage(ProcessingStage[DocumentBatch, DocumentBatch]):
    """What the stages here share. text_field: the column of the texts. device: auto, cpu or gpu."""

    _is_abstract_root = True

    def __init__(self, text_field: str, device: str) -> None:
        self.text_field = text_field
        self.device = device
        self.resources = Resources(cpus=1.0, gpus=1.0 if device == "gpu" else 0.0)

    def inputs(self) -> tuple[list[str], list[str]]:
        return ["data"], [self.text_field]

    def setup(self, worker_metadata: Any = None) -> None:
        """Raises EngineError where the worker cannot compute on `device`."""
        kernels_on(self.device)

    def process(self, task: DocumentBatch) -> DocumentBatch:
        """Raises SourceError where a column is missing or of another type than the stage reads."""
        table = _table(task)
        if self.text_field not in table.column_names:
            found = f"columns {', '.join(table.column_names)}"
            raise SourceError(Problem(self.name, found, f"a column {self.text_field}", "give text_field"))
        column = table[self.text_field]
        try:
            texts = Texts.from_arrow(column)
        except TypeError as error:
            raise SourceError(Problem(f"{self.name}: column {self.text_field}", str(error))) from error
        rows = np.flatnonzero(column.is_valid().to_numpy())
        return DocumentBatch(
            dataset_name=task.dataset_name,
            data=self._processed(table, texts, rows),
            _stage_perf=task._stage_perf,
            _metadata=task._metadata,
        )

    def _processed(self, table: pa.Table, texts: Texts, rows: NDArray[np.int64]) -> pa.Table:
        """The batch's table when the stage is done with it. rows: int64, those that have a text."""
        raise NotImplementedError


class _DecidingStage(_TextStage):
    """drop: leave out documents that the stage drops, and those whose text is null; else they stay, and the columns
    `dropped_by`, `reason` and `value` say which they are and why, as in curate's ledger."""

    _is_abstract_root = True

    def __init__(self, stage: DocumentStage, text_field: str, device: str, drop: bool) -> None:
        super().__init__(text_field, device)
        stage.device = device
        self.stage = stage
        self.drop = drop

    def inputs(self) -> tuple[list[str], list[str]]:
        return ["data"], [self.text_field, *self.stage.requires]

    def outputs(self) -> tuple[list[str], list[str]]:
        told = [] if self.drop else ["dropped_by", "reason", "value"]
        edited = [self.text_field] if self.stage.edits else []
        return ["data"], [*edited, *self.stage.columns.names, *told]

    def setup(self, worker_metadata: Any = None) -> None:
        """Raises EngineError as above, and ModelError where the model cannot be loaded."""
        super().setup(worker_metadata)
        self.stage.definition()

    def _processed(self, table: pa.Table, texts: Texts, rows: NDArray[np.int64]) -> pa.Table:
        columns = {name: table[name].combine_chunks() for name in self.stage.requires}
        rule = np.full(len(table), -1, np.int16)
        value = np.full(len(table), np.nan)
        written = {field.name: pa.nulls(len(table), field.type) for field in self.stage.columns}
        if len(rows):
            verdicts = self.stage.decide(Batch("", texts, columns), rows)
            rule[rows], value[rows] = verdicts.rule, verdicts.value
            written = {name: scatter(found, rows, len(table)) for name, found in verdicts.columns.items()}
        unread = np.ones(len(table), np.bool_)
        unread[rows] = False
        kept = np.flatnonzero((rule < 0) & ~unread)
        if self.stage.edits and len(kept):
            after = self.stage.edit(texts, kept).to_arrow().take(pa.array(kept))
            places = np.arange(len(table))
            places[kept] = len(table) + np.arange(len(kept))
            before = table[self.text_field].combine_chunks().cast(pa.large_string())
            edited = pa.concat_arrays([before, after]).take(pa.array(places))
            table = _with_column(table, self.text_field, edited)
        for name, found in written.items():
            table = _with_column(table, name, found)
        if self.drop:
            return table.filter(pa.array((rule < 0) & ~unread))
        reasons = np.array([*self.stage.rules, TEXT_NULL, None], object)
        reason = reasons[np.where(unread, len(reasons) - 2, rule)]
        by = np.where(unread, "read", np.where(rule >= 0, self.name, None))
        table = _with_column(table, "dropped_by", pa.array(by, pa.string()))
        table = _with_column(table, "reason", pa.array(reason, pa.string()))
        return _with_column(table, "value", pa.array(value, from_pandas=True))


class LanguageStage(_DecidingStage):
    """The stage `language`, with the keys of a recipe: model, keep, min_score and so on. Adds lang, lang_score."""

    name = "language"

    def __init__(
        self, *, text_field: str = "text", device: str = "auto", drop: bool = True, **keys: Any
    ) -> None:
        super().__init__(Language(Language.Config(**keys)), text_field, device, drop)


class HeuristicsStage(_DecidingStage):
    """The stage `heuristics`, with the keys of a recipe: profile, rules, thresholds, keep_stats and so on. Adds the
    statistics of keep_stats. A profile that edits texts leaves them edited in the batch."""

    name = "heuristics"

    def __init__(
        self, *, text_field: str = "text", device: str = "auto", drop: bool = True, **keys: Any
    ) -> None:
        super().__init__(Heuristics(Heuristics.Config(**keys)), text_field, device, drop)


class SketchStage(_TextStage):
    """The sketches of `fuzzy_dedup`, with its keys: preset, shingles, hashes, bands, seed, sketch, normalize.

    Adds `band_keys` (a list of `bands` uint64) and `signature` (`hashes` bytes, one a slot); null where a text has no
    shingle or is null.
    """

    name = "sketch"

    def __init__(self, *, text_field: str = "text", device: str = "auto", **keys: Any) -> None:
        super().__init__(text_field, device)
        self._sketcher = FuzzyDedupConfig(**keys).sketcher()

    def outputs(self) -> tuple[list[str], list[str]]:
        return ["data"], ["band_keys", "signature"]

    def _processed(self, table: pa.Table, texts: Texts, rows: NDArray[np.int64]) -> pa.Table:
        made = self._sketcher.sketch(texts, rows, kernels_on(self.device))
        bands, slots = self._sketcher.bands, self._sketcher.hashes
        keys = np.ascontiguousarray(made.keys[:, made.sketched].T)
        lists = pa.FixedSizeListArray.from_arrays(pa.array(keys.reshape(-1)), bands)
        found = np.ascontiguousarray(made.signatures[made.sketched])
        buffers = [None, pa.py_buffer(found)]
        signatures = pa.Array.from_buffers(pa.binary(slots), len(found), buffers)
        sketched = rows[made.sketched]
        table = _with_column(table, "band_keys", scatter(lists, sketched, len(table)))
        return _with_column(table, "signature", scatter(signatures, sketched, len(table)))


def _table(task: DocumentBatch) -> pa.Table:
    """The batch as Arrow; the index that filtering leaves in a data frame is no column."""
    return (
        task.data
        if isinstance(task.data, pa.Table)
        else pa.Table.from_pandas(task.data, preserve_index=False)
    )


def _with_column(table: pa.Table, name: str, values: pa.Array) -> pa.Table:
    """The table with the column, in the place of one of that name if there is one."""
    if name in table.column_names:
        return table.set_column(table.column_names.index(name), name, values)
    return table.append_column(name, values)
