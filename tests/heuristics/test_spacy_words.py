"""The words that datatrove's filters count: equal to spaCy's own."""

import functools
import importlib.metadata
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.kernels import _cpu, generate_spacy_tables
from tests.heuristics.strategies import spacy_texts, texts

needs_oracle = pytest.mark.skipif(
    any(
        importlib.util.find_spec(name) is None or importlib.metadata.version(name) != version
        for name, version in (
            ("spacy", generate_spacy_tables.SPACY_VERSION),
            ("datatrove", generate_spacy_tables.DATATROVE_VERSION),
        )
    ),
    reason="needs the versions of spaCy and datatrove that are followed",
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ""),
        (" \t\n\u3000", ""),
        ("Don't you  cannot\nwon\u2019t", "Do n't you can not wo n\u2019t"),
        ('He said: "Well, (yes)!"', 'He said : " Well , ( yes ) ! "'),
        ("U.S. e.g. 10a.m. Mr. end.", "U.S. e.g. 10 a.m. Mr. end ."),
        ("well-known rock'n'roll", "well - known rock'n'roll"),
        ("5km 3.5kg 20% $5 US$7 8\u00b0C.", "5 km 3.5 kg 20 % $ 5 US$ 7 8 \u00b0 C ."),
        ("https://a.bc/d?e=f, x@y.org.", "https://a.bc/d?e=f , x@y.org ."),
        ("foo.Bar foo.bar A.B", "foo . Bar foo.bar A.B"),
        ("192.168.1.1:80/x 8.8.8.8:80/x-y", "192.168.1.1:80 / x 8.8.8.8:80/x-y"),
        (":-) :) (:))) ...", ":-) :) ( :))) ..."),
        ("a--b 1-2 c\u2014d e,f g/h", "a -- b 1 - 2 c \u2014 d e , f g / h"),
        ("dogs' dog's DOG'S", "dogs ' dog 's DOG 'S"),
        (
            "\u65e5\u672c\u3002\u4e2d \u00e9, \U0001f600\u00a9",
            "\u65e5\u672c\u3002\u4e2d \u00e9 , \U0001f600 \u00a9",
        ),
    ],
)
def test_words_are_spacy_s(text, words):
    assert " ".join(_cpu.spacy_words(text)) == words


@needs_oracle
def test_the_committed_tables_are_what_the_generator_writes():
    header = Path(generate_spacy_tables.__file__).with_name("spacy_tables.h")
    assert header.read_text() == generate_spacy_tables.render()


@functools.cache
def spacy_tokenizer():
    import spacy

    return spacy.blank("en").tokenizer


@needs_oracle
@settings(max_examples=200, deadline=None)
@given(spacy_texts | texts)
def test_words_equal_spacy_itself(text):
    tokenizer = spacy_tokenizer()
    assert _cpu.spacy_words(text) == [word.text for word in tokenizer(text) if not word.is_space]


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=64, max_size=64))
def test_both_ways_to_mark_a_block_agree(block):
    for plain, fast in _cpu.spacy_marks(np.frombuffer(block, np.uint8)):
        assert plain == fast


@pytest.mark.parametrize("space", [" ", "\n", "\x85", "\u00a0", "\u1680", "\u2003", "\u3000", "\u205f "])
def test_white_space_is_found_over_the_edges_of_blocks(space):
    for length in range(55, 70):
        text = "a" * length + space + "b" * 65 + space + "c"
        assert _cpu.spacy_words(text) == text.split()


def test_a_long_text_without_white_space():
    for piece in (")", "a.", "a@a.", "'", ":-", "[=", "..", "1", "\u3042", "\u2026"):
        words = _cpu.spacy_words(piece * 20_000)
        assert "".join(words) == piece * 20_000
