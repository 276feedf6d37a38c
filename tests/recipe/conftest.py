"""Loading recipes from text."""

from __future__ import annotations

from pathlib import Path

import pytest

from curate.errors import RecipeError
from curate.recipe import Recipe, load_recipe


@pytest.fixture
def load(tmp_path: Path):
    def load(text: str, *settings: str) -> Recipe:
        path = tmp_path / "recipe.yaml"
        path.write_text(text, encoding="utf-8")
        return load_recipe(path, settings)

    return load


@pytest.fixture
def problems(load, tmp_path: Path):
    """The problems of a recipe, with the folder taken off their places."""

    def problems(text: str, *settings: str) -> list[str]:
        with pytest.raises(RecipeError) as caught:
            load(text, *settings)
        return [str(problem).replace(f"{tmp_path}/", "") for problem in caught.value.problems]

    return problems
