"""Deciding again from kept statistics: another threshold reads no text but that of documents that it brings back.

A stage with a `measurement` can make its verdicts from ledger columns. When nothing else of a document pass changed,
its task takes the layer and the exchange files that it wrote before and changes what the new verdicts change. A
document that was dropped and now stays has not been seen by the stages after that one: only its text is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.engines.task import Facts, fingerprint
from curate.io.files import join
from curate.io.ledger import READ
from curate.plan import EDITED_COLUMNS, Step, editing
from curate.run.documents import DecideArguments, FilePass
from curate.run.layers import read_layer, write_parquet
from curate.run.standing import Decided, Standing
from curate.stages.base import DocumentStage, Verdicts
from curate.stages.corpus import CorpusStage

_DROP = ("dropped_by", "reason", "value")


def stage_inputs(
    steps: Sequence[Step], source_columns: Sequence[str]
) -> tuple[dict[str, str], frozenset[str]]:
    """What the steps of a document pass depend on, by name, and which of these names are about verdicts alone.

    source_columns: metadata columns of the source that the pass reads.
    """
    inputs: dict[str, str] = {}
    verdicts = set()
    apart = _columns_are_apart(steps)
    for step in steps:
        stage = step.stage
        if isinstance(stage, CorpusStage):
            inputs[f"stage {step.name}"] = fingerprint([step.kind, stage.collection()])
        elif apart and stage.measurement() and not set(stage.requires) & set(source_columns):
            inputs[f"stage {step.name}"] = fingerprint([step.kind, stage.measurement()])
            inputs[f"thresholds of {step.name}"] = fingerprint(stage.definition())
            verdicts.add(f"thresholds of {step.name}")
        else:
            inputs[f"stage {step.name}"] = fingerprint([step.kind, stage.definition()])
    return inputs, frozenset(verdicts)


def _columns_are_apart(steps: Sequence[Step]) -> bool:
    """Whether each ledger column of the pass is of one stage, so that it can be taken back with its stage."""
    names = [
        name for step in steps if isinstance(step.stage, DocumentStage) for name in step.stage.columns.names
    ]
    return len(names) == len(set(names)) and len(editing(steps)) <= 1


def redecide_file(out: str, arguments: DecideArguments, facts: Facts) -> Facts:
    """What `decide_file` would do, from the outputs that it left when it found `facts`."""
    layer = read_layer(join(out, arguments.layer))
    decided = arguments.decided
    if decided.layers:
        arrived = Standing.read(out, decided).alive
    else:
        arrived = pc.fill_null(pc.not_equal(layer["dropped_by"], READ), True).to_numpy()
    merged = Decided(decided.base, (*decided.layers, arguments.layer), decided.decisions)
    standing = Standing.read(out, merged)
    walk = _walk(arguments.steps, layer, standing, arrived)
    again = FilePass(out, arguments, standing, walk.back)
    _adopt(out, again, arguments, walk)
    again.read()
    table = _changed_layer(layer, arguments.steps, walk)
    fresh = again.layer.table(len(arrived))
    back = pa.array(walk.back)
    columns = {
        name: pc.if_else(back, fresh[name], table[name]) if name in fresh.column_names else table[name]
        for name in layer.column_names
    }
    write_parquet(join(out, arguments.layer), pa.table(columns))
    collected = again.write_exchange()
    counts = {
        name: collected[name] + int(np.count_nonzero(stays))
        for name, stays in walk.collected(arguments.steps)
    }
    return {**facts, "collected": counts}


@dataclass(frozen=True, slots=True)
class _Walk:
    """What becomes of each document of a file, arrays of shape (rows,).

    before, now: the place of the step that drops it; the number of steps where none does, -1 where it did not arrive.
    back: whether it is shown to steps for the first time, which takes its text; `now` is open there.
    verdicts: by place of a step that decided again, the rows that it was shown and what it said.
    """

    before: NDArray[np.int64]
    now: NDArray[np.int64]
    back: NDArray[np.bool_]
    verdicts: Mapping[int, tuple[NDArray[np.int64], Verdicts]]

    def collected(self, steps: Sequence[Step]) -> list[tuple[str, NDArray[np.bool_]]]:
        """For each corpus step the documents that it collected and still has."""
        return [
            (step.name, (self.before > place) & (self.now > place) & ~self.back)
            for place, step in enumerate(steps)
            if isinstance(step.stage, CorpusStage)
        ]


def _walk(steps: Sequence[Step], layer: pa.Table, standing: Standing, arrived: NDArray[np.bool_]) -> _Walk:
    names = pa.array([step.name for step in steps], pa.string())
    dropped = pc.index_in(layer["dropped_by"], names).fill_null(len(steps)).to_numpy()
    before = np.where(arrived, dropped, -1).astype(np.int64)
    now, back = before.copy(), np.zeros(len(before), np.bool_)
    live = arrived.copy()
    verdicts = {}
    for place, step in enumerate(steps):
        stage = step.stage
        if isinstance(stage, DocumentStage) and stage.measurement():
            rows = np.flatnonzero(live & (before >= place))
            wanted = [*stage.columns.names, *stage.requires]
            said = stage.redecide({name: standing.rows(name, rows) for name in wanted})
            verdicts[place] = rows, said
            stays = said.rule < 0
            now[rows[~stays]] = place
            live[rows[~stays]] = False
            returned = rows[stays & (before[rows] == place)]
            if place == len(steps) - 1 and not stage.edits:
                now[returned] = len(steps)
            else:
                back[returned] = True
                live[returned] = False
        else:
            live &= before != place
    return _Walk(before, now, back, verdicts)


def _adopt(out: str, again: FilePass, arguments: DecideArguments, walk: _Walk) -> None:
    """Give collectors what they collected before, less what is dropped now."""
    for (name, stays), paths in zip(walk.collected(arguments.steps), arguments.exchange, strict=True):
        again.collectors[name].adopt([join(out, path) for path in paths], stays)


def _changed_layer(layer: pa.Table, steps: Sequence[Step], walk: _Walk) -> pa.Table:
    """The layer with the new verdicts on documents whose text is not read."""
    columns = {name: layer[name].combine_chunks() for name in layer.column_names}
    gone = pa.array(walk.now < walk.before)
    for place, step in enumerate(steps):
        if not isinstance(step.stage, DocumentStage):
            continue
        unseen = pc.and_(gone, pa.array(walk.now < place))
        for name in step.stage.columns.names:
            columns[name] = _without(columns[name], unseen)
        if step.stage.edits:
            for name in EDITED_COLUMNS:
                columns[name] = _without(columns[name], pc.and_(gone, pa.array(walk.now <= place)))
    for place, (rows, said) in walk.verdicts.items():
        _put_verdicts(columns, steps[place], rows, said)
    return pa.table(columns)


def _put_verdicts(columns: dict[str, pa.Array], step: Step, rows: NDArray[np.int64], said: Verdicts) -> None:
    """What a step says now about the rows it was shown; of those it lets go on, a later step's word stands."""
    length = len(columns["dropped_by"])
    drops = np.flatnonzero(said.rule >= 0)
    places = np.full(length, -1, np.int64)
    places[rows[drops]] = drops
    dropped = pa.array(places >= 0)
    index = pa.array(places, mask=places < 0)
    value = pa.array(said.value, mask=np.isnan(said.value)).take(index)
    reasons = pa.array(step.rules, pa.string()).take(pa.array(said.rule).take(index))
    own = pc.fill_null(pc.equal(columns["dropped_by"], step.name), False)
    for name, now in zip(_DROP, (pa.scalar(step.name), reasons, value), strict=True):
        columns[name] = pc.if_else(dropped, now, _without(columns[name], own))


def _without(column: pa.Array, rows: pa.Array) -> pa.Array:
    return pc.if_else(rows, pa.scalar(None, column.type), column)
