"""Figures of a finished run, from its manifest, ledger and quarantine (docs/report.md has the schema).

Everything is aggregated in SQL over the ledger, so memory does not grow with the corpus, and nothing depends
on time, place or order: the same output folder gives the same figures.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import duckdb

from curate.errors import OutputError, Problem
from curate.io.files import exists, join
from curate.io.ledger import MIX, READ, Ledger
from curate.io.manifest import Manifest
from curate.io.quarantine import read_quarantine
from curate.report.distributions import distributions
from curate.report.duplicates import dedup_stats
from curate.report.urls import same_urls
from curate.report.warnings import warnings_of

Stats = dict[str, Any]

_LANGUAGES_SHOWN = 20
_SCORE_BINS = 20
_COUNTS = (
    "documents",
    "kept",
    "rows_out",
    "bytes_in",
    "bytes_out",
    "tokens_in",
    "tokens_out",
)
#: fastText adds 1e-5 to each probability before its logarithm: sums of a few exceed 1 by less than this.
_ROUNDING = 1e-3
_UNIT_COLUMN = {"tokens": "tokens_out", "bytes": "bytes_out", "documents": "rows_out"}


def compute_stats(out: str) -> Stats:
    """The figures of the run under `out` as JSON values. Raises OutputError where the manifest or ledger is
    missing or the ledger names a stage or source that the manifest does not."""
    manifest = Manifest.load(out)
    quarantine = _quarantine(out, manifest)
    with Ledger(out).connect(gather=True) as connection:
        sources = _sources(connection, manifest, quarantine)
        stages = _stages(connection, manifest, sources)
        return {
            "format": 1,
            "name": manifest.name,
            "totals": _totals(sources),
            "sources": sources,
            "stages": stages,
            "rules": distributions(connection, manifest),
            "dedup": dedup_stats(connection, manifest),
            "same_url": same_urls(connection, out, manifest),
            "languages": _languages(connection),
            "quality": _quality(connection),
            "mix": _mix(manifest, sources, stages),
            "quarantine": quarantine,
            "redacted": _redacted(connection),
            "warnings": warnings_of(connection, manifest, stages),
        }


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


def _sources(connection: duckdb.DuckDBPyConnection, manifest: Manifest, quarantine: Stats) -> Stats:
    query = """
        SELECT source, count(*), count(*) FILTER (dropped_by IS NULL), sum(copies_out),
               sum(bytes), sum(coalesce(edited_bytes, bytes) * copies_out),
               sum(tokens), sum(coalesce(edited_tokens, tokens) * copies_out)
        FROM (SELECT *, coalesce(copies, if(dropped_by IS NULL, 1, 0)) AS copies_out FROM ledger)
        GROUP BY source
    """
    found = {row[0]: [int(value or 0) for value in row[1:]] for row in connection.execute(query).fetchall()}
    unknown = sorted(set(found) - set(manifest.source_names().values()))
    if unknown:
        expected = "sources of the manifest: " + ", ".join(manifest.source_names().values())
        raise OutputError(*(Problem("ledger", f"source {name}", expected) for name in unknown))
    empty = [0] * len(_COUNTS)
    return {
        name: {
            **dict(zip(_COUNTS, found.get(name, empty), strict=True)),
            "quarantined": sum(quarantine.get(name, {}).values()),
        }
        for name in manifest.source_names().values()
    }


def _totals(sources: Stats) -> Stats:
    totals: dict[str, int] = defaultdict(int)
    for source in sources.values():
        for name, value in source.items():
            totals[name] += value
    return dict(totals)


def _stages(connection: duckdb.DuckDBPyConnection, manifest: Manifest, sources: Stats) -> list[Stats]:
    query = """
        SELECT dropped_by, source, coalesce(reason, 'unknown'), count(*), sum(tokens), sum(bytes)
        FROM ledger WHERE dropped_by IS NOT NULL GROUP BY ALL ORDER BY ALL
    """
    drops: dict[str, dict[str, Stats]] = defaultdict(dict)
    for stage, source, reason, documents, tokens, size in connection.execute(query).fetchall():
        entry = drops[stage].setdefault(
            source, {"dropped": 0, "tokens_dropped": 0, "bytes_dropped": 0, "reasons": {}}
        )
        entry["dropped"] += documents
        entry["tokens_dropped"] += int(tokens or 0)
        entry["bytes_dropped"] += int(size or 0)
        entry["reasons"][reason] = documents
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


def _languages(connection: duckdb.DuckDBPyConnection) -> Stats:
    query = "SELECT source, lang, count(*) FROM ledger WHERE lang IS NOT NULL GROUP BY ALL"
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for source, lang, documents in sorted(connection.execute(query).fetchall()):
        found[source][lang] = documents
    languages = {}
    for source, counts in found.items():
        ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        languages[source] = dict(ranked[:_LANGUAGES_SHOWN])
        if ranked[_LANGUAGES_SHOWN:]:
            languages[source]["other"] = sum(count for _, count in ranked[_LANGUAGES_SHOWN:])
    return languages


def _quality(connection: duckdb.DuckDBPyConnection) -> Stats:
    labels: dict[str, dict[str, int]] = defaultdict(dict)
    query = "SELECT source, quality_label, count(*) FROM ledger WHERE quality_label IS NOT NULL GROUP BY ALL"
    for source, label, documents in sorted(connection.execute(query).fetchall()):
        labels[source][label] = documents
    scored = "FROM ledger WHERE quality IS NOT NULL AND NOT isnan(quality)"
    extent = connection.execute(
        f"SELECT floor(min(quality)), ceil(max(quality) - {_ROUNDING}) {scored}"
    ).fetchone()
    if extent is None or extent[0] is None:
        return {"labels": dict(labels), "edges": [], "scores": {}}
    low, high = min(0, int(extent[0])), max(1, int(extent[1]))
    scores: dict[str, list[int]] = defaultdict(lambda: [0] * _SCORE_BINS)
    bin_of = f"floor((quality::DOUBLE - {low}) * {_SCORE_BINS / (high - low)})"
    query = f"SELECT source, least({_SCORE_BINS - 1}, {bin_of})::INT, count(*) {scored} GROUP BY ALL"
    for source, position, documents in sorted(connection.execute(query).fetchall()):
        scores[source][position] = documents
    edges = [low + (high - low) * step / _SCORE_BINS for step in range(_SCORE_BINS + 1)]
    return {"labels": dict(labels), "edges": edges, "scores": dict(scores)}


def _redacted(connection: duckdb.DuckDBPyConnection) -> Stats:
    """How much `redact` replaced in the documents it was shown, by source and kind."""
    there = [row[0] for row in connection.execute("DESCRIBE present").fetchall()]
    columns = [name for name in there if name.startswith("redacted_")]
    if not columns:
        return {}
    sums = ", ".join(f"coalesce(sum({name}), 0)" for name in columns)
    query = f"SELECT source, {sums} FROM present GROUP BY source ORDER BY source"
    return {
        source: {name: int(value) for name, value in zip(columns, values, strict=True)}
        for source, *values in connection.execute(query).fetchall()
    }


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
