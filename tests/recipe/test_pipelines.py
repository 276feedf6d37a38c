"""The recipes that come along: they read, and say what was published."""

from __future__ import annotations

from pathlib import Path

import pytest

from curate.errors import RecipeError
from curate.recipe import Recipe, load_recipe
from curate.stages.fuzzy_config import FuzzyDedupConfig

PIPELINES = Path(__file__).parents[2] / "pipelines"
GIVEN = {"zyda2-mini": ["vars.data=corpora"]}
ZYDA2_SOURCES = ["fineweb-edu", "dclm", "zyda-1", "dolma-cc"]


def load(name: str) -> Recipe:
    return load_recipe(PIPELINES / f"{name}.yaml", GIVEN.get(name, []))


def fuzzy(recipe: Recipe) -> FuzzyDedupConfig:
    (config,) = [stage.config for stage in recipe.stages if stage.kind == "fuzzy_dedup"]
    assert isinstance(config, FuzzyDedupConfig)
    return config


@pytest.mark.parametrize("name", sorted(path.stem for path in PIPELINES.glob("*.yaml")))
def test_reads_and_is_named_like_its_file(name: str) -> None:
    assert load(name).name == name


@pytest.mark.parametrize("name", ["zyda2", "zyda2-published", "zyda2-mini"])
def test_zyda2_has_the_published_numbers(name: str) -> None:
    recipe = load(name)
    assert [source.name for source in recipe.sources] == ZYDA2_SOURCES
    config = fuzzy(recipe)
    assert (config.shingles.unit, config.shingles.length) == ("char", 25)
    assert (config.hashes, config.bands, config.rows, config.seed) == (128, 8, 16, 10)
    assert config.scope == "across"
    assert recipe.mix is not None
    assert recipe.mix.weights == {"dclm": 4.0, "fineweb-edu": 4.0, "zyda-1": 0.16, "dolma-cc": 0.24}
    assert recipe.mix.unit == "tokens"


def test_filters_come_before_near_duplicates_so_that_survivors_have_passed_them() -> None:
    kinds = [stage.kind for stage in load("zyda2").stages]
    assert kinds == ["where", "language", "heuristics", "quality", "exact_dedup", "fuzzy_dedup"]
    config = fuzzy(load("zyda2"))
    assert config.verify is not None
    assert config.verify.min_similarity == 0.8
    assert (config.guards.max_cluster, config.guards.max_source_loss) == (100_000, 0.5)


def test_the_published_order_is_kept_in_its_own_recipe() -> None:
    recipe = load("zyda2-published")
    assert [stage.kind for stage in recipe.stages] == ["fuzzy_dedup", "where", "quality"]
    config = fuzzy(recipe)
    assert (config.verify, config.sketch, config.guards.max_cluster) == (None, "minhash", None)
    assert [stage.config.sources for stage in recipe.stages[1:]] == [("fineweb-edu",), ("zyda-1", "dolma-cc")]


def test_mini_is_zyda2_without_int_score() -> None:
    mini, whole = load("zyda2-mini").resolved(), load("zyda2").resolved()
    assert mini["stages"] == whole["stages"][1:]
    assert (mini["mix"], mini["output"]) == (whole["mix"], whole["output"])


def test_mini_asks_for_its_folder() -> None:
    with pytest.raises(RecipeError, match="the variable data has no value yet"):
        load_recipe(PIPELINES / "zyda2-mini.yaml")


def test_sample_corpora_fit_zyda2() -> None:
    for name in ("zyda2", "zyda2-published", "quickstart"):
        assert all(pattern.startswith("synth/") for source in load(name).sources for pattern in source.path)
