"""The run's page: one HTML file that opens anywhere, offline, with Plotly inlined once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from importlib import resources
from typing import Any

import jinja2
from plotly.offline import get_plotlyjs

from curate.io.manifest import Manifest
from curate.report import figures, numbers

_FOLDER = resources.files("curate.report")


def render(stats: Mapping[str, Any], manifest: Manifest) -> str:
    """The page as HTML; `stats` as `compute_stats` gives them."""
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= {
        "count": numbers.count,
        "compact": numbers.compact,
        "size": numbers.size,
        "share": numbers.share,
    }
    template = environment.from_string(_text("page.html.j2"))
    return template.render(
        stats=stats,
        manifest=manifest,
        sources=list(stats["sources"]),
        colours=figures.source_colours(list(stats["sources"])),
        rules=_rules(stats),
        dedup=[_dedup(entry, list(stats["sources"])) for entry in stats["dedup"]],
        language_names=_language_names(stats),
        orphans=sum(sum(entry["orphans"].values()) for entry in stats["dedup"]),
        charts=_charts(stats),
        style=_text("page.css"),
        script=_text("page.js"),
        plotly=get_plotlyjs(),
    )


def _text(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _charts(stats: Mapping[str, Any]) -> dict[str, figures.Figure]:
    """The figures by the id of the element they are drawn in."""
    sources = list(stats["sources"])
    charts = {f"waterfall-{unit}": figures.waterfall(stats, unit) for unit in ("documents", "tokens")}
    for index, entry in enumerate(stats["dedup"]):
        if not entry["matrix"]:
            continue
        shown = _dedup(entry, sources)
        charts[f"matrix-{index}"] = figures.matrix(shown["losers"], shown["winners"], entry["matrix"])
        charts[f"clusters-{index}"] = figures.cluster_sizes(entry["clusters"]["sizes"])
        similarity = entry["similarity"]
        if sum(similarity["counts"]):
            charts[f"similarity-{index}"] = figures.histogram(
                similarity["edges"],
                {"similarity": similarity["counts"]},
                {"similarity": "--s0"},
                "similarity to the witness",
            )
    names = _language_names(stats)
    if names:
        charts["languages"] = figures.languages(names, stats["languages"], sources)
    if stats["quality"]["scores"]:
        quality = stats["quality"]
        charts["quality"] = figures.histogram(
            quality["edges"], quality["scores"], figures.source_colours(sources), "quality score"
        )
    mix = stats["mix"]
    charts["mix"] = figures.shares(mix["asked"], mix["got"], mix["unit"])
    return charts


def _rules(stats: Mapping[str, Any]) -> list[dict[str, Any]]:
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


def _dedup(entry: Mapping[str, Any], sources: list[str]) -> dict[str, Any]:
    """The stage's figures with its losers and winners in the recipe's order, earlier runs last."""
    matrix = entry["matrix"]
    place, last = {name: at for at, name in enumerate(sources)}, len(sources)
    return {
        **entry,
        "losers": [name for name in sources if name in matrix],
        "winners": sorted(
            {winner for row in matrix.values() for winner in row},
            key=lambda name: (place.get(name, last), name),
        ),
        "dropped": sum(sum(row.values()) for row in matrix.values()),
    }


def _language_names(stats: Mapping[str, Any]) -> list[str]:
    """The languages that the page shows, most documents first, `other` last."""
    totals: dict[str, int] = defaultdict(int)
    for counts in stats["languages"].values():
        for name, documents in counts.items():
            totals[name] += documents
    return sorted(totals, key=lambda name: (name == "other", -totals[name], name))
