"""The stage `language`: labels, scores, verdicts."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from curate.errors import ModelError
from curate.kernels import Texts
from curate.models.registry import card_of
from curate.stages.base import Batch, Verdicts
from curate.stages.language import Language
from tests.models.fasttext_files import Spec, model_bytes
from tests.models.sentences import SENTENCES

MIXED = SENTENCES["en"] + " " + SENTENCES["de"]
TEXTS = [*SENTENCES.values(), MIXED, "", "a b"]


def decide(rows: list[int] | None = None, **config: object) -> Verdicts:
    stage = Language(Language.Config.model_validate(config))
    batch = Batch("web", Texts.from_arrow(pa.array(TEXTS)))
    return stage.decide(batch, np.array(range(len(TEXTS)) if rows is None else rows))


def test_annotates_and_keeps_all_without_keep() -> None:
    verdicts = decide()
    assert verdicts.columns["lang"].to_pylist()[: len(SENTENCES)] == list(SENTENCES)
    assert (verdicts.rule == -1).all()
    assert np.isnan(verdicts.value).all()
    assert pa.schema({name: column.type for name, column in verdicts.columns.items()}) == Language.columns


def test_drops_other_languages_and_unsure_ones() -> None:
    verdicts = decide(keep=["en", "__label__fr"], min_score=0.65)
    scores = verdicts.columns["lang_score"].to_numpy()
    for place, (label, score) in enumerate(zip(verdicts.columns["lang"].to_pylist(), scores, strict=True)):
        expected = 0 if label not in ("en", "fr") else 1 if score < 0.65 else -1
        assert verdicts.rule[place] == expected
        assert np.isnan(verdicts.value[place]) if expected < 0 else verdicts.value[place] == score
    assert set(verdicts.rule) == {-1, 0, 1}
    assert Language.rules == ("language.not_kept", "language.low_score")


def test_min_score_itself_stays() -> None:
    score = float(decide([0]).columns["lang_score"][0].as_py())
    assert decide([0], keep=["en"], min_score=score).rule[0] == -1
    assert decide([0], keep=["en"], min_score=float(np.nextafter(score, 2))).rule[0] == 1


def test_rows_are_aligned() -> None:
    assert decide([2, 5]).columns["lang"].to_pylist() == [list(SENTENCES)[2], list(SENTENCES)[5]]


def test_max_chars_bounds_what_is_read() -> None:
    place = TEXTS.index(MIXED)
    cut = decide([place], max_chars=len(SENTENCES["en"]))
    assert cut.columns["lang"].to_pylist() == ["en"]
    assert cut.columns["lang_score"] == decide([0]).columns["lang_score"]
    assert decide([place], max_chars=None).columns["lang_score"] == decide([place]).columns["lang_score"]


def test_texts_without_any_label_are_null(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(model_bytes(Spec(words=("x",), labels=("__label__en", "__label__de"))))
    verdicts = decide([0, 1], model=str(path), keep=["en"])
    assert verdicts.columns["lang"].to_pylist() == [None, None]
    assert verdicts.columns["lang_score"].to_pylist() == [0.0, 0.0]
    assert verdicts.rule.tolist() == [0, 0]


def test_unknown_labels_are_refused_before_the_run() -> None:
    with pytest.raises(ModelError, match=r"no label 'english'"):
        Language(Language.Config(keep=("english",))).definition()
    with pytest.raises(ModelError, match=r"did you mean lid\.176\?"):
        Language(Language.Config(model="lid.175")).definition()


def test_definition_names_the_model_and_the_stage_travels() -> None:
    stage = Language(Language.Config(keep=("en",)))
    stage.definition()
    assert pickle.loads(pickle.dumps(stage)).definition() == {
        "model": "lid.176",
        "sha256": card_of("lid.176").sha256["resources/lid.176.ftz"],
        "keep": ["en"],
        "min_score": 0.65,
        "max_chars": 2000,
    }
    assert len(pickle.dumps(stage)) < 2000


@pytest.mark.parametrize("config", [{"min_score": -0.1}, {"max_chars": 0}, {"languages": ["en"]}])
def test_wrong_configurations_are_refused(config: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Language.Config.model_validate(config)
