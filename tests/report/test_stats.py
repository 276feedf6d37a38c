"""The figures of the small run, each counted by hand from the documents in outputs.py."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import OutputError
from curate.report.stats import check_conservation, compute_stats


@pytest.fixture
def stats(out: Path) -> dict:
    return compute_stats(str(out))


def test_sources_and_totals(stats: dict) -> None:
    web = {"documents": 7, "kept": 2, "rows_out": 3, "bytes_in": 240, "bytes_out": 120}
    web |= {"tokens_in": 60, "tokens_out": 30, "quarantined": 1}
    books = {"documents": 6, "kept": 2, "rows_out": 4, "bytes_in": 480, "bytes_out": 320}
    books |= {"tokens_in": 120, "tokens_out": 80, "quarantined": 0}
    forum = {"documents": 5, "kept": 1, "rows_out": 1, "bytes_in": 400, "bytes_out": 80}
    forum |= {"tokens_in": 100, "tokens_out": 20, "quarantined": 0}
    assert stats["sources"] == {"web": web, "books": books, "forum": forum}
    assert stats["totals"] == {name: web[name] + books[name] + forum[name] for name in web}


def test_stages_in_order_with_what_each_dropped(stats: dict) -> None:
    names = [stage["name"] for stage in stats["stages"]]
    assert names == ["read", "language", "heuristics", "exact", "fuzzy", "quality", "mix"]
    by_name = {stage["name"]: stage["sources"] for stage in stats["stages"]}
    assert [stage["web"]["documents_in"] for stage in by_name.values()] == [7, 6, 5, 4, 4, 4, 3]
    assert list(by_name["heuristics"]) == ["web", "books"]
    assert by_name["heuristics"]["books"] == {
        "documents_in": 6,
        "dropped": 1,
        "tokens_dropped": 20,
        "bytes_dropped": 80,
        "reasons": {"gopher_repetition.top_2_gram": 1},
    }
    assert by_name["fuzzy"]["forum"]["reasons"] == {"fuzzy.duplicate": 3}
    assert by_name["mix"]["web"]["reasons"] == {"mix.weight": 1}


def test_duplicates_between_sources(stats: dict) -> None:
    exact, fuzzy = stats["dedup"]
    assert exact["matrix"] == {"forum": {"books": 1}}
    assert fuzzy["matrix"] == {"books": {"web": 2}, "forum": {"web": 2, "books": 1}}
    assert exact["clusters"]["count"] == 1
    assert fuzzy["clusters"] == {
        "count": 4,
        "documents": 10,
        "largest": 3,
        "sizes": [{"from": 2, "to": 3, "clusters": 4, "documents": 10}],
    }


def test_similarities_fall_in_the_bin_they_start(stats: dict) -> None:
    similarity = stats["dedup"][1]["similarity"]
    filled = {similarity["edges"][bin]: count for bin, count in enumerate(similarity["counts"]) if count}
    assert filled == {0.8: 1, 0.85: 1, 0.9: 1, 0.925: 1, 0.975: 1}
    assert similarity["unmeasured"] == 0


def test_orphans_follow_the_chain_of_witnesses(stats: dict) -> None:
    """The twin of web 1:0 and its own exact twin lost their text; the twins of a mixed-out document and of a
    document whose cluster still has a member did not."""
    assert [stage["orphans"] for stage in stats["dedup"]] == [{"forum": 1}, {"books": 1}]


def test_languages_quality_mix_and_quarantine(stats: dict) -> None:
    assert stats["languages"] == {"web": {"en": 5, "de": 1}, "books": {"en": 6}, "forum": {"en": 5}}
    (quality,) = stats["quality"]
    assert quality["labels"] == {"web": {"High": 1, "Low": 1}, "books": {"Low": 1}}
    assert {source: sum(counts) for source, counts in quality["scores"].items()} == {"books": 1, "web": 2}
    assert quality["scores"]["web"][15] == 1
    assert stats["mix"]["asked"] == {"web": 0.5, "books": 0.25, "forum": 0.25}
    assert stats["mix"]["got"] == pytest.approx({"web": 30 / 130, "books": 80 / 130, "forum": 20 / 130})
    assert stats["mix"]["copies"] == {"web": 1.0, "books": 2.0, "forum": 1.0}
    assert stats["quarantine"] == {"web": {"invalid_utf8": 1}}


def test_languages_beyond_twenty_are_put_together(out: Path) -> None:
    path = out / "ledger" / "forum" / "forum.parquet"
    table = pq.read_table(path)
    rows = [row | {"lang": f"l{index:02}"} for row in table.to_pylist() for index in range(23)]
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    languages = compute_stats(str(out))["languages"]["forum"]
    assert len(languages) == 21
    assert languages["l19"] == 5
    assert languages["other"] == 3 * 5


def test_conservation(out: Path, stats: dict) -> None:
    check_conservation(stats)
    stats["sources"]["books"]["kept"] += 1
    with pytest.raises(OutputError, match="source books: 6 documents, 3 kept and 4 dropped"):
        check_conservation(stats)


def test_the_same_output_gives_the_same_figures(out: Path, stats: dict) -> None:
    again = json.dumps(compute_stats(str(out)))
    assert again == json.dumps(stats)


def test_a_stage_that_the_manifest_does_not_have_is_an_error(out: Path) -> None:
    path = out / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["stages"] = [stage for stage in manifest["stages"] if stage["name"] != "quality"]
    path.write_text(json.dumps(manifest))
    with pytest.raises(OutputError, match="dropped_by quality"):
        compute_stats(str(out))


def test_probabilities_just_above_one_need_no_axis_to_two(out: Path) -> None:
    for path in (out / "ledger").rglob("*.parquet"):
        table = pq.read_table(path)
        if "quality" in table.column_names:
            place = table.column_names.index("quality")
            above = pa.array([1.00001] * len(table), pa.float32())
            pq.write_table(table.set_column(place, "quality", above), path)
    (quality,) = compute_stats(str(out))["quality"]
    assert quality["edges"][-1] == 1
    assert all(sum(counts) == counts[-1] > 0 for counts in quality["scores"].values())


def test_each_column_of_scores_has_a_distribution(out: Path) -> None:
    """A second classifier scores books from 0 to 5 in a column of its own, and keeps 2 to 4.5."""
    path = out / "ledger" / "books" / "books.parquet"
    table = pq.read_table(path)
    grades = pa.array([0.2, 1.0, 2.5, None, float("nan"), 4.9], pa.float32())
    names = pa.array(["0", "1", "2", None, None, "5"])
    pq.write_table(table.append_column("edu", grades).append_column("edu_label", names), path)
    manifest = json.loads((out / "manifest.json").read_text())
    bounds = {"column": "edu", "min_score": 2.0, "max_score": 4.5}
    stage = {"name": "education", "kind": "quality", "sources": ["books"], "definition": bounds}
    manifest["stages"].insert(-1, {**stage, "rules": ["quality.low_score"]})
    (out / "manifest.json").write_text(json.dumps(manifest))
    stats = compute_stats(str(out))
    assert [(entry["column"], entry["stages"]) for entry in stats["quality"]] == [
        ("quality", ["quality"]),
        ("edu", ["education"]),
    ]
    education = stats["quality"][1]
    assert education["thresholds"] == [2.0, 4.5]
    assert education["labels"] == {"books": {"0": 1, "1": 1, "2": 1, "5": 1}}
    assert (education["edges"][0], education["edges"][-1]) == (0, 5)
    assert {place: number for place, number in enumerate(education["scores"]["books"]) if number} == {
        **{0: 1, 4: 1},
        **{10: 1, 19: 1},
    }


def test_a_run_without_optional_columns_has_figures(out: Path) -> None:
    for path in (out / "ledger").rglob("*.parquet"):
        pq.write_table(pq.read_table(path, columns=["doc", "bytes", "tokens"]), path)
    stats = compute_stats(str(out))
    assert stats["totals"]["kept"] == stats["totals"]["rows_out"] == 18
    assert stats["languages"] == {}
    assert stats["quality"] == []
    assert [stage["matrix"] for stage in stats["dedup"]] == [{}, {}]
