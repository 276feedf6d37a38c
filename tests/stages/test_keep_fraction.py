"""`quality` with keep_fraction: exactly the best scored documents of all sources stay, whatever cuts them in pieces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import RecipeError
from curate.io.ledger import Ledger
from curate.recipe import load_recipe
from curate.run import run
from curate.stages.keep_fraction import ranks_of, scores_of
from tests.models.fasttext_files import Spec, model_bytes
from tests.run.outputs import output_bytes, receipt_times

WORDS = tuple(f"w{number}" for number in range(30))
RECIPE = """
name: fraction
sources:
  - {name: one, path: "DATA/one/*.parquet"}
  - {name: two, path: "DATA/two/*.parquet"}
stages:
  - quality: {model: "DATA/model.bin", label: High, keep_fraction: FRACTION}
  - exact_dedup: {key: text}
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two sources of three files; many texts are equal, so that scores tie and duplicates have to go."""
    labels = ("__label__Low", "__label__High")
    (tmp_path / "model.bin").write_bytes(model_bytes(Spec(words=("</s>", *WORDS), labels=labels)))
    draw = np.random.default_rng(3)
    for source in ("one", "two"):
        (tmp_path / source).mkdir()
        for file in range(3):
            texts = [" ".join(draw.choice(WORDS[:9], 2)) for _ in range(57)]
            pq.write_table(
                pa.table({"text": texts}), tmp_path / source / f"{file}.parquet", row_group_size=10
            )
    return tmp_path


def carry_out(data: Path, out: str, fraction: float, **options: int) -> pa.Table:
    recipe = data / "recipe.yaml"
    recipe.write_text(RECIPE.replace("DATA", str(data)).replace("FRACTION", str(fraction)))
    run(load_recipe(str(recipe)), str(data / out), **options)
    return Ledger(str(data / out)).arrow()


@pytest.mark.parametrize("fraction", [0.001, 0.1, 0.73, 0.99])
def test_the_best_stay_and_ties_go_from_the_end(data: Path, fraction: float) -> None:
    ledger = carry_out(data, "out", fraction)
    scores = ledger["quality"].to_numpy()
    stay = int(len(scores) * fraction + 0.5)
    order = np.lexsort((np.arange(len(scores)), -scores))
    expected = np.sort(order[stay:])
    gone = np.flatnonzero(np.array(ledger["dropped_by"].to_pylist()) == "quality-fraction")
    assert np.array_equal(gone, expected)
    assert set(ledger["reason"].take(gone).to_pylist()) == {"quality.keep_fraction"}
    assert np.array_equal(ledger["value"].to_numpy()[gone], scores[gone])
    left = np.setdiff1d(np.arange(len(scores)), gone)
    assert set(ledger["dropped_by"].take(left).to_pylist()) <= {None, "exact_dedup"}
    assert not set(ledger["duplicate_of"].to_pylist()) & set(ledger["doc"].take(gone).to_pylist()), (
        "what is gone cannot be a witness"
    )


def test_batches_and_workers_do_not_matter(data: Path) -> None:
    carry_out(data, "a", 0.4, workers=1)
    carry_out(data, "b", 0.4, workers=3, batch_documents=7)
    assert output_bytes(data / "a") == output_bytes(data / "b")


def test_another_fraction_scores_nothing_again(data: Path) -> None:
    carry_out(data, "out", 0.4)
    before = receipt_times(data / "out")
    carry_out(data, "out", 0.6)
    after = receipt_times(data / "out")
    scored = [path for path in before if "/documents-1/" in path]
    assert len(scored) == 6
    assert all(before[path] == after[path] for path in scored)
    carry_out(data, "fresh", 0.6)
    assert output_bytes(data / "out") == output_bytes(data / "fresh")


def test_ranks_are_in_the_order_of_scores() -> None:
    scores = np.array(
        [-np.inf, -3e38, -1.5, -1e-40, -0.0, 0.0, 1e-45, 0.25, 1.0, 1.0000001, 7, np.inf], np.float32
    )
    ranks = ranks_of(scores)
    assert np.array_equal(np.diff(ranks.astype(np.int64)) > 0, np.diff(scores) > 0)
    assert np.array_equal(scores_of(ranks), scores)


def test_a_name_that_is_taken_is_an_error(data: Path) -> None:
    recipe = data / "recipe.yaml"
    text = RECIPE.replace("DATA", str(data)).replace("FRACTION", "0.5")
    recipe.write_text(text.replace("exact_dedup: {", "exact_dedup: {name: quality-fraction, "))
    with pytest.raises(RecipeError, match="two stages are called quality-fraction"):
        run(load_recipe(str(recipe)), str(data / "out"))
