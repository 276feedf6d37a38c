"""docs/recipe.md says what the models that check recipes say."""

from __future__ import annotations

from pathlib import Path

from curate.recipe.reference import reference
from curate.stages import CORPUS_STAGES, DOCUMENT_STAGES

PAGE = Path(__file__).parents[2] / "docs" / "recipe.md"


def test_the_page_is_the_one_that_the_models_make() -> None:
    assert PAGE.read_text() == reference(), "python -m curate.recipe.reference > docs/recipe.md"


def test_every_key_of_every_stage_is_explained() -> None:
    for kind, stage in {**DOCUMENT_STAGES, **CORPUS_STAGES}.items():
        for name, field in stage.Config.model_fields.items():
            assert field.description, f"{kind}.{name}"
            assert f"| `{name}` |" in PAGE.read_text()
