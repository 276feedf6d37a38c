"""Deduplication against earlier runs: their documents stay, and their texts are not read."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from curate.dedup import similarity
from curate.dedup.sketch import Sketcher
from curate.errors import OutputError, SourceError
from curate.kernels import Texts
from curate.report import explain
from curate.run import clean
from curate.stages.fuzzy_config import FuzzyDedupConfig
from tests.run.corpora import document, edited
from tests.run.pages import kept, rows, run_stages, witnesses, write_pages

STAGES = """  - exact_dedup
  - fuzzy_dedup: {threshold: 0.7, verify: {min_similarity: 0.7}}"""


def looking_at(*runs: Path, scope: str = "all", settings: str = "threshold: 0.7") -> str:
    against = ", ".join(str(run) for run in runs)
    return f"""  - exact_dedup: {{against: [{against}], scope: {scope}}}
  - fuzzy_dedup: {{{settings}, verify: {{min_similarity: 0.7}}, against: [{against}], scope: {scope}}}"""


@pytest.fixture
def yesterday(tmp_path: Path) -> Path:
    """Kept: old 0 to 9 and 12. Dropped as duplicates: old 10 (of 0) and 11 (nearly 1)."""
    texts = [*(document(i) for i in range(10)), document(0), edited(document(1)), document(50)]
    pages = [{"id": f"old{i}", "text": text} for i, text in enumerate(texts)]
    write_pages(tmp_path / "old/a.parquet", pages[:4])
    write_pages(tmp_path / "old/b.parquet", pages[4:])
    out = run_stages(tmp_path, ["old"], STAGES, "yesterday")
    assert witnesses(out) == {"old10": "old0", "old11": "old1"}
    for file in (tmp_path / "old").iterdir():
        file.unlink()
    return out


def new_pages(folder: Path) -> None:
    texts = {
        "same": document(5),
        "near": edited(document(6)),
        "fresh": document(30),
        "fresh-again": document(30),
        "fresh-near": edited(document(30)),
        "other": document(31),
    }
    write_pages(folder / "new/a.parquet", [{"id": name, "text": text} for name, text in texts.items()])


def doc_of(out: Path, name: str) -> int:
    return int(rows(out)[name]["doc"])


def test_a_new_crawl_against_yesterdays(tmp_path: Path, yesterday: Path) -> None:
    new_pages(tmp_path)
    out = run_stages(tmp_path, ["new"], looking_at(yesterday))
    assert kept(out) == {"fresh", "other"}
    assert witnesses(out) == {"fresh-again": "fresh", "fresh-near": "fresh"}
    found = rows(out)
    for name, old, stage in (("same", "old5", "exact_dedup"), ("near", "old6", "fuzzy_dedup")):
        row = found[name]
        assert (row["dropped_by"], row["duplicate_in"]) == (stage, str(yesterday))
        assert row["duplicate_of"] == doc_of(yesterday, old)
        assert (row["cluster"], row["cluster_size"]) == (row["doc"], 2)
    stats = json.loads((out / "report/stats.json").read_text())
    assert [entry["matrix"] for entry in stats["dedup"]] == [{"new": {"new": 1, str(yesterday): 1}}] * 2
    assert [entry["orphans"] for entry in stats["dedup"]] == [{}, {}]
    assert str(yesterday) in (out / "report/index.html").read_text()


def estimate(settings: dict[str, object], a: str, b: str) -> float:
    """What the signatures of two texts say."""
    sketcher: Sketcher = FuzzyDedupConfig.model_validate(settings).sketcher()
    texts = Texts.from_arrow(pa.array([a, b]))
    signatures = sketcher.sketch(texts, np.arange(2)).signatures
    return float(similarity(signatures[:1], signatures[1:])[0])


def shingles(text: str) -> set[str]:
    return {text[i : i + 25] for i in range(len(text) - 24)}


def test_texts_decide_inside_the_run_and_signatures_against_yesterdays(
    tmp_path: Path, yesterday: Path
) -> None:
    new_pages(tmp_path)
    stage = f"""  - exact_dedup
  - fuzzy_dedup: {{threshold: 0.7, verify: {{exact: true, min_similarity: 0.7}}, against: [{yesterday}]}}"""
    out = run_stages(tmp_path, ["new"], stage)
    assert kept(out) == {"fresh", "other"}
    found = rows(out)
    fresh, near = shingles(document(30)), shingles(edited(document(30)))
    assert found["fresh-near"]["duplicate_in"] is None
    assert found["fresh-near"]["similarity"] == np.float32(len(fresh & near) / len(fresh | near))
    assert found["near"]["duplicate_in"] == str(yesterday)
    assert found["near"]["similarity"] == np.float32(
        estimate({"threshold": 0.7}, edited(document(6)), document(6))
    )
    assert found["same"]["similarity"] == 1.0


def test_explain_finds_the_witness_in_the_earlier_run(tmp_path: Path, yesterday: Path) -> None:
    new_pages(tmp_path)
    out = run_stages(tmp_path, ["new"], looking_at(yesterday))
    (witness,) = explain(str(out), "near").witnesses
    assert witness.name == f"{yesterday}, old:1:2"
    assert (witness.row["id"], witness.fate) == ("old6", "kept")
    assert witness.text.text is None
    yesterday.rename(tmp_path / "away")
    (witness,) = explain(str(out), "near").witnesses
    assert "no manifest" in witness.text.missing


def test_only_what_the_earlier_run_kept_counts(tmp_path: Path) -> None:
    """`short` is dropped before the stage; `later` by a filter after it, so it was kept there and counts."""
    old = {"short": document(1, 3), "kept": document(2), "later": document(3)}
    write_pages(tmp_path / "old/a.parquet", [{"id": name, "text": text} for name, text in old.items()])
    stages = f"  - where: {{keep: bytes > 500}}\n{STAGES}\n  - where: {{keep: id <> 'later'}}"
    earlier = run_stages(tmp_path, ["old"], stages, "earlier")
    assert kept(earlier) == {"kept"}
    write_pages(tmp_path / "new/a.parquet", [{"id": name, "text": text} for name, text in old.items()])
    assert kept(run_stages(tmp_path, ["new"], looking_at(earlier))) == {"short"}


@pytest.mark.parametrize("scope", ["all", "across"])
def test_several_runs_the_first_is_the_best(tmp_path: Path, yesterday: Path, scope: str) -> None:
    write_pages(tmp_path / "mid/a.parquet", [{"id": "mid", "text": edited(document(5))}])
    middle = run_stages(tmp_path, ["mid"], STAGES, "middle")
    write_pages(tmp_path / "new/a.parquet", [{"id": "same", "text": document(5)}])
    for number, runs in enumerate([(yesterday, middle), (middle, yesterday)]):
        out = run_stages(tmp_path, ["new"], looking_at(*runs, scope=scope), f"out{number}")
        row = rows(out)["same"]
        assert row["dropped_by"] == "exact_dedup", "the same text is in yesterday's run alone"
        assert row["duplicate_in"] == str(yesterday)
    write_pages(tmp_path / "new/a.parquet", [{"id": "near", "text": document(5) + " One more word."}])
    for number, runs in enumerate([(yesterday, middle), (middle, yesterday)]):
        out = run_stages(tmp_path, ["new"], looking_at(*runs, scope=scope), f"near{number}")
        row = rows(out)["near"]
        assert (row["dropped_by"], row["duplicate_in"], row["cluster_size"]) == (
            "fuzzy_dedup",
            str(runs[0]),
            3,
        )


def test_earlier_documents_stay_out_of_the_output_and_unverified_clusters(
    tmp_path: Path, yesterday: Path
) -> None:
    new_pages(tmp_path)
    stage = f"  - fuzzy_dedup: {{threshold: 0.7, verify: false, against: [{yesterday}]}}"
    out = run_stages(tmp_path, ["new"], stage)
    assert kept(out) == {"fresh", "other"}
    assert len(rows(out)) == 6


def test_resuming_notices_a_changed_earlier_run(tmp_path: Path, yesterday: Path) -> None:
    new_pages(tmp_path)
    run_stages(tmp_path, ["new"], looking_at(yesterday))
    write_pages(tmp_path / "old/a.parquet", [{"id": "old", "text": document(31)}])
    run_stages(tmp_path, ["old"], STAGES, "yesterday")
    assert kept(run_stages(tmp_path, ["new"], looking_at(yesterday))) == {"same", "near", "fresh"}


def test_runs_that_cannot_be_compared_with(tmp_path: Path, yesterday: Path) -> None:
    new_pages(tmp_path)
    with pytest.raises(SourceError, match="seed is 10\n  expected: seed: 11"):
        run_stages(tmp_path, ["new"], looking_at(yesterday, settings="threshold: 0.7, seed: 11"))
    with pytest.raises(SourceError, match="no manifest"):
        run_stages(tmp_path, ["new"], looking_at(tmp_path / "nowhere"))
    filters = run_stages(tmp_path, ["new"], "  - where: {keep: bytes > 1}", "filters")
    with pytest.raises(SourceError, match="a run without exact_dedup"):
        run_stages(tmp_path, ["new"], looking_at(filters))
    with pytest.raises(OutputError, match="is the folder that this run writes"):
        run_stages(tmp_path, ["new"], looking_at(yesterday), "yesterday")
    clean(str(yesterday))
    with pytest.raises(SourceError, match="exchange files of the earlier run are gone"):
        run_stages(tmp_path, ["new"], looking_at(yesterday))
