"""Every near-duplicate that goes is similar, by exact Jaccard of its shingles, to a document that stays."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from curate.io.ledger import Ledger, unpack_doc
from curate.io.manifest import Manifest
from curate.recipe import load_recipe
from curate.run import run
from curate.synth import generate
from tests.shared_data import shared_data

MIN_SIMILARITY = 0.8
#: Of 128 slots at 0.8: sqrt(0.8 * 0.2 / 128), and the collisions of one-byte slots.
STANDARD_ERROR = 0.0355

RECIPE = """
name: witnesses
sources:
  - {name: fineweb-edu, path: "DATA/fineweb-edu/**/*.parquet"}
  - {name: dclm, path: "DATA/dclm/**/*.parquet"}
  - {name: zyda-1, path: "DATA/zyda-1/**/*.parquet"}
stages:
  - exact_dedup
  - fuzzy_dedup: {scope: SCOPE, bands: 16, verify: {min_similarity: 0.8, exact: EXACT}}
"""


def shingles(text: str) -> set[bytes]:
    data = text.encode()
    return {data[i : i + 25] for i in range(max(1, len(data) - 24))}


class Texts:
    def __init__(self, out: Path) -> None:
        self._files = {
            (source.index, file.index): pq.read_table(file.path, columns=["text"])["text"]
            for source in Manifest.load(str(out)).sources
            for file in source.files
        }

    def __getitem__(self, doc: int) -> str:
        source, file, row = unpack_doc(doc)
        text: str = self._files[source, file][row].as_py()
        return text


def check(out: Path, across: bool, exact: bool = False) -> int:
    """Check all drops of the run; returns how many near-duplicates went."""
    least = MIN_SIMILARITY if exact else MIN_SIMILARITY - 4 * STANDARD_ERROR
    texts = Texts(out)
    rows = Ledger(str(out)).arrow(["doc", "dropped_by", "duplicate_of", "similarity"]).to_pylist()
    stage_of = {row["doc"]: row["dropped_by"] for row in rows}
    fuzzy = 0
    for row in rows:
        if row["dropped_by"] == "exact_dedup":
            assert texts[row["doc"]] == texts[row["duplicate_of"]]
        if row["dropped_by"] == "fuzzy_dedup":
            fuzzy += 1
            assert stage_of[row["duplicate_of"]] is None, "a witness stays: no chains"
            assert row["duplicate_of"] < row["doc"], "the better ranked document stays"
            assert not across or row["duplicate_of"] >> 56 != row["doc"] >> 56
            a, b = shingles(texts[row["doc"]]), shingles(texts[row["duplicate_of"]])
            assert len(a & b) / len(a | b) >= least
    return fuzzy


@pytest.mark.parametrize("scope", ["all", "across"])
def test_planted_duplicates(tmp_path: Path, scope: str) -> None:
    generate(tmp_path / "data", 3_000, seed=5)
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        RECIPE.replace("DATA", str(tmp_path / "data")).replace("SCOPE", scope).replace("EXACT", "false")
    )
    run(load_recipe(str(recipe)), str(tmp_path / "out"))
    assert check(tmp_path / "out", scope == "across") > 50


@pytest.mark.parametrize("exact", [False, True])
def test_real_documents(tmp_path: Path, exact: bool) -> None:
    corpora = shared_data("corpora")
    recipe = tmp_path / "recipe.yaml"
    text = RECIPE.replace("DATA", str(corpora)).replace("SCOPE", "all")
    recipe.write_text(text.replace("EXACT", "true" if exact else "false"))
    run(load_recipe(str(recipe)), str(tmp_path / "out"))
    assert check(tmp_path / "out", across=False, exact=exact) > 1_000
