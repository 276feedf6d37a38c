"""Problems of a recipe in plain words: where, what was found, what was expected, what to do."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from curate.errors import Problem
from curate.recipe.yaml_reader import Path


def nearest(word: str, known: Iterable[str]) -> str:
    """What to do about an unknown word: the nearest known ones, or all of them where none is near."""
    known = list(known)
    folded: dict[str, str] = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), folded, n=2, cutoff=0.6)
    if close:
        return "did you mean " + " or ".join(folded[name] for name in close) + "?"
    return f"known: {', '.join(known)}" if known else ""


def describe(value: Any) -> str:
    """A recipe's value with the name of its type."""
    match value:
        case None:
            return "nothing (null)"
        case bool():
            return "true" if value else "false"
        case int():
            return f"{value} (a whole number)"
        case float():
            return f"{value:g} (a number)"
        case str():
            return f'"{_shortened(value)}" (text)'
        case list():
            return "a list" if value else "an empty list"
        case _:
            return "a mapping" if value else "an empty mapping"


def _shortened(text: str, limit: int = 80) -> str:
    return text if len(text) <= limit else text[:limit] + "..."


class Places:
    """Where in the file, or on the command line, each value of a recipe came from."""

    def __init__(self, file: str, lines: Mapping[Path, int]) -> None:
        self.file = file
        self._origins = {path: f"{file}:{line}" for path, line in lines.items()}
        self.labels: dict[Path, str] = {}

    def overridden(self, path: Path, origin: str) -> None:
        """The value at `path` came from `origin`, a command-line option."""
        self._origins = {old: at for old, at in self._origins.items() if old[: len(path)] != path}
        self._origins[path] = origin

    def is_option(self, path: Path) -> bool:
        """Whether the value at `path` came from the command line."""
        return self._origins.get(path, "").startswith("--set ")

    def line(self, problem: Problem) -> int:
        """The line that the problem is on; 0 for one of the command line."""
        number = problem.where.removeprefix(f"{self.file}:").partition(":")[0]
        return int(number) if number.isdecimal() else 0

    def where(self, path: Path) -> str:
        """File and line (or option) of the value, and its dotted key as `--set` takes it."""
        at = path
        while at and at not in self._origins:
            at = at[:-1]
        origin = self._origins.get(at, self.file)
        return f"{origin}: {self.dotted(path)}" if path else origin

    def dotted(self, path: Path) -> str:
        """The key of a path: entries of `sources` and `stages` go by their names."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.labels:
                rest = path[length:]
                return ".".join([self.labels[path[:length]], *map(str, rest)])
        return ".".join(map(str, path))


NAME_IN_WORDS = "letters, digits, - and _ (at most 64, the first a letter or digit)"

_EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "string_type": "text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "dict_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
}


def problems_of(
    error: ValidationError, value: Any, model: type[BaseModel], prefix: Path, places: Places
) -> list[tuple[Path, Problem]]:
    """Path and problem of what does not fit `model` in `value`, which stands at `prefix` of the recipe."""
    grouped: dict[Path, list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        grouped.setdefault(_data_path(detail["loc"], value), []).append(detail)
    return [
        (prefix + path, _problem(details, path, _at(value, path), model, places.where(prefix + path)))
        for path, details in grouped.items()
        if not (
            details[0]["type"] == "too_short" and _at(value, path)
        )  # its items failed, and say so themselves
    ]


def _data_path(location: Sequence[str | int], value: Any) -> Path:
    """The part of a validation error's location that is in the data: without the names of union branches."""
    path: list[str | int] = []
    for place, step in enumerate(location):
        within = (
            step in value if isinstance(value, dict) else isinstance(value, list) and isinstance(step, int)
        )
        if within:
            value = value[step]
        elif place < len(location) - 1 or not isinstance(value, dict):
            continue  # the name of a union's branch
        path.append(step)
    return tuple(path)


def _at(value: Any, path: Path) -> Any:
    for step in path:
        if isinstance(value, dict):
            value = value.get(str(step))
        elif isinstance(value, list) and isinstance(step, int):
            value = value[step]
    return value


def _problem(
    details: list[ErrorDetails], path: Path, value: Any, model: type[BaseModel], where: str
) -> Problem:
    kind = details[0]["type"]
    if kind == "extra_forbidden":
        return Problem(where, "unknown key", fix=nearest(str(path[-1]), _keys_at(model, path[:-1])))
    if kind == "missing":
        return Problem(where, "missing", expected=_meaning(model, path))
    if kind in {"value_error", "assertion_error"}:
        return Problem(where, str(details[0].get("ctx", {}).get("error", details[0]["msg"])))
    choices = _choices(details)
    fix = nearest(value, choices) if choices and isinstance(value, str) else ""
    if fix.startswith("known"):
        fix = ""
    expected = list(dict.fromkeys(_expectation(detail) for detail in details))
    return Problem(where, describe(value), expected=" or ".join(expected), fix=fix)


def _choices(details: list[ErrorDetails]) -> list[str]:
    return [
        choice.strip().strip("'")
        for detail in details
        if detail["type"] == "literal_error"
        for choice in detail["ctx"]["expected"].replace(" or ", ", ").split(", ")
    ]


def _expectation(detail: ErrorDetails) -> str:
    kind, limits = detail["type"], detail.get("ctx", {})
    if kind in _EXPECTED:
        return _EXPECTED[kind]
    match kind:
        case "literal_error":
            return "one of " + ", ".join(_choices([detail]))
        case "greater_than":
            return f"more than {limits['gt']:g}"
        case "greater_than_equal":
            return f"at least {limits['ge']:g}"
        case "less_than":
            return f"less than {limits['lt']:g}"
        case "less_than_equal":
            return f"at most {limits['le']:g}"
        case "string_pattern_mismatch":
            return NAME_IN_WORDS
        case "too_short":
            return f"at least {limits['min_length']} of them"
        case "too_long":
            return f"at most {limits['max_length']} of them"
        case "string_too_short":
            return "text that is not empty"
    return detail["msg"]


def _keys_at(model: type[BaseModel], path: Path) -> list[str]:
    """The keys known at `path` of data that fits `model`."""
    keys: list[str] = []
    for reached in _models_at(model, path):
        keys += [field.alias or name for name, field in reached.model_fields.items()]
    return keys


def _meaning(model: type[BaseModel], path: Path) -> str:
    for reached in _models_at(model, path[:-1]):
        field = reached.model_fields.get(str(path[-1]))
        if field is not None and field.description:
            return field.description.rstrip(".")
    return ""


def _models_at(model: type[BaseModel], path: Path) -> list[type[BaseModel]]:
    reached: list[type[BaseModel]] = [model]
    for step in path:
        if isinstance(step, int):
            continue
        fields = [one.model_fields[step] for one in reached if step in one.model_fields]
        reached = [found for field in fields for found in _models_in(field.annotation)]
    return reached


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in {Union, types.UnionType, Annotated, tuple, list, dict}:
        return [model for argument in get_args(annotation) for model in _models_in(argument)]
    return []
