import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels import Texts, _cpu
from tests.synth.sets import byte_shingles, jaccard, word_shingles

# Few letters, so that pairs share shingles; separators of one to three bytes, and letters of two to four.
TEXTS = st.lists(
    st.text(st.sampled_from("aabB7 .-\n\u00a0\u2003é“”、日🙂"), max_size=40), min_size=2, max_size=2
)


def kernel(a, b, unit, length):
    first, second = (Texts.from_arrow(pa.array(texts, pa.string())) for texts in (a, b))
    return _cpu.jaccard(first.data, first.offsets, second.data, second.offsets, unit, length)


@given(TEXTS, st.integers(1, 6))
def test_equals_the_jaccard_of_sets(texts, length):
    a, b = texts
    assert kernel([a], [b], "char", length)[0] == jaccard(byte_shingles(a, length), byte_shingles(b, length))
    assert kernel([a], [b], "word", length)[0] == jaccard(word_shingles(a, length), word_shingles(b, length))


def test_rows_are_independent():
    a, b = ["one two three", "", "x" * 9000, "short"], ["one two four", "", "x" * 9001, ""]
    found = kernel(a, b, "char", 5)
    assert found.dtype == np.float64
    assert found.tolist() == [
        jaccard(byte_shingles(x, 5), byte_shingles(y, 5)) for x, y in zip(a, b, strict=True)
    ]
    assert found[1:].tolist() == [1, 1, 0]


@pytest.mark.parametrize(("unit", "length"), [("line", 5), ("char", 0), ("word", 65)])
def test_unknown_shingles_are_refused(unit, length):
    with pytest.raises(ValueError, match=r"unit|length"):
        kernel(["a"], ["a"], unit, length)


def test_as_many_texts_on_both_sides():
    with pytest.raises(ValueError, match="as many"):
        kernel(["a"], ["a", "b"], "char", 5)
