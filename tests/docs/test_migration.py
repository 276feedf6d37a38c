"""docs/migration.md: what it says to write is a recipe that the program takes, and names what is there."""

from __future__ import annotations

import re

import pytest
import yaml

from curate.recipe.load import parse_recipe
from curate.stages import CORPUS_STAGES, DOCUMENT_STAGES
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "migration.md").read_text()
KINDS = {*DOCUMENT_STAGES, *CORPUS_STAGES}
QUOTED = re.findall(r"`([^`]+)`", PAGE)
STAGES = sorted(
    {text for text in QUOTED if text.split(":")[0] in KINDS and ": {" in text and "..." not in text}
)


def recipe_of(stage: str) -> str:
    return f"name: x\nsources: [{{name: web, path: 'web/*.parquet'}}]\nstages:\n  - {stage}\n"


def test_there_are_stages_to_check() -> None:
    assert {text.split(":")[0] for text in STAGES} >= {"heuristics", "language", "exact_dedup", "fuzzy_dedup"}


@pytest.mark.parametrize("stage", STAGES)
def test_the_program_takes_the_stage(stage: str) -> None:
    (found,) = parse_recipe(recipe_of(stage), "recipe.yaml").stages
    assert found.kind == next(iter(yaml.safe_load(stage)))
