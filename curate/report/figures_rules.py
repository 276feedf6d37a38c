"""The page's charts about rules: how a statistic is distributed, with the bounds that the rule sets."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from curate.report.figures import Figure, line_at, source_colours
from curate.report.numbers import compact, count

_HEIGHT = 210
#: Where a count of zero lies on a logarithmic axis.
_FLOOR = 0.5
#: Below this many documents an axis would be divided finer than by ones, and whole numbers stand there twice.
_FEW = 6


def distribution(rule: Mapping[str, Any], sources: Sequence[str]) -> Figure:
    """Of all documents as a line a source, on a log axis, since few are dropped; of drops alone as stacked bars.

    What lies outside of the bounds is shaded.
    """
    colours = source_colours(sources)
    place = _places(rule["scale"])
    edges = [place(edge) for edge in rule["edges"]]
    names = [name for name in sources if name in rule["counts"]]
    ranges = [f"{low:g} to {high:g}" for low, high in itertools.pairwise(rule["edges"])]
    drops = rule["values_of"] == "drops"
    data = []
    for name in names:
        counts = rule["counts"][name]
        trace: Figure = {
            "name": name,
            "x": [(low + high) / 2 for low, high in itertools.pairwise(edges)],
            "customdata": [
                f"{where}: {count(value)}, {name}" for where, value in zip(ranges, counts, strict=True)
            ],
            "hovertemplate": "%{customdata}<extra></extra>",
        }
        if drops:
            bar = {"type": "bar", "y": counts, "width": edges[1] - edges[0]}
            data.append({**trace, **bar, "marker": {"color": colours[name]}})
        else:
            line = {"shape": "hvh", "color": colours[name], "width": 2}
            data.append(
                {
                    **trace,
                    "type": "scatter",
                    "mode": "lines",
                    "y": [value or _FLOOR for value in counts],
                    "line": line,
                }
            )
    return {"data": data, "layout": _layout(rule, edges, place, drops)}


def _places(scale: str) -> Callable[[float], float]:
    """Where a value lies on the axis."""
    return (lambda value: math.log10(1 + value)) if scale == "log" else float


def _layout(
    rule: Mapping[str, Any], edges: Sequence[float], place: Callable[[float], float], drops: bool
) -> Figure:
    air = 0.02 * (edges[-1] - edges[0])
    sides = (edges[0] - air, edges[-1] + air)
    return {
        "height": _HEIGHT,
        "barmode": "stack",
        "bargap": 0.05,
        "xaxis": {"range": [*sides]} | _ticks(rule, edges, place),
        "yaxis": _documents_axis(rule, drops),
        "shapes": _shades(rule, sides, place),
    }


def _shades(
    rule: Mapping[str, Any], sides: tuple[float, float], place: Callable[[float], float]
) -> list[Figure]:
    """What lies outside of the rule's bounds."""
    shapes: list[Figure] = []
    for bound, outside in zip((rule["min"], rule["max"]), sides, strict=True):
        if bound is not None:
            shade = {"type": "rect", "x0": place(bound), "x1": outside, "y0": 0, "y1": 1, "yref": "paper"}
            shade |= {"fillcolor": "--warn", "opacity": 0.1, "layer": "below", "line": {"width": 0}}
            shapes += [shade, line_at(place(bound))]
    return shapes


def _ticks(rule: Mapping[str, Any], edges: Sequence[float], place: Callable[[float], float]) -> Figure:
    """Powers of ten where places are logarithms; else Plotly chooses."""
    if rule["scale"] != "log":
        return {}
    powers = range(math.floor(edges[0]), math.ceil(edges[-1]) + 1)
    shown = [10**power for power in powers if edges[0] <= place(10**power) <= edges[-1]]
    return {"tickvals": [place(value) for value in shown], "ticktext": [_short(value) for value in shown]}


def _documents_axis(rule: Mapping[str, Any], drops: bool) -> Figure:
    yaxis: Figure = {"title": {"text": "dropped" if drops else "documents"}}
    if drops:
        yaxis |= {"rangemode": "tozero", "tickformat": ",d"}
        if max(map(sum, zip(*rule["counts"].values(), strict=True))) < _FEW:
            yaxis["dtick"] = 1
    else:
        most = max(max(counts) for counts in rule["counts"].values())
        top = max(1, math.ceil(math.log10(max(1, most))))
        ticks = list(range(0, top + 1, max(1, math.ceil(top / 4))))
        yaxis |= {
            "type": "log",
            "range": [math.log10(_FLOOR), top + 0.1],
            "tickvals": [10**power for power in ticks],
            "ticktext": [_short(10**power) for power in ticks],
        }
    return yaxis


def _short(value: int) -> str:
    return compact(value).replace(".00", "").replace(".0", "")
