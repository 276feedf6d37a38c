"""The manifest is checked when it is read, and the card that Hugging Face reads is made from it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from curate.errors import OutputError
from curate.io.card import card, write_card
from curate.io.manifest import Manifest


def test_typed_access(out: Path) -> None:
    manifest = Manifest.load(str(out))
    assert manifest.source_names() == {0: "web", 1: "books", 2: "forum"}
    assert manifest.source("books").rows_out == 4
    assert [shard.rows for shard in manifest.shards] == [5, 3]
    assert manifest.stages[1].sources == ("web", "books")
    with pytest.raises(KeyError):
        manifest.source("films")


def test_a_missing_manifest_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"no manifest[\s\S]*the manifest is written last"):
        Manifest.load(str(tmp_path))


def test_every_problem_of_a_manifest_is_named(out: Path) -> None:
    path = out / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["format"] = 2
    manifest["sources"][1]["kept"] = -1
    del manifest["shards"][0]["sha256"]
    path.write_text(json.dumps(manifest))
    with pytest.raises(OutputError) as caught:
        Manifest.load(str(out))
    places = [problem.where.split(": ")[1] for problem in caught.value.problems]
    assert places == ["format", "sources.1.kept", "shards.0.sha256"]


def test_a_manifest_that_is_not_json(out: Path) -> None:
    (out / "manifest.json").write_text("{")
    with pytest.raises(OutputError, match="not JSON"):
        Manifest.load(str(out))


def test_the_card_points_at_the_shards(out: Path) -> None:
    write_card(str(out))
    text = (out / "README.md").read_text()
    _, front, body = text.split("---\n", 2)
    head = yaml.safe_load(front)
    assert head["configs"][0]["data_files"] == [{"split": "train", "path": "data/train-*.parquet"}]
    assert head["language"] == ["en"]
    assert head["size_categories"] == ["n<1K"]
    assert "| books | 6 | 2 | 4 | 80 |" in body
    assert "| **all** | 18 | 5 | 8 | 130 |" in body
    assert "2. heuristics, of web, books only" in body


@pytest.mark.parametrize(
    ("rows", "category"), [(999, "n<1K"), (1000, "1K<n<10K"), (5 * 10**9, "1B<n<10B"), (10**12, "n>1T")]
)
def test_size_categories(out: Path, rows: int, category: str) -> None:
    manifest = Manifest.load(str(out))
    totals = manifest.totals.model_copy(update={"rows_out": rows})
    assert f"- {category}\n" in card(manifest.model_copy(update={"totals": totals}))


def test_no_language_is_claimed_where_a_source_passes_no_language_stage(out: Path) -> None:
    manifest = Manifest.load(str(out))
    only_web = manifest.stages[0].model_copy(update={"sources": ("web",)})
    assert "language:" not in card(manifest.model_copy(update={"stages": (only_web,)}))


def test_cards_of_different_shards_differ(out: Path) -> None:
    manifest = Manifest.load(str(out))
    fewer = manifest.model_copy(update={"shards": manifest.shards[:1]})
    descriptions = {
        yaml.safe_load(card(made).split("---\n")[1])["configs"][0]["description"]
        for made in (manifest, fewer)
    }
    assert len(descriptions) == 2


@pytest.mark.filterwarnings("default")  # What other packages warn of is not ours to mend.
def test_datasets_loads_the_shards_and_nothing_else(out: Path, tmp_path: Path) -> None:
    """Of two runs in folders of the same name too: `datasets` caches what it reads by the folder's name."""
    datasets = pytest.importorskip("datasets", reason="Hugging Face datasets is not installed")
    shutil.copytree(out, tmp_path / "other" / "out")
    path = tmp_path / "other" / "out" / "manifest.json"
    manifest = json.loads(path.read_text())
    gone = manifest["shards"].pop(0)
    (path.parent / gone["path"]).unlink()
    path.write_text(json.dumps(manifest))
    for folder, rows in ((out, 8), (path.parent, 3)):
        write_card(str(folder))
        loaded = datasets.load_dataset(str(folder), split="train", cache_dir=str(tmp_path / "cache"))
        assert len(loaded) == rows
        assert set(loaded.column_names) == {"text", "source"}


def test_one_of_a_thing_is_no_plural(out: Path) -> None:
    manifest = Manifest.load(str(out))
    assert ", in 2 Parquet shards.\n" in card(manifest)
    totals = manifest.totals.model_copy(update={"rows_out": 1, "tokens_out": 1})
    one = manifest.model_copy(update={"totals": totals, "shards": manifest.shards[:1]})
    assert "\n1 document, about 1 token, estimated from bytes (4 a token), in 1 Parquet shard.\n" in card(one)
