"""`--set key=value`: one value of a recipe replaced from the command line."""

from __future__ import annotations

from typing import Any

from curate.errors import Problem
from curate.recipe.names import stage_names
from curate.recipe.words import Places, describe, nearest
from curate.recipe.yaml_reader import Path, YamlError, read_yaml


def override(recipe: dict[str, Any], setting: str, places: Places) -> Problem | None:
    """Carries out one `key=value` on the recipe, in place; returns what is wrong with it, if anything is.

    The key is dotted. An entry of `sources` goes by its name, one of `stages` by its name or kind:
    `vars.data`, `sources.dclm.path`, `stages.fuzzy_dedup.bands`, `mix.weights.dclm`. The value is YAML.
    """
    origin = f"--set {setting}"
    key, equals, text = setting.partition("=")
    steps = key.strip().split(".")
    if not equals or not all(steps):
        return Problem(origin, "not of the form key=value", fix="such as --set stages.fuzzy_dedup.bands=16")
    try:
        read = read_yaml(text)
    except YamlError as error:
        return Problem(origin, f"the value is not YAML: {error}", fix="put the value in quotes")
    if read.problems:
        return Problem(origin, f"the value has {read.problems[0]}")
    entry = _entry(recipe, steps, origin)
    if isinstance(entry, Problem):
        return entry
    target, path, rest = entry
    for step in rest[:-1]:
        if target.get(step) is None:
            target[step] = {}
        target, path = target[step], (*path, step)
        if not isinstance(target, dict):
            return Problem(origin, f"{step} is {describe(target)}, which has no keys")
    target[rest[-1]] = read.value
    places.overridden((*path, rest[-1]), origin)
    return None


def _entry(
    recipe: dict[str, Any], steps: list[str], origin: str
) -> Problem | tuple[dict[str, Any], Path, list[str]]:
    """The mapping that the key starts from, its path, and the steps left."""
    if len(steps) < 2 or steps[0] not in {"sources", "stages"}:
        return recipe, (), steps
    entries = recipe.get(steps[0])
    if not isinstance(entries, list):
        return Problem(origin, f"the recipe has no list of {steps[0]}")
    found = _sources(entries) if steps[0] == "sources" else _stages(entries)
    if steps[1] not in found:
        return Problem(origin, f"no {steps[0][:-1]} is named {steps[1]}", fix=nearest(steps[1], found))
    if len(steps) == 2:
        return Problem(
            origin,
            f"a whole {steps[0][:-1]} cannot be replaced",
            fix=f"set one of its keys: {'.'.join(steps)}.key=value",
        )
    entry, path = found[steps[1]]
    return entry, path, steps[2:]


def _sources(entries: list[Any]) -> dict[str, tuple[dict[str, Any], Path]]:
    return {
        str(entry.get("name")): (entry, ("sources", place))
        for place, entry in enumerate(entries)
        if isinstance(entry, dict)
    }


def _stages(entries: list[Any]) -> dict[str, tuple[dict[str, Any], Path]]:
    return {
        name: (entries[place][kind], ("stages", place, kind))
        for place, (name, kind) in stage_names(entries).items()
    }
