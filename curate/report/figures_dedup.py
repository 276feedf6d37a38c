"""The page's charts about duplicates, as `figures.py` has the others."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from curate.report import curve
from curate.report.figures import Figure, line_at, log_ticks
from curate.report.numbers import compact, count, share


def matrix(losers: Sequence[str], winners: Sequence[str], counts: Mapping[str, Mapping[str, int]]) -> Figure:
    """A heatmap of duplicates: a row a source that lost, a column a source that the witness is of.

    The colour grows with the logarithm: a corpus a hundred times smaller still shows.
    """
    values = [[counts.get(loser, {}).get(winner, 0) for winner in winners] for loser in losers]
    cell = {
        "type": "heatmap",
        "x": list(winners),
        "y": list(losers),
        "z": [[math.log10(value + 1) for value in row] for row in values],
        "text": [[compact(value) if value else "" for value in row] for row in values],
        "customdata": [[count(value) for value in row] for row in values],
        "texttemplate": "%{text}",
        "hovertemplate": "%{y} lost %{customdata} documents to %{x}<extra></extra>",
        "textfont": {"color": "--ink", "size": 13},
        "colorscale": [[0, "--cell"], [1, "--heat"]],
        "zmin": 0,
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
    }
    layout = {
        "height": 80 + 46 * len(losers),
        "xaxis": {"title": {"text": "duplicate of a document of"}, "type": "category", "showgrid": False},
        "yaxis": {"autorange": "reversed", "type": "category", "showgrid": False},
    }
    return {"data": [cell], "layout": layout}


def cluster_sizes(sizes: Sequence[Mapping[str, int]]) -> Figure:
    """How many clusters there are of each size, both on log axes."""
    points: Figure = {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [size["from"] for size in sizes],
        "y": [size["clusters"] for size in sizes],
        "customdata": [
            f"{size['from']} to {size['to']} documents: {count(size['clusters'])} clusters" for size in sizes
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
        "line": {"color": "--s0"},
        "marker": {"color": "--s0", "size": 8},
    }
    layout = {
        "height": 270,
        "xaxis": {
            "type": "log",
            "title": {"text": "documents in a cluster, at least"},
            **log_ticks(points["x"], 2),
        },
        "yaxis": {"type": "log", "title": {"text": "clusters"}, **log_ticks(points["y"], 10)},
    }
    return {"data": [points], "layout": layout}


def candidates(
    bands: Mapping[str, int], points: Sequence[Mapping[str, float]], threshold: float | None
) -> Figure:
    """The S-curve of a banding, the rates measured on pairs, and the similarity that makes a duplicate."""
    similarity, probability = curve.expected(bands["bands"], bands["rows"])
    expected: Figure = {
        "type": "scatter",
        "mode": "lines",
        "name": "expected",
        "x": similarity,
        "y": [round(value, 5) for value in probability],
        "line": {"color": "--s0", "width": 2},
        "hovertemplate": "at %{x:.2f} expected %{y:.1%}<extra></extra>",
    }
    measured: Figure = {
        "type": "scatter",
        "mode": "markers",
        "name": "measured",
        "x": [point["similarity"] for point in points],
        "y": [point["rate"] for point in points],
        "customdata": [
            f"at {point['similarity']:.3f} measured {share(point['rate'])} on {count(int(point['pairs']))} pairs"
            for point in points
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
        "marker": {"color": "--s1", "size": 10},
    }
    layout: Figure = {
        "height": 270,
        "xaxis": {"title": {"text": "Jaccard similarity"}, "range": [0, 1.02]},
        "yaxis": {
            "title": {"text": "pairs that are candidates"},
            "range": [-0.03, 1.05],
            "tickformat": ".0%",
        },
    }
    if threshold is not None:
        layout["shapes"] = [line_at(threshold)]
    return {"data": [expected, measured], "layout": layout}
