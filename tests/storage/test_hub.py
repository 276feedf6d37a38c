"""Sources of data sets on a hub, by a server over HTTP: the same bytes as from a disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from curate.recipe import load_recipe
from curate.run import run
from tests.run.corpora import RECIPE, write_corpora, write_recipe
from tests.run.outputs import output_bytes
from tests.storage.hub import Hub


@pytest.fixture
def published(tmp_path: Path, hub: Hub) -> Path:
    """A folder with corpora that are on the hub too, at the revision v1, and the recipe that reads them there."""
    write_corpora(tmp_path)
    write_recipe(tmp_path)
    files = {}
    for name in ("best", "middle", "last"):
        for path in sorted((tmp_path / name).rglob("*")):
            if path.is_file():
                files[path.relative_to(tmp_path).as_posix()] = path.read_bytes()
    hub.files["someone/corpora", "v1"] = files
    remote = RECIPE.replace("DATA", "hf://datasets/someone/corpora@v1")
    (tmp_path / "remote.yaml").write_text(remote)
    return tmp_path


def curate(folder: Path, hub: Hub, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_TELEMETRY": "1"}
    environment |= {"HF_HOME": str(folder / "home"), "HF_HUB_OFFLINE": "0"}
    command = [sys.executable, "-m", "curate", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_a_run_reads_its_sources_from_a_hub_that_is_busy_at_times(published: Path, hub: Hub) -> None:
    run(load_recipe(str(published / "recipe.yaml")), str(published / "reference"), workers=2)
    hub.busy = 1
    done = curate(published, hub, "run", "remote.yaml", "-o", "out", "--workers", "2", "--quiet")
    assert done.returncode == 0, done.stderr
    assert hub.busy == 0
    local, remote = output_bytes(published / "reference"), output_bytes(published / "out")
    assert {*local} == {*remote}
    different = {path for path in local if local[path] != remote[path]}
    assert different <= {"manifest.json", "README.md", "report/stats.json"}, "they name the sources"
    totals = json.loads((published / "out/manifest.json").read_bytes())["totals"]
    assert totals == json.loads((published / "reference/manifest.json").read_bytes())["totals"]
    lists = sum("/tree/" in request for request in hub.requests)
    assert lists <= 20, "a listing a folder or so, however many files"


def test_what_is_not_on_the_hub_is_an_error_that_names_it(published: Path, hub: Hub) -> None:
    (published / "remote.yaml").write_text(RECIPE.replace("DATA", "hf://datasets/someone/other@v1"))
    done = curate(published, hub, "run", "remote.yaml", "-o", "out")
    assert done.returncode == 1
    assert "hf://datasets/someone/other@v1" in done.stderr
    assert "Traceback" not in done.stderr
