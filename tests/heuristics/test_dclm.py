"""Profile `dclm`: equal to DCLM's own verdicts, to plain Python and, for words, to uniseg."""

import hashlib
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

import curate.kernels
from curate.kernels import _cpu
from curate.kernels.heuristics import heuristic_statistics
from curate.stages.heuristic_profiles import PROFILES
from tests.heuristics import oracle_gopher
from tests.heuristics.gopher_texts import BEYOND_ASCII, KNOWN, gopher_texts
from tests.heuristics.measured import assert_equal_scores, batch_of, kept, scores
from tests.shared_data import shared_data

wordbreak = pytest.importorskip("uniseg.wordbreak", reason="uniseg, whose words DCLM takes, is not installed")
from curate.kernels import generate_word_break_tables as tables  # noqa: E402  (needs uniseg)

QUALITY, REPETITION = "dclm.gopher_quality", "dclm.gopher_repetition"
FLAGS = {
    "page_length": "quality__len",
    "word_length": "quality__word_length",
    "symbol_ratio": "quality__symbol",
    "bullet_count": "quality__bullet",
    "ellipsis_count": "quality__ellipsis",
    "alphabetic_word_ratio": "quality__alpha",
    "stop_word": "quality__stop_words",
    "repeated_lines": "repetition__dup_line",
    "repeated_paragraphs": "repetition__dup_para",
    "repeated_line_chars": "repetition__dup_line_char",
    "repeated_paragraph_chars": "repetition__dup_para_char",
    **{f"top_{n}gram": f"repetition__top_{n}gram" for n in (2, 3, 4)},
    **{f"repeated_{n}gram": f"repetition__dup_{n}gram" for n in range(5, 11)},
}


@pytest.fixture(scope="module")
def golden():
    return pq.read_table(shared_data("golden/dclm.parquet"))


@pytest.fixture(scope="module")
def texts(golden):
    table = pq.read_table(shared_data("golden/docs.parquet"), columns=["id", "text"])
    assert table["id"].equals(golden["id"])
    return table["text"].to_pylist()


def words_of(text):
    data = text.encode()
    return [data[begin:end].decode() for begin, end in _cpu.unicode_words(np.frombuffer(data, np.uint8))]


def uniseg_words(text):
    return list(filter(oracle_gopher.starts_alphanumeric, wordbreak.words(text)))


def test_every_verdict_is_the_reference_s(texts, golden):
    batch = batch_of(texts)
    for profile in (QUALITY, REPETITION):
        for rule in PROFILES[profile].rules:
            flags = golden[FLAGS[rule.name]].to_numpy()
            np.testing.assert_array_equal(kept(batch, profile, rule.name), flags, rule.name)
    every = np.all([golden[flag].to_numpy() for flag in FLAGS.values()], axis=0)
    np.testing.assert_array_equal(kept(batch, (QUALITY, REPETITION)), every)


def test_words_are_the_reference_s(texts, golden):
    names = {"blank_words": "measured__n_words_fasttext", "uax_words": "measured__n_words_uniseg"}
    counts = heuristic_statistics(batch_of(texts).texts, np.arange(len(texts)), names)
    for name, column in names.items():
        known = golden[column].is_valid().to_numpy()
        assert known.sum() >= len(texts) - 1
        np.testing.assert_array_equal(counts[name][known], golden[column].drop_null().to_numpy())
    for text, digest in zip(texts, golden["uniseg_words_md5"].to_pylist(), strict=True):
        if digest is not None:
            assert hashlib.md5("\x1f".join(words_of(text)).encode()).hexdigest() == digest


@settings(max_examples=250, deadline=None)
@given(gopher_texts)
def test_scores_equal_plain_python(text):
    batch = batch_of([text])
    assert_equal_scores(batch, QUALITY, [oracle_gopher.dclm_quality(text)])
    assert_equal_scores(batch, REPETITION, [oracle_gopher.dclm_repetition(text, wordbreak.words)])


def test_more_real_documents_equal_plain_python():
    every = pq.read_table(shared_data("golden/more_docs.parquet"), columns=["text"])["text"].to_pylist()
    assert 0.6 < kept(batch_of(every), "dclm").mean() < 0.8
    some = [text for text in every[::31] if len(text) < 6_000]
    expected = [
        oracle_gopher.dclm_quality(text) | oracle_gopher.dclm_repetition(text, words_of) for text in some
    ]
    for profile in (QUALITY, REPETITION):
        assert_equal_scores(batch_of(some), profile, expected)
    for text in some[::4]:
        assert words_of(text) == uniseg_words(text)


@settings(max_examples=250, deadline=None)
@given(st.one_of(gopher_texts, st.lists(st.sampled_from(BEYOND_ASCII), max_size=12).map("".join), KNOWN))
def test_words_are_those_of_uniseg(text):
    assert words_of(text) == uniseg_words(text)


ONE_OF_EACH_CLASS = "a1\u05d0\u30a2_:,.'\" \n\r\u0301\u00ad\u200d\u2139\u24c2\u65e5#\U0001f1e6\uff9e"


def test_words_of_all_short_texts_are_those_of_uniseg():
    few = ONE_OF_EACH_CLASS
    short = [a + b + c for a in few for b in few for c in few]
    longer = [a + b + c + d for a in "a1\u05d0\u30a2" for b in few for c in few for d in "a1\u05d0_\u2139"]
    for text in [*few, *short, *longer]:
        assert words_of(text) == uniseg_words(text), ascii(text)


def test_ascii_words_over_the_edges_of_blocks():
    for start in range(56, 66):
        for text in ("a.b", "1.5 2", "_a b", "a_1.5", "a..b", "'a", "a:b:1", "\u00e9 a"):
            padded = "x " * (start // 2) + "-" * (start % 2) + text
            assert words_of(padded) == uniseg_words(padded), padded
            run = "_" * start + text
            assert words_of(run) == uniseg_words(run), run


@settings(max_examples=150, deadline=None)
@given(
    st.binary(min_size=64, max_size=64)
    | st.text("aZ09_.':,; \n\t\0#\u00e9", min_size=64).map(lambda text: text.encode()[:64])
)
def test_both_ways_to_classify_a_block_agree(block):
    for plain, fast in _cpu.word_masks(np.frombuffer(block, np.uint8)):
        assert plain == fast


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=200) | st.binary(max_size=60).map(lambda data: b"a" * 70 + data + b" b\xe2"))
def test_malformed_utf8_gives_words_inside_of_the_text(data):
    places = _cpu.unicode_words(np.frombuffer(data, np.uint8))
    flat = [place for word in places for place in word]
    assert flat == sorted(flat)
    assert all(0 <= place <= len(data) for place in flat)


def test_many_words_of_few_bytes():
    text = "a\u00b2" * 5000 + "\u00b2a" * 5000
    assert len(words_of(text)) == 20_000
    assert heuristic_statistics(batch_of([text]).texts, np.array([0]))["uax_words"][0] == 20_000


def test_letters_and_numbers_are_what_python_says():
    import unicodedata

    codes = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000 and unicodedata.category(chr(c)) != "Cn"]
    counts = heuristic_statistics(
        batch_of([chr(code) for code in codes]).texts, np.arange(len(codes)), ["letter_words", "blank_words"]
    )
    np.testing.assert_array_equal(counts["letter_words"] > 0, [chr(code).isalpha() for code in codes])
    np.testing.assert_array_equal(counts["blank_words"] > 0, [chr(code).isalnum() for code in codes])


@pytest.mark.skipif(
    regex.__version__ != tables.REGEX_VERSION or tables.version("uniseg") != tables.UNISEG_VERSION,
    reason="other versions of the Unicode tables' sources",
)
def test_the_committed_word_tables_are_what_the_generator_writes():
    assert (Path(curate.kernels.__file__).parent / "word_break_tables.h").read_text() == tables.render()


def test_empty_and_blank_pages():
    batch = batch_of(["", " \n\n ", "#", "a"])
    stays = {rule.name: kept(batch, REPETITION, rule.name).tolist() for rule in PROFILES[REPETITION].rules}
    assert stays["repeated_lines"] == stays["repeated_paragraph_chars"] == [False, False, True, True]
    assert stays["top_2gram"] == stays["repeated_10gram"] == [False, True, True, True]
    stays = {rule.name: kept(batch, QUALITY, rule.name).tolist() for rule in PROFILES[QUALITY].rules}
    assert stays["bullet_count"] == [True] * 4
    assert stays["symbol_ratio"] == [False, False, False, True]


@pytest.mark.parametrize(
    ("text", "marks"),
    [("......", 2), (". . . . . .", 2), (". . . .", 1), ("...\u2026#", 3), (". ...", 1), (". . ...", 2)],
)
def test_marks_are_counted_each_on_its_own(text, marks):
    assert scores(batch_of([text + " a"]), QUALITY)["symbol_ratio"][0] == marks / len((text + " a").split())


def test_the_longest_of_the_most_frequent_n_grams_is_taken():
    column = scores(batch_of(["a b ccc ddd a b ccc ddd"]), REPETITION)
    assert column["top_2gram"][0] == 12 / 16
    assert scores(batch_of(["a b c d"]), REPETITION)["top_2gram"][0] == 0
