"""The stage `quality`: which probability is the score, which label stays."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from curate.errors import ModelError
from curate.kernels import Texts
from curate.models.registry import card_of, fasttext
from curate.stages.base import Batch, Verdicts
from curate.stages.quality import Quality
from tests.models.fasttext_files import Spec, model_bytes

WORDS = ("</s>", *(f"w{i}" for i in range(40)))
TEXTS = Texts.from_arrow(pa.array([" ".join(WORDS[1 + i :: 7]) for i in range(40)]))
ROWS = np.arange(0, 40, 2)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("quality") / "model.bin"
    path.write_bytes(
        model_bytes(Spec(words=WORDS, labels=("__label__Low", "__label__High", "__label__Medium")))
    )
    return str(path)


def decide(**config: object) -> Verdicts:
    return Quality(Quality.Config.model_validate(config)).decide(Batch("web", TEXTS), ROWS)


def probabilities(model: str) -> dict[str, np.ndarray]:
    scores = fasttext(model).score(TEXTS, ROWS, k=3)
    return {
        name: np.where(scores.labels == index, scores.probabilities, 0).sum(axis=1)
        for index, name in enumerate(fasttext(model).labels)
    }


def test_score_is_the_best_labels_without_keep_or_label(model: str) -> None:
    verdicts, expected = decide(model=model), probabilities(model)
    assert (verdicts.rule == -1).all()
    labels = verdicts.columns["quality_label"].to_pylist()
    assert len(set(labels)) > 1
    assert verdicts.columns["quality"].to_pylist() == [expected[label][i] for i, label in enumerate(labels)]
    assert pa.schema({name: column.type for name, column in verdicts.columns.items()}) == pa.schema(
        [("quality", pa.float32()), ("quality_label", pa.string())]
    )


def test_score_is_that_of_the_label_named(model: str) -> None:
    verdicts = decide(model=model, label="High", min_score=0.3)
    score = verdicts.columns["quality"].to_numpy()
    assert np.array_equal(score, probabilities(model)["High"])
    assert np.array_equal(verdicts.rule, np.where(score < 0.3, 0, -1))
    assert np.array_equal(verdicts.value, np.where(score < 0.3, score, np.nan), equal_nan=True)
    assert set(verdicts.rule) == {-1, 0}


def test_score_is_that_of_all_kept_labels(model: str) -> None:
    verdicts, expected = decide(model=model, keep=["High", "__label__Medium"]), probabilities(model)
    assert np.allclose(
        verdicts.columns["quality"].to_numpy(), expected["High"] + expected["Medium"], atol=1e-6
    )
    low = np.array(verdicts.columns["quality_label"].to_pylist()) == "Low"
    assert np.array_equal(verdicts.rule, np.where(low, 0, -1))
    assert low.any()


def test_a_label_not_kept_comes_before_a_low_score(model: str) -> None:
    verdicts = decide(model=model, keep=["High"], min_score=0.99)
    high = np.array(verdicts.columns["quality_label"].to_pylist()) == "High"
    assert np.array_equal(verdicts.rule, np.where(high, 1, 0))
    assert np.array_equal(verdicts.value, verdicts.columns["quality"].to_numpy())


def test_unknown_labels_are_refused_with_those_there_are(model: str) -> None:
    with pytest.raises(ModelError, match=r"no label 'Good'(.|\n)*High, Low, Medium"):
        Quality(Quality.Config(model=model, keep=("Good",))).definition()
    with pytest.raises(ModelError, match=r"did you mean High\?"):
        Quality(Quality.Config(model=model, label="Hihg")).definition()


def test_definition_names_the_default_model_and_the_stage_travels() -> None:
    stage = Quality(Quality.Config(keep=("High",)))
    definition = pickle.loads(pickle.dumps(stage)).definition()
    assert definition["sha256"] in card_of("quality-default").sha256.values()
    assert (definition["keep"], definition["label"], definition["min_score"]) == (["High"], None, None)


def test_a_threshold_needs_a_label() -> None:
    with pytest.raises(ValidationError, match="min_score needs"):
        Quality.Config(min_score=0.5)


def test_columns_are_enough_to_decide_again(model: str) -> None:
    written = decide(model=model, keep=["High"]).columns
    config = {"model": model, "keep": ["High"], "min_score": 0.5, "max_score": 0.8}
    again = Quality(Quality.Config.model_validate(config)).redecide(written)
    expected = decide(**config)
    assert np.array_equal(again.rule, expected.rule)
    assert np.array_equal(again.value, expected.value, equal_nan=True)
    assert {-1, 0, 1, 2} >= set(again.rule) > {-1}
    measurements = [
        Quality(Quality.Config.model_validate({"model": model, **each})).measurement()
        for each in ({"keep": ["High"]}, config, {"keep": ["Low"]})
    ]
    assert measurements[0] == measurements[1]
    assert measurements[0] != measurements[2], "another score has to be computed"
