"""Checks a finished run against itself: every checksum and every count."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import BinaryIO

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curate.errors import OutputError, Problem
from curate.io.files import exists, join, open_binary, open_whole, read_json, sha256_of, sizes_below
from curate.io.ledger import MIX, READ, Ledger, pack_doc
from curate.io.manifest import FileEntry, Manifest, ShardEntry, SourceFileEntry, Totals
from curate.io.quarantine import read_quarantine
from curate.io.shard_formats import UnreadableShardError
from curate.report.duplicates import DEDUP_KINDS
from curate.report.stats import Stats, check_conservation, compute_stats

_BLOCK = 1 << 20
_EXAMPLES = 3


def verify(out: str) -> list[Problem]:
    """What is wrong with the run under `out`; empty where nothing is.

    Reads every shard and ledger once. Raises OutputError where there is no readable manifest.
    """
    root = str(out).rstrip("/")
    manifest = Manifest.load(root)
    problems = [*_files(root, manifest)]
    if manifest.shard_index:
        problems += _checksum(root, manifest.shard_index)
    for shard in manifest.shards:
        problems += _shard(root, manifest, shard)
    broken = [
        problem
        for source in manifest.sources
        for file in source.files
        for problem in _ledger_file(root, source.index, file)
    ]
    problems += broken
    if not broken:
        problems += _ledger(root, manifest)
    return problems or [*_untouched(root, manifest)]


def _untouched(root: str, manifest: Manifest) -> Iterator[Problem]:
    """That nothing was changed which still adds up: the ledgers by checksum, the report by computing it again."""
    for source in manifest.sources:
        for file in source.files:
            path = f"{root}/{file.ledger}"
            digest = sha256_of(path)
            if digest != file.ledger_sha256:
                yield Problem(path, f"sha256 {digest}", f"{file.ledger_sha256}, as the manifest says")
    path = f"{root}/report/stats.json"
    if exists(path) and read_json(path) != compute_stats(root):
        yield Problem(
            path, "other figures than the ledger gives", "the ledger's", "write it again: curate report"
        )


def _files(root: str, manifest: Manifest) -> Iterator[Problem]:
    """Shards and ledgers that stand in the folder but not in the manifest; that they are there is checked
    where they are read."""
    named = {file.path for shard in manifest.shards for file in (shard, *shard.companions)}
    named |= {manifest.shard_index.path} if manifest.shard_index else set()
    named |= {file.ledger for source in manifest.sources for file in source.files}
    for folder in ("data", "ledger"):
        for path in sizes_below(f"{root}/{folder}"):
            if f"{folder}/{path}" not in named:
                fix = "remove it, or write the run again"
                yield Problem(
                    f"{root}/{folder}/{path}", "a file that the manifest does not name", "no other files", fix
                )


def _shard(root: str, manifest: Manifest, shard: ShardEntry) -> Iterator[Problem]:
    """Checksums of a shard's files, and its counts as far as its format holds them."""
    files = (shard, *shard.companions)
    for file in files:
        yield from _checksum(root, file)
    paths = [f"{root}/{file.path}" for file in files]
    if not all(exists(path) for path in paths):
        return
    try:
        counts = manifest.shard_format.count(paths)
    except (UnreadableShardError, OSError) as error:
        yield Problem(paths[0], f"not readable as a shard: {error}", "a whole shard", "write the run again")
        return
    found: dict[str, object] = {"rows": counts.rows}
    if counts.rows_by_source is not None:
        found["rows_by_source"] = counts.rows_by_source
    yield from _differences(paths[0], found, shard.model_dump())
    if counts.tokens is not None:
        ends = counts.rows if manifest.ends_documents else 0
        yield from _differences(paths[0], {"tokens": counts.tokens - ends}, shard.model_dump())


def _checksum(root: str, entry: FileEntry) -> Iterator[Problem]:
    path = f"{root}/{entry.path}"
    try:
        opened = open_whole(path)
    except FileNotFoundError:
        expected = "every shard that the manifest names"
        yield Problem(path, "the shard is missing", expected, "write the run again")
        return
    with opened as file:
        size, digest = _digest(file)
    yield from _differences(path, {"bytes": size, "sha256": digest}, entry.model_dump())


def _digest(file: BinaryIO) -> tuple[int, str]:
    size, digest = 0, hashlib.sha256()
    while block := file.read(_BLOCK):
        size += len(block)
        digest.update(block)
    return size, digest.hexdigest()


def _ledger_file(root: str, source: int, entry: SourceFileEntry) -> Iterator[Problem]:
    """The ledger of one source file: that it is there and whole, and holds each row once, in input order."""
    path = f"{root}/{entry.ledger}"
    try:
        with open_binary(path) as file:
            docs = pq.read_table(file, columns=["doc"])["doc"].to_numpy()
    except FileNotFoundError:
        yield Problem(
            path, "the ledger is missing", f"the decisions about {entry.path}", "write the run again"
        )
        return
    except (pa.ArrowException, KeyError, OSError) as error:
        yield Problem(path, f"not readable as a ledger: {error}", "a whole ledger", "write the run again")
        return
    if len(docs) != entry.rows:
        yield Problem(path, f"{len(docs)} rows", f"{entry.rows}, as the manifest says")
        return
    first = pack_doc(source, entry.index, 0)
    wrong = np.flatnonzero(docs != np.arange(len(docs), dtype=np.uint64) + np.uint64(first))
    if wrong.size:
        found = f"row {wrong[0]} is of doc {docs[wrong[0]]}"
        yield Problem(path, found, f"doc {first + int(wrong[0])}: each row of the source file once, in order")


def _ledger(root: str, manifest: Manifest) -> Iterator[Problem]:
    try:
        stats = compute_stats(root)
        check_conservation(stats)
    except OutputError as error:
        yield from error.problems
        return
    except duckdb.Error as error:
        yield Problem(f"{root}/ledger", f"cannot be queried: {error}", "the ledger of one run")
        return
    tokens = sum(shard.tokens for shard in manifest.shards)
    if tokens != manifest.totals.tokens_out:
        yield Problem(
            "manifest: shards", f"{tokens} tokens", f"{manifest.totals.tokens_out}, the totals' tokens_out"
        )
    written: Counter[str] = Counter()
    for shard in manifest.shards:
        written.update(shard.rows_by_source)
    for source in manifest.sources:
        expected = {name: getattr(source, name) for name in Totals.model_fields}
        yield from _differences(f"ledger of {source.name}", stats["sources"][source.name], expected)
        copies = stats["sources"][source.name]["rows_out"]
        if written[source.name] != copies:
            found = f"{written[source.name]} rows of {source.name} in the shards"
            yield Problem("manifest: shards", found, f"{copies}, the sum of copies in the ledger")
    yield from _differences("ledger: totals", stats["totals"], manifest.totals.model_dump())
    yield from _quarantine(root, stats)
    with Ledger(root).connect() as connection:
        yield from _copies(connection)
        yield from _witnesses(connection, manifest)


def _quarantine(root: str, stats: Stats) -> Iterator[Problem]:
    """Each row of the ledger that could not be read has a record, and each record of rows stands in the ledger.

    Records of a file, or of its unreadable rest, stand for rows that no ledger has.
    """
    unread = {stage["name"]: stage["sources"] for stage in stats["stages"]}.get(READ, {})
    for name in stats["sources"]:
        path = join(root, f"quarantine/{name}.jsonl")
        records = read_quarantine(path) if exists(path) else ()
        rows = sum(record["rows"] for record in records if record["row"] is not None)
        dropped = unread.get(name, {}).get("dropped", 0)
        if rows != dropped:
            expected = f"{dropped}, those that the ledger says could not be read"
            yield Problem(path, f"records of {rows} rows", expected)


def _copies(connection: duckdb.DuckDBPyConnection) -> Iterator[Problem]:
    dropped = "dropped_by IS NOT NULL AND coalesce(copies, 0) <> 0"
    kept = "dropped_by IS NULL AND coalesce(copies, 1) < 1"
    yield from _violations(
        connection, f"SELECT doc, source FROM ledger WHERE {dropped}", "dropped, yet in the output"
    )
    yield from _violations(
        connection, f"SELECT doc, source FROM ledger WHERE {kept}", "kept, yet not in the output"
    )


def _witnesses(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> Iterator[Problem]:
    """Each duplicate names a document that was still there when its stage was done."""
    order = [READ, *(stage.name for stage in manifest.stages if stage.name != MIX), MIX]
    dedup = [stage.name for stage in manifest.stages if stage.kind in DEDUP_KINDS]
    if not dedup:
        return
    connection.execute("CREATE TEMP TABLE place (stage VARCHAR, number INT, dedup BOOLEAN)")
    connection.executemany(
        "INSERT INTO place VALUES ($1, $2, $3)", [[name, at, name in dedup] for at, name in enumerate(order)]
    )
    duplicates = "FROM ledger AS lost JOIN place AS mine ON lost.dropped_by = mine.stage AND mine.dedup"
    pairs = f"{duplicates} AND lost.duplicate_in IS NULL JOIN ledger AS witness ON witness.doc = lost.duplicate_of"
    runs = [run for stage in manifest.stages for run in stage.definition.get("against") or ()]
    later = "LEFT JOIN place AS theirs ON witness.dropped_by = theirs.stage"
    stayed = "witness.dropped_by IS NULL OR theirs.number > mine.number"
    connection.execute("CREATE TEMP TABLE earlier AS SELECT unnest($1::VARCHAR[]) AS run", [runs])
    checks = {
        "a duplicate without a witness": f"{duplicates} WHERE lost.duplicate_of IS NULL",
        "a duplicate of a document that is not in the ledger": (
            f"{duplicates} ANTI JOIN ledger AS witness ON witness.doc = lost.duplicate_of"
            " WHERE lost.duplicate_of IS NOT NULL AND lost.duplicate_in IS NULL"
        ),
        "a duplicate of a document that its stage or an earlier one dropped": (
            f"{pairs} {later} WHERE NOT coalesce({stayed}, false)"
        ),
        "a duplicate of a document of a run that no stage looks at": (
            f"{duplicates} WHERE lost.duplicate_in IS NOT NULL AND lost.duplicate_in NOT IN (SELECT run FROM earlier)"
        ),
        "a similarity that is not between 0 and 1": (
            f"{duplicates} WHERE lost.similarity IS NOT NULL AND NOT lost.similarity BETWEEN 0 AND 1"
        ),
    }
    for found, body in checks.items():
        yield from _violations(connection, f"SELECT lost.doc, lost.source {body}", found)


def _violations(connection: duckdb.DuckDBPyConnection, query: str, found: str) -> Iterator[Problem]:
    """One problem, with the number of documents that the query finds and the first few by name."""
    total = (connection.execute(f"SELECT count(*) FROM ({query})").fetchone() or (0,))[0]
    if total:
        rows = connection.execute(f"{query} ORDER BY 1 LIMIT {_EXAMPLES}").fetchall()
        names = ", ".join(Ledger.name(doc, source) for doc, source in rows)
        more = ", ..." if total > len(rows) else ""
        yield Problem("ledger", f"{found}: {total} documents ({names}{more})", "none")


def _differences(where: str, found: dict[str, object], expected: dict[str, object]) -> Iterator[Problem]:
    for name, value in found.items():
        if value != expected[name]:
            yield Problem(f"{where}: {name}", str(value), f"{expected[name]}, as the manifest says")
