"""What a run writes: the right documents, witnesses for the others, numbers that add up."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from curate.io.ledger import Ledger
from curate.recipe import load_recipe
from curate.report import verify
from curate.run import clean, run
from tests.run.corpora import RECIPE, document, edited, write_corpora, write_recipe

UNMIXED = RECIPE.replace("mix: {weights: {best: 5, middle: 3, last: 2}, seed: 1}\n", "")


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("outputs")
    write_corpora(folder)
    run(load_recipe(str(write_recipe(folder, UNMIXED))), str(folder / "out"), workers=2)
    return folder / "out"


def rows(out: Path) -> list[dict[str, object]]:
    return [row for path in sorted((out / "data").iterdir()) for row in pq.read_table(path).to_pylist()]


def test_planted_duplicates_go_and_name_their_witness(finished: Path) -> None:
    dropped = (
        Ledger(str(finished)).arrow(["source", "id", "dropped_by", "duplicate_of", "similarity"]).to_pylist()
    )
    ledger = Ledger(str(finished))
    found = {
        row["id"]: (row["dropped_by"], ledger.document(row["duplicate_of"])["id"])
        for row in dropped
        if row["duplicate_of"] is not None
    }
    near = {f"middle-{100 + i}": ("fuzzy_dedup", f"best-{i}") for i in (1, 2, 3, 5)}
    assert found == {"middle-100": ("exact_dedup", "best-0"), **near, "last-0": ("fuzzy_dedup", "middle-110")}


def test_a_survivor_passed_the_filters_before_it(finished: Path) -> None:
    """best-4 and best-9 fail `where`, so their duplicates stay."""
    ledger = Ledger(str(finished))
    assert ledger.document("best-4")["reason"] == "where.not_kept"
    assert ledger.document("middle-104")["dropped_by"] is None
    assert ledger.document("best-79")["dropped_by"] == "where"


def test_shards_hold_what_is_kept(finished: Path) -> None:
    written = {row["id"]: row for row in rows(finished)}
    kept = Ledger(str(finished)).arrow(["id"], where="copies > 0")["id"].to_pylist()
    assert sorted(written) == sorted(kept)
    assert written["best-10"]["text"] == document(10)
    assert written["middle-104"]["text"] == edited(document(4))
    assert written["best-10"]["score"] == 0
    assert written["best-10"]["url"] == "https://example.org/10"
    assert written["last-3"]["meta"] == '{"n":3}'
    assert written["last-3"]["url"] is None
    assert {row["source"] for row in written.values()} == {"best", "middle", "last"}


def test_every_shard_holds_the_sources_in_proportion(finished: Path) -> None:
    manifest = json.loads((finished / "manifest.json").read_text())
    assert len(manifest["shards"]) > 1
    for source in manifest["sources"]:
        share = source["rows_out"] / len(manifest["shards"])
        for shard in manifest["shards"]:
            assert abs(shard["rows_by_source"].get(source["name"], 0) - share) <= 2


def test_shards_are_shuffled(finished: Path) -> None:
    ids = [row["id"] for row in pq.read_table(sorted((finished / "data").iterdir())[0]).to_pylist()]
    assert ids != sorted(ids)


def test_numbers_add_up(finished: Path) -> None:
    assert verify(str(finished)) == []
    stats = json.loads((finished / "report/stats.json").read_text())
    for name, source in stats["sources"].items():
        dropped = sum(
            sum(stage["sources"][name]["reasons"].values())
            for stage in stats["stages"]
            if name in stage["sources"]
        )
        assert source["documents"] == source["kept"] + dropped
    assert sum(source["documents"] for source in stats["sources"].values()) == 160


def test_the_mix_comes_out_as_asked(tmp_path: Path) -> None:
    write_corpora(tmp_path)
    run(load_recipe(str(write_recipe(tmp_path))), str(tmp_path / "out"))
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    tokens = {source["name"]: source["tokens_out"] for source in manifest["sources"]}
    shares = {name: count / sum(tokens.values()) for name, count in tokens.items()}
    for name, asked in {"best": 0.5, "middle": 0.3, "last": 0.2}.items():
        assert abs(shares[name] - asked) < 0.06, shares
    assert verify(str(tmp_path / "out")) == []


def test_clean_leaves_the_dataset(tmp_path: Path) -> None:
    write_corpora(tmp_path)
    out = tmp_path / "out"
    run(load_recipe(str(write_recipe(tmp_path))), str(out))
    clean(str(out))
    assert not (out / "run").exists()
    assert verify(str(out)) == []
