from __future__ import annotations

from pathlib import Path

import pytest

from curate.recipe import Recipe, load_recipe
from curate.run import run
from curate.synth import generate
from tests.run.outputs import output_bytes

ZYDA2 = Path(__file__).parents[2] / "pipelines/zyda2.yaml"


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Settings of the Zyda-2 recipe over small sample corpora, with several shards."""
    folder = tmp_path_factory.mktemp("corpora") / "synth"
    generate(folder, 600, seed=3, workers=2, progress=lambda finished: None)
    return [
        f"vars.data={folder}",
        "output.shard_bytes=300kB",
        "stages.fuzzy_dedup.guards.max_source_loss=0.9",
    ]


@pytest.fixture(scope="session")
def recipe(settings: list[str]) -> Recipe:
    return load_recipe(ZYDA2, settings)


@pytest.fixture(scope="session")
def reference(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Digests of what the local engine makes of it."""
    out = tmp_path_factory.mktemp("local")
    run(recipe, str(out), workers=2)
    return output_bytes(out)
