"""Reads sources back as plain Python values, so that tests can compare them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from curate.io.sources import BadRow, RawBatch, SourceColumns, list_files, read_batches

Ranges = Sequence[tuple[int, int]]


@dataclass
class Content:
    """Rows by number: text, id and columns of each; and all bad rows."""

    rows: dict[int, tuple[str | None, str | None, dict[str, object]]] = field(default_factory=dict)
    bad: list[BadRow] = field(default_factory=list)
    batches: list[RawBatch] = field(default_factory=list)

    @property
    def texts(self) -> list[str | None]:
        return [text for text, _, _ in self.rows.values()]

    @property
    def ids(self) -> list[str | None]:
        return [identifier for _, identifier, _ in self.rows.values()]

    def column(self, name: str) -> list[object]:
        return [columns[name] for _, _, columns in self.rows.values()]

    def reasons(self) -> list[tuple[int | None, int, str]]:
        return [(bad.row, bad.rows, bad.reason) for bad in self.bad]


def content(
    path: object,
    columns: SourceColumns,
    *,
    text: bool = True,
    max_documents: int = 1000,
    max_bytes: int = 1 << 20,
    rows: Ranges | None = None,
) -> Content:
    """Everything `read_batches` gives of the one file at `path`; checks each batch's own shape on the way."""
    (file,) = list_files("test", [str(path)], None, columns)
    read = Content()
    for batch in read_batches(
        file, columns, text=text, max_documents=max_documents, max_bytes=max_bytes, rows=rows
    ):
        _check(batch, columns, text, max_documents, max_bytes)
        read.batches.append(batch)
        read.bad.extend(batch.bad)
        texts = batch.texts.to_pylist() if batch.texts is not None else [None] * len(batch)
        ids = batch.ids.to_pylist() if batch.ids is not None else [None] * len(batch)
        for i in range(len(batch)):
            values = {name: column[i].as_py() for name, column in batch.columns.items()}
            assert batch.start + i not in read.rows
            read.rows[batch.start + i] = (texts[i], ids[i], values)
    return read


def _check(batch: RawBatch, columns: SourceColumns, text: bool, max_documents: int, max_bytes: int) -> None:
    assert len(batch) <= max_documents
    assert len(batch) > 0 or [bad.row for bad in batch.bad] == [None]
    if len(batch) == 0:
        return
    assert (batch.texts is not None) == text
    assert (batch.ids is not None) == (columns.id is not None)
    assert list(batch.columns) == list(columns.columns)
    for array in (batch.texts, batch.ids, *batch.columns.values()):
        if array is not None:
            array.validate(full=True)
            assert len(array) == len(batch)
    if batch.ids is not None:
        assert batch.ids.type == pa.string()
    if batch.texts is not None:
        assert batch.texts.type in (pa.string(), pa.large_string())
        sizes = [len(value.as_buffer() or b"") if value.is_valid else 0 for value in batch.texts]
        assert sum(sizes) <= max_bytes or len(batch) == 1
