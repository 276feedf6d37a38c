"""`fuzzy_dedup`: exact verification, preferences, normal forms, and guards with their evidence."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from curate.errors import GuardError
from curate.io.ledger import Ledger
from curate.plan import plan
from curate.recipe import load_recipe
from curate.run import run
from curate.synth import generate
from tests.run.corpora import document, edited
from tests.run.outputs import output_bytes
from tests.run.pages import kept, rows, run_stages, witnesses, write_pages
from tests.run.test_witnesses import Texts

EXACT = "{bands: 32, verify: {min_similarity: 0.8, exact: true}}"


def shingles(text: str, length: int = 25) -> set[bytes]:
    data = text.encode()
    return {data[i : i + length] for i in range(max(1, len(data) - length + 1))}


def jaccard(a: str, b: str) -> float:
    left, right = shingles(a), shingles(b)
    return len(left & right) / len(left | right)


def ladder(start: int, steps: int) -> list[str]:
    """Texts of which each is similar to the next (over 0.8), and the first to the last not at all."""
    words = document(start, 40).split()
    fresh = iter(document(start + 1, 40 * steps).split())
    texts = [" ".join(words)]
    for step in range(steps):
        width = len(words) // 20
        words[step * width : (step + 1) * width] = [next(fresh) for _ in range(width)]
        texts.append(" ".join(words))
    return texts


def test_no_chains(tmp_path: Path) -> None:
    texts = ladder(1, 19)
    assert all(jaccard(a, b) > 0.85 for a, b in pairwise(texts))
    assert jaccard(texts[0], texts[-1]) < 0.2
    write_pages(tmp_path / "a/a.parquet", [{"id": f"t{i}", "text": text} for i, text in enumerate(texts)])
    out = run_stages(tmp_path, ["a"], f"  - fuzzy_dedup: {EXACT}")
    found = rows(out)
    assert {row["cluster_size"] for row in found.values()} == {20}, "intermediates unite them"
    stay: list[int] = []
    for i, text in enumerate(texts):  # the walk, in plain Python
        similar = [j for j in stay if jaccard(text, texts[j]) >= 0.8]
        if similar:
            assert witnesses(out)[f"t{i}"] == f"t{similar[0]}"
            assert found[f"t{i}"]["similarity"] == pytest.approx(jaccard(text, texts[similar[0]]), abs=1e-6)
        else:
            stay.append(i)
    assert kept(out) == {f"t{i}" for i in stay}
    assert 3 < len(stay) < 15


@pytest.mark.parametrize("scope", ["all", "across"])
@pytest.mark.parametrize("cut", ["{unit: char, length: 25}", "{unit: word, length: 5}"])
def test_every_drop_reaches_the_similarity_exactly(tmp_path: Path, scope: str, cut: str) -> None:
    generate(tmp_path, 1_500, seed=8)
    sources = ["fineweb-edu", "dclm", "zyda-1"]
    listed = "".join(f'  - {{name: {name}, path: "{tmp_path}/{name}/**/*.parquet"}}\n' for name in sources)
    stage = f"{{bands: 32, scope: {scope}, shingles: {cut}, verify: {{min_similarity: 0.8, exact: true}}}}"
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(f"name: exact\nsources:\n{listed}stages:\n  - exact_dedup\n  - fuzzy_dedup: {stage}\n")
    loaded = load_recipe(str(recipe))
    assert plan(loaded).text_reads("dclm") == 3
    run(loaded, str(tmp_path / "out"), workers=2)
    texts = Texts(tmp_path / "out")
    table = (
        Ledger(str(tmp_path / "out")).arrow(["doc", "duplicate_of", "similarity", "dropped_by"]).to_pylist()
    )
    stays = {row["doc"] for row in table if row["dropped_by"] is None}
    dropped = [row for row in table if row["dropped_by"] == "fuzzy_dedup"]
    assert len(dropped) > 20
    for row in dropped:
        assert row["duplicate_of"] in stays
        assert scope == "all" or row["doc"] >> 56 != row["duplicate_of"] >> 56
        if "char" in cut:
            measured = jaccard(texts[row["doc"]], texts[row["duplicate_of"]])
            assert measured >= 0.8
            assert row["similarity"] == pytest.approx(measured, abs=1e-6)
        assert row["similarity"] >= 0.7999999


def test_exact_verification_by_any_number_of_workers(tmp_path: Path) -> None:
    texts = [document(i // 3) if i % 3 == 0 else edited(document(i // 3)) + " " * (i % 3) for i in range(60)]
    for file in range(4):
        pages = [{"id": f"d{i}", "text": texts[i]} for i in range(file * 15, file * 15 + 15)]
        write_pages(tmp_path / f"a/{file}.parquet", pages)
    one = run_stages(tmp_path, ["a"], f"  - fuzzy_dedup: {EXACT}", "one", workers=1)
    recipe = tmp_path / "one.yaml"
    run(load_recipe(str(recipe)), str(tmp_path / "two"), workers=3, batch_documents=4)
    assert output_bytes(one) == output_bytes(tmp_path / "two")
    run(load_recipe(str(recipe)), str(tmp_path / "two"))
    assert output_bytes(one) == output_bytes(tmp_path / "two")
    assert len(witnesses(one)) == 40


@pytest.mark.parametrize("prefer", ["-score", "longest"])
def test_preference_does_not_depend_on_the_order_of_files(tmp_path: Path, prefer: str) -> None:
    draw = random.Random(3)
    pages: list[dict[str, Any]] = []
    for text in range(8):
        for copy in range(5):
            words = document(text, 20).split()
            words[40 + copy] = "notwithstanding"
            body = " ".join(words) + " end" * copy
            pages.append({"id": f"{text}-{copy}", "text": body, "score": (copy * 3 + text) % 5})
    survivors = []
    for order in range(3):
        draw.shuffle(pages)
        for file in range(4):
            write_pages(tmp_path / f"{order}/a/{file}.parquet", pages[file * 10 : file * 10 + 10])
        stage = f"  - fuzzy_dedup: {{bands: 32, prefer: {prefer}, verify: {{min_similarity: 0.7}}}}"
        out = run_stages(tmp_path / str(order), ["a"], stage)
        found = rows(out)
        for name, witness in witnesses(out).items():
            assert found[witness]["doc"] == found[name]["cluster"], (
                "a cluster is named after its best document"
            )
        survivors.append(kept(out))
    value = (lambda page: page["score"]) if prefer == "-score" else (lambda page: len(page["text"]))
    best = {
        max((page for page in pages if page["id"].startswith(f"{text}-")), key=value)["id"]
        for text in range(8)
    }
    assert survivors == [best] * 3


def test_normal_texts_are_near_duplicates(tmp_path: Path) -> None:
    text = document(1)
    loud = text.upper().replace(".", " !!\n")
    write_pages(tmp_path / "a/a.parquet", [{"id": "x", "text": text}, {"id": "y", "text": loud}])
    for verify in ("{exact: true}", "{exact: false}"):
        stage = f"  - fuzzy_dedup: {{normalize: [lowercase, punctuation], verify: {verify}}}"
        out = run_stages(tmp_path, ["a"], stage)
        assert witnesses(out) == {"y": "x"}
        assert rows(out)["y"]["similarity"] == 1.0
    assert witnesses(run_stages(tmp_path, ["a"], "  - fuzzy_dedup")) == {}


def test_a_threshold(tmp_path: Path) -> None:
    pages = [
        {"id": f"d{i}", "text": text}
        for i, text in enumerate([document(1), edited(document(1)), document(2)])
    ]
    write_pages(tmp_path / "a/a.parquet", pages)
    stage = "  - fuzzy_dedup: {threshold: 0.6, hashes: 113, verify: {min_similarity: 0.6}}"
    assert witnesses(run_stages(tmp_path, ["a"], stage)) == {"d1": "d0"}


class TestGuards:
    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        write_pages(tmp_path / "a/a.parquet", [{"id": f"a{i}", "text": document(i)} for i in range(10)])
        copies = [{"id": f"b{i}", "text": edited(document(i % 3))} for i in range(9)]
        write_pages(tmp_path / "b/b.parquet", copies)
        return tmp_path

    def evidence(self, folder: Path, guards: str) -> tuple[str, dict[str, Any]]:
        with pytest.raises(GuardError) as error:
            run_stages(
                folder,
                ["a", "b"],
                f"  - fuzzy_dedup: {{threshold: 0.7, verify: {{min_similarity: 0.7}}, {guards}}}",
            )
        assert not (folder / "out/data").exists()
        assert not (folder / "out/manifest.json").exists()
        page = (folder / "out/report/guard.html").read_text()
        assert str(error.value.problems[0].where) in page
        return page, json.loads((folder / "out/report/guard.json").read_text())

    def test_a_source_that_loses_too_much(self, folder: Path) -> None:
        page, found = self.evidence(folder, "guards: {max_source_loss: 0.5}")
        assert found["sources"] == {
            "a": {"documents": 10, "in_clusters": 3, "lost": 0},
            "b": {"documents": 9, "in_clusters": 9, "lost": 9},
        }
        assert [cluster["documents"] for cluster in found["clusters"]] == [4, 4, 4]
        assert found["clusters"][0]["sources"] == {"a": 1, "b": 3}
        sample = found["clusters"][0]["sample"]
        assert [entry["document"] for entry in sample] == ["a:0:0", "b:0:0", "b:0:3", "b:0:6"]
        assert document(0).startswith(sample[0]["text"])
        assert sample[0]["text"][:60] in page

    def test_a_cluster_that_is_too_large(self, folder: Path) -> None:
        _, found = self.evidence(folder, "guards: {max_cluster: 3}")
        assert found["sources"]["b"] == {"documents": 9, "in_clusters": 9, "lost": None}
        assert "4 documents around a:0:0" in found["problems"][0]["found"]

    def test_a_run_that_goes_through_leaves_no_evidence(self, folder: Path) -> None:
        self.evidence(folder, "guards: {max_cluster: 3}")
        run_stages(folder, ["a", "b"], "  - fuzzy_dedup: {threshold: 0.7, guards: {max_cluster: 4}}")
        assert not (folder / "out/report/guard.json").exists()
        assert not (folder / "out/report/guard.html").exists()
        assert (folder / "out/report/index.html").exists()
