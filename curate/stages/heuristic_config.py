"""The keys of `heuristics` in a recipe, and the rules and bounds that they come to."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    ValidationInfo,
    field_validator,
    model_validator,
)

from curate.stages.base import StageConfig
from curate.stages.heuristic_profiles import FAMILIES, PROFILES
from curate.stages.heuristic_rules import REMOVED, Profile, Rule

_THRESHOLDS = "bounds by rule, in place of the profile's: {word_count: {min: 20}}"


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


class OfLanguage(BaseModel):
    """What is different for documents of one language."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    thresholds: dict[str, Bounds] = Field(default_factory=dict, description=_THRESHOLDS)
    skip: tuple[str, ...] = Field((), description="rules not to apply, besides those of the stage")

    @model_validator(mode="after")
    def _something(self) -> OfLanguage:
        if not self.thresholds and not self.skip:
            raise ValueError("give thresholds, skip or both")
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
    thresholds: dict[str, Bounds] = Field(default_factory=dict, description=_THRESHOLDS)
    by_language: dict[str, OfLanguage] = Field(
        default_factory=dict,
        description="what is different for a language that an earlier `language` stage found, by its label: "
        "{de: {thresholds: {mean_word_length: {max: 12}}, skip: [stop_words]}}",
    )
    keep_stats: tuple[str, ...] | str = Field(
        (),
        description="rules whose measured value becomes a ledger column, or all; with those of all rules applied, "
        "other thresholds are decided without reading texts again",
    )

    @field_validator("profile")
    @classmethod
    def _known_profiles(cls, profile: str | tuple[str, ...]) -> str | tuple[str, ...]:
        given = (profile,) if isinstance(profile, str) else profile
        for name in given:
            if name not in PROFILES and name not in FAMILIES:
                raise ValueError(f"there is no profile {name!r}{_nearest(name, [*FAMILIES, *PROFILES])}")
        names = profile_names(profile)
        if not names or len(set(names)) < len(names):
            raise ValueError("profile must name at least one family of rules, and each once")
        return profile

    @field_validator("keep_stats")
    @classmethod
    def _all_or_some(cls, given: tuple[str, ...] | str) -> tuple[str, ...] | str:
        if isinstance(given, str) and given != "all":
            raise ValueError(f"keep_stats must be a list of rules, or all: {given!r} is neither")
        return given

    @field_validator("rules", "skip", "keep_stats", "thresholds")
    @classmethod
    def _known_rules(cls, given: Iterable[str] | None, info: ValidationInfo) -> Iterable[str] | None:
        if given is not None and given != "all" and "profile" in info.data:
            _check_names(given, info.data["profile"])
        return given

    @model_validator(mode="after")
    def _bounds_of_rules(self) -> HeuristicsConfig:
        if not self.profiles():
            raise ValueError("rules and skip leave no rule to apply")
        self._check_thresholds("thresholds", self.thresholds, self.resolved())
        for language, given in self.by_language.items():
            for names in (given.skip, given.thresholds):
                _check_names(names, self.profile)
            applied = self.resolved(language)
            self._check_thresholds(f"by_language.{language}.thresholds", given.thresholds, applied)
            missing = {self._find(name) for name in given.skip} - self.resolved().keys()
            if missing:
                raise ValueError(f"by_language.{language}.skip: {min(missing)} is not applied anyway")
        return self

    def _check_thresholds(self, key: str, given: Iterable[str], applied: Mapping[str, Rule]) -> None:
        for name in map(self._find, given):
            if name not in applied and (name not in self.kept() or key != "thresholds"):
                raise ValueError(f"{key}: {name} is not among the rules to apply")

    def _find(self, name: str) -> str:
        return _find(name, self.profile)

    def every(self, language: str | None = None) -> dict[str, Rule]:
        """Every rule of the profiles by full name, in order, with the bounds that hold here, for a language.

        Raises ValueError for a bound that the rule does not have, or a minimum above the maximum.
        """
        found = _rules_of(self.profile)
        layers = [self.thresholds]
        if language in self.by_language:
            layers.append(self.by_language[language].thresholds)
        for layer in layers:
            for name, bounds in layer.items():
                full = self._find(name)
                found[full] = _bounded(full, found[full], bounds)
        return found

    def _chosen(self, language: str | None = None) -> dict[str, Rule]:
        chosen = None if self.rules is None else {self._find(name) for name in self.rules}
        skipped = {self._find(name) for name in self.skip}
        if language in self.by_language:
            skipped |= {self._find(name) for name in self.by_language[language].skip}
        every = self.every(language)
        return {
            name: rule
            for name, rule in every.items()
            if (chosen is None or name in chosen) and name not in skipped
        }

    def resolved(self, language: str | None = None) -> dict[str, Rule]:
        """The rules to apply by full name, in order, with their bounds, to documents of a language."""
        return {name: rule for name, rule in self._chosen(language).items() if rule.bounded}

    def profiles(self) -> tuple[Profile, ...]:
        """The profiles of which something is applied or kept, in order."""
        chosen = self._chosen()
        asked = set() if self.keep_stats == "all" else {self._find(name) for name in self.keep_stats}
        # What a profile counts but does not bound is no reason to apply it, unless it is asked for by name.
        wanted = {name for name, rule in chosen.items() if rule.bounded or self.rules is not None} | asked
        return tuple(part for part in _parts(self.profile) if not wanted.isdisjoint(part.full_names()))

    def kept(self) -> dict[str, Rule]:
        """The rules whose measures become columns, by full name; what was removed by those profiles that edit."""
        every = self.every()
        used = self.profiles()
        if self.keep_stats == "all":
            names = [name for part in used for name in part.full_names()]
        else:
            names = [self._find(name) for name in self.keep_stats]
        removed = [f"{part.name}.{REMOVED}" for part in used if part.edits]
        return {name: every[name] for name in (*names, *(name for name in removed if name not in names))}


def _parts(profile: str | tuple[str, ...]) -> tuple[Profile, ...]:
    return tuple(PROFILES[name] for name in profile_names(profile))


def profile_names(profile: str | tuple[str, ...]) -> tuple[str, ...]:
    """The profiles that are meant, families by their parts."""
    given = (profile,) if isinstance(profile, str) else profile
    return tuple(part for name in given for part in FAMILIES.get(name, (name,)))


def _rules_of(profile: str | tuple[str, ...]) -> dict[str, Rule]:
    parts = _parts(profile)
    return {name: rule for part in parts for name, rule in zip(part.full_names(), part.rules, strict=True)}


def _check_names(given: Iterable[str], profile: str | tuple[str, ...]) -> None:
    found = [_find(name, profile) for name in given]
    for name in found:
        if found.count(name) > 1:
            raise ValueError(f"{name} is named twice")


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


def _bounded(name: str, rule: Rule, bounds: Bounds) -> Rule:
    if rule.bounded and (
        (bounds.min is not None and rule.minimum is None) or (bounds.max is not None and rule.maximum is None)
    ):
        has = "min" if rule.maximum is None else "max"
        raise ValueError(f"thresholds: {name} is a rule with a {has} only")
    minimum = rule.minimum if bounds.min is None else bounds.min
    maximum = rule.maximum if bounds.max is None else bounds.max
    if minimum is not None and maximum is not None and minimum > maximum:
        raise ValueError(f"thresholds: {name} has min {minimum:g} above max {maximum:g}")
    return replace(rule, minimum=minimum, maximum=maximum)
