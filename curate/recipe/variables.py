"""`${name}` in a recipe's text, replaced by the variable's value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from curate.errors import Problem
from curate.recipe.words import Places, describe, nearest
from curate.recipe.yaml_reader import Path

#: `$${` stands for a literal `${`.
_REFERENCE = re.compile(r"\$\$\{|\$\{([^{}]*)\}|\$\{")


def substitute(recipe: dict[str, Any], places: Places) -> tuple[dict[str, Any], list[Problem], set[Path]]:
    """The recipe with every `${name}` replaced, what is wrong with them, and the paths where it is.

    Text that is nothing but one reference takes the variable's type: `bands: ${bands}` is a number where the
    variable is one. Variables may use others. A variable whose value is null is one that must be given.
    """
    given = recipe.get("vars")
    variables = {
        name: value
        for name, value in (given if isinstance(given, dict) else {}).items()
        if not isinstance(value, list | dict)
    }
    work = _Substitution(variables, places)
    result = {key: work.replace(value, (key,)) for key, value in recipe.items() if key != "vars"}
    if "vars" in recipe:
        result["vars"] = given
    work.refuse_unused_options()
    return result, work.problems, work.broken


class _Substitution:
    def __init__(self, variables: Mapping[str, Any], places: Places) -> None:
        self.variables = variables
        self.places = places
        self.used: set[str] = set()
        self.problems: list[Problem] = []
        self.broken: set[Path] = set()

    def replace(self, value: Any, path: Path) -> Any:
        match value:
            case dict():
                return {key: self.replace(item, (*path, key)) for key, item in value.items()}
            case list():
                return [self.replace(item, (*path, place)) for place, item in enumerate(value)]
            case str() if "${" in value:
                return self._text(value, path, ())
        return value

    def _text(self, text: str, path: Path, inside: tuple[str, ...]) -> Any:
        whole = _REFERENCE.fullmatch(text)
        if whole is not None and whole[1] is not None:
            return self._variable(whole[1], path, inside)

        def part(match: re.Match[str]) -> str:
            if match[0] == "$${":
                return "${"
            if match[1] is None:
                self._problem(
                    path,
                    f"{describe(text)} has a ${{ that is not closed",
                    fix="write ${name}, or $${ for a literal ${",
                )
                return match[0]
            value = self._variable(match[1], path, inside)
            return ("false", "true")[value] if isinstance(value, bool) else str(value)

        return _REFERENCE.sub(part, text)

    def _variable(self, name: str, path: Path, inside: tuple[str, ...]) -> Any:
        self.used.add(name)
        if name in inside:
            chain = " -> ".join((*inside, name))
            self._problem(path, f"the variable {name} stands for itself: {chain}")
        elif name not in self.variables:
            known = nearest(name, self.variables)
            self._problem(
                path,
                f"the variable {name} is not defined",
                fix=known or f"add it under vars, or --set vars.{name}=...",
            )
        elif self.variables[name] is None:
            self._problem(
                path, f"the variable {name} has no value yet", fix=f"give it one: --set vars.{name}=..."
            )
        else:
            value = self.variables[name]
            return self._text(value, path, (*inside, name)) if isinstance(value, str) else value
        return ""

    def _problem(self, path: Path, found: str, fix: str = "") -> None:
        self.broken.add(path)
        problem = Problem(self.places.where(path), found, fix=fix)
        if problem not in self.problems:
            self.problems.append(problem)

    def refuse_unused_options(self) -> None:
        """A variable given on the command line that nothing uses is a misspelling."""
        for name in self.variables:
            path = ("vars", name)
            if name not in self.used and self.places.is_option(path):
                self.problems.append(
                    Problem(
                        self.places.where(path), f"no ${{{name}}} in the recipe", fix=nearest(name, self.used)
                    )
                )
