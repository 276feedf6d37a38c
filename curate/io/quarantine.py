"""Quarantine: JSON lines that say what could not be read, where and why.

Each line is an object with `source`, `path`, `row` (null: the whole file, or its rest), `rows` (0: unknown),
`reason`, `detail` and, where there is one, the raw row as `content` (text) or `content_base64` (bytes).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from curate.io.batches import BadRow, SourceFile
from curate.io.files import atomic_write, open_binary, source_errors


def write_quarantine(path: str, file: SourceFile, bad: Iterable[BadRow]) -> None:
    """Writes the bad rows of one source file to `path`, in the order given: that of reading is row order.

    Raises OutputError where `path` cannot be written.
    """
    with atomic_write(path) as out:
        for row in bad:
            out.write(orjson.dumps(_record(file, row)) + b"\n")


def join_quarantine(path: str, parts: Sequence[str]) -> None:
    """Writes the files `parts`, one after the other, to `path`; copies in blocks, so parts may be large.

    Raises SourceError where a part cannot be read, OutputError where `path` cannot be written.
    """
    with atomic_write(path) as out:
        for part in parts:
            with source_errors(part):
                opened = open_binary(part)
            with opened:
                shutil.copyfileobj(opened, out)


def read_quarantine(path: str) -> Iterator[dict[str, Any]]:
    """The records of a quarantine file, in order. Raises SourceError where it cannot be read."""
    with source_errors(path), open_binary(path) as file:
        for line in file:
            yield orjson.loads(line)


def _record(file: SourceFile, bad: BadRow) -> dict[str, object]:
    record: dict[str, object] = {
        "source": file.source,
        "path": file.path,
        "row": bad.row,
        "rows": bad.rows,
        "reason": bad.reason,
        "detail": bad.detail,
    }
    if bad.content is not None:
        record["content"] = bad.content
    if bad.content_base64 is not None:
        record["content_base64"] = bad.content_base64
    return record
