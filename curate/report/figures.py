"""The page's charts as plain Plotly figures (JSON values).

A colour is written as the name of a CSS variable (`--s0` for the first source): the page's script puts in the
value of the colour scheme in use, so one figure serves light, dark and paper.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from curate.report.numbers import compact, count, share
from curate.report.timing import Timing

Figure = dict[str, Any]

_COLOURS = 8
_ROW = 34
#: How far the waterfall's axis reaches beyond all documents, to leave room for the numbers.
_AIR = 1.25


def source_colours(sources: Sequence[str]) -> dict[str, str]:
    """CSS variable of each source; after the eighth the colours repeat."""
    return {name: f"--s{index % _COLOURS}" for index, name in enumerate(sources)}


@dataclass(frozen=True, slots=True)
class _Level:
    """A bar of the waterfall. base: where it begins. full: all that is there, not what was dropped."""

    label: str
    values: Mapping[str, int]
    base: int
    full: bool

    @property
    def end(self) -> int:
        return self.base + sum(self.values.values())


def waterfall(stats: Mapping[str, Any], unit: str) -> Figure:
    """From all documents (or tokens) down to those kept: a bar a stage, divided by source."""
    levels = _levels(stats, unit)
    whole = levels[0].end or 1
    colours = source_colours(list(stats["sources"]))
    done = [level.base for level in levels]
    data: list[Figure] = []
    for name, colour in colours.items():
        values = [level.values.get(name, 0) for level in levels]
        hover = [
            f"{level.label}, {name}: {count(value)} {unit}"
            for level, value in zip(levels, values, strict=True)
        ]
        bar: Figure = {"type": "bar", "orientation": "h", "name": name, "x": values, "base": done}
        bar |= {"y": list(range(len(levels))), "marker": {"color": colour}}
        data.append({**bar, "customdata": hover, "hovertemplate": "%{customdata}<extra></extra>"})
        done = [start + value for start, value in zip(done, values, strict=True)]
    layout = {
        "barmode": "overlay",
        "height": 60 + _ROW * len(levels),
        "xaxis": {"range": [0, whole * _AIR], "title": {"text": unit}},
        "yaxis": _labels([level.label for level in levels]),
    }
    return {"data": [*data, _amounts(levels, whole)], "layout": layout}


def _levels(stats: Mapping[str, Any], unit: str) -> list[_Level]:
    total, drop = ("documents", "dropped") if unit == "documents" else ("tokens_in", "tokens_dropped")
    left = {name: source[total] for name, source in stats["sources"].items()}
    levels = [_Level("all", dict(left), 0, True)]
    for stage in stats["stages"]:
        dropped = {name: entry[drop] for name, entry in stage["sources"].items()}
        left = {name: value - dropped.get(name, 0) for name, value in left.items()}
        levels.append(_Level(stage["name"], dropped, sum(left.values()), False))
    return [*levels, _Level("kept", left, 0, True)]


def _amounts(levels: Sequence[_Level], whole: int) -> Figure:
    """The amount of each level as text, on the side of its bar that has more room."""
    notes: Figure = {"type": "scatter", "mode": "text", "hoverinfo": "skip", "y": list(range(len(levels)))}
    notes |= {"x": [], "text": [], "textposition": []}
    for place, level in enumerate(levels):
        amount = level.end - level.base
        part = f" ({share(amount / whole)})" if place else ""
        text = f"{'' if level.full or not amount else '-'}{compact(amount)}{part}"
        left = level.base > whole * _AIR - level.end
        notes["x"].append(level.base if left else level.end)
        notes["text"].append(f"{text}\u00a0" if left else f"\u00a0{text}")
        notes["textposition"].append("middle left" if left else "middle right")
    return notes


def histogram(
    edges: Sequence[float],
    series: Mapping[str, Sequence[int]],
    colours: Mapping[str, str],
    title: str,
    thresholds: Sequence[float] = (),
) -> Figure:
    """Counts in equal bins; more than one series are drawn as steps over each other. thresholds: a line at each."""
    middles = [(low + high) / 2 for low, high in itertools.pairwise(edges)]
    ranges = [f"{low:g} to {high:g}" for low, high in itertools.pairwise(edges)]
    data: list[Figure] = []
    for name, counts in series.items():
        hover = [f"{place}: {count(value)}" for place, value in zip(ranges, counts, strict=True)]
        trace: Figure = {"x": middles, "y": list(counts), "name": name, "customdata": hover}
        trace["hovertemplate"] = "%{customdata}<extra>" + (name if len(series) > 1 else "") + "</extra>"
        if len(series) == 1:
            data.append({"type": "bar", **trace, "marker": {"color": colours[name]}})
        else:
            line = {"shape": "hvh", "color": colours[name], "width": 2}
            data.append({"type": "scatter", "mode": "lines", **trace, "line": line})
    most = max(max(counts) for counts in series.values())
    whole_ticks = {"dtick": 1} if most < 6 else {}
    layout = {
        "height": 270,
        "bargap": 0.08,
        "xaxis": {"title": {"text": title}, "range": [edges[0], edges[-1]]},
        "yaxis": {"title": {"text": "documents"}, "rangemode": "tozero", **whole_ticks},
    }
    if thresholds:
        layout |= {"shapes": [line_at(place) for place in thresholds]}
    return {"data": data, "layout": layout}


def line_at(place: float) -> Figure:
    """A threshold: a broken line across the whole height."""
    line = {"color": "--warn", "width": 2, "dash": "dash"}
    return {"type": "line", "x0": place, "x1": place, "y0": 0, "y1": 1, "yref": "paper", "line": line}


def languages(
    names: Sequence[str], counts: Mapping[str, Mapping[str, int]], sources: Sequence[str]
) -> Figure:
    """Documents of each language as a dot a source, on a log axis: one language often has nearly all."""
    colours = source_colours(sources)
    data: list[Figure] = []
    for source in sources:
        here = [
            (place, counts[source][name])
            for place, name in enumerate(names)
            if counts.get(source, {}).get(name)
        ]
        data.append(
            {
                "type": "scatter",
                "mode": "markers",
                "name": source,
                "x": [value for _, value in here],
                "y": [place for place, _ in here],
                "customdata": [f"{names[place]}, {source}: {count(value)}" for place, value in here],
                "hovertemplate": "%{customdata}<extra></extra>",
                "marker": {"color": colours[source], "size": 10},
            }
        )
    largest = [value for trace in data for value in trace["x"]]
    layout = {
        "height": 80 + 22 * len(names),
        "xaxis": {"type": "log", "title": {"text": "documents"}, **log_ticks(largest, 10)},
        "yaxis": {**_labels(names), "showgrid": True},
    }
    return {"data": data, "layout": layout}


def shares(asked: Mapping[str, float], got: Mapping[str, float], unit: str) -> Figure:
    """Share of the output asked for beside the share it has, a pair of bars a source."""
    names = list(got)
    data = [
        {
            "type": "bar",
            "orientation": "h",
            "name": name,
            "y": list(range(len(names))),
            "x": [values.get(source, 0.0) for source in names],
            "text": [share(values.get(source, 0.0)) for source in names],
            "textposition": "outside",
            "cliponaxis": False,
            "hovertemplate": "%{text}<extra>" + name + "</extra>",
            "marker": {"color": colour},
        }
        for name, values, colour in (("asked", asked, "--muted-bar"), ("got", got, "--s0"))
        if values
    ]
    most = max([*asked.values(), *got.values(), 0.01])
    layout = {
        "height": 80 + 56 * len(names),
        "bargap": 0.3,
        "xaxis": {
            "tickformat": ".0%",
            "title": {"text": f"share of the output's {unit}"},
            "range": [0, most * 1.2],
        },
        "yaxis": _labels(names),
    }
    return {"data": data, "layout": layout}


def passes(timing: Timing) -> Figure:
    """Time of tasks by pass."""
    shown = [each for each in timing.passes if each.tasks]
    bars = {
        "type": "bar",
        "orientation": "h",
        "y": list(range(len(shown))),
        "x": [each.seconds for each in shown],
        "text": [f"{each.seconds:,.1f}\u00a0s" for each in shown],
        "textposition": "outside",
        "cliponaxis": False,
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"color": "--s0"},
    }
    most = max(each.seconds for each in shown)
    layout = {
        "height": 60 + _ROW * len(shown),
        "xaxis": {"title": {"text": "seconds of tasks, added up"}, "range": [0, most * 1.2 or 1]},
        "yaxis": _labels([each.name for each in shown]),
    }
    return {"data": [bars], "layout": layout}


def _labels(names: Sequence[str]) -> Figure:
    """An axis of names from the top down; by number, since two names may be the same."""
    places = list(range(len(names)))
    return {
        "tickvals": places,
        "ticktext": list(names),
        "range": [len(names) - 0.4, -0.6],
        "automargin": True,
        "showgrid": False,
        "zeroline": False,
    }


def _tick(value: int) -> str:
    """A power of two or ten, short: 512, 8 k, 131 k, 1 M."""
    for scale, name in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k")):
        if value >= scale:
            return f"{value // scale} {name}"
    return str(value)


def log_ticks(values: Sequence[float], base: int) -> Figure:
    """Ticks at powers of the base, thinned to about six, and the range of a log axis with some air."""
    powers = [math.log(value, base) for value in values if value > 0] or [0.0]
    low = math.floor(min(powers) + 1e-9)
    high = max(low + 1, math.ceil(max(powers) - 1e-9))
    step = max(1, math.ceil((high - low) / 6))
    ticks = [base**power for power in range(low, high + 1, step)]
    air = 0.06 * (high - low)
    return {
        "tickvals": ticks,
        "ticktext": [_tick(tick) for tick in ticks],
        "range": [math.log10(base) * (low - air), math.log10(base) * (high + air)],
    }
