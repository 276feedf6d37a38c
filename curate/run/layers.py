"""A layer: the ledger columns that one document pass writes for one source file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curate.engines.task import Facts
from curate.io.files import atomic_write, open_whole
from curate.io.ledger import LEDGER_FIELDS, READ
from curate.io.sources import BadRow
from curate.plan import EDITED_COLUMNS
from curate.stages.base import Verdicts, scatter

#: Rows of a row group of layers and ledgers: what a reader of one column holds at once.
ROW_GROUP = 131_072


class Shown:
    """Values for some rows of a file, gathered batch by batch."""

    def __init__(self, kind: pa.DataType) -> None:
        self._kind = kind
        self._rows: list[NDArray[np.int64]] = []
        self._values: list[pa.Array] = []

    def add(self, rows: NDArray[np.int64], values: pa.Array) -> None:
        self._rows.append(rows)
        self._values.append(values.cast(self._kind))

    def column(self, length: int) -> pa.Array:
        if not self._rows:
            return pa.nulls(length, self._kind)
        return scatter(pa.concat_arrays(self._values), np.concatenate(self._rows), length)


class LayerWriter:
    """Gathers what the stages of a pass decide about one file; rows are counted from the file's start."""

    def __init__(self, schemas: Sequence[pa.Schema], edits: bool) -> None:
        """schemas: the columns that stages write. edits: whether one of them edits texts."""
        if edits:
            schemas = [*schemas, pa.schema([(name, LEDGER_FIELDS[name]) for name in EDITED_COLUMNS])]
        drops = pa.schema([("dropped_by", pa.string()), ("reason", pa.string()), ("value", pa.float64())])
        self._columns = {field.name: Shown(field.type) for schema in (*schemas, drops) for field in schema}
        self._documents: list[pa.RecordBatch] = []

    def add_documents(
        self, ids: pa.Array | None, sizes: NDArray[np.int64], tokens: NDArray[np.int64]
    ) -> pa.RecordBatch:
        """The next documents of the file: ids, bytes and tokens of text. Returns their first ledger columns."""
        ids = pa.nulls(len(sizes), pa.string()) if ids is None else ids.cast(pa.string())
        batch = pa.record_batch({"id": ids, "bytes": pa.array(sizes), "tokens": pa.array(tokens)})
        self._documents.append(batch)
        return batch

    def add_edited(
        self, rows: NDArray[np.int64], sizes: NDArray[np.int64], tokens: NDArray[np.int64]
    ) -> dict[str, pa.Array]:
        """What a stage's edit left of the texts of `rows`. Returns the ledger columns that say so."""
        columns = dict(zip(EDITED_COLUMNS, (pa.array(sizes), pa.array(tokens)), strict=True))
        for name, values in columns.items():
            self._columns[name].add(rows, values)
        return columns

    def add_unreadable(self, record: BadRow) -> None:
        if record.row is None or record.rows == 0:
            return
        rows = np.arange(record.row, record.row + record.rows)
        self._drop(rows, READ, [f"{READ}.{record.reason}"] * len(rows), pa.nulls(len(rows), pa.float64()))

    def add_verdicts(
        self, stage: str, rules: tuple[str, ...], rows: NDArray[np.int64], verdicts: Verdicts
    ) -> None:
        for name, values in verdicts.columns.items():
            self._columns[name].add(rows, values)
        drop = np.flatnonzero(verdicts.rule >= 0)
        if len(drop):
            reasons = pa.array(rules).take(pa.array(verdicts.rule[drop]))
            value = verdicts.value[drop]
            self._drop(rows[drop], stage, reasons, pa.array(value, mask=np.isnan(value)))

    def write(self, path: str, rows: int | None) -> Facts:
        """Write the layer of a file with that many rows (None: as many as documents were added)."""
        table = self.table(rows)
        write_parquet(path, table)
        return {"documents": len(table)}

    def table(self, rows: int | None) -> pa.Table:
        """What `write` writes."""
        table: dict[str, pa.Array] = {}
        if rows is None:
            rows = sum(len(batch) for batch in self._documents)
            schema = pa.schema([("id", pa.string()), ("bytes", pa.int64()), ("tokens", pa.int64())])
            documents = pa.Table.from_batches(self._documents, schema).combine_chunks()
            table = {name: documents[name] for name in documents.column_names}
        table |= {name: shown.column(rows) for name, shown in self._columns.items()}
        return pa.table(table)

    def _drop(
        self, rows: NDArray[np.int64], stage: str, reasons: list[str] | pa.Array, value: pa.Array
    ) -> None:
        self._columns["dropped_by"].add(rows, pa.array([stage]).take(pa.array(np.zeros(len(rows), np.int64))))
        self._columns["reason"].add(rows, pa.array(reasons))
        self._columns["value"].add(rows, value)


def read_layer(path: str) -> pa.Table:
    with open_whole(path) as file:
        return read_columns(file)


def read_columns(file: BinaryIO, names: Sequence[str] | None = None) -> pa.Table:
    """Columns of an open layer or ledger, those of `names` that it has; None: all. By one thread, as tasks run at
    once, and without the data sets of `read_table`, which take a small file longer than its reading."""
    with pq.ParquetFile(file) as opened:
        there = opened.schema_arrow.names
        return opened.read(None if names is None else [n for n in names if n in there], use_threads=False)


def write_parquet(path: str, table: pa.Table) -> None:
    """Atomic, with row groups whose size does not depend on how the table came together."""
    with atomic_write(path) as file:
        pq.write_table(table, file, row_group_size=ROW_GROUP, compression="zstd")
