"""How the statistic behind each rule is distributed, by source, to be seen against the rule's bounds.

Where the run kept a statistic as a ledger column, over every document it was measured on; else over the values of the
documents that the rule dropped, which is all that the ledger has.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from curate.io.ledger import MIX, READ
from curate.io.manifest import Manifest, StageEntry
from curate.report.duplicates import DEDUP_KINDS

_BINS = 40
#: A range of which the end is so many times its beginning is cut into equal steps of the logarithm.
_LOG_FROM = 100
#: Kinds whose drops have figures of their own, or no value.
_ELSEWHERE = {*DEDUP_KINDS, MIX, READ}
#: Where the bounds of rules stand in the definition of their stage, by kind: (least, greatest, column).
_KEYS: dict[str, tuple[str | None, str | None, str | None]] = {
    "language.low_score": ("min_score", None, "lang_score"),
    "decontaminate": (None, "max_overlap", None),
    "quality": ("min_score", "max_score", None),
}
#: Finite doubles; numbers that are none (a mean over no words) count as undefined.
_FINITE = "isfinite({0}::DOUBLE)"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a rule keeps: least <= statistic <= greatest. languages: those with bounds of their own."""

    least: float | None
    greatest: float | None
    languages: tuple[str, ...] = ()

    def given(self) -> list[float]:
        return [bound for bound in (self.least, self.greatest) if bound is not None]


@dataclass(frozen=True, slots=True)
class Bins:
    """Equal steps from `low`; of log10(1 + value) where `log`."""

    low: float
    step: float
    number: int
    log: bool

    @classmethod
    def over(cls, low: float, high: float) -> Bins:
        """About forty bins over a range, with round edges where they are not logarithmic."""
        if low == high:
            low, high = low - 0.1 * (abs(low) or 1.0), high + 0.1 * (abs(high) or 1.0)
        if low >= 0 and high > _LOG_FROM * max(1.0, low):
            start = math.floor(math.log10(1 + low) * 10) / 10
            step = (math.ceil(math.log10(1 + high) * 10) / 10 - start) / _BINS
            return cls(start, step, _BINS, True)
        step = _round_step((high - low) / _BINS)
        first, last = math.floor(low / step + 1e-9), math.floor(high / step + 1e-9) + 1
        return cls(first * step, step, last - first, False)

    def edges(self) -> list[float]:
        found = [self.low + place * self.step for place in range(self.number + 1)]
        return [float(f"{10**edge - 1 if self.log else edge:.6g}") for edge in found]

    def sql(self, value: str) -> str:
        """The number of the bin that `value` is in; the last bin has its upper edge too."""
        scaled = f"log10(1 + {value}::DOUBLE)" if self.log else f"{value}::DOUBLE"
        place = f"floor(round(({scaled} - {self.low!r}) / {self.step!r}, 6))"
        return f"greatest(0, least({self.number - 1}, {place}))::INT"


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 2.5, 5 times a power of ten that is at least so large."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(float(f"{m * power:.6g}") for m in (1, 2, 2.5, 5, 10) if m * power >= least * (1 - 1e-9))


def distributions(connection: duckdb.DuckDBPyConnection, manifest: Manifest) -> list[dict[str, Any]]:
    """Each rule that has values, in the order of the stages, of a stage those that dropped most first.

    connection: has the views `ledger` and `present`.
    """
    columns = {row[0] for row in connection.execute("DESCRIBE present").fetchall()}
    drops = _drops(connection)
    entries = []
    for stage in manifest.stages:
        if stage.kind in _ELSEWHERE:
            continue
        bounds = dict(_bounds(stage))
        dropping = [rule for name, rule in drops if name == stage.name]
        kept = [rule for rule in bounds if _column(rule, columns) and rule not in dropping]
        for rule in (*dropping, *kept):
            limit = bounds.get(rule) or _by_kind(stage, rule)
            entries.append((stage, rule, limit, _column(rule, columns)))
    return list(_counted(connection, entries, drops))


_Drops = Mapping[tuple[str, str], tuple[int, int, float | None, float | None]]
_Entry = tuple[StageEntry, str, Bounds, str | None]


def _drops(connection: duckdb.DuckDBPyConnection) -> _Drops:
    """(stage, rule) -> documents, of those without a value, least and greatest value; most documents first."""
    finite = _FINITE.format("value")
    query = f"""
        SELECT dropped_by, coalesce(reason, 'unknown') AS rule, count(*) AS documents,
               count(*) FILTER (value IS NULL OR NOT {finite}),
               min(value) FILTER ({finite}), max(value) FILTER ({finite})
        FROM ledger WHERE dropped_by IS NOT NULL GROUP BY ALL ORDER BY documents DESC, dropped_by, rule
    """
    return {(row[0], row[1]): tuple(row[2:]) for row in connection.execute(query).fetchall()}


def _bounds(stage: StageEntry) -> Iterator[tuple[str, Bounds]]:
    """Of the rules that a definition lists one by one."""
    other: dict[str, list[str]] = defaultdict(list)
    listed = {rule["rule"]: rule for rule in stage.definition.get("rules") or [] if isinstance(rule, dict)}
    for language, rules in (stage.definition.get("by_language") or {}).items():
        for rule in rules:
            general = listed.get(rule["rule"])
            if general is None or (rule["min"], rule["max"]) != (general["min"], general["max"]):
                other[rule["rule"]].append(language)
    kept = [rule for rule in stage.definition.get("keep_stats") or [] if isinstance(rule, dict)]
    for rule in (*kept, *listed.values()):
        # A statistic that is only kept drops nothing, whatever the profile would ask of it.
        applied = rule["rule"] in listed
        least, greatest = (rule["min"], rule["max"]) if applied else (None, None)
        yield rule["rule"], Bounds(least, greatest, tuple(sorted(other[rule["rule"]])))


def _by_kind(stage: StageEntry, rule: str) -> Bounds:
    least, greatest, _ = _KEYS.get(rule) or _KEYS.get(stage.kind) or (None, None, None)
    return Bounds(_number(stage, least), _number(stage, greatest))


def _number(stage: StageEntry, key: str | None) -> float | None:
    value = stage.definition.get(key) if key else None
    return float(value) if isinstance(value, int | float) else None


def _column(rule: str, columns: set[str]) -> str | None:
    known = _KEYS.get(rule)
    name = known[2] if known else rule
    return name if name in columns else None


def _counted(
    connection: duckdb.DuckDBPyConnection, entries: Sequence[_Entry], drops: _Drops
) -> Iterator[dict[str, Any]]:
    extents = _extents(connection, [column for *_, column in entries if column])
    chosen: list[tuple[_Entry, Bins]] = []
    for entry in entries:
        stage, rule, bounds, column = entry
        low, high = extents[column] if column else drops[stage.name, rule][2:]
        if low is not None and high is not None:
            given = bounds.given()
            chosen.append((entry, Bins.over(min(low, *given, high), max(high, *given, low))))
    of_drops = _count_drops(connection, [(entry, bins) for entry, bins in chosen if not entry[3]])
    for (stage, rule, bounds, column), bins in chosen:
        counts = _count_column(connection, column, bins) if column else of_drops[stage.name, rule]
        dropped, undefined = drops.get((stage.name, rule), (0, 0))[:2]
        yield {
            "stage": stage.name,
            "rule": rule,
            "dropped": dropped,
            "undefined": undefined,
            "values_of": "documents" if column else "drops",
            "min": bounds.least,
            "max": bounds.greatest,
            "own_bounds": list(bounds.languages),
            "scale": "log" if bins.log else "linear",
            "edges": bins.edges(),
            "counts": dict(sorted(counts.items())),
        }


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _extents(
    connection: duckdb.DuckDBPyConnection, columns: Sequence[str]
) -> dict[str, tuple[float | None, float | None]]:
    """The least and greatest value of each column, in one scan."""
    if not columns:
        return {}
    asked = ", ".join(
        f"{end}({name}::DOUBLE) FILTER ({_FINITE.format(name)})"
        for name in map(_quoted, columns)
        for end in ("min", "max")
    )
    found = connection.execute(f"SELECT {asked} FROM present").fetchone() or ()
    return {name: (found[2 * place], found[2 * place + 1]) for place, name in enumerate(columns)}


def _count_column(connection: duckdb.DuckDBPyConnection, column: str, bins: Bins) -> dict[str, list[int]]:
    name = _quoted(column)
    query = f"""SELECT source, {bins.sql(name)}, count(*) FROM present
                WHERE {_FINITE.format(name)} GROUP BY ALL"""
    counts: dict[str, list[int]] = defaultdict(lambda: [0] * bins.number)
    for source, place, documents in connection.execute(query).fetchall():
        counts[source][place] = documents
    return counts


def _count_drops(
    connection: duckdb.DuckDBPyConnection, chosen: Sequence[tuple[_Entry, Bins]]
) -> dict[tuple[str, str], dict[str, list[int]]]:
    """Counts of the drops' values by bin and source: all rules in one scan."""
    if not chosen:
        return {}
    rows = [
        (stage.name, rule, bins.low, bins.step, bins.number, bins.log) for (stage, rule, *_), bins in chosen
    ]
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE bins
           (stage VARCHAR, rule VARCHAR, low DOUBLE, step DOUBLE, number INT, log BOOLEAN)"""
    )
    connection.executemany("INSERT INTO bins VALUES (?, ?, ?, ?, ?, ?)", rows)
    found = connection.execute(
        f"""SELECT stage, rule, source, greatest(0, least(number - 1, floor(round(
                   (if(log, log10(1 + greatest(value, 0)), value) - low) / step, 6))))::INT AS place, count(*)
            FROM ledger JOIN bins ON dropped_by = stage AND coalesce(reason, 'unknown') = rule
            WHERE {_FINITE.format("value")} GROUP BY ALL"""
    )
    counts: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(dict)
    sizes = {(stage, rule): number for stage, rule, _, _, number, _ in rows}
    for stage, rule, source, place, documents in found.fetchall():
        counts[stage, rule].setdefault(source, [0] * sizes[stage, rule])[place] = documents
    return counts
