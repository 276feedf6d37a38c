"""What a report asks of the whole ledger, in two scans.

Opening a ledger file costs more than reading a column of a thousand documents, and a corpus may have ten thousand
files: so all sums come from one scan, and all counts by value from another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import duckdb

from curate.io.ledger import identifier

Extent = tuple[float | None, float | None]

_COUNTS = ("documents", "bytes", "tokens", "rows_out", "bytes_out", "tokens_out", "undefined")
#: GROUPING_ID takes no more than 63 expressions.
_TOGETHER = 48


def finite(value: str) -> str:
    """SQL: whether it is a number (a mean over no words is none)."""
    return f"isfinite({value}::DOUBLE)"


@dataclass(frozen=True, slots=True)
class Total:
    """The documents of one source that share a verdict. rule: `unknown` where a drop has no reason.

    undefined: documents without a finite `value`. extents: least and greatest finite value of columns, and of `value`
    under that name. sums: of columns.
    """

    source: str
    dropped_by: str | None
    rule: str | None
    documents: int
    bytes: int
    tokens: int
    rows_out: int
    bytes_out: int
    tokens_out: int
    undefined: int
    extents: Mapping[str, Extent]
    sums: Mapping[str, int]


def totals(
    connection: duckdb.DuckDBPyConnection, extents_of: Sequence[str] = (), sums_of: Sequence[str] = ()
) -> list[Total]:
    """Totals by source and verdict, sorted; as many as sources times rules.

    connection: has the view `ledger`. extents_of: columns of numbers. sums_of: columns of counts.
    """
    ranged = ["value", *extents_of]
    asked = [
        f"{end}({identifier(name)}::DOUBLE) FILTER ({finite(identifier(name))})"
        for name in ranged
        for end in ("min", "max")
    ]
    asked += [f"sum({identifier(name)})" for name in sums_of]
    query = f"""
        SELECT source, dropped_by, if(dropped_by IS NULL, NULL, coalesce(reason, 'unknown')), count(*),
               sum(bytes), sum(tokens), sum(copies_out),
               sum(coalesce(edited_bytes, bytes) * copies_out), sum(coalesce(edited_tokens, tokens) * copies_out),
               count(*) FILTER (value IS NULL OR NOT {finite("value")}), {", ".join(asked)}
        FROM (SELECT *, coalesce(copies, if(dropped_by IS NULL, 1, 0)) AS copies_out FROM ledger)
        GROUP BY ALL ORDER BY ALL
    """
    found = []
    for source, dropped_by, rule, *numbers in connection.execute(query).fetchall():
        counts, rest = [int(number or 0) for number in numbers[: len(_COUNTS)]], numbers[len(_COUNTS) :]
        ends, sums = rest[: 2 * len(ranged)], rest[2 * len(ranged) :]
        extents = {name: (ends[2 * place], ends[2 * place + 1]) for place, name in enumerate(ranged)}
        counted = {name: int(number or 0) for name, number in zip(sums_of, sums, strict=True)}
        found.append(
            Total(
                source,
                dropped_by,
                rule,
                **dict(zip(_COUNTS, counts, strict=True)),
                extents=extents,
                sums=counted,
            )
        )
    return found


def extent(found: Sequence[Total], column: str, of: Callable[[Total], bool] = lambda _: True) -> Extent:
    """The least and greatest value of a column over the totals that `of` picks; None where there is none."""
    ends = [each.extents[column] for each in found if of(each)]
    lows = [low for low, _ in ends if low is not None]
    highs = [high for _, high in ends if high is not None]
    return min(lows, default=None), max(highs, default=None)


def count_by(
    connection: duckdb.DuckDBPyConnection, relation: str, groupings: Mapping[str, Sequence[str]]
) -> dict[str, list[tuple[object, ...]]]:
    """Rows of `relation` by each grouping, which is a tuple of SQL expressions: name -> (values..., rows), sorted.

    A scan serves many groupings. Rows of which the last expression of a grouping is null do not count in it.
    """
    found: dict[str, list[tuple[object, ...]]] = {name: [] for name in groupings}
    for names in _batches(groupings):
        expressions = list(dict.fromkeys(part for name in names for part in groupings[name]))
        columns = {part: f"c{place}" for place, part in enumerate(expressions)}
        sets: dict[int, list[str]] = {}
        named: dict[int, list[str]] = defaultdict(list)
        for name in names:
            grouped = [columns[part] for part in groupings[name]]
            chosen = _grouping_id(list(columns.values()), grouped)
            # A set that stands there twice would give its rows twice.
            sets.setdefault(chosen, grouped)
            named[chosen].append(name)
        every = ", ".join(columns.values())
        query = f"""
            SELECT GROUPING_ID({every}), {every}, count(*)
            FROM (SELECT {", ".join(f"{part} AS {name}" for part, name in columns.items())} FROM {relation})
            GROUP BY GROUPING SETS ({", ".join(f"({', '.join(grouped)})" for grouped in sets.values())}) ORDER BY ALL
        """
        for chosen, *values in connection.execute(query).fetchall():
            for name in named[chosen]:
                row = (*(values[expressions.index(part)] for part in groupings[name]), values[-1])
                if row[-2] is not None:
                    found[name].append(row)
    return found


def _batches(groupings: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Names of groupings, so many together that their expressions fit in one query."""
    names: list[str] = []
    for name in groupings:
        parts = {part for each in (*names, name) for part in groupings[each]}
        if names and len(parts) > _TOGETHER:
            yield names
            names = []
        names = [*names, name]
    if names:
        yield names


def _grouping_id(columns: Sequence[str], grouped: Sequence[str]) -> int:
    """As SQL's GROUPING_ID: a bit a column, the last the lowest, set where the grouping is not by that column."""
    return sum(1 << place for place, column in enumerate(reversed(columns)) if column not in grouped)
