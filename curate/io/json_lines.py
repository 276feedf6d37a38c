"""Blocks of JSON lines to columns.

A block goes through Arrow's JSON reader as a whole, without the interpreter; where that reader refuses it, or
could read across line ends, each line is read on its own, with orjson. Both give the same: a line that orjson
refuses (nested deeper than 1024, NaN) is read by Arrow on its own, and is bad only if that refuses it too.

Of a key that occurs twice the last value counts. A value that is not a string becomes compact JSON text in a
metadata column or id; null and absent become null.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj
from numpy.typing import NDArray

from curate.io.batches import LONGEST_TEXT, BadRow, RawBatch, SourceColumns
from curate.io.utf8 import is_utf8

_BLANK = b" \t\r"
_ABSENT = object()
_LARGEST_ARROW_BLOCK = 1 << 30
_SCANNED = 16 << 20


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a block that are not blank, without their line ends.

    data: uint8. starts, ends: int64, shape (lines,), where each begins and ends in data.
    """

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

    @classmethod
    def of(cls, block: bytes) -> Lines:
        """Finds the lines of `block`."""
        if not block:
            return cls(np.zeros(0, np.uint8), np.zeros(0, np.int64), np.zeros(0, np.int64))
        data = np.frombuffer(block, np.uint8)
        newlines = _newlines(data)
        starts = np.concatenate([[0], newlines + 1])
        ends = np.concatenate([newlines, [len(block)]])
        first = data[np.minimum(starts, len(block) - 1)]
        doubtful = np.flatnonzero((starts == ends) | np.isin(first, np.frombuffer(_BLANK, np.uint8)))
        blank = [i for i in doubtful.tolist() if not block[starts[i] : ends[i]].strip(_BLANK)]
        return cls(data, np.delete(starts, blank), np.delete(ends, blank))

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, line: int) -> memoryview:
        return self.data[self.starts[line] : self.ends[line]].data

    def part(self, begin: int, end: int) -> Lines:
        """The lines `begin` to `end` (not included)."""
        return Lines(self.data, self.starts[begin:end], self.ends[begin:end])

    def one_object_each(self) -> bool:
        """Whether each line begins with `{` and ends with `}`.

        Only between two objects can `}`, a line end and `{` follow each other, so a reader that finds as many
        objects as there are lines has found one on each.
        """
        last = self.data[self.ends - 1]
        last = np.where(last == ord("\r"), self.data[self.ends - 2], last)
        return bool((self.data[self.starts] == ord("{")).all() and (last == ord("}")).all())


class LineReader:
    """Reads lines into batches with the columns of a source; `text`: whether texts are read."""

    def __init__(self, columns: SourceColumns, text: bool) -> None:
        self._text = columns.text if text else None
        self._id = columns.id
        self._columns = columns.columns
        names = [*self._columns, *(name for name in (self._text, self._id) if name)]
        self._names = list(dict.fromkeys(names))
        # Arrow counts no rows if it is asked for no column.
        self._schema = _schema(self._names or [columns.text])

    def read(self, lines: Lines, start: int) -> RawBatch:
        """The batch of `lines`, the first of them row `start`."""
        table = self._read_block(lines)
        if table is None:
            return self.read_exactly(lines, start)
        bad: tuple[BadRow, ...] = ()
        if self._text:
            missing = np.flatnonzero(table[self._text].is_null().to_numpy(zero_copy_only=False))
            bad = tuple(self._value_problem(start + row, lines[row]) for row in missing.tolist())
        return self._batch(start, len(lines), table, bad)

    def read_exactly(self, lines: Lines, start: int) -> RawBatch:
        """The same batch, read line by line: slower, and refused by nothing."""
        values: dict[str, list[str | None]] = {name: [] for name in self._names}
        bad = []
        for row in range(len(lines)):
            line = lines[row]
            found = self._read_line(line)
            if isinstance(found, BadRow):
                bad.append(BadRow.of_content(start + row, found.reason, found.detail, line))
                found = {}
            elif self._text and (problem := self._text_problem(start + row, found, line)):
                bad.append(problem)
                found[self._text] = None
            for name in self._names:
                values[name].append(_as_text(found.get(name)))
        table = {name: pa.array(column, self._type(name, lines)) for name, column in values.items()}
        return self._batch(start, len(lines), table, tuple(bad))

    def _type(self, name: str, lines: Lines) -> pa.DataType:
        """What holds the values of a column that is read from these lines."""
        return pa.large_string() if name == self._text and len(lines.data) > LONGEST_TEXT else pa.string()

    def _text_problem(self, row: int, found: dict[str, object], line: memoryview) -> BadRow | None:
        value = found.get(self._text or "", _ABSENT)
        if not isinstance(value, str):
            return _text_problem(row, value, line)
        # JSON is never shorter than the text that it stands for.
        if len(line) > LONGEST_TEXT and _utf8_bytes(value) > LONGEST_TEXT:
            return BadRow.of_content(
                row, "text_too_long", f"the text is longer than {LONGEST_TEXT} bytes", line
            )
        return None

    def _batch(self, start: int, rows: int, table: dict[str, pa.Array], bad: tuple[BadRow, ...]) -> RawBatch:
        return RawBatch(
            start,
            rows,
            table[self._text] if self._text else None,
            table[self._id] if self._id else None,
            {name: table[name] for name in self._columns},
            bad,
        )

    def _read_block(self, lines: Lines) -> dict[str, pa.Array] | None:
        """The columns by Arrow; None where it refuses, or what it would read is not sure to be right."""
        if self._schema is None or len(lines) == 0 or not lines.one_object_each():
            return None
        begin, end = int(lines.starts[0]), int(lines.ends[-1])
        if end - begin > _LARGEST_ARROW_BLOCK:
            return None
        content = lines.data[begin:end]
        return self._read_arrow(pa.py_buffer(content), len(lines)) if is_utf8(content) else None

    def _read_arrow(self, data: pa.Buffer, rows: int) -> dict[str, pa.Array] | None:
        try:
            table = pj.read_json(
                pa.BufferReader(data),
                read_options=pj.ReadOptions(use_threads=False, block_size=data.size + 1),
                parse_options=pj.ParseOptions(
                    explicit_schema=self._schema, unexpected_field_behavior="ignore"
                ),
            )
        except pa.ArrowInvalid:
            return None
        if table.num_rows != rows:
            return None
        return {name: _coalesced(table, name) for name in self._names}

    def _read_line(self, line: memoryview) -> dict[str, object] | BadRow:
        try:
            found = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            return self._read_refused(line, str(error))
        if not isinstance(found, dict):
            return BadRow(None, 1, "not_an_object", f"the line is a JSON {type(found).__name__}")
        values = ((name, _lookup(found, name)) for name in self._names)
        return {name: value for name, value in values if value is not _ABSENT}

    def _read_refused(self, line: memoryview, detail: str) -> dict[str, object] | BadRow:
        try:
            str(line, "utf-8")
        except UnicodeDecodeError as error:
            return BadRow(None, 1, "invalid_utf8", f"the line is not UTF-8: {error}")
        table = None
        if self._schema is not None and bytes(line[:1]) == b"{":
            table = self._read_arrow(pa.py_buffer(line), 1)
        if table is not None:
            return {name: column[0].as_py() for name, column in table.items()}
        if _has_lone_surrogates(line):
            return BadRow(None, 1, "invalid_utf8", "the line has a lone surrogate, which has no UTF-8")
        return BadRow(None, 1, "bad_json", detail)

    def _value_problem(self, row: int, line: memoryview) -> BadRow:
        found = self._read_line(line)
        if isinstance(found, BadRow):
            return BadRow.of_content(row, found.reason, found.detail, line)
        return _text_problem(row, found.get(self._text or "", _ABSENT), line)


def _newlines(data: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Where the line ends are; without an array of flags as long as a line may be."""
    found = [
        np.flatnonzero(data[start : start + _SCANNED] == 10) + start
        for start in range(0, len(data), _SCANNED)
    ]
    return np.concatenate(found)


def _text_problem(row: int, value: object, line: memoryview) -> BadRow:
    if value is _ABSENT:
        return BadRow.of_content(row, "text_missing", "the line has no text", line)
    if value is None:
        return BadRow.of_content(row, "text_null", "the text is null", line)
    return BadRow.of_content(row, "text_not_string", f"the text is a JSON {type(value).__name__}", line)


def _utf8_bytes(text: str) -> int:
    """What it takes, without a copy of most texts."""
    return len(text) if text.isascii() else len(text.encode())


def _lookup(found: dict[str, object], name: str) -> object:
    """The value at key `name`, or, where that is absent or null, at the path that its dots describe."""
    value = found.get(name, _ABSENT)
    if (value is not _ABSENT and value is not None) or "." not in name:
        return value
    inner: object = found
    for part in name.split("."):
        if not isinstance(inner, dict) or part not in inner:
            return value
        inner = inner[part]
    return inner


def _as_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    text = orjson.dumps(value).decode()
    return None if text == "null" else text


def _has_lone_surrogates(line: memoryview) -> bool:
    try:
        json.dumps(json.loads(bytes(line)), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except (ValueError, RecursionError):
        return False
    return False


def _schema(names: Sequence[str]) -> pa.Schema | None:
    """What Arrow is to read for `names`; None where one name is the beginning of another's path."""
    tree: dict[str, object] = {}
    for name in names:
        if tree.setdefault(name, None) is not None:
            return None
        if "." in name and not _plant(tree, name.split(".")):
            return None
    return pa.schema(_fields(tree))


def _plant(tree: dict[str, object], path: Sequence[str]) -> bool:
    for part in path[:-1]:
        inner = tree.setdefault(part, {})
        if not isinstance(inner, dict):
            return False
        tree = inner
    return tree.setdefault(path[-1], None) is None


def _fields(tree: dict[str, object]) -> list[pa.Field]:
    return [
        pa.field(name, pa.struct(_fields(inner)) if isinstance(inner, dict) else pa.string())
        for name, inner in tree.items()
    ]


def _coalesced(table: pa.Table, name: str) -> pa.Array:
    column = table.column(name)
    first, *rest = name.split(".")
    if rest:
        column = pc.coalesce(column, pc.struct_field(table.column(first), rest))
    return column.combine_chunks()
