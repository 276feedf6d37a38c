"""Distributions of the rules' statistics: counted over columns where they were kept, over drops where not."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.report import compute_stats
from curate.report.distributions import Bins


def rules_of(out: Path) -> dict[str, dict]:
    return {rule["rule"]: rule for rule in compute_stats(str(out))["rules"]}


def count_at(rule: dict, source: str, value: float) -> int:
    """The count of the bin that holds a value; the last bin has its upper edge too."""
    bins = list(itertools.pairwise(rule["edges"]))
    place = next(
        at
        for at, (low, high) in enumerate(bins)
        if low <= value < high or (at == len(bins) - 1 and value == high)
    )
    return rule["counts"][source][place]


def define(out: Path, definition: dict) -> None:
    path = out / "manifest.json"
    manifest = json.loads(path.read_text())
    next(stage for stage in manifest["stages"] if stage["name"] == "heuristics")["definition"] = definition
    path.write_text(json.dumps(manifest))


def test_drops_are_counted_where_the_statistic_was_not_kept(out: Path) -> None:
    rules = rules_of(out)
    assert list(rules) == [
        "language.other",
        "gopher_quality.short",
        "gopher_repetition.top_2_gram",
        "quality.label",
    ]
    label = rules["quality.label"]
    assert (label["values_of"], label["dropped"], label["undefined"]) == ("drops", 2, 0)
    assert (label["min"], label["max"]) == (None, None)
    assert count_at(label, "web", 0.25) == count_at(label, "books", 0.25) == 1


def test_bounds_are_those_of_the_definition(out: Path) -> None:
    rule = {"rule": "gopher_quality.short", "measure": "words", "min": 50.0, "max": 100_000.0}
    german = {**rule, "min": 20.0}
    define(out, {"rules": [rule], "by_language": {"de": [german], "fr": [rule]}})
    found = rules_of(out)["gopher_quality.short"]
    assert (found["min"], found["max"], found["own_bounds"]) == (50.0, 100_000.0, ["de"])
    assert found["scale"] == "log"
    assert found["edges"][0] <= 3.0
    assert found["edges"][-1] >= 100_000
    assert count_at(found, "web", 3.0) == 1


def test_a_kept_statistic_is_counted_over_all_documents(out: Path) -> None:
    path = out / "ledger" / "books" / "books.jsonl".replace(".jsonl", ".parquet")
    table = pq.read_table(path)
    kept = pa.array([0.1, 0.15, None, 0.5, float("nan"), 0.1])
    pq.write_table(table.append_column("gopher_repetition.top_2_gram", kept), path)
    rule = {"rule": "gopher_repetition.top_2_gram", "measure": "top_2_gram", "min": None, "max": 0.2}
    define(out, {"rules": [rule], "keep_stats": [rule]})
    found = rules_of(out)["gopher_repetition.top_2_gram"]
    assert found["values_of"] == "documents"
    assert sum(found["counts"]["books"]) == 4
    assert [count_at(found, "books", value) for value in (0.1, 0.15, 0.5)] == [2, 1, 1]


def test_two_rules_with_bounds_on_one_score_both_have_its_distribution(out: Path) -> None:
    """Their column and their bins are the same; so is the name of the score and that of another figure."""
    path = out / "ledger" / "books" / "books.parquet"
    table = pq.read_table(path)
    scores = pa.array([0.1, 0.15, None, 0.5, 0.9, 0.95], pa.float32())
    rows = table.append_column("languages", scores).to_pylist()
    rows[0] |= {"dropped_by": "grade", "reason": "quality.low_score", "value": 0.1}
    rows[5] |= {"dropped_by": "grade", "reason": "quality.high_score", "value": 0.95}
    schema = table.schema.append(pa.field("languages", pa.float32()))
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)
    manifest = json.loads((out / "manifest.json").read_text())
    bounds = {"column": "languages", "min_score": 0.12, "max_score": 0.92}
    stage = {"name": "grade", "kind": "quality", "sources": ["books"], "definition": bounds}
    manifest["stages"].insert(-1, {**stage, "rules": ["quality.low_score", "quality.high_score"]})
    (out / "manifest.json").write_text(json.dumps(manifest))
    stats = compute_stats(str(out))
    graded = {rule["rule"]: rule for rule in stats["rules"] if rule["stage"] == "grade"}
    assert list(graded) == ["quality.high_score", "quality.low_score"]
    assert [sum(rule["counts"]["books"]) for rule in graded.values()] == [5, 5]
    assert [count_at(rule, "books", 0.5) for rule in graded.values()] == [1, 1]
    assert stats["languages"]["books"] == {"en": 6}
    assert sum(stats["quality"][-1]["scores"]["books"]) == 5


def test_a_statistic_of_another_stage_and_source_is_not_counted(out: Path) -> None:
    """A second stage writes the same column for the forum, with bounds of its own."""
    name = "gopher_repetition.top_2_gram"
    for source, values in (("books", [0.1, 0.15, None, 0.5, 0.2, 0.1]), ("forum", [70.0] * 5)):
        path = out / "ledger" / source / f"{source}.parquet"
        pq.write_table(pq.read_table(path).append_column(name, pa.array(values, pa.float64())), path)
    rule = {"rule": name, "measure": "top_2_gram", "min": None, "max": 0.2}
    define(out, {"rules": [rule], "keep_stats": [rule]})
    manifest = json.loads((out / "manifest.json").read_text())
    second = {"rules": [{**rule, "max": 60.0}], "keep_stats": [{**rule, "max": 60.0}]}
    stage = {"name": "second", "kind": "heuristics", "sources": ["forum"], "definition": second}
    manifest["stages"].insert(2, {**stage, "rules": [name]})
    (out / "manifest.json").write_text(json.dumps(manifest))
    first, last = (rule for rule in compute_stats(str(out))["rules"] if rule["rule"] == name)
    assert [(each["stage"], list(each["counts"])) for each in (first, last)] == [
        ("heuristics", ["books"]),
        ("second", ["forum"]),
    ]
    assert first["edges"][-1] < 1
    assert sum(first["counts"]["books"]) == sum(last["counts"]["forum"]) == 5


def test_values_that_are_none_are_counted_apart(out: Path) -> None:
    path = out / "ledger" / "web" / "web-b.parquet"
    table = pq.read_table(path)
    values = [None if value == 3.0 else value for value in table["value"].to_pylist()]
    place = table.column_names.index("value")
    pq.write_table(table.set_column(place, "value", pa.array(values, pa.float64())), path)
    assert "gopher_quality.short" not in rules_of(out)


@pytest.mark.parametrize(
    ("low", "high", "log"),
    [(0.0, 1.0, False), (-3.0, 500.0, False), (0.0, 1e6, True), (1000.0, 1300.0, False), (2.0, 2.0, False)],
)
def test_bins_cover_the_range(low: float, high: float, log: bool) -> None:
    bins = Bins.over(low, high)
    edges = bins.edges()
    assert bins.log is log
    assert edges == sorted(set(edges))
    assert len(edges) == bins.number + 1 <= 43
    assert edges[0] <= low + 1e-9
    assert high <= edges[-1]
