"""Changed recipes in a used folder, folders that are not curate's, and columns that differ between files."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import OutputError, RecipeError, SourceError
from curate.estimate import estimate
from curate.plan import plan
from curate.recipe import load_recipe
from curate.report import verify
from curate.run import clean, run
from tests.run.corpora import RECIPE, document, write_corpora, write_recipe
from tests.run.outputs import output_bytes

LAST = '  - {name: last, path: "DATA/last/*", id: id, keep: [meta]}\n'


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (LAST, ""),
        ("shard_bytes: 40kB", "shard_bytes: 10MB"),
        ("keep: [url, score]", "keep: [url]"),
        ("  - heuristics: {profile: nemo}\n", ""),
    ],
)
def test_a_changed_recipe_ends_as_a_fresh_run(tmp_path: Path, old: str, new: str) -> None:
    write_corpora(tmp_path)
    changed = RECIPE.replace(old, new)
    assert changed != RECIPE
    if old == LAST:
        changed = changed.replace(", last: 2", "")
    run(load_recipe(str(write_recipe(tmp_path))), str(tmp_path / "out"))
    recipe = load_recipe(str(write_recipe(tmp_path, changed)))
    run(recipe, str(tmp_path / "out"))
    run(recipe, str(tmp_path / "fresh"))
    assert output_bytes(tmp_path / "out") == output_bytes(tmp_path / "fresh")
    assert verify(str(tmp_path / "out")) == []


def test_a_repaired_input_leaves_no_quarantine(tmp_path: Path) -> None:
    write_corpora(tmp_path)
    recipe = load_recipe(str(write_recipe(tmp_path)))
    good = (tmp_path / "last/b.jsonl").read_bytes()
    (tmp_path / "last/b.jsonl").write_bytes(good + b'{"broken\n')
    assert run(recipe, str(tmp_path / "out")).quarantined == 1
    (tmp_path / "last/b.jsonl").write_bytes(good)
    result = run(recipe, str(tmp_path / "out"))
    assert result.quarantined == 0
    assert result.stats["totals"]["quarantined"] == 0
    assert not (tmp_path / "out/quarantine").exists()


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    write_corpora(tmp_path)
    (tmp_path / "out/data").mkdir(parents=True)
    (tmp_path / "out/data/thesis.txt").write_text("years of work")
    for fresh in (False, True):
        with pytest.raises(OutputError, match="no run of curate left there"):
            run(load_recipe(str(write_recipe(tmp_path))), str(tmp_path / "out"), fresh=fresh)
    assert (tmp_path / "out/data/thesis.txt").read_text() == "years of work"


def test_sources_inside_the_output_folder_are_refused(tmp_path: Path) -> None:
    write_corpora(tmp_path / "out/data")
    recipe = write_recipe(tmp_path / "out/data")
    with pytest.raises(OutputError, match="lies in the output folder"):
        run(load_recipe(str(recipe)), str(tmp_path / "out"))
    assert (tmp_path / "out/data/best/a.parquet").exists()


def test_fresh_checks_the_recipe_before_it_removes_anything(tmp_path: Path) -> None:
    write_corpora(tmp_path)
    run(load_recipe(str(write_recipe(tmp_path))), str(tmp_path / "out"))
    before = output_bytes(tmp_path / "out")
    broken = write_recipe(tmp_path, RECIPE.replace("DATA/middle/", "DATA/midle/"))
    with pytest.raises(SourceError):
        run(load_recipe(str(broken)), str(tmp_path / "out"), fresh=True)
    assert output_bytes(tmp_path / "out") == before


def two_files(folder: Path, first: pa.Array, second: pa.Array) -> Path:
    for name, number, column in (("a", 0, first), ("b", 1, second)):
        pq.write_table(pa.table({"text": [document(number)], "k": column}), folder / f"{name}.parquet")
    recipe = folder / "recipe.yaml"
    recipe.write_text(f'name: two\nsources: [{{name: s, path: "{folder}/*.parquet", keep: [k]}}]\n')
    return recipe


@pytest.mark.parametrize(
    ("first", "second", "values"),
    [
        (pa.nulls(1), pa.array(["x"]), [None, "x"]),
        (pa.array([1]), pa.array([1.5]), [1.0, 1.5]),
        (pa.array([{"a": 1}]), pa.array([{"a": 2, "b": "x"}]), [{"a": 1, "b": None}, {"a": 2, "b": "x"}]),
    ],
)
def test_kept_columns_of_files_meet_in_one_type(
    tmp_path: Path, first: pa.Array, second: pa.Array, values: list[object]
) -> None:
    run(load_recipe(str(two_files(tmp_path, first, second))), str(tmp_path / "out"))
    rows = pq.read_table(tmp_path / "out/data").sort_by("id").to_pylist()
    assert [row["k"] for row in rows] == values


def test_kept_columns_that_do_not_meet_are_an_error_at_once(tmp_path: Path) -> None:
    recipe = load_recipe(str(two_files(tmp_path, pa.array([1]), pa.array(["x"]))))
    with pytest.raises(SourceError, match=r"b\.parquet.*column k is string"):
        run(recipe, str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_value_beyond_the_common_type_is_an_error(tmp_path: Path) -> None:
    recipe = load_recipe(str(two_files(tmp_path, pa.array([2**53 + 1]), pa.array([1.5]))))
    with pytest.raises(SourceError, match=r"a\.parquet.*column k has a value that does not fit"):
        run(recipe, str(tmp_path / "out"))


def test_clean_leaves_other_peoples_folders_alone(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/results.csv").write_text("precious")
    (tmp_path / "manifest.json").write_text("{}")
    with pytest.raises(OutputError, match="no manifest of a run"):
        clean(str(tmp_path))
    assert (tmp_path / "run/results.csv").exists()


def test_shards_have_about_the_bytes_asked_for(tmp_path: Path) -> None:
    """Many short documents, then a few long ones."""
    texts = [document(number, 4) for number in range(300)] + [
        document(number, 120) for number in range(300, 310)
    ]
    pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        f'name: s\nsources: [{{name: s, path: "{tmp_path}/a.parquet"}}]\noutput: {{shard_bytes: 40kB}}\n'
    )
    run(load_recipe(str(recipe)), str(tmp_path / "out"))
    sizes = [
        sum(len(text) for text in pq.read_table(path)["text"].to_pylist())
        for path in (tmp_path / "out/data").iterdir()
    ]
    assert max(sizes) < 40_000 + max(map(len, texts))


def test_where_reads_the_sources_column_of_a_ledgers_name(tmp_path: Path) -> None:
    texts = [document(number) for number in range(10)]
    pq.write_table(pa.table({"text": texts, "value": list(range(10))}), tmp_path / "a.parquet")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        f'name: v\nsources: [{{name: s, path: "{tmp_path}/a.parquet"}}]\n'
        "stages: [exact_dedup, {where: {keep: 'value >= 4'}}]\n"
    )
    assert run(load_recipe(str(recipe)), str(tmp_path / "out")).stats["totals"]["kept"] == 6


@pytest.mark.parametrize("keep", ["lang_score > 0.01", "id is null", "bytes > 10 and tokens > 2"])
def test_a_plan_accepts_what_a_run_accepts(tmp_path: Path, keep: str) -> None:
    pq.write_table(pa.table({"text": [document(number) for number in range(10)]}), tmp_path / "a.parquet")
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(
        f'name: p\nsources: [{{name: s, path: "{tmp_path}/a.parquet"}}]\n'
        f"stages: [language, {{where: {{keep: '{keep}'}}}}]\n"
    )
    loaded = load_recipe(str(recipe))
    assert estimate(plan(loaded)).sources["s"].kept == 1.0
    assert run(loaded, str(tmp_path / "out")).stats["totals"]["kept"] == 10


def test_an_absurd_mix_is_refused(tmp_path: Path) -> None:
    write_corpora(tmp_path)
    absurd = RECIPE.replace("seed: 1}", "seed: 1, total: 100_000_000_000}")
    with pytest.raises(RecipeError, match="would have to be repeated"):
        run(load_recipe(str(write_recipe(tmp_path, absurd))), str(tmp_path / "out"))
