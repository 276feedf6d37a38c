from __future__ import annotations

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.dedup import Shingles, Sketcher
from curate.kernels.gpu import sketch
from curate.kernels.gpu.jobs import DeviceTexts
from curate.kernels.gpu.sketch import SketchJob
from curate.kernels.interface import SketchShape
from tests.dedup import oracle
from tests.gpu.texts import batches, texts_of

shapes = st.builds(
    SketchShape,
    words=st.booleans(),
    length=st.sampled_from([1, 2, 5, 25, 64]),
    hashes=st.sampled_from([1, 7, 16]),
    bands=st.just(1),
    seed=st.sampled_from([0, 42, 2**64 - 1]),
    minhash=st.sampled_from([False, False, True]),
)


def assert_as_on_the_cpu(device, documents, shape: SketchShape) -> None:
    texts = texts_of(documents)
    job = SketchJob(DeviceTexts.upload(device, texts), shape)
    job.run()
    shingles = Shingles("word" if shape.words else "char", shape.length)
    sketcher = Sketcher(
        shingles, shape.hashes, shape.bands, shape.seed, "minhash" if shape.minhash else "fss"
    )
    expected = sketcher.sketch(texts, np.arange(len(texts)))
    keys, signatures, sketched = job.result()
    np.testing.assert_array_equal(sketched, expected.sketched)
    np.testing.assert_array_equal(signatures, expected.signatures)
    np.testing.assert_array_equal(keys, expected.keys)


@settings(max_examples=25, deadline=None)
@given(documents=batches, shape=shapes)
def test_sketches_are_those_of_the_cpu(device, documents, shape) -> None:
    assert_as_on_the_cpu(device, documents, shape)


@settings(max_examples=12, deadline=None)
@given(documents=batches, shape=shapes, piece=st.integers(1, 90))
def test_any_cut_into_pieces_gives_the_same_sketch(device, documents, shape, piece) -> None:
    with patch.multiple(sketch, WARP_WINDOWS=20, PIECE_WINDOWS=piece, CHAR_THREADS=16, WORD_THREADS=64):
        assert_as_on_the_cpu(device, documents, shape)


@pytest.mark.parametrize("words", [False, True], ids=["char", "word"])
def test_a_long_text_between_short_ones(device, words) -> None:
    random = np.random.default_rng(3)
    vocabulary = [bytes(random.integers(97, 123, n).astype(np.uint8)) for n in random.integers(1, 9, 300)]
    long = b" ".join(vocabulary[i] for i in random.integers(0, 300, 30_000))
    shape = SketchShape(words, 5 if words else 25, 128, 8, 10)
    assert_as_on_the_cpu(device, [b"short", long, b"", b"a" * 3000, long[:9000]], shape)


def test_band_keys_by_the_definition(device) -> None:
    text = b"To be, or not to be: that is the question"
    shape = SketchShape(True, 5, 112, 14, 1)
    job = SketchJob(DeviceTexts.upload(device, texts_of([text])), shape)
    job.run()
    keys, signatures, _ = job.result()
    slots = oracle.fss(oracle.shingles(text, "word", 5, 1), 112)
    assert keys[:, 0].tolist() == [oracle.band_key(slots[8 * j : 8 * j + 8], j) for j in range(14)]
    assert signatures[0].tobytes() == oracle.signature(slots)
