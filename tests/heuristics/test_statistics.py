"""What the kernel measures, against plain Python."""

import json

import numpy as np
import pyarrow as pa
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.kernels import Texts, _cpu
from curate.kernels.generate_unicode_tables import REGEX_VERSION, render
from curate.kernels.heuristics import STATISTICS, heuristic_statistics
from curate.stages.heuristic_profiles import NEMO
from tests.heuristics import oracle
from tests.heuristics.strategies import texts


def measured(*of):
    batch = Texts.from_arrow(pa.array(of, pa.large_string()))
    return heuristic_statistics(batch, np.arange(len(of)))


def statistics(text):
    return {name: int(values[0]) for name, values in measured(text).items()}


def equal(score, expected):
    return np.isnan(score) if expected is None else abs(score - expected) <= 1e-12 * max(1.0, expected)


@settings(max_examples=400, deadline=None)
@given(texts)
def test_scores_equal_plain_python(text):
    expected = oracle.scores(text)
    counts = measured(text)
    assert {rule.name for rule in NEMO.rules} == set(expected)
    for rule in NEMO.rules:
        score = rule.score(rule.measure.of(counts))[0]
        assert equal(score, expected[rule.name]), (rule.name, score, expected[rule.name])


def test_a_small_text_counted_by_hand():
    text = "The cat\u2026 sat\n\u2022 on the mat.\n\n\n# http://a.b (x)\u2003the cat\n\u2022 on the mat."
    counts = statistics(text)
    assert counts["chars"] == len(text) == 67
    assert (counts["words"], counts["word_chars"]) == (16, 50)  # "\u2022" and "#" are words
    assert (counts["lines"], counts["copied_lines"], counts["copied_line_chars"]) == (4, 1, 13)
    assert (counts["paragraphs"], counts["copied_paragraphs"], counts["paragraph_chars"]) == (2, 0, 65)
    assert (counts["ended_lines"], counts["bullet_lines"], counts["ellipsis_lines"]) == (2, 2, 0)
    assert (counts["url_chars"], counts["parentheses"], counts["symbol_words"]) == (10, 2, 1)
    assert (counts["common_words"], counts["longest_word"], counts["digits"]) == (3, 10, 0)


@pytest.mark.parametrize(
    ("text", "chars"),
    [
        ("a b a b a b", 9),  # "a b" three times
        ("a b xa bc a b", 9),  # also across longer words
        ("a b xa bc a  b", 6),  # but not over two spaces
        ("a a a a", 6),  # "a a" twice: occurrences do not overlap
        ("q w e r", 3),  # all occur once: the first
        ("q w e r e r q w", 6),  # "q w" and "e r" occur twice: the first
    ],
)
def test_top_gram_takes_what_replace_would(text, chars):
    assert statistics(text)["top_2_gram_chars"] == chars


def test_copied_grams_count_words_once_and_spaces_between():
    assert statistics("a b c d e x a b c d e")["copied_5_gram_chars"] == 9
    # Six a: the second 5-gram copies the first; of its words none was counted, so all five are.
    assert statistics("a a a a a a")["copied_5_gram_chars"] == 9
    # A third copy adds one word and the space before it.
    assert statistics("a a a a a a a")["copied_5_gram_chars"] == 11


@settings(max_examples=150, deadline=None)
@given(
    st.binary(min_size=64, max_size=64)
    | st.text("\n :kKvm(]1a\u3000\u212a\u00e9", min_size=64).map(lambda t: t.encode()[:64])
)
def test_both_ways_to_classify_a_block_agree(block):
    for plain, fast in _cpu.heuristics_blocks(np.frombuffer(block, np.uint8)):
        assert plain == fast


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=150) | texts.map(lambda text: text.encode()[1:-1]), max_size=4), texts)
def test_malformed_utf8_neither_crashes_nor_touches_its_neighbours(broken, text):
    batch = Texts.from_arrow(pa.array([*broken, text.encode()], pa.large_binary()))
    counts = heuristic_statistics(batch, np.arange(len(batch)))
    assert {name: int(values[-1]) for name, values in counts.items()} == statistics(text)
    assert all((values[:-1] >= -2).all() for values in counts.values())


def test_every_code_point_is_the_white_space_and_letter_python_says():
    codes = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    counts = measured(*(f"1{chr(code)}2" for code in codes))
    split = np.array([chr(code).isspace() for code in codes])
    np.testing.assert_array_equal(counts["words"], 1 + split)
    if regex.__version__ == REGEX_VERSION:
        letter = {found.start() for found in regex.finditer(r"[[:alpha:]]", "".join(map(chr, codes)))}
        expected = np.array([place in letter for place in range(len(codes))])
        np.testing.assert_array_equal(counts["alphabetic_words"] > 0, expected)


@pytest.mark.skipif(
    regex.__version__ != REGEX_VERSION, reason="another version of the Unicode tables' source"
)
def test_the_committed_unicode_tables_are_what_the_generator_writes():
    from pathlib import Path

    import curate.kernels

    assert (Path(curate.kernels.__file__).parent / "unicode_tables.h").read_text() == render()


NOTICES = [
    "Necessary cookies are absolutely essential for the website to function properly. This category only "
    "includes cookies that ensures basic functionalities and security features of the website. These cookies "
    "do not store any personal information.",
    "Any cookies that may not be particularly necessary for the website to function and is used specifically "
    "to collect user personal data via analytics, ads, other embedded contents are termed as non-necessary "
    "cookies. It is mandatory to procure user consent prior to running these cookies on your website.",
    "If you continue to browse this site without changing your cookie settings, you agree to this use. "
    "AcceptRead More",
    *(
        "Terms of use",
        "Privacy policy",
        "Privacy overview",
        "Privacy & cookies policy",
        "privacy and cookies policy",
    ),
    *("Cookie policy", "Uses cookies", "Use cookies", "Use of cookies"),
]


@pytest.mark.parametrize("notice", NOTICES)
def test_policy_notices_count_once_a_paragraph_whatever_their_case(notice):
    shifted = [notice, notice.upper(), notice.replace("k", "\u212a")]
    text = "\n\n".join(["nothing here", *shifted, f"x{notice}y\n{notice}", notice[1:], notice[:-1], "end"])
    assert statistics(text)["policy_paragraphs"] == 4
    assert statistics(notice[:-1])["policy_paragraphs"] == statistics(notice[1:])["policy_paragraphs"] == 0
    assert statistics(notice)["policy_paragraphs"] == 1


def test_long_texts_and_long_words():
    text = "".join(f"w{i} " for i in range(200_000)) + "y" * 5000 + "\n" * 1000
    counts = statistics(text)
    assert (counts["words"], counts["longest_word"], counts["paragraphs"]) == (200_001, 5000, 501)
    assert counts["copied_paragraphs"] == 499
    assert counts["copied_5_gram_chars"] == 0


def test_rows_choose_texts_and_must_exist():
    batch = Texts.from_arrow(pa.array(["a b", "c", None]))
    assert heuristic_statistics(batch, np.array([2, 0]))["words"].tolist() == [0, 2]
    with pytest.raises(ValueError, match="rows"):
        heuristic_statistics(batch, np.array([3]))


def test_statistics_are_described():
    assert all(STATISTICS.values())
    json.dumps(STATISTICS)
