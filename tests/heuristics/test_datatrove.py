"""Profiles `datatrove` and `fineweb`: equal to datatrove's own reasons, and to plain Python."""

import hashlib
import re
import string

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.kernels import Texts, _cpu
from curate.kernels.heuristics import FAMILY_STATISTICS, family_statistics
from curate.stages.heuristic_config import HeuristicsConfig
from curate.stages.heuristic_profiles import FAMILIES, PROFILES
from curate.stages.heuristics import Heuristics
from tests.heuristics import oracle_datatrove as oracle
from tests.heuristics.measured import assert_equal_scores, batch_of, scores
from tests.heuristics.strategies import spacy_texts, texts
from tests.shared_data import shared_data

FILTERS = ["gopher_repetition", "gopher_quality", "fineweb_quality", "c4_quality"]
FILTERS += ["c4_quality_keep_unpunctuated"]


@pytest.fixture(scope="module")
def golden():
    return pq.read_table(shared_data("golden/datatrove.parquet"))


@pytest.fixture(scope="module")
def documents(golden):
    table = pq.read_table(shared_data("golden/docs.parquet"), columns=["id", "text"])
    assert table["id"].equals(golden["id"])
    return table["text"].combine_chunks()


def decide(batch, **config):
    stage = Heuristics(HeuristicsConfig(**config))
    verdicts = stage.decide(batch, np.arange(len(batch.texts)))
    return [stage.rules[place] if place >= 0 else None for place in verdicts.rule], verdicts.value


def words_md5(text):
    return hashlib.md5("\x1f".join(_cpu.spacy_words(text)).encode()).hexdigest()


def test_every_word_is_the_reference_s(documents, golden):
    expected = golden["words_md5"].to_pylist()
    assert [words_md5(text) for text in documents.to_pylist()] == expected


@pytest.mark.parametrize("name", FILTERS)
def test_every_verdict_and_reason_is_the_reference_s(documents, golden, name):
    reasons, _ = decide(batch_of(documents), profile=f"datatrove.{name}")
    found = [reason and reason.rpartition(".")[2] for reason in reasons]
    errors = golden[f"{name}__error"].to_pylist()
    # The reference raises for the empty document.
    assert {reason for reason, error in zip(found, errors, strict=True) if error} <= {"empty"}
    expected = golden[f"{name}__reason"].to_pylist()
    assert [reason for reason, error in zip(found, errors, strict=True) if not error] == [
        reason for reason, error in zip(expected, errors, strict=True) if not error
    ]


def test_every_measure_is_the_reference_s(documents, golden):
    batch = batch_of(documents)
    repetition, quality = (
        scores(batch, "datatrove.gopher_repetition"),
        scores(batch, "datatrove.gopher_quality"),
    )
    measures = {
        **{name: score for name, score in repetition.items() if name != "empty"},
        "n_non_symbol_words": quality["gopher_short_doc"],
        "mean_non_symbol_word_length": quality["gopher_below_avg_threshold"],
        "alpha_words_frac": quality["gopher_below_alpha_threshold"],
    }
    for name, measure in measures.items():
        expected = golden[f"measured__{name}"].to_numpy()
        known = ~np.isnan(expected)
        np.testing.assert_allclose(measure[known], expected[known], rtol=0, atol=1e-12, err_msg=name)


@pytest.mark.parametrize("name", FILTERS[-2:])
def test_the_text_that_c4_leaves_is_the_reference_s(documents, golden, name):
    stage = Heuristics(HeuristicsConfig(profile=f"datatrove.{name}"))
    assert stage.edits
    texts = Texts.from_arrow(documents)
    left = stage.edit(texts, np.arange(len(texts))).to_arrow().to_pylist()
    chars, digests = golden[f"{name}__text_chars"].to_pylist(), golden[f"{name}__text_md5"].to_pylist()
    assert sum(digest is not None for digest in digests) > 1500
    for text, size, digest in zip(left, chars, digests, strict=True):
        if digest is not None:
            assert (len(text), hashlib.md5(text.encode()).hexdigest()) == (size, digest)


def ends_are_known(text):
    """Whether the oracle knows each mark that may end a sentence: it lists some; all of them are punctuation, other."""
    return not any(
        char not in oracle.ENDS and regex.match(r"[\p{Po}--\p{ASCII}]", char, regex.V1) for char in text
    )


@settings(max_examples=250, deadline=None)
@given((texts | spacy_texts).filter(ends_are_known))
def test_scores_equal_plain_python(text):
    words = _cpu.spacy_words(text)
    batch = batch_of([text])
    assert_equal_scores(batch, "datatrove.gopher_repetition", [oracle.repetition(text, words)])
    assert_equal_scores(batch, "datatrove.fineweb_quality", [oracle.fineweb(text, words)])


LINES = st.lists(
    st.sampled_from(["the of", "-", "\u2022 a", "to be...", "and", "...", "\u2026", "#", "12", "."]),
    max_size=9,
)
PLAIN_LINES = st.tuples(LINES.map(" ".join), st.sampled_from(["\n", "\r", "\x1d", "\u2029", " \n"])).map(
    "".join
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(PLAIN_LINES, max_size=8).map("".join)
    | st.text(string.printable + "\x01\x85\u2014\u2026\u2019\u00e9\u65e5\u2022", max_size=60)
)
def test_quality_scores_equal_plain_python(text):
    expected = [oracle.quality(text, _cpu.spacy_words(text))]
    assert_equal_scores(batch_of([text]), "datatrove.gopher_quality", expected)


C4_LINES = [
    "All is well. It is!",
    "No end mark here",
    "Too short.",
    "A [1] cited [edit] line. [2] [citation needed]",
]
C4_LINES += [
    "We use coo\u212aies here.",
    "Needs JavaScript to run.",
    "Lorem Ipsum dolor sit.",
    "Curly { is it?",
]
C4_LINES += [
    "It goes on and...",
    "x" * 1001 + " is too long.",
    "  Is this?  Yes. \u201cIt is.\u201d  ",
    "",
    "Mr. A. B. C.",
]


def with_white_space(text):
    """Words and white space as spaCy has them, of a text whose only white space are spaces."""
    found = []
    for part in re.split("( +)", text):
        white = part.isspace()
        if white and (len(part) > 1 or not found):
            found.append(part)
        found += [] if white else _cpu.spacy_words(part)
    return found


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(C4_LINES), st.sampled_from(["\n", "\r\n", "\u2028", "\x85", "\n\n"])),
        max_size=8,
    )
)
@pytest.mark.parametrize("name", FILTERS[-2:])
def test_c4_counts_equal_plain_python(name, pairs):
    text = "".join(line + end for line, end in pairs)
    expected, left = oracle.c4(text, with_white_space, name.endswith("unpunctuated"))
    assert_equal_scores(batch_of([text]), f"datatrove.{name}", [expected])
    for before in ([], [("datatrove.gopher_quality", ())]):
        steps = [*before, (f"datatrove.{name}", ()), ("plain", ("chars",)), ("datatrove.gopher_quality", ())]
        *_, c4, plain, after = family_statistics(Texts.from_arrow(pa.array([text])), np.array([0]), steps)
        assert (plain["chars"][0], c4["kept_chars"][0]) == (len(left), len(left))
        assert after["words"][0] == c4["words"][0] == len(_cpu.spacy_words(left))
        assert c4["sentences"][0] == expected["too_few_sentences"]


def test_white_space_that_is_a_word_starts_a_sentence():
    texts = ["One is it. [1] [2]", "One is it. [1]", "One is it.  Two is it."]
    found = family_statistics(
        Texts.from_arrow(pa.array(texts)), np.arange(3), [("datatrove.c4_quality", ())]
    )[0]
    assert found["sentences"].tolist() == [0, 0, 2]  # a line that ends with a space has no end mark
    steps = [("datatrove.c4_quality_keep_unpunctuated", ())]
    found = family_statistics(Texts.from_arrow(pa.array(texts)), np.arange(3), steps)[0]
    assert found["sentences"].tolist() == [2, 1, 2]


def test_what_comes_first_drops_the_page():
    filler, bracket = "Lorem ipsum is here.", "A { is here."
    reasons, _ = decide(
        batch_of([f"{filler}\n{bracket}", f"{bracket}\n{filler}"]), profile="datatrove.c4_quality"
    )
    assert [reason.rpartition(".")[2] for reason in reasons] == ["lorem_ipsum", "curly_bracket"]


PROSE = (
    "The cat that was here is gone, and of all the things to be had with it that was the best one so far. "
)


def test_fineweb_looks_at_the_text_that_c4_leaves():
    short = [f"It is line {i}" for i in range(40)]
    text = "\n".join([PROSE + str(i) + " it was so." for i in range(8)] + short)
    (kept,), _ = decide(batch_of([text]), profile="datatrove.fineweb_quality")
    assert kept == "datatrove.fineweb_quality.short_line_ratio"
    (after,), _ = decide(batch_of([text]), profile=["datatrove.c4_quality", "datatrove.fineweb_quality"])
    assert after != kept
    reasons, _ = decide(
        batch_of([text]), profile=["datatrove.c4_quality_keep_unpunctuated", "datatrove.fineweb_quality"]
    )
    assert reasons == [kept]
    # Where no rule of C4 is applied, the text stays as it is.
    reasons, _ = decide(
        batch_of([text]),
        profile=["datatrove.c4_quality", "datatrove.fineweb_quality"],
        rules=["short_line_ratio"],
    )
    assert reasons == [kept]


def test_families_run_filters_in_fineweb_s_order():
    parts = ["gopher_repetition", "gopher_quality", "c4_quality", "fineweb_quality"]
    assert FAMILIES["datatrove"] == tuple(f"datatrove.{part}" for part in parts)
    parts[2] = "c4_quality_keep_unpunctuated"
    assert FAMILIES["fineweb"] == tuple(f"datatrove.{part}" for part in parts)
    rules = Heuristics(HeuristicsConfig(profile="fineweb")).rules
    every = [name for part in FAMILIES["fineweb"] for name in PROFILES[part].full_names()]
    assert rules == tuple(name for name in every if not name.endswith(".removed"))


def test_an_empty_document_is_dropped_as_empty():
    reasons, values = decide(batch_of(["", " \n"]), profile="datatrove.fineweb_quality")
    assert reasons == ["datatrove.fineweb_quality.empty"] * 2
    assert values.tolist() == [0, 0]
    assert decide(batch_of([""]), profile="datatrove")[0] == ["datatrove.gopher_repetition.empty"]
    assert decide(batch_of([" "]), profile="datatrove.gopher_quality")[0] == [
        "datatrove.gopher_quality.gopher_short_doc"
    ]


def test_stop_words_are_whole_words():
    texts = ["the\x00 be\x00\x00 THE them", "the the\x00 be. (to) of, and that'd have with"]
    found = scores(batch_of(texts), "datatrove.gopher_quality")["gopher_enough_stop_words"]
    assert found.tolist() == [0, 8]


def test_copied_grams_are_compared_without_spaces():
    text = "ab c d e f x a bc d e f"
    found = family_statistics(
        Texts.from_arrow(pa.array([text])), np.array([0]), [("datatrove.gopher_repetition", ())]
    )
    assert found[0]["copied_5_gram_chars"][0] == 6


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.binary(max_size=80) | spacy_texts.map(lambda text: text.encode()[1:-1]), max_size=3),
    spacy_texts,
)
def test_malformed_utf8_neither_crashes_nor_touches_its_neighbours(broken, text):
    steps = [(name, ()) for name in FAMILY_STATISTICS if name.startswith("datatrove.")]
    alone = family_statistics(Texts.from_arrow(pa.array([text])), np.array([0]), steps)
    batch = Texts.from_arrow(pa.array([*broken, text.encode()], pa.large_binary()))
    together = family_statistics(batch, np.arange(len(batch)), steps)
    for one, all_ in zip(alone, together, strict=True):
        assert {name: values[0] for name, values in one.items()} == {
            name: values[-1] for name, values in all_.items()
        }
