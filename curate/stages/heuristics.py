"""Drops documents by heuristic rules about their words, lines, repetition and boilerplate.

All statistics that the rules look at come from one call of a C++ kernel, all rules are evaluated over arrays.
The first rule that fails, in the profile's order, names the drop. What the rules are: `heuristic_profiles.py`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    ValidationInfo,
    field_validator,
    model_validator,
)

from curate.kernels.heuristics import UNICODE_VERSION, WORD_BREAK_VERSION, family_statistics
from curate.stages.base import Batch, DocumentStage, StageConfig, Verdicts
from curate.stages.heuristic_profiles import FAMILIES, PROFILES
from curate.stages.heuristic_rules import Rule


class Bounds(BaseModel):
    """What to put in place of a rule's bounds; a bound not given stays as the profile has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min: FiniteFloat | None = Field(None, description="least value that stays")
    max: FiniteFloat | None = Field(None, description="greatest value that stays")

    @model_validator(mode="after")
    def _something(self) -> Bounds:
        if self.min is None and self.max is None:
            raise ValueError("give min, max or both")
        return self


class HeuristicsConfig(StageConfig):
    """The `heuristics` stage of a recipe. Rules go by name, `word_count` or `nemo.word_count`."""

    profile: str | tuple[str, ...] = Field(
        "nemo", description="families of rules, applied one after the other; each follows one implementation"
    )
    rules: tuple[str, ...] | None = Field(
        None,
        description="the rules to apply, in the profile's order whatever their order here; all when absent",
    )
    skip: tuple[str, ...] = Field((), description="rules not to apply")
    thresholds: dict[str, Bounds] = Field(
        default_factory=dict, description="bounds by rule, in place of the profile's: {word_count: {min: 20}}"
    )
    keep_stats: tuple[str, ...] = Field((), description="rules whose measured value becomes a ledger column")

    @field_validator("profile")
    @classmethod
    def _known_profiles(cls, profile: str | tuple[str, ...]) -> str | tuple[str, ...]:
        given = (profile,) if isinstance(profile, str) else profile
        for name in given:
            if name not in PROFILES and name not in FAMILIES:
                raise ValueError(f"there is no profile {name!r}{_nearest(name, [*FAMILIES, *PROFILES])}")
        names = _names(profile)
        if not names or len(set(names)) < len(names):
            raise ValueError("profile must name at least one family of rules, and each once")
        return profile

    @field_validator("rules", "skip", "keep_stats", "thresholds")
    @classmethod
    def _known_rules(cls, given: Iterable[str] | None, info: ValidationInfo) -> Iterable[str] | None:
        if given is not None and "profile" in info.data:
            found = [_find(name, info.data["profile"]) for name in given]
            for name in found:
                if found.count(name) > 1:
                    raise ValueError(f"{name} is named twice")
        return given

    @model_validator(mode="after")
    def _bounds_of_rules(self) -> HeuristicsConfig:
        applied = self.resolved()
        if not applied:
            raise ValueError("rules and skip leave no rule to apply")
        for name in (_find(name, self.profile) for name in self.thresholds):
            if name not in applied and name not in self.kept():
                raise ValueError(f"thresholds: {name} is not among the rules to apply")
        return self

    def resolved(self) -> dict[str, Rule]:
        """The rules to apply by full name, in order, with the bounds that hold here.

        Raises ValueError for a bound that the rule does not have, or a minimum above the maximum.
        """
        bounds = {_find(name, self.profile): given for name, given in self.thresholds.items()}
        chosen = None if self.rules is None else {_find(name, self.profile) for name in self.rules}
        skipped = {_find(name, self.profile) for name in self.skip}
        every = {
            name: _bounded(name, rule, bounds.get(name)) for name, rule in _rules_of(self.profile).items()
        }
        return {
            name: rule
            for name, rule in every.items()
            if (chosen is None or name in chosen) and name not in skipped
        }

    def kept(self) -> dict[str, Rule]:
        """The rules whose measures become columns, by full name, in the order of `keep_stats`."""
        bounds = {_find(name, self.profile): given for name, given in self.thresholds.items()}
        names = [_find(name, self.profile) for name in self.keep_stats]
        return {name: _bounded(name, _rules_of(self.profile)[name], bounds.get(name)) for name in names}


def _names(profile: str | tuple[str, ...]) -> tuple[str, ...]:
    """The profiles that are meant, families by their parts."""
    given = (profile,) if isinstance(profile, str) else profile
    return tuple(part for name in given for part in FAMILIES.get(name, (name,)))


def _rules_of(profile: str | tuple[str, ...]) -> dict[str, Rule]:
    parts = [PROFILES[name] for name in _names(profile)]
    return {name: rule for part in parts for name, rule in zip(part.full_names(), part.rules, strict=True)}


def _nearest(name: str, names: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(names), n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; there are {', '.join(names)}"


def _find(name: str, profile: str | tuple[str, ...]) -> str:
    """The full name of the rule that `name` means. Raises ValueError for a name of no rule or of several."""
    every = _rules_of(profile)
    if name in every:
        return name
    found = [full for full in every if full.endswith(f".{name}")]
    if len(found) == 1:
        return found[0]
    if found:
        raise ValueError(f"{name!r} is a rule of several profiles: write {' or '.join(found)}")
    known = every if "." in name else [full.rpartition(".")[2] for full in every]
    raise ValueError(f"there is no rule {name!r}{_nearest(name, known)}")


def _bounded(name: str, rule: Rule, bounds: Bounds | None) -> Rule:
    if bounds is None:
        return rule
    if (bounds.min is not None and rule.minimum is None) or (bounds.max is not None and rule.maximum is None):
        has = "min" if rule.maximum is None else "max"
        raise ValueError(f"thresholds: {name} is a rule with a {has} only")
    minimum = rule.minimum if bounds.min is None else bounds.min
    maximum = rule.maximum if bounds.max is None else bounds.max
    if minimum is not None and maximum is not None and minimum > maximum:
        raise ValueError(f"thresholds: {name} has min {minimum:g} above max {maximum:g}")
    return replace(rule, minimum=minimum, maximum=maximum)


def _describe(name: str, rule: Rule) -> dict[str, object]:
    minimum, maximum = (None if bound is None else float(bound) for bound in (rule.minimum, rule.maximum))
    return {"rule": name, "measure": str(rule.measure), "min": minimum, "max": maximum}


@dataclass(frozen=True, slots=True)
class Steps:
    """What the kernel measures in one call.

    families: each with the statistics that are looked at, in the profile's order.
    place_of: by full name of a rule, the family that its statistics come from.
    """

    families: list[tuple[str, frozenset[str]]]
    place_of: dict[str, int]


def _steps_of(profile: str | tuple[str, ...], used: dict[str, Rule]) -> Steps:
    """Profiles of one family share a step, as long as no profile between them edits the text."""
    steps = Steps([], {})
    shared: dict[str, int] = {}
    for part in (PROFILES[name] for name in _names(profile)):
        rules = {name: used[name] for name in part.full_names() if name in used}
        if not rules:
            continue
        place = shared.setdefault(part.family, len(steps.families))
        names = frozenset[str]().union(*(rule.measure.statistics for rule in rules.values()))
        if place == len(steps.families):
            steps.families.append((part.family, names))
        else:
            steps.families[place] = (part.family, steps.families[place][1] | names)
        steps.place_of.update(dict.fromkeys(rules, place))
        if part.edits:
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
        self.rules = tuple(self._applied)
        self.columns = pa.schema([(name, pa.float64()) for name in self._kept])

    @cached_property
    def _applied(self) -> dict[str, Rule]:
        return self._config.resolved()

    @cached_property
    def _kept(self) -> dict[str, Rule]:
        return self._config.kept()

    @cached_property
    def _steps(self) -> Steps:
        return _steps_of(self._config.profile, {**self._applied, **self._kept})

    def definition(self) -> dict[str, object]:
        """The rules in order and those kept as columns, each with measure and bounds; the Unicode version."""
        return {
            "rules": [_describe(name, rule) for name, rule in self._applied.items()],
            "keep_stats": [_describe(name, rule) for name, rule in self._kept.items()],
            "unicode": UNICODE_VERSION,
            "word_break": WORD_BREAK_VERSION,
        }

    def decide(self, batch: Batch, rows: NDArray[np.int64]) -> Verdicts:
        """The first rule each row fails, with what it measured; kept measures are columns."""
        counts = family_statistics(batch.texts, rows, self._steps.families)
        place_of = self._steps.place_of
        first = np.full(len(rows), -1, np.int16)
        value = np.full(len(rows), np.nan)
        for place, (name, rule) in enumerate(self._applied.items()):
            score = rule.score(counts[place_of[name]])
            failed = (first < 0) & ~rule.passes(score)
            first[failed] = place
            value[failed] = score[failed]
        scores = {name: rule.score(counts[place_of[name]]) for name, rule in self._kept.items()}
        columns = {name: pa.array(score, from_pandas=True) for name, score in scores.items()}
        return Verdicts(first, value, columns)
