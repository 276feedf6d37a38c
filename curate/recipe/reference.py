"""docs/recipe.md, made from the models that check recipes: `python -m curate.recipe.reference > docs/recipe.md`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from curate.recipe.models import RecipeBody
from curate.stages import CORPUS_STAGES, DOCUMENT_STAGES
from curate.stages.base import DocumentStage
from curate.stages.corpus import CorpusStage

_HEAD = """# Recipe reference

Made from the code by `python -m curate.recipe.reference`; the tests compare the two.

A recipe is one YAML file. Unknown keys are errors that name the nearest known one, and all problems are reported at
once, with file, line and key. `${name}` stands for a value of `vars`; `--set key=value` replaces any value, such as
`--set vars.data=/corpora` or `--set stages.fuzzy_dedup.bands=16`. An entry of `stages` is `kind: {its keys}`, or the
bare kind where every key has its default; a kind may stand there several times.
"""
_WORDS = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "boolean": "true or false",
    "null": "null",
}
_STAGE_KEYS = ("name", "sources")

Schema = dict[str, Any]


def reference() -> str:
    """The whole page, Markdown."""
    return "\n".join([_HEAD, *_body(), *_stages()]).rstrip() + "\n"


def _body() -> Iterator[str]:
    yield from _section("## The recipe's keys", RecipeBody)


def _stages() -> Iterator[str]:
    kinds: dict[str, type[DocumentStage] | type[CorpusStage]] = {**DOCUMENT_STAGES, **CORPUS_STAGES}
    yield "## Stages\n"
    yield "Every stage takes these keys besides its own:\n"
    anyone = next(iter(kinds.values())).Config.model_json_schema()
    yield from _table({name: anyone["properties"][name] for name in _STAGE_KEYS}, anyone)
    for kind, stage in kinds.items():
        yield from _section(f"### `{kind}`", stage.Config, left_out=_STAGE_KEYS)


def _section(heading: str, model: type[BaseModel], left_out: tuple[str, ...] = ()) -> Iterator[str]:
    """A table of the model's keys, and one of each mapping inside."""
    schema = model.model_json_schema()
    yield f"{heading}\n"
    properties = {name: each for name, each in schema["properties"].items() if name not in left_out}
    if not properties:
        yield "No keys of its own.\n"
        return
    yield from _table(properties, schema)
    yield from _nested(properties, schema, "", heading.split(" ")[0])


def _nested(properties: Schema, schema: Schema, path: str, level: str) -> Iterator[str]:
    for name, each in properties.items():
        inner = _model_in(each, schema)
        if inner is not None:
            place = f"{path}{name}" + ("[]" if _is_list(each) else ".<name>" if _is_mapping(each) else "")
            yield f"{level}# Keys of `{place}`\n"
            yield from _table(inner["properties"], schema, set(inner.get("required", ())))
            yield from _nested(inner["properties"], schema, f"{place}.", level)


def _table(properties: Schema, schema: Schema, required: set[str] | None = None) -> Iterator[str]:
    needed = set(schema.get("required", ())) if required is None else required
    yield "| key | takes | default | what |\n|---|---|---|---|"
    for name, each in properties.items():
        cells = (f"`{name}`", _takes(each, schema), _default(name, each, needed), each.get("description", ""))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


def _default(name: str, each: Schema, required: set[str]) -> str:
    if name in required:
        return "needed"
    if "default" not in each:
        return ""
    default = each["default"]
    if isinstance(default, dict):
        return "see below" if default else "`{}`"
    return f"`{json.dumps(default, ensure_ascii=False)}`"


def _takes(each: Schema, schema: Schema) -> str:
    """What values a key takes, in words."""
    if "enum" in each:
        return ", ".join(f"`{value}`" for value in each["enum"])
    if "const" in each:
        return f"`{each['const']}`"
    if "anyOf" in each:
        return " or ".join(dict.fromkeys(_takes(choice, schema) for choice in each["anyOf"]))
    if _resolved(each, schema).get("properties") is not None:
        return "mapping, below"
    if _is_list(each):
        return f"list of {_takes(each.get('items', {}), schema)}"
    if _is_mapping(each):
        values = each.get("additionalProperties")
        return f"mapping of names to {_takes(values, schema)}" if isinstance(values, dict) else "mapping"
    return _WORDS.get(each.get("type", ""), "any value") + _range(each)


def _range(each: Schema) -> str:
    limits = (
        ("minimum", "at least"),
        ("exclusiveMinimum", "above"),
        ("maximum", "at most"),
        ("exclusiveMaximum", "below"),
    )
    said = [f"{word} {_number(each[key])}" for key, word in limits if key in each]
    return f" ({', '.join(said)})" if said else ""


def _number(value: float) -> str:
    return "2^63" if value == 2**63 else f"{value:g}"


def _resolved(each: Schema, schema: Schema) -> Schema:
    found: Schema = schema["$defs"][each["$ref"].rsplit("/", 1)[-1]] if "$ref" in each else each
    return found


def _model_in(each: Schema, schema: Schema) -> Schema | None:
    """The model that a key holds, itself, in a list, or by name."""
    found = _resolved(each, schema)
    if "properties" in found:
        return found
    inner = [*each.get("anyOf", ()), *(each[key] for key in ("items", "additionalProperties") if key in each)]
    models = (_model_in(choice, schema) for choice in inner if isinstance(choice, dict))
    return next((model for model in models if model is not None), None)


def _is_list(each: Schema) -> bool:
    return each.get("type") == "array"


def _is_mapping(each: Schema) -> bool:
    return each.get("type") == "object"


if __name__ == "__main__":
    print(reference(), end="")
