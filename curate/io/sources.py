"""The files of a source and the documents in them.

    files = list_files("dclm", ["data/dclm/**/*.parquet"], None, SourceColumns("text", columns=("url",)))
    for batch in read_batches(files[0], columns, text=True, max_documents=1000, max_bytes=16 << 20): ...

A document is known by its row: of Parquet the row in the file, of JSONL the number of its line, where blank
lines do not count. A row that cannot be read keeps its place, with a null text and a BadRow that says why, so
rows are the same whichever batches, ranges or columns are read. Only what is read is checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import cast

import pyarrow as pa

from curate.errors import Problem, SourceError
from curate.io import jsonl_source, parquet_source
from curate.io.batches import REASONS, BadRow, Format, RawBatch, SourceColumns, SourceFile
from curate.io.filesystems import Stat
from curate.io.globs import matching_files

__all__ = [
    "REASONS",
    "BadRow",
    "Format",
    "RawBatch",
    "SourceColumns",
    "SourceFile",
    "list_files",
    "read_batches",
]

_FORMATS: dict[str, Format] = {
    ".parquet": "parquet",
    ".jsonl": "jsonl",
    ".json": "jsonl",
    ".ndjson": "jsonl",
}
_LISTING_THREADS = 16
_PROBLEMS_SHOWN = 10


def list_files(
    name: str, patterns: Sequence[str], format: str | None, columns: SourceColumns
) -> list[SourceFile]:
    """The files of source `name`, sorted by path; reads of each no more than the footer, or the ends, and of
    remote JSON lines files nothing.

    patterns: paths, fsspec URLs or globs. format: "parquet" or "jsonl"; None: by each file's name (.parquet,
    .jsonl, .json, .ndjson; the last three also with .gz or .zst).

    Raises SourceError where a pattern matches nothing, a file cannot be opened, or a Parquet file lacks one
    of `columns` or has it with a type that cannot serve. A Parquet file with a corrupt footer does not raise:
    it has a `defect`, and reading it gives that as a BadRow.
    """
    found = matching_files(name, patterns)
    formats = [_format(name, path, format) for path, _ in found]
    problems: list[Problem] = []
    files: list[SourceFile] = []
    with ThreadPoolExecutor(_LISTING_THREADS) as threads:
        inspected = [
            threads.submit(_inspect, name, index, path, stat, kind, columns)
            for index, ((path, stat), kind) in enumerate(zip(found, formats, strict=True))
        ]
    for future in inspected:
        try:
            files.append(future.result())
        except SourceError as error:
            problems.extend(error.problems)
    if problems:
        raise SourceError(*problems[:_PROBLEMS_SHOWN])
    return files


def _format(name: str, path: str, format: str | None) -> Format:
    if format is not None:
        if format not in _FORMATS.values():
            found = f"unknown format {format}"
            raise SourceError(Problem(f"source {name}", found, expected="parquet or jsonl"))
        return cast(Format, format)
    plain = path.removesuffix(".gz").removesuffix(".zst")
    for suffix, kind in _FORMATS.items():
        if plain.endswith(suffix) and (kind == "jsonl" or plain == path):
            return kind
    raise SourceError(
        Problem(
            path,
            "the name does not tell the format",
            expected=".parquet, .jsonl, .json or .ndjson, the last three also with .gz or .zst",
            fix="narrow `path`, or write `format: parquet` or `format: jsonl`",
        )
    )


def _inspect(
    source: str, index: int, path: str, stat: Stat, format: Format, columns: SourceColumns
) -> SourceFile:
    if format == "parquet":
        return parquet_source.inspect(source, index, path, stat, columns)
    found = jsonl_source.inspect(source, index, path, stat)
    return replace(found, types=dict.fromkeys(columns.columns, pa.string()))


def read_batches(
    file: SourceFile,
    columns: SourceColumns,
    *,
    text: bool,
    max_documents: int,
    max_bytes: int,
    rows: Sequence[tuple[int, int]] | None = None,
) -> Iterator[RawBatch]:
    """The documents of a file, in row order, in batches of at most `max_documents` rows and `max_bytes` bytes
    of text (or one row, if its text alone is longer).

    text: whether texts are read. rows: half-open row ranges, sorted and disjoint; None: all rows. No batch
    spans two ranges. Texts are not copied unless they are dictionary-encoded.

    A file of which nothing more can be read ends with a batch of zero rows whose one BadRow says why; its
    `start` is the first row that is missing. That batch comes only if `rows` reaches so far.

    Raises SourceError where the file is gone, may not be read, or its disk or connection fails.
    """
    read = parquet_source.read if file.format == "parquet" else jsonl_source.read
    return read(file, columns, text, max_documents, max_bytes, rows)
