"""Other rules for other languages, and words in scripts without spaces."""

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

from curate.kernels import Texts
from curate.kernels.heuristics import heuristic_statistics
from curate.recipe import load_recipe
from curate.stages.base import Batch
from curate.stages.heuristic_config import HeuristicsConfig
from curate.stages.heuristics import Heuristics
from tests.heuristics.measured import batch_of

SHORT = "The cat and the dog have to be of use."
LANGUAGES = {"de": {"thresholds": {"word_count": {"min": 5}}, "skip": ["stop_words"]}}


def decide(texts, languages, **config):
    stage = Heuristics(HeuristicsConfig(**config))
    batch = Batch("s", Texts.from_arrow(pa.array(texts)), {"lang": pa.array(languages, pa.string())})
    verdicts = stage.decide(batch, np.arange(len(texts)))
    return [stage.rules[place] if place >= 0 else None for place in verdicts.rule], verdicts, stage


def test_bounds_and_skips_of_a_language():
    texts = [SHORT, SHORT, SHORT, "Hund " * 6, "Hund " * 6, "Hund"]
    languages = ["en", "de", None, "de", "en", "de"]
    reasons, verdicts, stage = decide(
        texts, languages, profile="gopher", rules=["word_count", "stop_words"], by_language=LANGUAGES
    )
    short = "gopher.quality.word_count"
    assert reasons == [short, None, short, None, short, short]
    assert stage.requires == ("lang",)
    assert verdicts.value[0] == 10


def test_a_language_s_bounds_stand_before_the_stage_s():
    by_language = {"de": {"thresholds": {"word_count": {"max": 20}}}}
    thresholds = {"word_count": {"min": 2, "max": 7}}
    texts = ["a", "a " * 7, "a " * 8, "a " * 21]
    common = {"profile": "gopher", "rules": ["word_count"], "thresholds": thresholds}
    for language, dropped in (("en", [0, 2, 3]), ("de", [0, 3])):
        reasons, *_ = decide(texts, [language] * 4, by_language=by_language, **common)
        assert [row for row, reason in enumerate(reasons) if reason] == dropped


def test_decisions_again_from_columns_are_the_same():
    texts, languages = [SHORT, "Hund " * 6, "", "a b", "c"] * 2, ["en", "de", None, "de", "fr"] * 2
    config = {
        "profile": ["gopher", "nemo"],
        "keep_stats": "all",
        "by_language": {
            "de": {
                "thresholds": {"gopher.quality.word_count": {"min": 5}, "common_english_words": {"min": 1}}
            }
        },
    }
    _, verdicts, stage = decide(texts, languages, **config)
    again = stage.redecide({**verdicts.columns, "lang": pa.array(languages, pa.string())})
    np.testing.assert_array_equal(again.rule, verdicts.rule)
    np.testing.assert_array_equal(again.value, verdicts.value)
    assert {name: column.to_pylist() for name, column in again.columns.items()} == {
        name: column.to_pylist() for name, column in verdicts.columns.items()
    }


@pytest.mark.parametrize(
    ("by_language", "message"),
    [
        ({"de": {}}, "give thresholds, skip or both"),
        ({"de": {"skip": ["word_cuont"]}}, "did you mean 'word_count'"),
        ({"de": {"thresholds": {"word_count": {"min": 200_000}}}}, "min 200000 above max 100000"),
        ({"de": {"thresholds": {"word_count": {"min": 1}}, "skip": ["word_count"]}}, "not among the rules"),
        ({"de": {"skip": ["ellipsis"]}}, "is not applied anyway"),
        ({"de": {"rules": ["ellipsis"]}}, "Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_meant_is_an_error(by_language, message):
    with pytest.raises(ValidationError, match=message):
        HeuristicsConfig(profile="nemo", skip=["ellipsis"], by_language=by_language)


def test_a_recipe_says_so(tmp_path):
    path = tmp_path / "recipe.yaml"
    path.write_text(
        "name: a\nsources: [{name: s, path: x.parquet}]\nstages:\n  - language: {}\n"
        "  - heuristics: {by_language: {de: {thresholds: {word_count: {min: 5}}}}, keep_stats: all}\n"
    )
    config = load_recipe(path).stages[1].config
    assert config.resolved("de")["nemo.word_count"].minimum == 5
    assert config.resolved("en")["nemo.word_count"].minimum == 50


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\u6211\u4eec\u662f\u5b66\u751f\u3002", 5),
        ("\u3042\u308a\u304c\u3068\u3046", 5),
        ("\u30c6\u30ec\u30d3\u3092\u898b\u308b", 4),
        ("\u0e44\u0e17\u0e22", 3),
        ("\u0e19\u0e49\u0e33", 2),
        ("\ud559\uad50 \uc548", 2),
        ("hello, w\u00f6rld 3.5", 3),
    ],
)
def test_words_of_scripts_without_spaces_are_characters(text, words):
    counts = heuristic_statistics(Texts.from_arrow(pa.array([text])), np.array([0]), ["uax_words"])
    assert counts["uax_words"].tolist() == [words]


CHINESE = "\u4eca\u5929\u5929\u6c14\u5f88\u597d\uff0c\u6211\u4eec{}\u53bb\u516c\u56ed\u6563\u6b65\u3002"


def reasons_of(text, profile):
    stage = Heuristics(HeuristicsConfig(profile=profile))
    verdicts = stage.decide(batch_of([text]), np.array([0]))
    return stage.rules[verdicts.rule[0]] if verdicts.rule[0] >= 0 else None


def test_chinese_prose_stays_and_chinese_repetition_goes():
    digits = "\u4e00\u4e8c\u4e09\u56db\u4e94\u516d\u4e03\u516b\u4e5d\u5341"
    prose = "".join(
        chr(0x4E00 + 37 * place % 5000) + ("\u3002" if place % 12 == 11 else "") for place in range(300)
    )
    assert reasons_of(prose, "multilingual") is None
    assert reasons_of(prose, "gopher") == "gopher.quality.word_count"
    assert reasons_of(digits, "multilingual") == "multilingual.quality.word_count"
    same = "\n".join(CHINESE.format(digit) for digit in digits)
    assert reasons_of(same, "multilingual").startswith("multilingual.repetition.")
    unended = prose.replace("\u3002", "\n")
    assert reasons_of(unended, "multilingual") == "multilingual.lines.line_punct_ratio"
