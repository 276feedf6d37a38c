"""The run's page: one HTML file that opens anywhere, offline, with Plotly inlined once, packed."""

from __future__ import annotations

import base64
import gzip
import json
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import jinja2
from plotly.offline import get_plotlyjs

from curate.io.manifest import Manifest
from curate.report import figures, figures_dedup, figures_rules, numbers
from curate.report.evidence import Evidence
from curate.report.timing import Timing

_FOLDER = resources.files("curate.report")


def render(
    stats: Mapping[str, Any],
    manifest: Manifest,
    evidence: Mapping[str, Evidence] | None = None,
    timing: Timing | None = None,
) -> str:
    """The page as HTML; `stats` as `compute_stats` gives them, `evidence` by stage, `timing` of the last run."""
    environment = jinja2.Environment(
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        loader=jinja2.FunctionLoader(_text),
    )
    environment.filters |= {
        "count": numbers.count,
        "counted": numbers.counted,
        "compact": numbers.compact,
        "size": numbers.size,
        "share": numbers.share,
        "json": lambda value: json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False),
    }
    sources = list(stats["sources"])
    shown = [_dedup(entry, stats, (evidence or {}).get(entry["stage"])) for entry in stats["dedup"]]
    return environment.get_template("page.html.j2").render(
        stats=stats,
        manifest=manifest,
        sources=sources,
        colours=figures.source_colours(sources),
        rules=ranked_rules(stats),
        distributions=sorted(stats["rules"], key=lambda rule: -rule["dropped"]),
        dedup=shown,
        language_names=language_names(stats),
        orphans=sum(sum(entry["orphans"].values()) for entry in stats["dedup"]),
        timing=timing,
        charts=_charts(stats, shown, timing),
        style=_text("page.css"),
        script=_text("page.js"),
        plotly=_packed_plotly(),
    )


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


@cache
def _packed_plotly() -> str:
    """Plotly as gzip in base64: 1.9 MB instead of 4.8 MB. The page's script unpacks it."""
    return base64.b64encode(gzip.compress(get_plotlyjs().encode(), 6, mtime=0)).decode()


def _charts(
    stats: Mapping[str, Any], dedup: list[dict[str, Any]], timing: Timing | None
) -> dict[str, figures.Figure]:
    """The figures by the id of the element they are drawn in."""
    sources = list(stats["sources"])
    charts = {f"waterfall-{unit}": figures.waterfall(stats, unit) for unit in ("documents", "tokens")}
    for index, rule in enumerate(sorted(stats["rules"], key=lambda rule: -rule["dropped"])):
        charts[f"rule-{index}"] = figures_rules.distribution(rule, sources)
    for index, entry in enumerate(dedup):
        charts |= {f"{name}-{index}": figure for name, figure in _dedup_charts(entry).items()}
    names = language_names(stats)
    if names:
        charts["languages"] = figures.languages(names, stats["languages"], sources)
    for index, entry in enumerate(stats["quality"]):
        if entry["scores"]:
            charts[f"quality-{index}"] = figures.histogram(
                entry["edges"],
                entry["scores"],
                figures.source_colours(sources),
                entry["column"],
                entry["thresholds"],
            )
    mix = stats["mix"]
    charts["mix"] = figures.shares(mix["asked"], mix["got"], mix["unit"])
    if timing:
        charts["passes"] = figures.passes(timing)
    return charts


def _dedup_charts(entry: Mapping[str, Any]) -> dict[str, figures.Figure]:
    charts = {}
    similarity = entry["similarity"]
    if entry["matrix"]:
        charts["matrix"] = figures_dedup.matrix(entry["losers"], entry["winners"], entry["matrix"])
        charts["clusters"] = figures_dedup.cluster_sizes(entry["clusters"]["sizes"])
    if sum(similarity["counts"]):
        charts["similarity"] = figures.histogram(
            similarity["edges"],
            {"similarity": similarity["counts"]},
            {"similarity": "--s0"},
            "similarity to the witness",
            [] if similarity["threshold"] is None else [similarity["threshold"]],
        )
    if entry["bands"]:
        points = entry["evidence"].points if entry["evidence"] else []
        charts["candidates"] = figures_dedup.candidates(entry["bands"], points, similarity["threshold"])
    return charts


def ranked_rules(stats: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Each rule of each stage with the documents it dropped by source, most first."""
    found: dict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for stage in stats["stages"]:
        for source, entry in stage["sources"].items():
            for reason, documents in entry["reasons"].items():
                found[stage["name"], reason][source] = documents
    dropped = sum(sum(sources.values()) for sources in found.values())
    rules = [
        {
            "stage": stage,
            "rule": reason,
            "sources": sources,
            "documents": sum(sources.values()),
            "share": sum(sources.values()) / dropped,
        }
        for (stage, reason), sources in found.items()
    ]
    return sorted(rules, key=lambda rule: (-rule["documents"], rule["stage"], rule["rule"]))


def duplicate_rates(entry: Mapping[str, Any], stats: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Of each source that a deduplication stage was shown: documents shown, dropped, and their share."""
    stage = next(stage for stage in stats["stages"] if stage["name"] == entry["stage"])
    return [
        {
            "source": name,
            "shown": source["documents_in"],
            "dropped": source["dropped"],
            "rate": source["dropped"] / source["documents_in"] if source["documents_in"] else 0.0,
        }
        for name, source in stage["sources"].items()
    ]


def _dedup(entry: Mapping[str, Any], stats: Mapping[str, Any], evidence: Evidence | None) -> dict[str, Any]:
    """The stage's figures with its losers and winners in the recipe's order, earlier runs last."""
    matrix, sources = entry["matrix"], list(stats["sources"])
    place, last = {name: at for at, name in enumerate(sources)}, len(sources)
    return {
        **entry,
        "losers": [name for name in sources if name in matrix],
        "winners": sorted(
            {winner for row in matrix.values() for winner in row},
            key=lambda name: (place.get(name, last), name),
        ),
        "dropped": sum(source["dropped"] for source in duplicate_rates(entry, stats)),
        "rates": duplicate_rates(entry, stats),
        "evidence": evidence,
    }


def language_names(stats: Mapping[str, Any]) -> list[str]:
    """The languages that the page shows, most documents first, `other` last."""
    totals: dict[str, int] = defaultdict(int)
    for counts in stats["languages"].values():
        for name, documents in counts.items():
            totals[name] += documents
    return sorted(totals, key=lambda name: (name == "other", -totals[name], name))
