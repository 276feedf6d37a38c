"""Figures of the deduplication stages: which source lost to which, clusters, similarities, orphans."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import duckdb

from curate.errors import OutputError, Problem
from curate.io.manifest import Manifest, StageEntry
from curate.report.samples import samples

#: Kinds of stages whose drops name a witness in `duplicate_of`.
DEDUP_KINDS = ("exact_dedup", "fuzzy_dedup")

_BINS = 20


def dedup_stats(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> list[dict[str, Any]]:
    """The figures of each deduplication stage, in the recipe's order.

    connection: has the view `ledger`; temporary tables are added to it.
    Raises OutputError where a witness is of a source that the manifest does not have.
    """
    stages = [stage for stage in manifest.stages if stage.kind in DEDUP_KINDS]
    if not stages:
        return []
    _gather(connection, [stage.name for stage in stages])
    _find_orphans(connection, len(stages))
    return [
        {
            "stage": stage.name,
            "matrix": _matrix(connection, manifest, stage.name),
            "clusters": _clusters(connection, stage.name),
            "similarity": {**_similarity(connection, stage.name), "threshold": _threshold(stage)},
            "bands": _bands(stage),
            "orphans": _orphans(connection, stage.name),
            **samples(connection, manifest.source_names(), stage.name, _bands(stage) is not None),
        }
        for stage in stages
    ]


def _threshold(stage: StageEntry) -> float | None:
    """The similarity that makes a duplicate; None where nothing is verified."""
    least = (stage.definition.get("verify") or {}).get("min_similarity")
    return None if least is None else float(least)


def _bands(stage: StageEntry) -> dict[str, int] | None:
    """How signatures are cut; None where there are none."""
    hashes, bands = stage.definition.get("hashes"), stage.definition.get("bands")
    return {"bands": bands, "rows": hashes // bands} if hashes and bands else None


def _gather(connection: duckdb.DuckDBPyConnection, stages: list[str]) -> None:
    """Makes the tables `duplicate` (documents dropped by these stages) and `member` (the other documents of clusters)
    from one scan of the ledger."""
    connection.execute(
        """CREATE TEMP TABLE gathered AS
           SELECT doc, source, dropped_by, cluster, cluster_size, duplicate_of, duplicate_in, similarity
           FROM ledger WHERE cluster IS NOT NULL OR list_contains($1, dropped_by)""",
        [stages],
    )
    connection.execute(
        """CREATE TEMP TABLE duplicate AS
           SELECT doc, source, dropped_by AS stage, cluster, cluster_size, duplicate_of, duplicate_in, similarity
           FROM gathered WHERE list_contains($1, dropped_by)""",
        [stages],
    )
    connection.execute(
        """CREATE TEMP TABLE member AS SELECT doc, source, dropped_by, cluster
           FROM gathered WHERE dropped_by IS NULL OR NOT list_contains($1, dropped_by)""",
        [stages],
    )
    connection.execute("DROP TABLE gathered")


def _find_orphans(connection: duckdb.DuckDBPyConnection, stages: int) -> None:
    """Makes the table `orphan` (doc, source, stage) from `duplicate` and `member`."""
    connection.execute(
        "CREATE TEMP TABLE chain AS SELECT doc, duplicate_of AS witness FROM duplicate WHERE duplicate_in IS NULL"
    )
    # A witness stayed at its own stage, so only a later stage can have dropped it as a duplicate: no chain is
    # longer than there are stages. One that ends in an earlier run is no orphan: the text is there.
    for _ in range(stages - 1):
        connection.execute(
            """CREATE OR REPLACE TEMP TABLE chain AS
               SELECT chain.doc, CASE WHEN duplicate.doc IS NULL THEN chain.witness
                                      WHEN duplicate.duplicate_in IS NULL THEN duplicate.duplicate_of
                                 END AS witness
               FROM chain LEFT JOIN duplicate ON duplicate.doc = chain.witness"""
        )
    connection.execute(
        """CREATE TEMP TABLE lost AS
           SELECT found.doc, found.source, found.stage, found.cluster, filtered.cluster AS last
           FROM chain JOIN duplicate AS found USING (doc) JOIN (
               SELECT doc, cluster FROM member WHERE dropped_by <> 'mix'
           ) AS filtered ON filtered.doc = chain.witness"""
    )
    connection.execute(
        """CREATE TEMP TABLE orphan AS
           WITH living AS (
               SELECT DISTINCT cluster FROM member
               WHERE (dropped_by IS NULL OR dropped_by = 'mix')
                 AND cluster IN (SELECT cluster FROM lost UNION SELECT last FROM lost)
           )
           SELECT doc, source, stage FROM lost
           WHERE NOT EXISTS (SELECT 1 FROM living WHERE living.cluster = lost.cluster)
             AND NOT EXISTS (SELECT 1 FROM living WHERE living.cluster = lost.last)"""
    )


def _matrix(
    connection: duckdb.DuckDBPyConnection, manifest: Manifest, stage: str
) -> dict[str, dict[str, int]]:
    query = """SELECT source, duplicate_in, if(duplicate_in IS NULL, (duplicate_of >> 56)::INT, NULL), count(*)
               FROM duplicate WHERE stage = $1 AND duplicate_of IS NOT NULL GROUP BY ALL ORDER BY ALL"""
    names = manifest.source_names()
    matrix: dict[str, dict[str, int]] = defaultdict(dict)
    for loser, run, winner, documents in connection.execute(query, [stage]).fetchall():
        if run is not None:
            matrix[loser][run] = documents
            continue
        if winner not in names:
            found = f"{documents} documents of {loser} are duplicates of documents of source number {winner}"
            raise OutputError(
                Problem(f"ledger, stage {stage}", found, f"a number from 0 to {len(names) - 1}")
            )
        matrix[loser][names[winner]] = documents
    return dict(matrix)


def _clusters(connection: duckdb.DuckDBPyConnection, stage: str) -> dict[str, Any]:
    query = """
        SELECT floor(log2(size))::INT AS octave, count(*), sum(size), max(size)
        FROM (SELECT greatest(2, coalesce(max(cluster_size), count(*) + 1)) AS size
              FROM duplicate WHERE stage = $1 GROUP BY coalesce(cluster, duplicate_of))
        GROUP BY octave ORDER BY octave
    """
    rows = connection.execute(query, [stage]).fetchall()
    return {
        "count": sum(row[1] for row in rows),
        "documents": sum(int(row[2]) for row in rows),
        "largest": max((row[3] for row in rows), default=0),
        "sizes": [
            {
                "from": 2**octave,
                "to": 2 ** (octave + 1) - 1,
                "clusters": clusters,
                "documents": int(documents),
            }
            for octave, clusters, documents, _ in rows
        ],
    }


def _similarity(connection: duckdb.DuckDBPyConnection, stage: str) -> dict[str, Any]:
    measured = "FROM duplicate WHERE stage = $1 AND similarity IS NOT NULL"
    lowest = connection.execute(f"SELECT min(similarity) {measured}", [stage]).fetchone()
    low = 0.5 if lowest is None or lowest[0] is None or lowest[0] >= 0.5 else 0.0
    # float32 puts 0.95 a little below 0.95: rounding keeps it in the bin that it starts.
    position = f"floor(round((similarity::DOUBLE - {low}) * {_BINS / (1 - low)}, 4))"
    query = f"SELECT least({_BINS - 1}, {position})::INT, count(*) {measured} GROUP BY ALL"
    counts = [0] * _BINS
    for position, documents in connection.execute(query, [stage]).fetchall():
        counts[max(0, position)] = documents
    everything = connection.execute("SELECT count(*) FROM duplicate WHERE stage = $1", [stage]).fetchone()
    edges = [round(low + (1 - low) * step / _BINS, 4) for step in range(_BINS + 1)]
    return {"edges": edges, "counts": counts, "unmeasured": (everything or (0,))[0] - sum(counts)}


def _orphans(connection: duckdb.DuckDBPyConnection, stage: str) -> dict[str, int]:
    query = "SELECT source, count(*) FROM orphan WHERE stage = $1 GROUP BY source ORDER BY source"
    return dict(connection.execute(query, [stage]).fetchall())
