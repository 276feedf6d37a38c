"""Where the documents of one source file stand: layers and decision files merged into ledger columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.dedup.survivors import STAYS
from curate.io.files import join
from curate.io.ledger import LEDGER_FIELDS
from curate.run.layers import read_layer
from curate.stages.base import scatter
from curate.stages.corpus import Cuts, Decisions, ledger_columns, read_decisions


@dataclass(frozen=True, slots=True)
class StageDecisions:
    """The decision files of one corpus stage.

    stage: what it is called. rule: the reason it drops for. paths: relative to OUT. sha256: of each of them. against:
    paths of the earlier runs that its decisions name by number.
    """

    stage: str
    rule: str
    paths: tuple[str, ...]
    sha256: tuple[str, ...]
    against: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Decided:
    """All that has been decided about one source file so far. base: `doc` of row 0."""

    base: int
    layers: tuple[str, ...] = ()
    decisions: tuple[StageDecisions, ...] = ()


@dataclass(frozen=True, slots=True)
class Standing:
    """Ledger columns of one file, a row each document, without `doc` and `copies`."""

    table: pa.Table

    @classmethod
    def read(cls, out: str, decided: Decided) -> Standing:
        columns: dict[str, pa.Array] = {}
        for path in decided.layers:
            layer = read_layer(join(out, path))
            for name in layer.column_names:
                _put(columns, name, _one_chunk(layer.column(name)))
        rows = len(next(iter(columns.values())))
        for made in decided.decisions:
            for name, values in _decision_columns(out, decided.base, rows, made).items():
                _put(columns, name, values)
        order = list(LEDGER_FIELDS)
        statistics = order.index("quality")
        names = sorted(columns, key=lambda name: order.index(name) if name in order else statistics - 0.5)
        return cls(pa.table({name: columns[name] for name in names}))

    @property
    def alive(self) -> NDArray[np.bool_]:
        """Documents that no stage has dropped, bool, shape (rows,)."""
        alive: NDArray[np.bool_] = self.table["dropped_by"].is_null().to_numpy()
        return alive

    def column(self, name: str, start: int, rows: int) -> pa.Array:
        return _one_chunk(self.table[name].slice(start, rows))

    def rows(self, name: str, rows: NDArray[np.int64]) -> pa.Array:
        return _one_chunk(self.table[name]).take(pa.array(rows))


def _put(columns: dict[str, pa.Array], name: str, values: pa.Array) -> None:
    """A later stage's value stands where it has one."""
    columns[name] = pc.coalesce(values, columns[name]) if name in columns else values


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    found = column.combine_chunks()
    return found if isinstance(found, pa.Array) else pa.concat_arrays(found.chunks)


def _decision_columns(out: str, base: int, rows: int, made: StageDecisions) -> dict[str, pa.Array]:
    found = [
        read_decisions(join(out, path), digest).between(base, base + rows)
        for path, digest in zip(made.paths, made.sha256, strict=True)
    ]
    cuts = [part for part in found if isinstance(part, Cuts)]
    if cuts:
        return _cut_columns(cuts, base, rows, made)
    parts = [part for part in found if isinstance(part, Decisions)]
    doc = np.concatenate([np.zeros(0, np.uint64), *(part.doc for part in parts)])
    at = (doc - np.uint64(base)).astype(np.int64)
    columns = {}
    for field in ledger_columns(earlier=False):
        values = np.concatenate(
            [np.zeros(0, field.type.to_pandas_dtype()), *(getattr(part, field.name) for part in parts)]
        )
        columns[field.name] = pa.array(values, field.type)
    stays = columns["duplicate_of"].to_numpy() == STAYS
    unmeasured = np.isnan(columns["similarity"].to_numpy())
    for name, absent in (("duplicate_of", stays), ("similarity", unmeasured)):
        columns[name] = pc.if_else(pa.array(absent), pa.scalar(None, columns[name].type), columns[name])
    if made.against:
        run = np.concatenate([np.zeros(0, np.int16), *(part.duplicate_in for part in parts)])
        columns["duplicate_in"] = pa.array(made.against).take(pa.array(run, mask=run < 0))
    columns |= {
        "dropped_by": pc.if_else(pa.array(stays), pa.scalar(None, pa.string()), made.stage),
        "reason": pc.if_else(pa.array(stays), pa.scalar(None, pa.string()), made.rule),
        "value": columns["similarity"].cast(pa.float64()),
    }
    return {name: scatter(values, at, rows) for name, values in columns.items()}


def _cut_columns(parts: Sequence[Cuts], base: int, rows: int, made: StageDecisions) -> dict[str, pa.Array]:
    doc = np.concatenate([part.doc for part in parts])
    names = np.zeros(len(doc), np.int64)
    columns = {
        "dropped_by": pa.array([made.stage]).take(pa.array(names)),
        "reason": pa.array([made.rule]).take(pa.array(names)),
        "value": pa.array(np.concatenate([part.value for part in parts])),
    }
    at = (doc - np.uint64(base)).astype(np.int64)
    return {name: scatter(values, at, rows) for name, values in columns.items()}
