"""Drops documents by heuristic rules about their words, lines, repetition and boilerplate.

All statistics that the rules look at come from one call of a C++ kernel, all rules are evaluated over arrays.
The first rule that fails, in the profile's order, names the drop. What the rules are: `heuristic_profiles.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.kernels import Texts
from curate.kernels.choice import kernels_on
from curate.kernels.heuristics import (
    UNICODE_VERSION,
    WORD_BREAK_VERSION,
    family_statistics,
)
from curate.stages.base import Batch, DocumentStage, Verdicts
from curate.stages.heuristic_config import HeuristicsConfig
from curate.stages.heuristic_rules import Profile, Rule

_LANG = "lang"
_Scores = Mapping[str, NDArray[np.float64]]


def _describe(name: str, rule: Rule) -> dict[str, object]:
    minimum, maximum = (None if bound is None else float(bound) for bound in (rule.minimum, rule.maximum))
    return {"rule": name, "measure": str(rule.measure), "min": minimum, "max": maximum}


@dataclass(frozen=True, slots=True)
class Steps:
    """What the kernel measures in one call.

    families: each with the statistics that are looked at, in the profile's order.
    place_of: by full name of a rule, the family that its statistics come from.
    edits: the families that edit the text, in order.
    """

    families: list[tuple[str, frozenset[str]]]
    place_of: dict[str, int]
    edits: list[str]


def _steps_of(profiles: Iterable[Profile], used: Iterable[str]) -> Steps:
    """Profiles of one family share a step, as long as no profile between them edits the text."""
    steps = Steps([], {}, [])
    wanted = set(used)
    shared: dict[str, int] = {}
    for part in profiles:
        named = zip(part.full_names(), part.rules, strict=True)
        rules = {name: rule for name, rule in named if name in wanted}
        place = shared.setdefault(part.family, len(steps.families))
        names = frozenset[str]().union(*(rule.measure.statistics for rule in rules.values()))
        if place == len(steps.families):
            steps.families.append((part.family, names))
        else:
            steps.families[place] = (part.family, steps.families[place][1] | names)
        steps.place_of.update(dict.fromkeys(rules, place))
        if part.edits:
            steps.edits.append(part.family)
            shared.clear()
    return steps


class Heuristics(DocumentStage):
    """Drops each document that fails a rule of its profile; reasons are `profile.rule`.

    The value of a drop is what the rule measured, NaN where that is undefined (a mean over no words, say). An
    undefined measure fails its rule: the implementations followed raise there.
    """

    Config = HeuristicsConfig

    def __init__(self, config: HeuristicsConfig) -> None:
        self._config = config
        applied = [config.resolved(), *(config.resolved(language) for language in config.by_language)]
        self.rules = tuple(name for name in config.every() if any(name in rules for rules in applied))
        self.columns = pa.schema([(name, pa.float64()) for name in config.kept()])
        self.requires = (_LANG,) if config.by_language else ()
        self.edits = bool(self._steps.edits)

    @cached_property
    def _applied(self) -> dict[str | None, dict[str, Rule]]:
        """The rules that are applied, by language; those of all others under None."""
        languages = (None, *sorted(self._config.by_language))
        return {language: self._config.resolved(language) for language in languages}

    @cached_property
    def _every(self) -> dict[str | None, dict[str, Rule]]:
        """All rules that are measured, by language."""
        measured = {*self.rules, *self.columns.names}
        languages = (None, *self._config.by_language)
        return {
            language: {name: rule for name, rule in self._config.every(language).items() if name in measured}
            for language in languages
        }

    @cached_property
    def _steps(self) -> Steps:
        return _steps_of(self._config.profiles(), (*self.rules, *self.columns.names))

    def definition(self) -> dict[str, object]:
        """The rules in order and those kept as columns, each with measure and bounds; the Unicode version."""
        kept = self._config.kept()
        definition: dict[str, object] = {
            "profiles": {part.name: part.source for part in self._config.profiles()},
            "rules": [_describe(name, rule) for name, rule in self._applied[None].items()],
            "keep_stats": [_describe(name, rule) for name, rule in kept.items()],
            "unicode": UNICODE_VERSION,
            "word_break": WORD_BREAK_VERSION,
        }
        if self._config.by_language:
            definition["by_language"] = {
                language: [_describe(name, rule) for name, rule in rules.items()]
                for language, rules in self._applied.items()
                if language is not None
            }
        return definition

    def measurement(self) -> dict[str, object] | None:
        if not set(self.rules) <= set(self.columns.names):
            return None
        stops = {
            language: {name: rule.minimum for name, rule in rules.items() if rule.stops}
            for language, rules in self._every.items()
        }
        return {
            "columns": [[name, str(self._every[None][name].measure)] for name in self.columns.names],
            "families": [family for family, _ in self._steps.families],
            "stops": stops[None],
            "stops_by_language": {
                language: at for language, at in stops.items() if language and at != stops[None]
            },
            "unicode": UNICODE_VERSION,
            "word_break": WORD_BREAK_VERSION,
        }

    def on_gpu(self) -> str | None:
        return "statistics, edits" if self.edits else "statistics"

    @property
    def reads_text_on_gpu(self) -> bool:
        return True

    def decide(self, batch: Batch, rows: NDArray[np.int64]) -> Verdicts:
        """The first rule each row fails, with what it measured; kept measures are columns."""
        counts = family_statistics(batch.texts, rows, self._steps.families, kernels_on(self.device))
        required = {name: batch.columns[name].take(pa.array(rows)) for name in self.requires}
        groups = self._groups(required, len(rows))
        scores = {}
        for name, rule in self._every[None].items():
            measure = rule.measure.of(counts[self._steps.place_of[name]])
            scores[name] = rule.score(measure)
            for language, members in groups.items():
                scores[name][members] = self._every[language][name].score(measure[members])
        return self._verdicts(scores, groups, len(rows))

    def redecide(self, columns: Mapping[str, pa.Array]) -> Verdicts:
        scores = {
            name: columns[name].cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False)
            for name in self.columns.names
        }
        rows = len(columns[self.columns.names[0]])
        return self._verdicts(scores, self._groups(columns, rows), rows)

    def edit(self, texts: Texts, rows: NDArray[np.int64]) -> Texts:
        if not self.edits:
            return texts
        kernels = kernels_on(self.device)
        by, places = kernels.edited(texts, np.ascontiguousarray(rows, np.int64), self._steps.edits)
        return kernels.replaced(texts, rows, by, places)

    def _groups(self, columns: Mapping[str, pa.Array], rows: int) -> dict[str | None, NDArray[np.int64]]:
        """Places of the documents of each language; under None those that no other rules are given for."""
        if not self._config.by_language:
            return {None: np.arange(rows)}
        codes = pc.index_in(columns[_LANG].cast(pa.string()), pa.array(sorted(self._config.by_language)))
        found = codes.fill_null(-1).to_numpy(zero_copy_only=False)
        languages = (*sorted(self._config.by_language), None)
        return {
            language: np.flatnonzero(found == code)
            for language, code in zip(languages, (*range(len(languages) - 1), -1), strict=True)
        }

    def _verdicts(
        self, scores: _Scores, groups: Mapping[str | None, NDArray[np.int64]], rows: int
    ) -> Verdicts:
        place_of = {name: place for place, name in enumerate(self.rules)}
        first = np.full(rows, -1, np.int16)
        value = np.full(rows, np.nan)
        for language, members in groups.items():
            failing, measured = first[members], value[members]
            for name, rule in self._applied[language].items():
                score = scores[name][members]
                failed = (failing < 0) & ~rule.passes(score)
                failing[failed] = place_of[name]
                measured[failed] = score[failed]
            first[members], value[members] = failing, measured
        columns = {name: pa.array(scores[name], from_pandas=True) for name in self.columns.names}
        return Verdicts(first, value, columns)
