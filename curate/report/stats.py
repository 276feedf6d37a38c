"""Figures of a finished run, from its manifest, ledger and quarantine (docs/report.md has the schema).

Everything is aggregated in SQL over the ledger, so memory does not grow with the corpus, and nothing depends
on time, place or order: the same output folder gives the same figures.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from curate.errors import OutputError, Problem
from curate.io.files import exists, join
from curate.io.ledger import LEDGER_FIELDS, MIX, READ, Ledger
from curate.io.manifest import Manifest
from curate.io.quarantine import read_quarantine
from curate.report.distributions import distributions, groupings, histograms, relation
from curate.report.duplicates import dedup_stats
from curate.report.scans import Total, count_by, totals
from curate.report.scores import groupings as score_groupings
from curate.report.scores import quality, scores
from curate.report.urls import same_urls
from curate.report.warnings import warnings_of

Stats = dict[str, Any]

_LANGUAGES_SHOWN = 20
_LANGUAGES = "languages"
_NUMBERS = ("BIGINT", "INTEGER", "FLOAT", "DOUBLE")
_UNIT_COLUMN = {"tokens": "tokens_out", "bytes": "bytes_out", "documents": "rows_out"}


def compute_stats(out: str) -> Stats:
    """The figures of the run under `out` as JSON values. Raises OutputError where the manifest or ledger is
    missing or the ledger names a stage or source that the manifest does not."""
    manifest = Manifest.load(out)
    quarantine = _quarantine(out, manifest)
    with Ledger(out).connect(gather=True) as connection:
        columns = dict(connection.execute("SELECT name, type FROM pragma_table_info('present')").fetchall())
        redacted = [name for name in columns if name.startswith("redacted_")]
        summed = totals(
            connection, [name for name in columns if _is_statistic(name, columns[name])], redacted
        )
        sources = _sources(summed, manifest, quarantine)
        stages = _stages(summed, manifest, sources)
        drawn, scored = histograms(manifest, summed, columns), scores(manifest, summed, columns)
        asked = {_LANGUAGES: ("source", "dropped_by", "lang"), **groupings(drawn), **score_groupings(scored)}
        counted = count_by(connection, relation(connection, drawn), asked)
        return {
            "format": 1,
            "name": manifest.name,
            "totals": _totals(sources),
            "tokens": manifest.tokens.model_dump(mode="json"),
            "sources": sources,
            "stages": stages,
            "rules": distributions(drawn, counted),
            "dedup": dedup_stats(connection, manifest),
            "same_url": same_urls(connection, out, manifest),
            "languages": _languages(counted[_LANGUAGES]),
            "quality": quality(scored, counted),
            "mix": _mix(manifest, sources, stages),
            "quarantine": quarantine,
            "redacted": _redacted(summed, redacted),
            "warnings": warnings_of(summed, counted[_LANGUAGES], manifest, stages),
        }


def _is_statistic(name: str, kind: str) -> bool:
    """Whether a column holds a measure of documents whose distribution may be shown."""
    return kind in _NUMBERS and (name not in LEDGER_FIELDS or name in ("lang_score", "quality"))


def check_conservation(stats: Stats) -> None:
    """Raises OutputError unless, for each source, documents = kept + the sum of the reasons."""
    problems = []
    for name, source in stats["sources"].items():
        reasons = sum(
            sum(stage["sources"][name]["reasons"].values())
            for stage in stats["stages"]
            if name in stage["sources"]
        )
        if source["documents"] != source["kept"] + reasons:
            found = (
                f"{source['documents']} documents, {source['kept']} kept and {reasons} dropped for a reason"
            )
            problems.append(Problem(f"source {name}", found, "documents = kept + the sum of the reasons"))
    if problems:
        raise OutputError(*problems)


def _sources(summed: Sequence[Total], manifest: Manifest, quarantine: Stats) -> Stats:
    names = manifest.source_names().values()
    unknown = sorted({each.source for each in summed} - set(names))
    if unknown:
        expected = "sources of the manifest: " + ", ".join(names)
        raise OutputError(*(Problem("ledger", f"source {name}", expected) for name in unknown))
    found = {}
    for name in names:
        here = [each for each in summed if each.source == name]
        found[name] = {
            "documents": sum(each.documents for each in here),
            "kept": sum(each.documents for each in here if each.dropped_by is None),
            "rows_out": sum(each.rows_out for each in here),
            "bytes_in": sum(each.bytes for each in here),
            "bytes_out": sum(each.bytes_out for each in here),
            "tokens_in": sum(each.tokens for each in here),
            "tokens_out": sum(each.tokens_out for each in here),
            "quarantined": sum(quarantine.get(name, {}).values()),
        }
    return found


def _totals(sources: Stats) -> Stats:
    totals: dict[str, int] = defaultdict(int)
    for source in sources.values():
        for name, value in source.items():
            totals[name] += value
    return dict(totals)


def _stages(summed: Sequence[Total], manifest: Manifest, sources: Stats) -> list[Stats]:
    drops: dict[str, dict[str, Stats]] = defaultdict(dict)
    for each in summed:
        if each.dropped_by is None:
            continue
        entry = drops[each.dropped_by].setdefault(
            each.source, {"dropped": 0, "tokens_dropped": 0, "bytes_dropped": 0, "reasons": {}}
        )
        entry["dropped"] += each.documents
        entry["tokens_dropped"] += each.tokens
        entry["bytes_dropped"] += each.bytes
        entry["reasons"][each.rule] = each.documents
    alive = {name: source["documents"] for name, source in sources.items()}
    stages = []
    for name, kind, limited in _stage_order(manifest, drops):
        shown = [
            source for source in sources if limited is None or source in limited or source in drops[name]
        ]
        entries = {}
        for source in shown:
            entry = drops[name].get(
                source, {"dropped": 0, "tokens_dropped": 0, "bytes_dropped": 0, "reasons": {}}
            )
            entries[source] = {"documents_in": alive[source], **entry}
            alive[source] -= entry["dropped"]
        stages.append({"name": name, "kind": kind, "sources": entries})
    return stages


def _stage_order(manifest: Manifest, drops: dict[str, dict[str, Stats]]) -> list[tuple[str, str, Any]]:
    order: list[tuple[str, str, Any]] = [(stage.name, stage.kind, stage.sources) for stage in manifest.stages]
    names = {name for name, _, _ in order}
    if READ in drops and READ not in names:
        order.insert(0, (READ, READ, None))
    if MIX in drops and MIX not in names:
        order.append((MIX, MIX, None))
    unknown = sorted(set(drops) - {name for name, _, _ in order})
    if unknown:
        expected = "stages of the manifest: " + ", ".join(name for name, _, _ in order)
        raise OutputError(*(Problem("ledger", f"dropped_by {name}", expected) for name in unknown))
    return order


def _languages(counted: Sequence[tuple[Any, ...]]) -> Stats:
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for source, _, lang, documents in counted:
        found[source][lang] += documents
    languages = {}
    for source, counts in found.items():
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        languages[source] = dict(ranked[:_LANGUAGES_SHOWN])
        if ranked[_LANGUAGES_SHOWN:]:
            languages[source]["other"] = sum(count for _, count in ranked[_LANGUAGES_SHOWN:])
    return languages


def _redacted(summed: Sequence[Total], columns: Sequence[str]) -> Stats:
    """How much `redact` replaced in the documents it was shown, by source and kind."""
    found: dict[str, dict[str, int]] = {}
    for each in summed if columns else ():
        here = found.setdefault(each.source, dict.fromkeys(columns, 0))
        for name in columns:
            here[name] += each.sums[name]
    return found


def _mix(manifest: Manifest, sources: Stats, stages: list[Stats]) -> Stats:
    mix = manifest.recipe.get("mix") or {}
    unit = mix.get("unit", "tokens")
    weights = {name: float(weight) for name, weight in (mix.get("weights") or {}).items()}
    total = sum(weights.values())
    out = sum(source[_UNIT_COLUMN[unit]] for source in sources.values())
    mixed_out: Stats = next((stage["sources"] for stage in stages if stage["name"] == MIX), {})
    copies = {}
    for name, source in sources.items():
        reached = source["kept"] + mixed_out.get(name, {}).get("dropped", 0)
        copies[name] = source["rows_out"] / reached if reached else 0.0
    return {
        "unit": unit,
        "asked": {name: weight / total for name, weight in weights.items()},
        "got": {name: source[_UNIT_COLUMN[unit]] / out if out else 0.0 for name, source in sources.items()},
        "copies": copies,
    }


def _quarantine(out: str, manifest: Manifest) -> Stats:
    found: dict[str, dict[str, int]] = {}
    for source in sorted(manifest.source_names().values()):
        reasons: dict[str, int] = defaultdict(int)
        path = join(out, f"quarantine/{source}.jsonl")
        for record in read_quarantine(path) if exists(path) else ():
            # A file that could not be opened stands for an unknown number of rows: it counts as one.
            reasons[record["reason"]] += max(1, record["rows"])
        if reasons:
            found[source] = dict(sorted(reasons.items()))
    return found
