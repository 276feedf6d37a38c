"""The recipes that come with curate, run as a user runs them, on the sample corpora they make."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

PIPELINES = Path(__file__).parents[2] / "pipelines"


def curate(*arguments: str, folder: Path) -> str:
    command = [sys.executable, "-m", "curate", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with small sample corpora where the recipes look for them."""
    folder = tmp_path_factory.mktemp("demo")
    curate("synth", "synth", "--documents", "4000", "--quiet", folder=folder)
    return folder


def stats(folder: Path, out: str) -> dict[str, object]:
    found: dict[str, object] = json.loads((folder / out / "report/stats.json").read_text())
    return found


def orphans(folder: Path, out: str) -> int:
    found = stats(folder, out)["dedup"]
    assert isinstance(found, list)
    return sum(sum(stage["orphans"].values()) for stage in found)


def test_zyda2(folder: Path) -> None:
    before = sorted(folder.iterdir())
    printed = curate("plan", str(PIPELINES / "zyda2.yaml"), folder=folder)
    assert "read twice" in printed
    assert "8 bands of 16 rows" in printed
    assert sorted(folder.iterdir()) == before, "a plan writes nothing"
    printed = curate("run", str(PIPELINES / "zyda2.yaml"), folder=folder)
    for stage in ("where", "language", "heuristics", "quality", "exact_dedup", "fuzzy_dedup", "mix"):
        assert stage in printed
    assert "right" in curate("verify", "out/zyda2", folder=folder)
    assert orphans(folder, "out/zyda2") == 0
    manifest = json.loads((folder / "out/zyda2/manifest.json").read_text())
    assert manifest["sources"][1]["files"][0]["path"] == "synth/dclm/part-00000.parquet"


def test_a_drop_is_explained(folder: Path) -> None:
    ledger = pq.read_table(folder / "out/zyda2/ledger/dclm", columns=["doc", "dropped_by", "duplicate_of"])
    doc, witness = next(
        (row["doc"], row["duplicate_of"]) for row in ledger.to_pylist() if row["dropped_by"] == "fuzzy_dedup"
    )
    printed = curate("explain", "out/zyda2", str(doc), folder=folder)
    assert "fuzzy_dedup.duplicate" in printed
    assert str(witness) in printed
    assert "0.8" in printed


def test_the_published_recipe_leaves_orphans(folder: Path) -> None:
    """Documents below score 3 win clusters and are dropped afterwards: their twins' text is lost."""
    curate("run", str(PIPELINES / "zyda2-published.yaml"), folder=folder)
    assert orphans(folder, "out/zyda2-published") > 0
    assert "right" in curate("verify", "out/zyda2-published", folder=folder)


def test_quickstart(folder: Path) -> None:
    curate("run", str(PIPELINES / "quickstart.yaml"), folder=folder)
    assert "right" in curate("verify", "out/quickstart", folder=folder)
    curate("clean", "out/quickstart", folder=folder)
    assert "right" in curate("verify", "out/quickstart", folder=folder)
    assert not (folder / "out/quickstart/run").exists()
