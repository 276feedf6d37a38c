"""What a heuristic rule is: a measure made of counts, and the bounds it must keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.kernels.heuristics import PLAIN

Counts = Mapping[str, NDArray[np.int64]]


@dataclass(frozen=True, slots=True)
class Measure:
    """A count, or a ratio of counts: (`count` + `plus` - `less`) / `per` / `divisor`.

    The names are those of `curate.kernels.heuristics.STATISTICS`. Where `needs` (by default `per`) is zero,
    the measure is `undefined`; with `floor`, a `per` of zero counts as one instead. Documents of fewer than
    `least_words` words measure `short`, and 1 those where `always` is not zero.
    """

    count: str
    plus: str | None = None
    less: str | None = None
    per: str | None = None
    needs: str | None = None
    undefined: float = float("nan")
    floor: bool = False
    divisor: int = 1
    least_words: int = 0
    short: float = 1.0
    always: str | None = None

    def __str__(self) -> str:
        text = self.count
        text += f" + {self.plus}" if self.plus else ""
        text += f" - {self.less}" if self.less else ""
        text = f"({text})" if self.plus or self.less else text
        if self.per:
            text += f" / max({self.per}, 1)" if self.floor else f" / {self.per}"
        if self.divisor > 1:
            text += f" / {self.divisor}"
        if self.always:
            text += f"; 1 if {self.always}"
        if self.least_words:
            short = "none" if np.isnan(self.short) else f"{self.short:g}"
            text += f"; {short} if words < {self.least_words}"
        return text

    @property
    def statistics(self) -> frozenset[str]:
        """The names of all counts that the measure looks at."""
        words = "words" if self.least_words else None
        named = (self.count, self.plus, self.less, self.per, self.needs, self.always, words)
        return frozenset(name for name in named if name)

    def of(self, counts: Counts) -> NDArray[np.float64]:
        """The measure of each document; float64, shape (documents,)."""
        value = counts[self.count].astype(np.float64)
        if self.plus:
            value += counts[self.plus]
        if self.less:
            value -= counts[self.less]
        if self.per:
            value /= np.maximum(counts[self.per], 1)
        value /= self.divisor
        needed = self.needs or (None if self.floor else self.per)
        if needed:
            value[counts[needed] == 0] = self.undefined
        if self.always:
            value[counts[self.always] > 0] = 1.0
        if self.least_words:
            value[counts["words"] < self.least_words] = self.short
        return value


@dataclass(frozen=True, slots=True)
class Rule:
    """A document stays if minimum <= measure <= maximum.

    An undefined measure keeps no bound, or with `lenient` all of them. A rule without bounds drops nothing: it is a
    statistic that a recipe may bound.
    stops: counting stops at the minimum, so that no measure is above it.
    source: where the bounds stand in the implementation that the profile follows.
    """

    name: str
    measure: Measure
    minimum: float | None
    maximum: float | None
    source: str
    stops: bool = False
    lenient: bool = False

    @property
    def bounded(self) -> bool:
        return self.minimum is not None or self.maximum is not None

    def score(self, measure: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the rule compares with its bounds: the measures, cut at the minimum where counting stops there."""
        return np.minimum(measure, self.minimum) if self.stops and self.minimum is not None else measure

    def passes(self, score: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which scores keep the bounds; bool, shape (documents,)."""
        undefined = np.isnan(score)
        kept = ~undefined
        if self.minimum is not None:
            kept &= score >= self.minimum
        if self.maximum is not None:
            kept &= score <= self.maximum
        return kept | undefined if self.lenient else kept


@dataclass(frozen=True, slots=True)
class Profile:
    """Rules of one implementation, in its order.

    family: the statistics that measures name, of `curate.kernels.heuristics.FAMILY_STATISTICS`.
    edits: measuring leaves another text behind, which later profiles are about.
    """

    name: str
    source: str
    rules: tuple[Rule, ...]
    family: str = PLAIN
    edits: bool = False

    def full_names(self) -> list[str]:
        """The rules' names as they stand in the ledger."""
        return [f"{self.name}.{rule.name}" for rule in self.rules]


#: The name of the statistic that profiles that edit texts always keep.
REMOVED = "removed"
#: The bounds of the most frequent n-gram and of repeated n-grams: Gopher, table A1.
TOP_GRAMS = {2: 0.2, 3: 0.18, 4: 0.16}
REPEATED_GRAMS = {5: 0.15, 6: 0.14, 7: 0.13, 8: 0.12, 9: 0.11, 10: 0.10}


def at_most(name: str, measure: Measure, maximum: float, source: str) -> Rule:
    return Rule(name, measure, None, maximum, source)


def at_least(name: str, measure: Measure, minimum: float, source: str) -> Rule:
    return Rule(name, measure, minimum, None, source)


def removed_share(kept: str) -> Rule:
    """The statistic of profiles that edit: the share of a document's code points that are gone."""
    measure = Measure("chars", less=kept, per="chars", undefined=0.0)
    return Rule(REMOVED, measure, None, None, "no rule of the implementation")
