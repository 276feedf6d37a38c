"""How the statistic behind each rule is distributed, by source, to be seen against the rule's bounds.

Where the run kept a statistic as a ledger column, over every document it was measured on; else over the values of the
documents that the rule dropped, which is all that the ledger has.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from curate.io.ledger import MIX, READ, identifier
from curate.io.manifest import Manifest, StageEntry
from curate.report.duplicates import DEDUP_KINDS
from curate.report.scans import Extent, Total, extent, finite

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
_DROPS = "drops"
#: Rules that go by the score in the column of their stage.
_BY_SCORE = (".low_score", ".high_score")


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
        """The number of the bin that `value` is in, null where it is no number; the last bin has its upper edge too."""
        scaled = f"log10(1 + {value}::DOUBLE)" if self.log else f"{value}::DOUBLE"
        place = f"floor(round(({scaled} - {self.low!r}) / {self.step!r}, 6))"
        return f"if({finite(value)}, greatest(0, least({self.number - 1}, {place}))::INT, NULL)"


def _round_step(least: float) -> float:
    """The smallest of 1, 2, 2.5, 5 times a power of ten that is at least so large."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(float(f"{m * power:.6g}") for m in (1, 2, 2.5, 5, 10) if m * power >= least * (1 - 1e-9))


@dataclass(frozen=True, slots=True)
class Histogram:
    """What is counted of a rule. sources: that the stage is shown, None for all. column: of the statistic, if the run
    kept it; else values of drops are counted."""

    stage: str
    sources: tuple[str, ...] | None
    rule: str
    bounds: Bounds
    column: str | None
    bins: Bins
    dropped: int
    undefined: int


def histograms(manifest: Manifest, totals: Sequence[Total], columns: Collection[str]) -> list[Histogram]:
    """Of each rule that has values, in the order of the stages, of a stage those that dropped most first.

    totals: with the extents of `columns`, those of the ledger that hold statistics.
    """
    drops = _drops(totals)
    found = []
    for stage in manifest.stages:
        if stage.kind in _ELSEWHERE:
            continue
        # Another stage may have written the same column for other sources.
        shown = [each for each in totals if _is_shown(stage.sources, each.source)]
        bounds = dict(_bounds(stage))
        dropping = [rule for name, rule in drops if name == stage.name]
        own = _own_column(stage, manifest)
        kept = [rule for rule in bounds if _column(rule, own, columns) and rule not in dropping]
        for rule in (*dropping, *kept):
            column = _column(rule, own, columns)
            documents, undefined, ends = drops.get((stage.name, rule), (0, 0, (None, None)))
            low, high = extent(shown, column) if column else ends
            if low is not None and high is not None:
                limit = bounds.get(rule) or _by_kind(stage, rule)
                given = limit.given()
                bins = Bins.over(min(low, *given, high), max(high, *given, low))
                found.append(
                    Histogram(stage.name, stage.sources, rule, limit, column, bins, documents, undefined)
                )
    return found


def _is_shown(sources: Collection[str] | None, source: str) -> bool:
    return sources is None or source in sources


def _drops(totals: Sequence[Total]) -> dict[tuple[str, str], tuple[int, int, Extent]]:
    """(stage, rule) -> documents, of those without a value, extent of the values; most documents first."""
    found: dict[tuple[str, str], list[Total]] = defaultdict(list)
    for each in totals:
        if each.dropped_by is not None and each.rule is not None:
            found[each.dropped_by, each.rule].append(each)
    summed = {
        key: (
            sum(each.documents for each in those),
            sum(each.undefined for each in those),
            extent(those, "value"),
        )
        for key, those in found.items()
    }
    return dict(sorted(summed.items(), key=lambda item: (-item[1][0], item[0])))


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


def _own_column(stage: StageEntry, manifest: Manifest) -> str | None:
    """The column of a stage's score, unless another stage writes into it too."""
    columns = [each.definition.get("column") for each in manifest.stages if each.kind == stage.kind]
    column = stage.definition.get("column")
    return str(column) if column is not None and columns.count(column) == 1 else None


def _column(rule: str, own: str | None, columns: Collection[str]) -> str | None:
    known = _KEYS.get(rule)
    name = own if own and rule.endswith(_BY_SCORE) else known[2] if known else rule
    return name if name in columns else None


def groupings(chosen: Sequence[Histogram]) -> dict[str, tuple[str, ...]]:
    """What to count for `distributions`, in `relation`."""
    found: dict[str, tuple[str, ...]] = {
        _name(place): ("source", each.bins.sql(identifier(each.column)))
        for place, each in enumerate(chosen)
        if each.column
    }
    if any(each.column is None for each in chosen):
        scaled = "if(bin_log, log10(1 + greatest(value, 0)), value)"
        place = f"greatest(0, least(bin_number - 1, floor(round(({scaled} - bin_low) / bin_step, 6))))::INT"
        counted = f"if({finite('value')}, {place}, NULL)"
        found[_DROPS] = ("source", "bin_stage", "bin_rule", counted)
    return found


def _name(place: int) -> str:
    return f"rule {place}"


def relation(connection: duckdb.DuckDBPyConnection, chosen: Sequence[Histogram]) -> str:
    """The ledger, each drop beside the bins of its rule."""
    connection.execute(
        """CREATE OR REPLACE TEMP TABLE bins (bin_stage VARCHAR, bin_rule VARCHAR, bin_low DOUBLE, bin_step DOUBLE,
           bin_number INT, bin_log BOOLEAN)"""
    )
    for each in chosen:
        if each.column is None:
            bins = (each.bins.low, each.bins.step, each.bins.number, each.bins.log)
            connection.execute("INSERT INTO bins VALUES (?, ?, ?, ?, ?, ?)", (each.stage, each.rule, *bins))
    return "ledger LEFT JOIN bins ON dropped_by = bin_stage AND coalesce(reason, 'unknown') = bin_rule"


def distributions(
    chosen: Sequence[Histogram], counted: Mapping[str, Sequence[tuple[Any, ...]]]
) -> list[dict[str, Any]]:
    """The entries of `rules` in the figures. counted: what `count_by` found for `groupings`."""
    of_drops: dict[tuple[str, str], list[tuple[str, int, int]]] = defaultdict(list)
    for source, stage, rule, place, documents in counted.get(_DROPS, ()):
        of_drops[stage, rule].append((source, place, documents))
    entries = []
    for number, each in enumerate(chosen):
        counts: dict[str, list[int]] = {}
        found = counted[_name(number)] if each.column else of_drops[each.stage, each.rule]
        for source, place, documents in found:
            if not _is_shown(each.sources, source):
                continue
            counts.setdefault(source, [0] * each.bins.number)[place] = documents
        entries.append(
            {
                "stage": each.stage,
                "rule": each.rule,
                "dropped": each.dropped,
                "undefined": each.undefined,
                "values_of": "documents" if each.column else "drops",
                "min": each.bounds.least,
                "max": each.bounds.greatest,
                "own_bounds": list(each.bounds.languages),
                "scale": "log" if each.bins.log else "linear",
                "edges": each.bins.edges(),
                "counts": counts,
            }
        )
    return entries
