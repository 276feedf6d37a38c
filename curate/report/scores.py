"""How the scores and labels of classifiers are distributed: one entry a column that `quality` stages write."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from curate.io.ledger import identifier
from curate.io.manifest import Manifest, StageEntry
from curate.report.scans import Total, extent, finite

_BINS = 20
_KIND, _COLUMN = "quality", "quality"
#: fastText adds 1e-5 to each probability before its logarithm: sums of a few exceed 1 by less than this.
_ROUNDING = 1e-3


@dataclass(frozen=True, slots=True)
class Scores:
    """A column of scores. stages: that write it. low, high: ends of the bins, whole numbers; None without a score.
    labelled: whether there is a column of labels."""

    column: str
    stages: tuple[StageEntry, ...]
    low: int | None
    high: int | None
    labelled: bool

    def edges(self) -> list[float]:
        if self.low is None or self.high is None:
            return []
        return [self.low + (self.high - self.low) * step / _BINS for step in range(_BINS + 1)]

    def thresholds(self) -> list[float]:
        """The least and greatest scores that any of the stages keeps."""
        given = {stage.definition.get(key) for stage in self.stages for key in ("min_score", "max_score")}
        return sorted(float(value) for value in given if isinstance(value, int | float))


def scores(manifest: Manifest, totals: Sequence[Total], columns: Collection[str]) -> list[Scores]:
    """The columns of `columns` that hold scores, in the order of the stages.

    totals: with the extents of those that hold numbers.
    """
    writers: dict[str, list[StageEntry]] = defaultdict(list)
    for stage in manifest.stages:
        if stage.kind == _KIND:
            writers[str(stage.definition.get("column", _COLUMN))].append(stage)
    found = []
    for column, stages in writers.items():
        least, most = extent(totals, column) if column in columns else (None, None)
        labelled = f"{column}_label" in columns
        if least is not None and most is not None:
            low, high = min(0, math.floor(least)), max(1, math.ceil(most - _ROUNDING))
            found.append(Scores(column, tuple(stages), low, high, labelled))
        elif labelled:
            found.append(Scores(column, tuple(stages), None, None, True))
    return found


def groupings(chosen: Sequence[Scores]) -> dict[str, tuple[str, ...]]:
    """What to count for `quality`."""
    found: dict[str, tuple[str, ...]] = {}
    for each in chosen:
        if each.labelled:
            found[_of_labels(each)] = ("source", identifier(f"{each.column}_label"))
        if each.low is not None and each.high is not None:
            name = identifier(each.column)
            place = f"floor(({name}::DOUBLE - {each.low}) * {_BINS / (each.high - each.low)})"
            found[_of_scores(each)] = (
                "source",
                f"if({finite(name)}, least({_BINS - 1}, {place})::INT, NULL)",
            )
    return found


def _of_labels(each: Scores) -> str:
    return f"labels of {each.column}"


def _of_scores(each: Scores) -> str:
    return f"scores of {each.column}"


def quality(
    chosen: Sequence[Scores], counted: Mapping[str, Sequence[tuple[Any, ...]]]
) -> list[dict[str, Any]]:
    """The entries of `quality` in the figures. counted: what `count_by` found for `groupings`."""
    entries = []
    for each in chosen:
        labels: dict[str, dict[str, int]] = defaultdict(dict)
        for source, label, documents in counted.get(_of_labels(each), ()):
            labels[source][label] = documents
        bins: dict[str, list[int]] = defaultdict(lambda: [0] * _BINS)
        for source, place, documents in counted.get(_of_scores(each), ()):
            bins[source][place] = documents
        entries.append(
            {
                "column": each.column,
                "stages": [stage.name for stage in each.stages],
                "thresholds": each.thresholds(),
                "labels": dict(labels),
                "edges": each.edges(),
                "scores": dict(bins),
            }
        )
    return [entry for entry in entries if entry["labels"] or entry["scores"]]
