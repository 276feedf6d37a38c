"""The stage: configuration, reasons, values, columns."""

import json
import pickle
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from curate.kernels import Texts
from curate.stages.base import Batch
from curate.stages.heuristic_config import HeuristicsConfig
from curate.stages.heuristic_profiles import PROFILES
from curate.stages.heuristics import Heuristics
from tests.heuristics.strategies import texts

PROSE = (
    "It was on a dreary night of November that I beheld the accomplishment of my toils. With an anxiety that "
    "almost amounted to agony, I collected the instruments of life around me, that I might infuse a spark of "
    "being into the lifeless thing that lay at my feet. It was already one in the morning; the rain pattered "
    "dismally against the panes, and my candle was nearly burnt out.\n"
)


def decide(texts, rows=None, **config):
    stage = Heuristics(HeuristicsConfig(**config))
    batch = Batch("source", Texts.from_arrow(pa.array(texts, pa.string())))
    rows = np.arange(len(texts)) if rows is None else np.asarray(rows)
    return stage, stage.decide(batch, rows)


def reasons(texts, **config):
    stage, verdicts = decide(texts, **config)
    return [stage.rules[place] if place >= 0 else None for place in verdicts.rule]


def test_prose_stays_and_drops_name_rule_and_value():
    short = "Too few words, but all that is said is to the point."
    stage, verdicts = decide([PROSE, short, PROSE + "1" * 100, PROSE * 2 + "\n" + PROSE])
    assert [stage.rules[place] if place >= 0 else None for place in verdicts.rule] == [
        None,
        "nemo.word_count",
        "nemo.numbers_ratio",
        "nemo.repeated_lines",
    ]
    assert np.isnan(verdicts.value[0])
    np.testing.assert_allclose(verdicts.value[1:], [12, 100 / (len(PROSE) + 100), 1 / 3])
    assert verdicts.rule.dtype == np.int16
    assert verdicts.value.dtype == np.float64
    assert verdicts.columns == {}


def test_text_without_anything_to_measure_is_dropped():
    stage, verdicts = decide(["", " ", "\n\n", None])
    assert [stage.rules[place] for place in verdicts.rule] == [
        "nemo.alpha_numeric",
        "nemo.alpha_numeric",
        "nemo.symbol_to_word",
        "nemo.alpha_numeric",
    ]
    np.testing.assert_array_equal(verdicts.value, [1.0, 1.0, np.nan, 1.0])
    for rule in PROFILES["nemo"].rules:
        if rule.name not in ("boilerplate_string_ratio", "repeated_paragraphs"):
            assert reasons([""], rules=[rule.name]) == [f"nemo.{rule.name}"]


def test_a_value_on_the_bound_stays():
    text = "a b c d e f g hh"
    assert reasons([text], rules=["word_count"], thresholds={"word_count": {"min": 8}}) == [None]
    assert reasons([text], rules=["word_count"], thresholds={"word_count": {"min": 9}}) == ["nemo.word_count"]
    assert reasons([text], rules=["word_count"], thresholds={"nemo.word_count": {"min": 1, "max": 8}}) == [
        None
    ]
    assert reasons([text], rules=["word_count"], thresholds={"word_count": {"min": 1, "max": 7.5}}) != [None]
    assert reasons(["1 . . ."], rules=["words_without_alphabets"]) == ["nemo.words_without_alphabets"]
    assert reasons(["a b c d 1"], rules=["words_without_alphabets"]) == [None]


def test_rules_are_chosen_and_skipped_in_the_profile_s_order():
    config = HeuristicsConfig(rules=["nemo.word_count", "alpha_numeric", "ellipsis"], skip=["ellipsis"])
    assert Heuristics(config).rules == ("nemo.alpha_numeric", "nemo.word_count")
    every = Heuristics(HeuristicsConfig()).rules
    assert every == tuple(f"nemo.{rule.name}" for rule in PROFILES["nemo"].rules)
    assert len(every) == 28


def test_kept_measures_become_columns_where_defined():
    keep = ["mean_word_length", "nemo.common_english_words"]
    stage, verdicts = decide(
        ["the of to", "", "aa bbbb"], rows=[0, 1], keep_stats=keep, skip=["mean_word_length"]
    )
    assert stage.columns == pa.schema(
        [("nemo.mean_word_length", pa.float64()), ("nemo.common_english_words", pa.float64())]
    )
    assert list(verdicts.columns) == stage.columns.names
    assert verdicts.columns["nemo.mean_word_length"].to_pylist() == [7 / 3, None]
    # The reference stops counting at its minimum.
    assert verdicts.columns["nemo.common_english_words"].to_pylist() == [2.0, 0.0]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"profile": "nemmo"}, "there is no profile 'nemmo'; did you mean 'nemo'?"),
        ({"profile": ()}, "at least one"),
        ({"profile": ("nemo", "nemo")}, "each once"),
        ({"rules": ["word_cuont"]}, "there is no rule 'word_cuont'; did you mean 'word_count'?"),
        ({"skip": ["nemo.word_cuont"]}, "did you mean 'nemo.word_count'?"),
        ({"keep_stats": ["mean_word_len"]}, "did you mean 'mean_word_length'?"),
        ({"keep_stats": ["ellipsis", "nemo.ellipsis"]}, "nemo.ellipsis is named twice"),
        ({"thresholds": {"punctuatoin": {"max": 1}}}, "did you mean 'punctuation'?"),
        ({"thresholds": {"punctuation": {"min": 1}}}, "nemo.punctuation is a rule with a max only"),
        ({"thresholds": {"repeated_lines": {"max": 1}}}, "nemo.repeated_lines is a rule with a min only"),
        ({"thresholds": {"word_count": {"min": 200_000}}}, "min 200000 above max 100000"),
        ({"thresholds": {"word_count": {"min": 1}}, "skip": ["word_count"]}, "not among the rules to apply"),
        ({"thresholds": {"word_count": {}}}, "give min, max or both"),
        ({"thresholds": {"word_count": {"max": float("nan")}}}, "finite"),
        ({"rules": ["ellipsis"], "skip": ["ellipsis"]}, "leave no rule"),
        ({"treshold": {}}, "Extra inputs"),
    ],
)
def test_mistakes_in_the_recipe_are_explained(config, message):
    with pytest.raises(ValidationError) as caught:
        HeuristicsConfig(**config)
    assert message in str(caught.value)


def test_the_definition_holds_all_that_decides():
    config = HeuristicsConfig(
        rules=["word_count", "ellipsis"],
        thresholds={"word_count": {"max": 70}},
        keep_stats=["max_word_length"],
    )
    source = "NeMo Curator 1.3.0, nemo_curator/config/text/heuristic_filter_english_pipeline.yaml"
    assert json.loads(json.dumps(Heuristics(config).definition())) == {
        "profiles": {"nemo": source},
        "rules": [
            {"rule": "nemo.word_count", "measure": "words", "min": 50.0, "max": 70.0},
            {"rule": "nemo.ellipsis", "measure": "ellipsis_lines / lines", "min": None, "max": 0.3},
        ],
        "keep_stats": [
            {"rule": "nemo.max_word_length", "measure": "longest_word", "min": None, "max": 1000.0}
        ],
        "unicode": "17.0",
        "word_break": "16.0",
    }


def test_the_stage_travels_by_pickle():
    stage = pickle.loads(pickle.dumps(Heuristics(HeuristicsConfig(keep_stats=["word_count"]))))
    batch = Batch("source", Texts.from_arrow(pa.array([PROSE])))
    assert stage.decide(batch, np.array([0])).columns["nemo.word_count"].to_pylist() == [70.0]


@settings(max_examples=100, deadline=None)
@given(st.lists(texts, min_size=1, max_size=12), st.data())
def test_verdicts_do_not_depend_on_how_documents_are_batched(documents, data):
    keep = [rule.name for rule in PROFILES["nemo"].rules]
    config = {"keep_stats": keep, "thresholds": {"word_count": {"min": 2}, "alpha_numeric": {"max": 0.6}}}
    _, whole = decide(documents, **config)
    rows = sorted(data.draw(st.sets(st.sampled_from(range(len(documents))), min_size=1)))
    _, some = decide(documents, rows=rows, **config)
    np.testing.assert_array_equal(some.rule, whole.rule[rows])
    np.testing.assert_array_equal(some.value, whole.value[rows])
    for row in rows:
        _, alone = decide([documents[row]], **config)
        assert (alone.rule[0], str(alone.value[0])) == (whole.rule[row], str(whole.value[row]))
        for name, column in alone.columns.items():
            assert column[0] == whole.columns[name][row]


def test_the_docs_state_every_rule_with_its_bounds():
    page = (Path(__file__).parents[2] / "docs" / "heuristics.md").read_text()
    for profile in PROFILES.values():
        lines = [line for line in page.splitlines() if line.startswith(f"| `{profile.name}.")]
        assert len(lines) == len(profile.rules)
        for line, rule in zip(lines, profile.rules, strict=True):
            bounds = [f">= {rule.minimum:g}"] if rule.minimum is not None else []
            bounds += [f"<= {rule.maximum:g}"] if rule.maximum is not None else []
            cells = [
                f"`{profile.name}.{rule.name}`",
                f"`{rule.measure}`",
                ", ".join(bounds),
                f"`{rule.source}`",
            ]
            assert line == f"| {' | '.join(cells)} |"
        assert profile.source in page
