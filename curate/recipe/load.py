"""From a YAML file to a checked `Recipe`, or to every problem it has."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from curate.errors import Problem, RecipeError
from curate.io.ledger import MIX, READ
from curate.recipe.models import NAME_PATTERN, Recipe, RecipeBody, Stage
from curate.recipe.names import plain_entries, stage_names
from curate.recipe.overrides import override
from curate.recipe.variables import substitute
from curate.recipe.words import NAME_IN_WORDS, Places, describe, nearest, problems_of
from curate.recipe.yaml_reader import Path, YamlError, read_yaml
from curate.stages import CORPUS_STAGES, DOCUMENT_STAGES
from curate.stages.base import DocumentStage
from curate.stages.corpus import CorpusStage

#: Ledger values of `dropped_by` that are no stage of a recipe.
RESERVED_NAMES = (READ, MIX, "write")

STAGES: dict[str, type[DocumentStage] | type[CorpusStage]] = {**DOCUMENT_STAGES, **CORPUS_STAGES}


def load_recipe(path: str | os.PathLike[str], overrides: Sequence[str] = ()) -> Recipe:
    """The recipe in a YAML file, with `overrides` of the form key=value carried out in turn.

    Raises RecipeError with every problem found: each names the file and line, the dotted key, what is there
    and what should be.
    """
    file = os.fspath(path)
    try:
        text = FilePath(file).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise RecipeError(Problem(file, f"cannot be read: {error.strerror}", "a recipe (YAML)")) from error
    except UnicodeDecodeError as error:
        raise RecipeError(Problem(file, f"not UTF-8 at byte {error.start}", "a recipe (YAML)")) from error
    return parse_recipe(text, file, overrides)


def parse_recipe(text: str, file: str, overrides: Sequence[str] = ()) -> Recipe:
    """The recipe in a YAML text; `file` stands in problems. See `load_recipe`."""
    try:
        read = read_yaml(text)
    except YamlError as error:
        raise RecipeError(Problem(f"{file}:{error.line}:{error.column}", f"not YAML: {error}")) from error
    problems = [Problem(f"{file}:{error.line}:{error.column}", str(error)) for error in read.problems]
    if not isinstance(read.value, dict):
        found = describe(read.value) if read.value is not None else "nothing"
        raise RecipeError(*problems, Problem(file, found, "a recipe: name, sources, stages, ..."))
    check = _Check(read.value, Places(file, read.lines), problems)
    recipe = check.recipe(overrides)
    if recipe is None:
        raise RecipeError(*sorted(check.problems, key=check.places.line))
    return recipe


_Model = TypeVar("_Model", bound=BaseModel)


def _immutable(value: Any) -> Any:
    """The value with its lists as tuples, the form in which configurations hold sequences."""
    if isinstance(value, dict):
        return {key: _immutable(item) for key, item in value.items()}
    return tuple(_immutable(item) for item in value) if isinstance(value, list) else value


class _Check:
    """Works through a recipe's plain values, noting problems and going on."""

    def __init__(self, raw: dict[str, Any], places: Places, problems: list[Problem]) -> None:
        self.raw = raw
        self.places = places
        self.problems = problems
        self.broken: set[Path] = set()

    def recipe(self, overrides: Sequence[str]) -> Recipe | None:
        """The recipe, or None when there are problems."""
        if "stages" in self.raw:
            self.raw["stages"] = plain_entries(self.raw["stages"])
        for setting in overrides:
            problem = override(self.raw, setting, self.places)
            if problem is not None:
                self.problems.append(problem)
        self.raw = {key: value for key, value in self.raw.items() if value is not None}
        self._label_entries()
        self.raw, problems, self.broken = substitute(self.raw, self.places)
        self.problems += problems
        stage_entries = self._list("stages")
        body = self._fit(RecipeBody, self.raw, ())
        names = stage_names(stage_entries)
        stages = [
            self._stage(entry, place, names.get(place, ("", ""))[0])
            for place, entry in enumerate(stage_entries)
        ]
        self._check_stage_names(names)
        self._check_source_names(stage_entries)
        if self.problems or body is None:
            return None
        done = tuple(stage for stage in stages if stage is not None)
        return Recipe(body.name, body.sources, done, body.mix, body.output, body.max_bad)

    def _list(self, key: str) -> list[Any]:
        entries = self.raw.get(key)
        return entries if isinstance(entries, list) else []

    def _problem(self, path: Path, found: str, expected: str = "", fix: str = "") -> None:
        self.problems.append(Problem(self.places.where(path), found, expected, fix))

    def _label_entries(self) -> None:
        """Lets problems call an entry by its name."""
        for place, source in enumerate(self._list("sources")):
            if isinstance(source, dict) and isinstance(source.get("name"), str):
                self.places.labels[("sources", place)] = f"sources.{source['name']}"
        for place, (name, kind) in stage_names(self._list("stages")).items():
            self.places.labels[("stages", place, kind)] = f"stages.{name}"

    def _fit(self, model: type[_Model], value: dict[str, Any], prefix: Path) -> _Model | None:
        """The value as the model, strictly: text is no number, 1 is no text. Notes what does not fit."""
        try:
            return model.model_validate(_immutable(value), strict=True)
        except ValidationError as error:
            for path, problem in problems_of(error, value, model, prefix, self.places):
                if not any(path[: len(broken)] == broken for broken in self.broken):
                    self.problems.append(problem)
            return None

    def _stage(self, entry: Any, place: int, name: str) -> Stage | None:
        path: Path = ("stages", place)
        if not isinstance(entry, dict) or len(entry) != 1:
            keys = (
                f"a mapping with {len(entry)} keys: {', '.join(entry)}"
                if isinstance(entry, dict)
                else describe(entry)
            )
            self._problem(path, keys, "`kind: {its keys}`", "indent a stage's keys below its kind")
            return None
        ((kind, config),) = entry.items()
        if kind not in STAGES:
            top = " (it is a key of the recipe, beside stages)" if kind in RecipeBody.model_fields else ""
            self._problem((*path, kind), f"no stage is called {kind}{top}", fix=nearest(kind, STAGES))
            return None
        if not isinstance(config, dict):
            self._problem((*path, kind), describe(config), "a mapping (key: value)")
            return None
        fitted = self._fit(STAGES[kind].Config, {"name": name} | config, (*path, kind))
        return None if fitted is None else Stage(name, kind, fitted)

    def _check_stage_names(self, names: dict[int, tuple[str, str]]) -> None:
        first: dict[str, int] = {}
        for place, (name, kind) in names.items():
            path = ("stages", place, kind, "name")
            if kind in STAGES and not re.fullmatch(NAME_PATTERN, name):
                self._problem(path, describe(name), NAME_IN_WORDS)
            elif kind in STAGES and name in RESERVED_NAMES:
                self._problem(
                    path, f"{name} is taken: the ledger uses it for {name} itself", fix="choose another name"
                )
            elif name in first:
                self._problem(path, f"two stages are called {name}", fix="give each its own name")
            first[name] = place

    def _check_source_names(self, stage_entries: list[Any]) -> None:
        names = [source.get("name") for source in self._list("sources") if isinstance(source, dict)]
        known = [name for name in names if isinstance(name, str)]
        for place, name in enumerate(known):
            if name.casefold() in [earlier.casefold() for earlier in known[:place]]:
                self._problem(
                    ("sources", place, "name"), f"two sources are called {name}", fix="give each its own name"
                )
        for place, (_, kind) in stage_names(stage_entries).items():
            for key in ("sources", "priority"):
                path = ("stages", place, kind, key)
                self._check_list_of_sources(stage_entries[place][kind].get(key), path, known)
        mix = self.raw.get("mix")
        weights = mix.get("weights") if isinstance(mix, dict) else None
        if isinstance(weights, dict):
            self._check_weights(weights, known)

    def _check_list_of_sources(self, listed: Any, path: Path, known: list[str]) -> None:
        if not isinstance(listed, list):
            return
        if not listed:
            self._problem(path, "an empty list", "names of sources", "leave the key out to mean all sources")
        for place, name in enumerate(listed):
            if isinstance(name, str) and name not in known:
                self._problem((*path, place), f"no source is called {name}", fix=nearest(name, known))
            elif name in listed[:place]:
                self._problem((*path, place), f"{describe(name)} a second time")

    def _check_weights(self, weights: dict[str, Any], known: list[str]) -> None:
        path = ("mix", "weights")
        for name in weights:
            if name not in known:
                self._problem((*path, name), f"no source is called {name}", fix=nearest(name, known))
        missing = [name for name in known if name not in weights]
        if missing and weights:
            self._problem(
                path,
                f"no weight for {', '.join(missing)}",
                fix="give every source a weight, or remove the source",
            )
