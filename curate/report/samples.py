"""Which clusters and which duplicates of a stage a report shows: positions only, texts are read elsewhere."""

from __future__ import annotations

import math
from collections import defaultdict
from typing import Any

import duckdb

from curate.io.ledger import Ledger, unpack_doc

LARGEST = 20
MEMBERS = 3
TENTHS = 10
PAIRS_A_TENTH = 40
APART = 100
#: Mixes a doc to a number that serves as its place in a lottery: two products of Knuth's multiplier.
_LOT = (
    "(((doc % 4294967291::UBIGINT) * 2654435761::UBIGINT % 4294967296::UBIGINT + (doc >> 32)) % 4294967291::UBIGINT)"
    " * 2654435761::UBIGINT % 4294967296::UBIGINT"
)


def samples(
    connection: duckdb.DuckDBPyConnection, names: dict[int, str], stage: str, near: bool
) -> dict[str, Any]:
    """`largest` clusters, `pairs` of a duplicate and its witness, and kept members `apart` from their cluster's best.

    connection: has the tables `duplicate` and `member`. names: of the sources by index. near: whether
    duplicates differ from their witness at all; else there are no pairs. The same ledger gives the same samples.
    """
    return {
        "largest": _largest(connection, names, stage),
        "pairs": _pairs(connection, names, stage) if near else [],
        "apart": _apart(connection, names) if near else [],
    }


def _name(names: dict[int, str], doc: int) -> str:
    return Ledger.name(doc, names[unpack_doc(doc).source])


def _largest(
    connection: duckdb.DuckDBPyConnection, names: dict[int, str], stage: str
) -> list[dict[str, Any]]:
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE largest AS
            SELECT coalesce(cluster, duplicate_of) AS root, count(*) AS dropped,
                   greatest(max(coalesce(cluster_size, 0)), count(*) + 1) AS documents
            FROM duplicate WHERE stage = $1 AND coalesce(cluster, duplicate_of) IS NOT NULL
            GROUP BY root ORDER BY documents DESC, root LIMIT {LARGEST}""",
        [stage],
    )
    member = "FROM duplicate JOIN largest ON coalesce(cluster, duplicate_of) = root WHERE stage = $1"
    sources: dict[int, dict[str, int]] = defaultdict(dict)
    for root, source, documents in connection.execute(
        f"SELECT root, source, count(*) {member} GROUP BY ALL ORDER BY ALL", [stage]
    ).fetchall():
        sources[root][source] = documents
    members = dict(
        connection.execute(
            f"SELECT root, arg_min(doc, {_LOT}, {MEMBERS}) {member} GROUP BY root", [stage]
        ).fetchall()
    )
    rows = connection.execute("SELECT root, documents, dropped FROM largest ORDER BY documents DESC, root")
    return [
        {
            "best": _name(names, root),
            "documents": documents,
            "dropped": dropped,
            "sources": sources[root],
            "members": [_name(names, doc) for doc in sorted(members[root])],
        }
        for root, documents, dropped in rows.fetchall()
    ]


def _pairs(connection: duckdb.DuckDBPyConnection, names: dict[int, str], stage: str) -> list[dict[str, Any]]:
    """Of each tenth of the range of similarities up to forty pairs. Of this run alone: texts of earlier ones are not
    read."""
    here = """FROM duplicate WHERE stage = $1 AND similarity IS NOT NULL
              AND duplicate_of IS NOT NULL AND duplicate_in IS NULL"""
    least = connection.execute(f"SELECT min(similarity) {here}", [stage]).fetchone()
    if least is None or least[0] is None:
        return []
    low = min(math.floor(float(least[0]) * 10 + 1e-6) / 10, 0.9)
    width = (1 - low) / TENTHS
    place = f"least({TENTHS - 1}, floor(round((similarity::DOUBLE - {low!r}) / {width!r}, 4)))::INT"
    pair = "{'doc': doc, 'witness': duplicate_of, 'similarity': similarity}"
    query = f"SELECT {place} AS tenth, arg_min({pair}, {_LOT}, {PAIRS_A_TENTH}) {here} GROUP BY tenth"
    found = dict(connection.execute(query, [stage]).fetchall())
    return [
        {
            "from": round(low + tenth * width, 4),
            "to": round(low + (tenth + 1) * width, 4),
            "pairs": [
                [
                    _name(names, pair["doc"]),
                    _name(names, pair["witness"]),
                    float(f"{pair['similarity']:.6g}"),
                ]
                for pair in found.get(tenth, ())
            ],
        }
        for tenth in range(TENTHS)
    ]


def _apart(connection: duckdb.DuckDBPyConnection, names: dict[int, str]) -> list[list[str]]:
    query = f"""
        SELECT arg_min({{'doc': doc, 'best': cluster}}, {_LOT}, {APART}) FROM member WHERE cluster <> doc
    """
    found = connection.execute(query).fetchone()
    pairs = (found[0] if found else None) or []
    return [[_name(names, pair["doc"]), _name(names, pair["best"])] for pair in pairs]
