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
from curate.models.registry import card_of, fasttext, resolve
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


def schema_of(verdicts: Verdicts) -> pa.Schema:
    return pa.schema({name: column.type for name, column in verdicts.columns.items()})


def test_annotates_and_keeps_all_without_keep() -> None:
    verdicts = decide()
    assert verdicts.columns["lang"].to_pylist()[: len(SENTENCES)] == list(SENTENCES)
    assert (verdicts.rule == -1).all()
    assert np.isnan(verdicts.value).all()
    assert schema_of(verdicts) == Language(Language.Config()).columns


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


#: What the ledger calls the labels of `with_scripts`: ISO 639-1, or ISO 639-3 where there is none.
PLAIN = {
    "eng_Latn": "en",
    "arb_Arab": "ar",
    "cmn_Hani": "zh",
    "srp_Cyrl": "sr",
    "srp_Latn": "sr",
    "ceb_Latn": "ceb",
    "other": "other",
}


@pytest.fixture(scope="module")
def with_scripts(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A model with labels like GlotLID's, that finds another label for every text of one word."""
    path: Path = tmp_path_factory.mktemp("glot") / "model.bin"
    words = tuple(f"w{place}" for place in range(60))
    labels = tuple(f"__label__{label}" for label in PLAIN)
    path.write_bytes(model_bytes(Spec(words=words, labels=labels, scale=3.0)))
    return str(path)


def words_said(model: str, **config: object) -> tuple[list[str], Verdicts]:
    """The model's own labels of sixty texts of one word, and what the stage says of them."""
    texts = Texts.from_arrow(pa.array([f"w{place}" for place in range(60)]))
    stage = Language(Language.Config.model_validate({"model": model, "min_score": 0, **config}))
    stage.definition()
    own = fasttext(model)
    raw = [own.labels[place] for place in own.score(texts).labels[:, 0]]
    assert set(raw) == set(PLAIN), "every label is found"
    return raw, stage.decide(Batch("web", texts), np.arange(60))


def test_labels_with_scripts_become_codes_of_languages(with_scripts: str) -> None:
    raw, verdicts = words_said(with_scripts)
    assert verdicts.columns["lang"].to_pylist() == [PLAIN[label] for label in raw]
    raw, verdicts = words_said(with_scripts, labels={"srp_Latn": "sr-Latn", "__label__other": "und"})
    named = PLAIN | {"srp_Latn": "sr-Latn", "other": "und"}
    assert verdicts.columns["lang"].to_pylist() == [named[label] for label in raw]


@pytest.mark.parametrize(
    ("keep", "kept"),
    [
        (["en"], {"eng_Latn"}),
        (["eng_Latn"], {"eng_Latn"}),
        (["sr", "ceb"], {"srp_Cyrl", "srp_Latn", "ceb_Latn"}),
        (["__label__srp_Cyrl", "other"], {"srp_Cyrl", "other"}),
        (["rs"], {"srp_Latn"}),
    ],
)
def test_keep_takes_either_name(with_scripts: str, keep: list[str], kept: set[str]) -> None:
    labels = {"srp_Latn": "rs"} if keep == ["rs"] else {}
    raw, verdicts = words_said(with_scripts, keep=keep, labels=labels)
    assert verdicts.rule.tolist() == [-1 if label in kept else 0 for label in raw]


@pytest.mark.parametrize("keep", [["en"], ["sr", "ceb"], ["other"], [], ["eng_Latn"]])
def test_verdicts_from_the_columns_are_those_from_texts(with_scripts: str, keep: list[str]) -> None:
    stage = Language(Language.Config(model=with_scripts, keep=tuple(keep), min_score=0.2))
    _, verdicts = words_said(with_scripts, keep=keep, min_score=0.2)
    again = stage.redecide(verdicts.columns)
    assert again.rule.tolist() == verdicts.rule.tolist()
    assert np.array_equal(again.value, verdicts.value, equal_nan=True)
    assert stage.measurement() == Language(Language.Config(model=with_scripts)).measurement()


def test_labels_that_share_a_name_are_not_told_apart_by_the_columns(with_scripts: str) -> None:
    assert Language(Language.Config(model=with_scripts, keep=("srp_Latn",))).measurement() is None
    both = ("srp_Latn", "srp_Cyrl")
    assert Language(Language.Config(model=with_scripts, keep=both)).measurement() is not None


def test_likeliest_languages_become_columns() -> None:
    peer = pytest.importorskip("fasttext", reason="fastText is not installed (extra test)")
    model = peer.load_model(str(resolve("lid.176")))
    verdicts, first = decide(top_k=3), decide()
    assert schema_of(verdicts) == Language(Language.Config(top_k=3)).columns
    assert verdicts.columns["lang"] == first.columns["lang"]
    assert verdicts.columns["lang_score"] == first.columns["lang_score"]
    names = ("lang", "lang_2", "lang_3"), ("lang_score", "lang_score_2", "lang_score_3")
    for row, text in enumerate(SENTENCES.values()):
        labels, scores = model.predict(text.replace("\n", " "), k=3)
        assert [f"__label__{verdicts.columns[name][row]}" for name in names[0]] == list(labels)
        found = [verdicts.columns[name][row].as_py() for name in names[1]]
        assert found == pytest.approx(list(scores), abs=1e-5)


def test_columns_are_null_where_the_model_has_fewer_labels(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(model_bytes(Spec(words=("x", "the"), labels=("__label__eng_Latn", "__label__de"))))
    stage = Language(Language.Config(model=str(path), top_k=3))
    texts = Texts.from_arrow(pa.array(["the", "nothing"]))
    columns = stage.decide(Batch("web", texts), np.arange(2)).columns
    assert {columns["lang"][0].as_py(), columns["lang_2"][0].as_py()} == {"en", "de"}
    assert columns["lang_score"][0].as_py() + columns["lang_score_2"][0].as_py() == pytest.approx(1, abs=1e-4)
    assert (columns["lang_3"][0].as_py(), columns["lang_score_3"][0].as_py()) == (None, None)
    assert [columns[name][1].as_py() for name in columns] == [None, 0.0, None, None, None, None]


def test_unknown_labels_are_refused_before_the_run() -> None:
    with pytest.raises(ModelError, match=r"no label 'english'"):
        Language(Language.Config(keep=("english",))).definition()
    with pytest.raises(ModelError, match=r"language: labels(.|\n)*no label 'eng_Latn'"):
        Language(Language.Config(labels={"eng_Latn": "en"})).definition()
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
        "labels": {},
        "top_k": 1,
    }
    assert len(pickle.dumps(stage)) < 2000


@pytest.mark.parametrize(
    "config", [{"min_score": -0.1}, {"max_chars": 0}, {"top_k": 0}, {"top_k": 11}, {"languages": ["en"]}]
)
def test_wrong_configurations_are_refused(config: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Language.Config.model_validate(config)
