"""Profiles that remove lines: counts and texts equal to plain Python, and what they mean in a list of profiles."""

import json
import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.kernels import Texts, _cpu
from curate.kernels.heuristics import family_statistics
from curate.stages.base import Batch
from curate.stages.heuristic_config import HeuristicsConfig
from curate.stages.heuristics import Heuristics
from tests.heuristics import oracle_lines as oracle
from tests.heuristics.measured import assert_equal_scores, batch_of
from tests.heuristics.oracle_datatrove import sentences
from tests.heuristics.strategies import texts
from tests.shared_data import shared_data

LINES = [
    "All is well here today. Is it? It is!",
    "No end mark on this line",
    "Too short here.",
    "  A [1] cited [edit] line is here. [2] [citation needed]  ",
    "It has[12] [] just five words.",
    "We use coo\u212aies here on this site.",
    "Read our Terms of Use before you go on.",
    "This needs JavaScript to run, does it?",
    "javascript",
    "JAVASCRIPT is shouted.",
    "Lorem Ipsum dolor sit amet it is.",
    "A curly { is here, is it not?",
    "It goes on and on and on...",
    "It ends with a quote 'like this'",
    'She said: "This is a line."',
    "x" * 1001 + " is too long a word.",
    "HERE WE SHOUT at all",
    "\u00c9COLE NORMALE sup",
    "12345",
    "\u00b2\u0664",
    " 77 ",
    "3 likes",
    "-- 1,234.5k Views! --",
    "12M  followers",
    "1\u212a BOOKMAR\u212aS",
    "3likes",
    "\u0664 shares?",
    "3 likes and more",
    "word",
    "3 ITEMS IN CART",
    "There are 2 \u0130tem\u017f in cart and 3 items in cart today",
    "items in cartitems in cart",
    "one two three four five six seven eight nine ten items in cart",
    "This is how it ends. Read more...",
    "read moreabc",
    "read more\u00e9\u00e9\u00e9 read more...",
    "SIGN-IN to go on",
    "  Sign-in now",
    "s\u0131gn-in\u3000here",
    "Sign-in",
    "",
    " ",
    "\t",
]
ENDS = st.sampled_from(["\n", "\n", "\n", "\n\n", "\r\n", "\u2028", "\x85", " \n", "\x0b"])
LINED = st.lists(st.tuples(st.sampled_from(LINES) | st.text(max_size=6), ENDS), max_size=9).map(
    lambda pairs: "".join(line + end for line, end in pairs)
)


def known_to_python(text):
    """Whether Python's older tables know every character as the kernel's do."""
    return not any(unicodedata.category(char) == "Cn" for char in text)


LINED = LINED.filter(known_to_python)


def edited(text, profile):
    stage = Heuristics(HeuristicsConfig(profile=profile))
    (left,) = stage.edit(Texts.from_arrow(pa.array([text])), np.array([0])).to_arrow().to_pylist()
    return left


def assert_equal_to(profile, text, expected):
    scores, left = expected
    assert edited(text, profile) == left
    assert_equal_scores(batch_of([text]), profile, [scores])


@settings(max_examples=200, deadline=None)
@given(LINED | texts.filter(known_to_python))
def test_refinedweb_s_lines_equal_plain_python(text):
    assert_equal_to("dclm.refinedweb_lines", text, oracle.refinedweb_lines(text))


@settings(max_examples=150, deadline=None)
@given(LINED | texts.filter(known_to_python))
def test_dolma_s_c4_equals_plain_python(text):
    assert_equal_to("dolma.c4", text, oracle.dolma_c4(text))


def sentences_of(line):
    """The sentences of a line, words with the white space that is a word given as the kernel splits them."""
    single = " ".join(line.split())
    return sentences(single, _cpu.spacy_words)


@settings(max_examples=150, deadline=None)
@given(LINED)
def test_c4_equals_plain_python(text):
    scores, left = oracle.c4(text, sentences_of)
    assert edited(text, "c4") == left
    # White space that is a word can start a sentence: there the oracle counts fewer.
    if "  " not in left and not any(char in left for char in "\t\u3000\x0b"):
        assert_equal_scores(batch_of([text]), "c4", [scores])


def test_every_line_rule_on_real_texts():
    table = pq.read_table(shared_data("golden/docs.parquet"), columns=["text"])
    every = table["text"].to_pylist()
    for profile, function in (
        ("dclm.refinedweb_lines", oracle.refinedweb_lines),
        ("dolma.c4", oracle.dolma_c4),
    ):
        batch = batch_of(every)
        expected = [function(text) for text in every]
        assert_equal_scores(batch, profile, [scores for scores, _ in expected])
        stage = Heuristics(HeuristicsConfig(profile=profile))
        left = stage.edit(batch.texts, np.arange(len(every))).to_arrow().to_pylist()
        assert left == [text for _, text in expected]
        assert sum(text != before for text, before in zip(left, every, strict=True)) > 100


def reasons(text, **config):
    stage = Heuristics(HeuristicsConfig(**config))
    verdicts = stage.decide(batch_of([text]), np.array([0]))
    return None if verdicts.rule[0] < 0 else stage.rules[verdicts.rule[0]]


GOOD = "This is a line of some words that stays. It is one of many."


def test_what_comes_first_drops_the_page():
    filler, bracket = "Lorem ipsum is all there is.", "There is a { in this line."
    assert reasons(f"{filler}\n{bracket}", profile="c4") == "c4.lorem_ipsum"
    assert reasons(f"{bracket}\n{filler}", profile="c4") == "c4.curly_bracket"
    assert reasons(GOOD, profile="c4") == "c4.too_few_sentences"
    assert reasons(f"{GOOD}\n{GOOD}", profile="c4") is None


def test_the_length_of_a_page_is_that_before_lines_go():
    long = f"{GOOD}\n{GOOD}\n" + "x" * 190_000
    assert reasons(long, profile="c4") == "c4.too_long"
    assert reasons(long[:190_000], profile="c4") is None
    assert reasons("{ this is a line. " * 20_000, profile="c4") == "c4.too_long"


def test_more_than_five_percent_of_the_words_removed_drops_the_page():
    text = "\n".join([" ".join(["word"] * 19)] * 4)
    assert reasons(f"{text}\nAA BB CC DD", profile="dclm.refinedweb_lines") is None
    assert reasons(f"{text}\nAA BB CC DD EE", profile="dclm.refinedweb_lines") == (
        "dclm.refinedweb_lines.word_removal_ratio"
    )
    assert reasons("12", profile="dclm.refinedweb_lines") == "dclm.refinedweb_lines.empty"


def test_each_part_decides_on_the_text_at_its_place():
    text = "\n".join([GOOD] + ["Menu"] * 60)
    words = {"rules": ["word_count"]}
    assert reasons(text, profile="nemo", **words) is None
    listed = {"rules": ["too_few_sentences", "word_count"], "thresholds": {"too_few_sentences": {"min": 1}}}
    assert reasons(text, profile=["c4", "nemo"], **listed) == "nemo.word_count"
    assert reasons(text, profile=["nemo", "c4"], **listed) is None


def test_profiles_that_edit_follow_one_another():
    text = "\n".join(["3 likes", GOOD, "Needs a line without an end", "SHOUTED LINE OF WORDS HERE."])
    after_lines = oracle.refinedweb_lines(text)[1]
    expected = oracle.c4(after_lines, sentences_of)[1]
    assert edited(text, ["dclm.refinedweb_lines", "c4"]) == expected == GOOD
    assert edited(text, ["c4", "dclm.refinedweb_lines"]) == GOOD
    assert edited(text, ["dolma.c4", "c4"]) == GOOD + "\nSHOUTED LINE OF WORDS HERE."


def test_the_removed_share_is_a_column_that_can_be_bounded():
    text = f"{GOOD}\n" + "x" * (3 * len(GOOD) - 1)
    config = HeuristicsConfig(profile="dolma.c4")
    stage = Heuristics(config)
    assert stage.columns.names == ["dolma.c4.removed"]
    assert "dolma.c4.removed" not in stage.rules
    columns = stage.decide(batch_of([text, ""]), np.array([0, 1])).columns
    assert columns["dolma.c4.removed"].to_pylist() == [(4 * len(GOOD) - len(GOOD) - 1) / (4 * len(GOOD)), 0]
    assert reasons(text, profile="dolma.c4", thresholds={"removed": {"max": 0.7}}) == "dolma.c4.removed"
    assert reasons(text, profile="dolma.c4", thresholds={"removed": {"max": 0.8}}) is None


def test_lines_are_removed_without_any_rule_where_only_that_is_asked_for():
    stage = Heuristics(HeuristicsConfig(profile=["c4", "nemo"], rules=["removed"]))
    assert (stage.rules, stage.edits, stage.columns.names) == ((), True, ["c4.removed"])
    stage = Heuristics(HeuristicsConfig(profile=["c4", "nemo"], rules=["word_count"]))
    assert (stage.rules, stage.edits, stage.columns.names) == (("nemo.word_count",), False, [])


def test_the_columns_of_kept_counts_follow_the_edits():
    """The statistics after a profile that edits are those of the text that it leaves."""
    text = f"{GOOD}\nno end mark {GOOD} no"
    steps = [("plain", ("chars",)), ("c4", ()), ("plain", ("chars",)), ("dclm.refinedweb_lines", ())]
    before, c4, after, lines = family_statistics(Texts.from_arrow(pa.array([text])), np.array([0]), steps)
    assert (before["chars"][0], c4["chars"][0]) == (len(text), len(text))
    assert after["chars"][0] == c4["kept_chars"][0] == lines["chars"][0] == len(GOOD)


def test_texts_at_other_rows_stay():
    batch = Batch("s", Texts.from_arrow(pa.array(["Menu", GOOD, "Menu\n" + GOOD])))
    stage = Heuristics(HeuristicsConfig(profile="dolma.c4"))
    assert stage.edit(batch.texts, np.array([2])).to_arrow().to_pylist() == ["Menu", GOOD, GOOD]


@pytest.mark.parametrize("profile", ["c4", "dolma.c4", "dclm", "fineweb", ["datatrove.c4_quality", "nemo"]])
def test_definitions_are_plain_values(profile):
    stage = Heuristics(HeuristicsConfig(profile=profile, keep_stats="all"))
    assert json.loads(json.dumps([stage.definition(), stage.measurement()]))
    assert set(stage.rules) <= set(stage.columns.names)
