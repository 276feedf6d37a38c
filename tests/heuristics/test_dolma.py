"""Profiles `dolma` and `gopher`: equal to Dolma's own attributes and flags, and to plain Python."""

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings

from curate.stages.heuristic_profiles import PROFILES
from tests.heuristics import oracle_gopher
from tests.heuristics.gopher_texts import gopher_texts
from tests.heuristics.measured import assert_equal_scores, batch_of, kept, scores
from tests.shared_data import shared_data

PARTS = {
    1: ("dolma.gopher_quality", "dolma.gopher_repetition"),
    2: ("dolma.gopher_v2_quality", "dolma.gopher_v2_repetition"),
}
BY_LINES = {
    "fraction_of_lines_starting_with_bullet_point",
    "fraction_of_lines_ending_with_ellipsis",
    "fraction_of_duplicate_lines",
    "fraction_of_characters_in_duplicate_lines",
}
FLAGS = {
    "word_count": "quality__len",
    "median_word_length": "quality__word_length",
    "symbol_to_word_ratio": "quality__symbol",
    "fraction_of_words_with_alpha_character": "quality__alpha",
    "required_word_count": "quality__stop_words",
    "fraction_of_lines_starting_with_bullet_point": "quality__bullet",
    "fraction_of_lines_ending_with_ellipsis": "quality__ellipsis",
    "fraction_of_duplicate_lines": "repetition__dup_line",
    "fraction_of_characters_in_duplicate_lines": "repetition__dup_line_char",
    **{f"fraction_of_characters_in_most_common_{n}grams": f"repetition__top_{n}gram" for n in (2, 3, 4)},
    **{f"fraction_of_characters_in_duplicate_{n}grams": f"repetition__dup_{n}gram" for n in range(5, 11)},
}


@pytest.fixture(scope="module")
def golden():
    return pq.read_table(shared_data("golden/dolma.parquet"))


@pytest.fixture(scope="module")
def documents(golden):
    table = pq.read_table(shared_data("golden/docs.parquet"), columns=["id", "text"])
    assert table["id"].equals(golden["id"])
    return batch_of(table["text"].combine_chunks())


def column_of(rule, tagger):
    if rule in BY_LINES:
        return f"measured__{rule}__v{tagger}"
    if rule.endswith("grams"):
        return "measured__" + rule.removeprefix("fraction_of_characters_in_").removesuffix("s")
    return f"measured__{rule}"


@pytest.mark.parametrize("tagger", [1, 2])
def test_every_attribute_is_the_reference_s(documents, golden, tagger):
    for profile in PARTS[tagger]:
        for rule, score in scores(documents, profile).items():
            expected = golden[column_of(rule, tagger)].to_numpy().astype(np.float64)
            np.testing.assert_allclose(score, expected, rtol=0, atol=1e-9, err_msg=rule)


def test_every_flag_is_the_reference_s(documents, golden):
    for profile in PARTS[1]:
        for rule in PROFILES[profile].rules:
            flags = golden[FLAGS[rule.name]].to_numpy()
            np.testing.assert_array_equal(kept(documents, profile, rule.name), flags, rule.name)
    every = np.all([golden[flag].to_numpy() for flag in FLAGS.values()], axis=0)
    np.testing.assert_array_equal(kept(documents, "dolma"), every)


@settings(max_examples=250, deadline=None)
@given(gopher_texts)
def test_scores_equal_plain_python(text):
    batch = batch_of([text])
    for tagger, profiles in PARTS.items():
        expected = oracle_gopher.dolma(text, blank_lines=tagger == 1)
        assert set(expected) == {rule.name for profile in profiles for rule in PROFILES[profile].rules}
        for profile in profiles:
            assert_equal_scores(batch, profile, [expected])


@settings(max_examples=200, deadline=None)
@given(gopher_texts)
def test_scores_of_the_paper_s_rules_equal_plain_python(text):
    expected = oracle_gopher.gopher(text)
    names = {rule.name for part in ("gopher.quality", "gopher.repetition") for rule in PROFILES[part].rules}
    assert set(expected) == names
    for profile in ("gopher.quality", "gopher.repetition"):
        assert_equal_scores(batch_of([text]), profile, [expected])


def test_more_real_documents_equal_plain_python():
    table = pq.read_table(shared_data("golden/more_docs.parquet"), columns=["text"])
    texts = table["text"].to_pylist()
    batch = batch_of(texts)
    assert 0.4 < kept(batch, "dolma").mean() < 0.7
    assert 0.5 < kept(batch, "gopher").mean() < 0.9
    some = [text for text in texts[::23] if len(text) < 20_000]
    for profile in PARTS[1]:
        assert_equal_scores(batch_of(some), profile, list(map(oracle_gopher.dolma, some)))
    for profile in ("gopher.quality", "gopher.repetition"):
        assert_equal_scores(batch_of(some), profile, list(map(oracle_gopher.gopher, some)))


def test_blank_lines_count_for_the_first_tagger_only():
    text = "a\n\nb\n\nc\n \n \nd\n"
    lines = [score(batch_of([text]))[0] for score in (duplicates(1), duplicates(2))]
    assert lines == [5 / 9, 2 / 7]  # "" three times and " " twice; for the second tagger "" ends the text


def duplicates(tagger):
    return lambda batch: scores(batch, PARTS[tagger][1])["fraction_of_duplicate_lines"]


def test_documents_shorter_than_an_n_gram_have_no_score_and_stay():
    batch = batch_of(["", " \n ", "one", "one two"])
    for rule in PROFILES["dolma.gopher_repetition"].rules[2:]:
        column = scores(batch, "dolma.gopher_repetition")[rule.name]
        few = 3 if rule.name.endswith("_2grams") else 4
        assert np.isnan(column[:few]).all()
        assert not np.isnan(column[few:]).any()
        assert kept(batch, "dolma.gopher_repetition", rule.name)[:few].all()


def test_the_most_frequent_n_gram_that_starts_first_is_taken():
    column = scores(batch_of(["a b ccc ddd a b ccc ddd"]), "dolma.gopher_repetition")
    assert column["fraction_of_characters_in_most_common_2grams"][0] == 4 / 16


@pytest.mark.parametrize(
    ("words", "median"), [("", 0), ("abc", 3), ("a bcd", 2), ("a bb cccc", 2), ("a bb cccc dddddddd", 3)]
)
def test_the_median_of_word_lengths(words, median):
    assert scores(batch_of([words]), "dolma.gopher_quality")["median_word_length"][0] == median


def test_the_median_of_very_long_words():
    texts = [" ".join(["x" * 900, "y" * 1001, "z" * 999][:n]) for n in (1, 2, 3)]
    medians = scores(batch_of(texts), "dolma.gopher_quality")["median_word_length"]
    assert medians.tolist() == [900, 950.5, 999]
