"""The model quality-default: good on documents it has not seen, and as its card says on judged pages."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from curate.errors import ModelError, RecipeError
from curate.kernels import Texts
from curate.models.registry import card_of, fasttext, files_of
from curate.models.train import Corpora, labelled_texts, measure, train
from tests.shared_data import shared_data

CLASSIFIERS = Path(__file__).parents[2] / "classifiers"
CARD = (CLASSIFIERS / "quality-default.md").read_text()


def test_held_out_samples(tmp_path: Path) -> None:
    examples = list(labelled_texts(Corpora(documents=1500, seed=303), tmp_path))
    figures = measure(
        fasttext("quality-default"), [text for text, _ in examples], [label for _, label in examples]
    )
    assert sorted(figures) == ["High", "Low", "Medium"]
    for label, row in figures.items():
        assert row["documents"] > 50, label
        assert min(row["precision"], row["recall"]) > 0.9, label


def area_under_curve(scores: NDArray[np.float32], good: NDArray[np.bool_]) -> float:
    """The probability that a good one scores higher than a bad one, ties as a half."""
    wins = scores[good][:, None] - scores[~good][None, :]
    return float((wins > 0).mean() + 0.5 * (wins == 0).mean())


def test_judged_pages(tmp_path: Path) -> None:
    table = pq.read_table(shared_data("quality/dclm_human.parquet"))
    good = np.array(table["label"].to_pylist()) == "1"
    model = fasttext("quality-default")
    scores = model.score(Texts.from_arrow(table["text"]), k=3)
    high, low = (
        np.where(scores.labels == model.labels.index(label), scores.probabilities, 0).max(axis=1)
        for label in ("High", "Low")
    )
    for name, score in (("P(High)", high), ("P(High) - P(Low)", high - low), ("1 - P(Low)", -low)):
        (stated,) = re.findall(rf"^\| {re.escape(name)} \| (0\.\d+) \|$", CARD, re.MULTILINE)
        assert area_under_curve(score, good) == pytest.approx(float(stated), abs=0.0006)


def test_card_states_the_file() -> None:
    assert files_of(card_of("quality-default")).digest in CARD
    assert f"{files_of(card_of('quality-default')).path.stat().st_size:,} bytes" in CARD


def test_recipe_mistakes_are_named(tmp_path: Path) -> None:
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text((CLASSIFIERS / "quality-default.yaml").read_text().replace("dim:", "dimension:"))
    with pytest.raises(RecipeError, match=r"fasttext\.dim"):
        train(recipe, tmp_path / "out.ftz")
    with pytest.raises(RecipeError, match="none"):
        train(tmp_path / "none.yaml", tmp_path / "out.ftz")


def test_training_needs_fasttext_and_then_repeats_itself(tmp_path: Path) -> None:
    text = (CLASSIFIERS / "quality-default.yaml").read_text()
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(text.replace("60_000", "1_500").replace("20_000", "500").replace("8_000", "1_000"))
    peer = pytest.importorskip("fasttext")
    if not hasattr(peer, "train_supervised"):
        with pytest.raises(ModelError, match="fasttext-modern"):
            train(recipe, tmp_path / "model.ftz")
        pytest.skip("only fasttext-predict is installed: it cannot train (extra train)")
    figures = train(recipe, tmp_path / "model.ftz")
    assert figures["High"]["recall"] > 0.5
    train(recipe, tmp_path / "again.ftz")
    assert (tmp_path / "model.ftz").read_bytes() == (tmp_path / "again.ftz").read_bytes()
