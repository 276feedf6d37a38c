"""Training from labelled Parquet: no text on two sides, the same bytes each time, honest figures in the card."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from typer.testing import CliRunner

from curate.cli import app
from curate.errors import SourceError
from curate.kernels import Texts
from curate.models.card import read_card
from curate.models.evaluation import auc, best_threshold, evaluate, reliability_plot
from curate.models.fasttext import FastText
from curate.models.labelled import Example, LabelledFiles, Parts, divide, read_labelled

GOOD = ["river", "valley", "stone", "harvest", "lecture", "theorem", "proof", "history", "measure", "orbit"]
BAD = ["casino", "bonus", "click", "cheap", "viagra", "offer", "login", "cart", "discount", "winner"]
COMMON = ["the", "of", "and", "to", "in", "that", "it", "is", "was", "for", "on", "with", "as", "his", "they"]

RECIPE = {
    "name": "toy",
    "data": [
        {"path": "good/*.parquet", "every": "good"},
        {"path": "mixed.parquet", "text": "content", "label": "verdict"},
    ],
    "positive": "good",
    "parts": {"test": 0.3, "threshold": 0.2, "seed": 1},
    "fasttext": {
        "loss": "softmax",
        "dim": 8,
        "lr": 0.5,
        "epoch": 8,
        "word_ngrams": 2,
        "bucket": 500,
        "min_count": 1,
        "seed": 2,
    },
    "quantise": {"cutoff": 300, "retrain": True, "epoch": 2, "lr": 0.1, "qnorm": True, "dsub": 2},
}


def text(draw: random.Random, words: list[str]) -> str:
    return " ".join(draw.choice(words if draw.random() < 0.15 else COMMON) for _ in range(30))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    draw = random.Random(4)
    good = [text(draw, GOOD) for _ in range(300)]
    (tmp_path / "good").mkdir()
    pq.write_table(pa.table({"text": [*good, good[0].upper() + "!"]}), tmp_path / "good/a.parquet")
    mixed = [text(draw, GOOD) for _ in range(50)] + [text(draw, BAD) for _ in range(350)] + [good[1]]
    labels = ["good"] * 50 + ["bad"] * 351
    pq.write_table(pa.table({"content": mixed, "verdict": labels}), tmp_path / "mixed.parquet")
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(RECIPE))
    return tmp_path


def call(*arguments: str | Path) -> str:
    done = CliRunner().invoke(app, ["models", *map(str, arguments)])
    assert done.exit_code == 0, done.output
    return done.output


def test_train_and_eval(data: Path) -> None:
    fasttext = pytest.importorskip("fasttext")
    if not hasattr(fasttext, "train_supervised"):
        pytest.skip("only fasttext-predict is installed: it cannot train (extra train)")
    out = data / "made/toy.ftz"
    call("train", data / "recipe.yaml", "--data", data, "-o", out)
    card = read_card(out.with_suffix(".yaml"))
    assert card.evaluation is not None
    counts = card.evaluation["documents"]
    assert (counts["repeated"], counts["contradicting"]) == (1, 2)
    assert sum(counts.values()) == 702
    figures = card.evaluation["test"]
    assert figures["documents"] == counts["test"]
    divided = divide(
        read_labelled([LabelledFiles(**each) for each in RECIPE["data"]], data), Parts(**RECIPE["parts"])
    )
    model = FastText.load(out)
    scores = model.score(Texts.from_arrow(pa.array([each.text for each in divided.test])), k=2)
    good = np.array([each.label == "good" for each in divided.test])
    score = np.where(scores.labels == model.labels.index("good"), scores.probabilities, 0).max(axis=1)
    pairs = score[good][:, None] - score[~good][None, :]
    assert figures["auc"] == pytest.approx(((pairs > 0) + 0.5 * (pairs == 0)).mean(), abs=1e-4)
    assert figures["auc"] > 0.9
    assert card.threshold is not None
    taken = score >= card.threshold.score
    assert figures["precision"] == pytest.approx(good[taken].mean(), abs=0.02)

    again = data / "again/toy.ftz"
    call("train", data / "recipe.yaml", "--data", data, "-o", again)
    assert out.read_bytes() == again.read_bytes()
    assert out.with_suffix(".yaml").read_bytes() == again.with_suffix(".yaml").read_bytes()

    said = call(
        "eval", out.with_suffix(".yaml"), data / "mixed.parquet", "--positive", "good",
        "--text", "content", "--label", "verdict", "--plot", data / "plot.svg",
    )  # fmt: skip
    assert "401 (50 good)" in said
    assert "AUC" in said
    assert (data / "plot.svg").read_text().count("<circle") == said.count(" to ")


def test_no_words_stand_on_two_sides() -> None:
    draw = random.Random(1)
    texts = [f"{draw.choice('aA')} {draw.choice(['b', 'b,'])} {draw.randint(0, 60)}" for _ in range(400)]
    examples = [Example(*each) for each in zip(map(key, texts), texts, ["x"] * 400, strict=True)]
    divided = divide(examples, Parts(test=0.3, threshold=0.2, seed=3))
    sides = [{example.key for example in side} for side in (divided.train, divided.threshold, divided.test)]
    assert all(sides)
    assert not sides[0] & sides[1]
    assert not (sides[0] | sides[1]) & sides[2]
    assert sum(map(len, sides)) + divided.repeated == 400
    assert sum(map(len, sides)) == len({key(each) for each in texts})
    draw.shuffle(examples)
    assert divide(examples, Parts(test=0.3, threshold=0.2, seed=3)) == divided


def key(written: str) -> str:
    return written.lower().replace(",", "")


def test_mistakes_are_named(data: Path) -> None:
    with pytest.raises(SourceError, match="no such file"):
        read_labelled([LabelledFiles(path="none/*.parquet", every="x")], data)
    with pytest.raises(SourceError, match=r"has no column label|cannot be read(.|\n)*label"):
        read_labelled([LabelledFiles(path="mixed.parquet", text="content", label="label")], data)
    done = CliRunner().invoke(
        app, ["models", "eval", "quality-default", str(data / "good/a.parquet"), "--positive", "x"]
    )
    assert done.exit_code == 1
    (data / "recipe.yaml").write_text(yaml.safe_dump({**RECIPE, "positive": "best"}))
    done = CliRunner().invoke(app, ["models", "train", str(data / "recipe.yaml"), "--data", str(data)])
    assert done.exit_code == 1
    assert "best and another" in " ".join(done.output.split())


def test_figures_of_known_scores() -> None:
    good = np.array([True, True, False, True, False, False])
    scores = np.array([0.9, 0.8, 0.8, 0.4, 0.3, 0.1])
    assert auc(scores, good) == pytest.approx((3 + 2.5 + 2) / 9)
    assert best_threshold(scores, good) == 0.4
    found = evaluate(scores, good)
    assert (found.precision, found.recall) == (3 / 4, 1.0)
    assert [each.documents for each in found.reliability] == [1, 1, 1, 2, 1]
    assert [each.share for each in found.reliability] == [0, 0, 1, 0.5, 1]
    errors = [0.1, 0.3, 0.6, 2 * 0.3, 0.1]
    assert found.calibration_error == pytest.approx(sum(errors) / 6)
    assert reliability_plot(found, "toy").count("<circle") == 5
    with pytest.raises(ValueError, match="good and bad"):
        evaluate(scores, np.ones(6, np.bool_))


def test_list_and_fetch() -> None:
    said = call("list")
    for name in ("dclm", "fineweb-edu", "lid.176", "nvidia-quality", "quality-default", "0.018112"):
        assert name in said
    assert "01a549a018097a4f23e23256705aef02ec25c298ab853bb4ff0d7c813e7f254c" in call(
        "fetch", "quality-default"
    )
