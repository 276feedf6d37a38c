"""The same bytes for any number of workers, any batch size and any hash seed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from curate.recipe import load_recipe
from curate.run import run
from tests.run.corpora import write_corpora, write_recipe
from tests.run.outputs import output_bytes


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("determinism")
    write_corpora(folder)
    run(load_recipe(str(write_recipe(folder))), str(folder / "reference"), workers=1)
    return folder


@pytest.mark.parametrize(("workers", "batch"), [(2, 1), (5, 7), (1, 33), (2, 100_000)])
def test_workers_and_batches(corpora: Path, tmp_path: Path, workers: int, batch: int) -> None:
    recipe = load_recipe(str(corpora / "recipe.yaml"))
    run(recipe, str(tmp_path / "out"), workers=workers, batch_documents=batch)
    assert output_bytes(tmp_path / "out") == output_bytes(corpora / "reference")


@pytest.mark.parametrize("seed", ["0", "1", "4242"])
def test_hash_seeds(corpora: Path, tmp_path: Path, seed: str) -> None:
    command = [
        sys.executable,
        "-m",
        "curate",
        "run",
        str(corpora / "recipe.yaml"),
        "-o",
        str(tmp_path / "out"),
    ]
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    subprocess.run([*command, "--quiet"], check=True, env=environment, capture_output=True)
    assert output_bytes(tmp_path / "out") == output_bytes(corpora / "reference")
