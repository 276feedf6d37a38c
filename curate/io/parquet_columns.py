"""Which columns of a Parquet file are read, and how they become a batch."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.errors import Problem, SourceError
from curate.io.batches import LONGEST_TEXT, BadRow, RawBatch, SourceColumns, text_offsets
from curate.io.utf8 import all_utf8, utf8_rows

_is = pa.types


@dataclass(frozen=True, slots=True)
class Selection:
    """The needed columns of a file: the path of each through structs, and its type."""

    text: tuple[str, ...] | None
    id: tuple[str, ...] | None
    columns: dict[str, tuple[str, ...]]
    types: dict[str, pa.DataType]

    @property
    def names(self) -> list[str]:
        """The columns to read, as pyarrow names them; sorted."""
        paths = [*self.columns.values(), *(path for path in (self.text, self.id) if path)]
        return sorted({".".join(path) for path in paths})

    def batch(self, start: int, piece: pa.RecordBatch) -> RawBatch:
        """The rows of `piece`, checked; the first of them is row `start` of the file."""
        texts: pa.Array | None = None
        bad: tuple[BadRow, ...] = ()
        if self.text:
            texts, bad = checked_texts(_at(piece, self.text), start)
        ids = mended(_at(piece, self.id)).cast(pa.string()) if self.id else None
        columns = {name: mended(_at(piece, path)) for name, path in self.columns.items()}
        return RawBatch(start, piece.num_rows, texts, ids, columns, bad)

    def unreadable(self, start: int, rows: int, bad: BadRow) -> RawBatch:
        """As many rows of nulls, for a row group that cannot be read."""
        columns = {name: pa.nulls(rows, self.types[name]) for name in self.columns}
        nulls = pa.nulls(rows, pa.string())
        return RawBatch(
            start, rows, nulls if self.text else None, nulls if self.id else None, columns, (bad,)
        )


def select(path: str, schema: pa.Schema, columns: SourceColumns, text: bool) -> Selection:
    """Finds `columns` in a file's schema.

    Raises SourceError naming the file, the column and the columns there are.
    """
    problems: list[Problem] = []

    def find(name: str, suits: Callable[[pa.DataType], bool], expected: str) -> tuple[str, ...]:
        place = _place(schema, name)
        if place is None:
            problems.append(_missing(path, schema, name))
            return ()
        kind = _type(schema, place)
        if not suits(kind):
            problems.append(Problem(path, f"column {name} is {kind}", expected=expected))
        return place

    text_place = find(columns.text, _is_text, "text (string or binary)") if text else None
    id_place = find(columns.id, _is_id, "a string or integer") if columns.id else None
    places = {name: find(name, lambda _: True, "") for name in columns.columns}
    if problems:
        raise SourceError(*problems)
    types = {name: _decoded(_type(schema, place)) for name, place in places.items()}
    return Selection(text_place, id_place, places, types)


def _place(schema: pa.Schema, name: str) -> tuple[str, ...] | None:
    if name in schema.names:
        return (name,)
    first, *rest = name.split(".")
    if first not in schema.names:
        return None
    kind = schema.field(first).type
    for part in rest:
        if not _is.is_struct(kind) or kind.get_field_index(part) < 0:
            return None
        kind = kind.field(part).type
    return (first, *rest)


def _type(schema: pa.Schema, place: tuple[str, ...]) -> pa.DataType:
    kind = schema.field(place[0]).type
    for part in place[1:]:
        kind = kind.field(part).type
    return kind


def _decoded(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if _is.is_dictionary(kind) else kind


def _is_text(kind: pa.DataType) -> bool:
    kind = _decoded(kind)
    tests = (
        _is.is_string,
        _is.is_large_string,
        _is.is_string_view,
        _is.is_binary,
        _is.is_large_binary,
        _is.is_binary_view,
        _is.is_null,
    )
    return any(test(kind) for test in tests)


def _is_id(kind: pa.DataType) -> bool:
    return _is_text(kind) or _is.is_integer(_decoded(kind))


def _missing(path: str, schema: pa.Schema, name: str) -> Problem:
    names = [*schema.names]
    for field in schema:
        if _is.is_struct(field.type):
            names.extend(f"{field.name}.{field.type.field(i).name}" for i in range(field.type.num_fields))
    near = difflib.get_close_matches(name, names, n=1)
    return Problem(
        path,
        f"has no column {name}",
        expected=f"one of {', '.join(schema.names)}",
        fix=f"did you mean {near[0]}?" if near else "name a column the file has",
    )


def _at(piece: pa.RecordBatch, place: tuple[str, ...]) -> pa.Array:
    column = piece.column(place[0])
    return pc.struct_field(column, list(place[1:])) if len(place) > 1 else column


def checked_texts(column: pa.Array, start: int) -> tuple[pa.Array, tuple[BadRow, ...]]:
    """A text column as string or large_string, null where it is null or not UTF-8, and its bad rows.

    The texts themselves are copied only if they are dictionary-encoded or of a view type.
    """
    column = _as_strings(column)
    null = column.is_null().to_numpy(zero_copy_only=False)
    valid = utf8_rows(column)
    long = _too_long(column)
    bad = []
    for row in np.flatnonzero(null | ~valid | long).tolist():
        if null[row]:
            bad.append(BadRow(start + row, 1, "text_null", "the text is null"))
        elif long[row]:
            bad.append(
                BadRow(start + row, 1, "text_too_long", f"the text is longer than {LONGEST_TEXT} bytes")
            )
        else:
            content = column[row].cast(_binary_of(column)).as_py()
            bad.append(BadRow.of_content(start + row, "invalid_utf8", "the text is not UTF-8", content))
    readable = valid & ~long
    if not readable.all():
        column = _with_nulls(column, readable & ~null)
    return column, tuple(bad)


def _too_long(column: pa.Array) -> NDArray[np.bool_]:
    data = column.buffers()[2]
    if data is None or data.size <= LONGEST_TEXT:
        return np.zeros(len(column), np.bool_)
    return np.diff(text_offsets(column)) > LONGEST_TEXT


def mended(column: pa.Array) -> pa.Array:
    """A metadata column without dictionary encoding; what is not UTF-8 in its strings, at any depth, becomes
    U+FFFD."""
    if _is.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column if all_utf8(column) else _mended(column)


def _mended(column: pa.Array) -> pa.Array:
    kind = column.type
    if _is.is_string(kind) or _is.is_large_string(kind):
        values = column.cast(_binary_of(column)).to_pylist()
        texts = [None if value is None else value.decode(errors="replace") for value in values]
        return pa.array(texts, kind)
    if _is.is_struct(kind):
        fields = [kind.field(i) for i in range(kind.num_fields)]
        children = [_mended(column.field(i)) for i in range(kind.num_fields)]
        return pa.StructArray.from_arrays(children, fields=fields, mask=column.is_null())
    if _is.is_map(kind):
        pairs = [_mended(column.keys), _mended(column.items)]
        values = pa.StructArray.from_arrays(pairs, fields=[kind.key_field, kind.item_field])
    elif _is.is_list(kind) or _is.is_large_list(kind):
        values = _mended(column.values)
    else:
        return column
    buffers = column.buffers()[:2]
    return pa.Array.from_buffers(kind, len(column), buffers, offset=column.offset, children=[values])


def _as_strings(column: pa.Array) -> pa.Array:
    if _is.is_dictionary(column.type):
        column = column.dictionary_decode()
    kind = column.type
    if _is.is_string(kind) or _is.is_large_string(kind):
        return column
    if _is.is_binary(kind) or _is.is_large_binary(kind):
        # Not a cast: that would fail on the first text that is not UTF-8.
        string = pa.large_string() if _is.is_large_binary(kind) else pa.string()
        return pa.Array.from_buffers(string, len(column), column.buffers(), offset=column.offset)
    if _is.is_null(kind):
        return column.cast(pa.string())
    return _as_strings(column.cast(pa.large_binary()))


def _binary_of(column: pa.Array) -> pa.DataType:
    return pa.large_binary() if _is.is_large_string(column.type) else pa.binary()


def _with_nulls(column: pa.Array, keep: NDArray[np.bool_]) -> pa.Array:
    """The same buffers with another validity."""
    bits = np.concatenate([np.zeros(column.offset, np.bool_), keep])
    validity = pa.py_buffer(np.packbits(bits, bitorder="little"))
    _, offsets, data = column.buffers()
    return pa.Array.from_buffers(column.type, len(column), [validity, offsets, data], offset=column.offset)
