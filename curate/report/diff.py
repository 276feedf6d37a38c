"""Which documents two runs judge differently, and why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from curate.errors import OutputError, Problem
from curate.io.files import atomic_write
from curate.io.ledger import Ledger, pack_doc
from curate.io.manifest import Manifest
from curate.io.scratch import scratch_folder
from curate.report.numbers import count, counted, share

_FIELDS = ("dropped_by", "reason", "value", "lang", "quality", "duplicate_of", "similarity", "copies")
_KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Change:
    """Documents of a source with one verdict before and another after; a verdict is `kept` or the drop's reason
    after the stage's name where the two differ, such as `quality: label.Low`."""

    source: str
    before: str
    after: str
    documents: int


@dataclass(frozen=True, slots=True)
class Difference:
    """What two runs judge differently.

    compared: documents of files that both runs read, by source. changes: most documents first within a source.
    only_before, only_after: paths of source files that one run alone read, or read with other contents.
    other_copies: documents that both keep, but not equally often.
    """

    before: str
    after: str
    compared: dict[str, int]
    changes: tuple[Change, ...]
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]
    other_copies: int

    def render(self) -> RenderableType:
        """For a terminal, through rich."""
        total, changed = sum(self.compared.values()), sum(change.documents for change in self.changes)
        parts: list[RenderableType] = [
            Text(
                f"{counted(total, 'document')} in files that both read; {count(changed)} with another verdict"
            )
        ]
        if self.changes:
            table = Table("source", self.before, self.after)
            table.add_column("documents", justify="right")
            table.add_column("share of the source", justify="right")
            for change in self.changes:
                part = share(change.documents / self.compared[change.source])
                table.add_row(change.source, change.before, change.after, count(change.documents), part)
            parts.append(table)
        if self.other_copies:
            parts.append(Text(f"{counted(self.other_copies, 'document')} kept by both, not equally often"))
        for run, paths in ((self.before, self.only_before), (self.after, self.only_after)):
            if paths:
                shown = ", ".join(paths[:3]) + (", ..." if len(paths) > 3 else "")
                parts.append(
                    Text(f"read by {run} only, or changed between: {counted(len(paths), 'file')}: {shown}")
                )
        return Group(*parts)


def diff(before: str, after: str, changes: str | None = None) -> Difference:
    """Compares the verdicts of two finished runs on the documents of the files that both read.

    before, after: output folders. changes: where to write the changed documents as Parquet, one row each:
    `source`, `file`, `row`, `id`, and each of `dropped_by`, `reason`, `value`, `lang`, `quality`, `duplicate_of`
    (a `doc` of its own run), `similarity` and `copies` with the suffixes `_before` and `_after`.
    A document is the same in both if its source's name, its file's path and fingerprint, and its row are.
    Memory is bounded, whatever the size of the runs. Raises OutputError where a run is not finished, or the two
    have no file in common.
    """
    manifests = Manifest.load(before), Manifest.load(after)
    files = [_files(manifest) for manifest in manifests]
    shared = sorted(files[0].keys() & files[1].keys())
    if not shared:
        found = "no source file that both read, with the same contents"
        raise OutputError(Problem(f"{before} and {after}", found, "two runs over the same sources"))
    with _joined(before, after, [(files[0][key], files[1][key], key[1]) for key in shared]) as connection:
        compared, differing, other_copies = _counted(connection)
        if changes is not None:
            _write(connection, changes)
    return Difference(
        before,
        after,
        compared,
        differing,
        tuple(path for _, path, _ in sorted(files[0].keys() - files[1].keys())),
        tuple(path for _, path, _ in sorted(files[1].keys() - files[0].keys())),
        other_copies,
    )


def _files(manifest: Manifest) -> dict[tuple[str, str, str], int]:
    """Source, path and fingerprint of each source file, and the doc of its first row."""
    return {
        (source.name, file.path, file.fingerprint): pack_doc(source.index, file.index, 0)
        for source in manifest.sources
        for file in source.files
    }


@contextmanager
def _joined(
    before: str, after: str, files: list[tuple[int, int, str]]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the view `compared`: the rows of both ledgers side by side."""
    names = ("base_before", "base_after", "file")
    kinds = (pa.uint64(), pa.uint64(), pa.string())
    columns = [pa.array(values, kind) for values, kind in zip(zip(*files, strict=True), kinds, strict=True)]
    fields = ", ".join(f"b.{name} AS {name}_before, a.{name} AS {name}_after" for name in _FIELDS)
    with scratch_folder() as folder, Ledger(before).connect() as connection:
        Ledger(after).define(connection, str(folder), "after_")
        connection.register("files", pa.table(dict(zip(names, columns, strict=True))))
        connection.execute(f"""
            CREATE VIEW compared AS
            SELECT b.source, f.file, b.doc - f.base_before AS row, b.doc AS doc_before, b.id, {fields},
                   coalesce(b.dropped_by || ': ' || b.reason, '{_KEPT}') AS verdict_before,
                   coalesce(a.dropped_by || ': ' || a.reason, '{_KEPT}') AS verdict_after
            FROM ledger b JOIN files f ON f.base_before = (b.doc >> 32) << 32
            JOIN after_ledger a ON a.doc = f.base_after + (b.doc - f.base_before)
        """)
        yield connection


def _counted(connection: duckdb.DuckDBPyConnection) -> tuple[dict[str, int], tuple[Change, ...], int]:
    """Documents compared by source, the changes, and the kept documents whose copies differ."""
    rows = connection.execute("""
        SELECT source, verdict_before, verdict_after, count(*),
               count(*) FILTER (dropped_by_before IS NULL AND dropped_by_after IS NULL
                                AND coalesce(copies_before, 1) <> coalesce(copies_after, 1))
        FROM compared GROUP BY ALL ORDER BY 1, 4 DESC, 2, 3
    """).fetchall()
    compared: dict[str, int] = {}
    for source, _, _, documents, _ in rows:
        compared[source] = compared.get(source, 0) + documents
    changes = tuple(
        Change(source, *_short(was, now), documents) for source, was, now, documents, _ in rows if was != now
    )
    return compared, changes, sum(row[4] for row in rows)


def _short(before: str, after: str) -> tuple[str, str]:
    return _verdict(before), _verdict(after)


def _verdict(text: str) -> str:
    """`stage: stage.rule` as `stage.rule`: most reasons begin with the stage's name."""
    stage, _, reason = text.partition(": ")
    return reason if reason.startswith(f"{stage}.") else text


def _write(connection: duckdb.DuckDBPyConnection, path: str) -> None:
    columns = [
        "source",
        "file",
        "row",
        "id",
        *(f"{name}_{run}" for name in _FIELDS for run in ("before", "after")),
    ]
    reader = connection.sql(
        f"SELECT {', '.join(columns)} FROM compared WHERE verdict_before <> verdict_after ORDER BY doc_before"
    ).to_arrow_reader(65536)
    with atomic_write(path) as file, pq.ParquetWriter(file, reader.schema, compression="zstd") as writer:
        for batch in reader:
            writer.write_batch(batch)
