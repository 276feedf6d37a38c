"""Two runs over the same files: which documents changed their verdict, and why."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

import curate
from curate.errors import OutputError
from curate.report.diff import Change, diff

SCORES = {"web": [1, 2, 3, 4, 5, 6], "books": [3, 3, 9, 9]}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs `low` (score >= 3) and `high` (score >= 5; sources the other way round), and `part` of one source."""
    folder = tmp_path_factory.mktemp("runs")
    for source, scores in SCORES.items():
        texts = [f"{source} text number {row}" for row in range(len(scores))]
        pq.write_table(pa.table({"text": texts, "score": scores}), folder / f"{source}.parquet")
    recipes = {
        "low": (["web", "books"], "score >= 3"),
        "high": (["books", "web"], "score >= 5"),
        "part": (["books"], "score >= 3"),
    }
    for name, (sources, keep) in recipes.items():
        recipe = {
            "name": name,
            "sources": [{"name": each, "path": str(folder / f"{each}.parquet")} for each in sources],
            "stages": [{"where": {"keep": keep}}],
        }
        path = folder / f"{name}.yaml"
        path.write_text(yaml.safe_dump(recipe))
        curate.run(curate.load_recipe(path), str(folder / name))
    return folder


def test_changes_are_counted_by_source_and_verdict(runs: Path) -> None:
    found = diff(str(runs / "low"), str(runs / "high"))
    assert found.compared == {"books": 4, "web": 6}
    assert found.changes == (
        Change("books", "kept", "where.not_kept", 2),
        Change("web", "kept", "where.not_kept", 2),
    )
    assert (found.only_before, found.only_after, found.other_copies) == ((), (), 0)


def test_the_changed_documents_are_written_in_order_with_both_verdicts(runs: Path) -> None:
    path = runs / "changes.parquet"
    diff(str(runs / "low"), str(runs / "high"), str(path))
    rows = pq.read_table(path).to_pylist()
    assert [(row["source"], row["row"]) for row in rows] == [
        ("web", 2),
        ("web", 3),
        ("books", 0),
        ("books", 1),
    ]
    assert {row["file"] for row in rows} == {str(runs / "web.parquet"), str(runs / "books.parquet")}
    assert {(row["dropped_by_before"], row["dropped_by_after"]) for row in rows} == {(None, "where")}
    assert {(row["copies_before"], row["copies_after"]) for row in rows} == {(1, 0)}


def test_a_run_does_not_differ_from_itself(runs: Path) -> None:
    path = runs / "none.parquet"
    found = diff(str(runs / "low"), str(runs / "low"), str(path))
    assert (found.changes, sum(found.compared.values())) == ((), 10)
    assert pq.read_table(path).num_rows == 0


def test_files_that_one_run_alone_read_are_named(runs: Path) -> None:
    found = diff(str(runs / "low"), str(runs / "part"))
    assert (found.compared, found.changes) == ({"books": 4}, ())
    assert (found.only_before, found.only_after) == ((str(runs / "web.parquet"),), ())


def test_runs_without_a_common_file_are_an_error(runs: Path, out: Path) -> None:
    with pytest.raises(OutputError, match="no source file that both read"):
        diff(str(runs / "low"), str(out))
