"""Sketches against docs/sketch.md: its vectors, and an implementation of its text in plain Python."""

from __future__ import annotations

import re
from functools import reduce
from operator import xor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.dedup import RememberingSketcher, Shingles, Sketcher, Sketches
from curate.kernels import Texts, _cpu
from tests.dedup import oracle

VECTORS = [
    # text, first slots, exclusive or of all: seed 42, 25 characters, 128 slots
    (b"a", [0x1F05E1552, 0x22402F67C8, 0x1CDDA7B6FD], 0x9282944D7E),
    (b"hello world", [], 0xD381EDEE3B),
    (b"The quick brown fox jumps over the lazy dog. " * 8, [], 0x1DED73C86),
]
PIECES = [
    *(b"a Z 9 word . \0 \xff \xe2 \x80 \xe3\x80 \xc2 it's".split(b" ")),
    b" ",
    b"\n",
    *(c.encode() for c in "\u00a0\u2003\u2019\u2066\u3000\u3002\u3003é漢😀"),
]
pieces = st.sampled_from(PIECES)
texts_of_pieces = st.lists(pieces, max_size=300).map(b"".join)
repeated = st.tuples(pieces, st.integers(1, 9_000)).map(lambda pair: pair[0] * pair[1])
any_text = st.one_of(st.binary(max_size=200), texts_of_pieces, repeated)
shingles = st.builds(
    Shingles,
    unit=st.sampled_from(["char", "word"]),
    length=st.one_of(st.integers(1, 8), st.sampled_from([25, 63, 64])),
)


@st.composite
def sketchers(draw: st.DrawFn) -> Sketcher:
    hashes = draw(st.one_of(st.integers(1, 40), st.just(128)))
    return Sketcher(
        draw(shingles),
        hashes,
        bands=draw(st.integers(1, hashes)),
        seed=draw(st.integers(0, 2**64 - 1)),
        method=draw(st.sampled_from(["fss", "minhash"])),
    )


def texts_of(texts: list[bytes]) -> Texts:
    return Texts.from_arrow(pa.array(texts, pa.binary()))


def sketch(sketcher: Sketcher, texts: list[bytes]) -> Sketches:
    return sketcher.sketch(texts_of(texts), np.arange(len(texts)))


def same(one: Sketches, other: Sketches) -> bool:
    return (
        np.array_equal(one.keys, other.keys)
        and np.array_equal(one.signatures, other.signatures)
        and np.array_equal(one.sketched, other.sketched)
    )


def expected(sketcher: Sketcher, text: bytes) -> tuple[list[int], bytes] | None:
    """Band keys and signature; None where the text has no shingle."""
    hashes = oracle.shingles(text, sketcher.shingles.unit, sketcher.shingles.length, sketcher.seed)
    if not hashes:
        return None
    slots = (oracle.fss if sketcher.method == "fss" else oracle.minhash)(hashes, sketcher.hashes)
    rows = sketcher.hashes // sketcher.bands
    keys = [oracle.band_key(slots[j * rows : (j + 1) * rows], j) for j in range(sketcher.bands)]
    return keys, oracle.signature(slots)


@pytest.mark.parametrize(("text", "first", "everything"), VECTORS)
def test_the_oracle_gives_the_published_vectors(text: bytes, first: list[int], everything: int) -> None:
    slots = oracle.fss(oracle.shingles(text, "char", 25, 42), 128)
    assert slots[: len(first)] == first
    assert reduce(xor, slots) == everything
    assert oracle.table(42)[0] == 0xBDD732262FEB6E95


def test_the_document_states_what_comes_out() -> None:
    lines = (Path(__file__).parents[2] / "docs" / "sketch.md").read_text().splitlines()
    rows = [line.split("|")[1:-1] for line in lines if re.match(r"\| (fss|minhash) \|", line)]
    assert len(rows) >= 6
    for cells in rows:
        method, unit, length, hashes, bands, seed, text, key, signature = [cell.strip(" `") for cell in cells]
        sketcher = Sketcher(
            Shingles(unit, int(length)),  # type: ignore[arg-type]
            int(hashes),
            int(bands),
            int(seed),
            method,  # type: ignore[arg-type]
        )
        made = sketch(sketcher, [text.encode()])
        assert int(made.keys[0, 0]) == int(key, 16), cells
        assert made.signatures[0, :8].tobytes().hex() == signature, cells


@settings(max_examples=120, deadline=None)
@given(sketchers(), any_text)
def test_sketches_are_those_of_the_definition(sketcher: Sketcher, text: bytes) -> None:
    made = sketch(sketcher, [text])
    wanted = expected(sketcher, text)
    assert made.sketched.tolist() == [wanted is not None]
    if wanted is None:
        assert not made.keys.any()
        assert not made.signatures.any()
    else:
        assert made.keys[:, 0].tolist() == wanted[0]
        assert made.signatures[0].tobytes() == wanted[1]


@pytest.mark.parametrize("unit", ["char", "word"])
@pytest.mark.parametrize("method", ["fss", "minhash"])
def test_texts_longer_than_a_block(unit: Any, method: Any) -> None:
    random = np.random.default_rng(5)
    numbers = random.integers(0, 5_000, 6_000).tolist()
    text = b"".join(b"%d%s" % (n, [b" ", b"\xe2\x80\x94", b", "][n % 3]) for n in numbers)
    sketcher = Sketcher(Shingles(unit, 5), hashes=48, bands=6, seed=1, method=method)
    made = sketch(sketcher, [text])
    assert (made.keys[:, 0].tolist(), made.signatures[0].tobytes()) == expected(sketcher, text)


@pytest.mark.parametrize(
    ("distinct", "repeats", "hashes"), [(2, 30_000, 300), (20, 40, 300), (30, 2_000, 128), (4_500, 16, 4_096)]
)
def test_repeats_change_nothing(distinct: int, repeats: int, hashes: int) -> None:
    once = b"".join(b"%d " % n for n in range(distinct))
    sketcher = Sketcher(Shingles("word", 1), hashes, bands=4, seed=1)
    made = sketch(sketcher, [once * repeats])
    assert (made.keys[:, 0].tolist(), made.signatures[0].tobytes()) == expected(sketcher, once)


@settings(max_examples=60, deadline=None)
@given(sketchers(), st.lists(any_text, min_size=1, max_size=6), st.data())
def test_every_instruction_set_gives_the_same_bits(
    sketcher: Sketcher, texts: list[bytes], data: st.DataObject
) -> None:
    packed = texts_of(texts)
    rows = np.array(data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=8)), np.int64)
    wanted = sketcher.sketch(packed, rows)
    for instruction_set in _cpu.instruction_sets():
        made = _cpu.sketch(
            packed.data,
            packed.offsets,
            rows,
            words=sketcher.shingles.unit == "word",
            length=sketcher.shingles.length,
            hashes=sketcher.hashes,
            bands=sketcher.bands,
            seed=sketcher.seed,
            minhash=sketcher.method == "minhash",
            instruction_set=instruction_set,
        )
        assert same(Sketches(*made), wanted), instruction_set


@pytest.mark.parametrize("separator", [b" ", b"\xc2\xa0", b"\xe2\x80\x94", b"\xe3\x80\x82", b"\xc3\xa0"])
@pytest.mark.parametrize("edge", [64, 1024, 1088])
def test_separators_across_the_edges_of_blocks(separator: bytes, edge: int) -> None:
    sketcher = Sketcher(Shingles("word", 2), hashes=8, bands=2, seed=7)
    words = b"ab Cd e " * (edge // 8 + 1)
    texts = [
        words[: edge - back] + b"x" * before + separator + b"y" for back in range(8) for before in (0, 1)
    ]
    texts += [b"x" * (edge + more) + separator[:cut] for more in (-2, -1, 0, 1) for cut in range(4)]
    texts += [text + b" and so on " * 20 for text in texts]
    for instruction_set in _cpu.instruction_sets():
        packed = texts_of(texts)
        made = _cpu.sketch(
            packed.data,
            packed.offsets,
            np.arange(len(texts)),
            words=True,
            length=2,
            hashes=8,
            bands=2,
            seed=7,
            minhash=False,
            instruction_set=instruction_set,
        )
        for i, text in enumerate(texts):
            assert (made[0][:, i].tolist(), made[1][i].tobytes()) == expected(sketcher, text), instruction_set


@settings(max_examples=40, deadline=None)
@given(
    sketchers(),
    st.lists(any_text, min_size=1, max_size=4),
    st.lists(st.lists(st.integers(0, 3), max_size=6), min_size=1, max_size=5),
    st.sampled_from([1, 1_500, 1 << 20]),
)
def test_a_text_met_again_has_its_first_sketch(
    sketcher: Sketcher, texts: list[bytes], batches: list[list[int]], remembered: int
) -> None:
    packed = texts_of(texts)
    remembering = RememberingSketcher(sketcher, remembered)
    for batch in batches:
        rows = np.array(batch, np.int64) % len(texts)
        assert same(remembering.sketch(packed, rows), sketcher.sketch(packed, rows))


def test_a_text_met_again_is_not_sketched_again() -> None:
    sketcher = Sketcher(Shingles("word", 2, normalize=("lowercase",)), hashes=16, bands=4, seed=1)
    remembering = RememberingSketcher(sketcher)
    remembering.sketch(texts_of([b"one two three", b"One two three", b"four", b""]), np.arange(4))
    assert remembering.recalled == 1
    again = remembering.sketch(texts_of([b"", b"five", b"FOUR"]), np.arange(3))
    assert remembering.recalled == 3
    assert same(again, sketch(sketcher, [b"", b"five", b"FOUR"]))


@settings(max_examples=40, deadline=None)
@given(sketchers(), st.lists(any_text, min_size=2, max_size=8), st.integers(1, 7))
def test_batches_do_not_matter(sketcher: Sketcher, texts: list[bytes], cut: int) -> None:
    whole = sketch(sketcher, texts)
    head, tail = sketch(sketcher, texts[:cut]), sketch(sketcher, texts[cut:])
    parts = Sketches(
        np.concatenate([head.keys, tail.keys], axis=1),
        np.concatenate([head.signatures, tail.signatures]),
        np.concatenate([head.sketched, tail.sketched]),
    )
    assert same(whole, parts)


@pytest.mark.parametrize(
    "array",
    [
        pa.array(["left out", "one two three", None, "", "漢字 four", "left out"]).slice(1, 4),
        pa.array(["left out", "one two three", None, "", "漢字 four"], pa.large_string()).slice(1),
        pa.array(["one two three", None, "", "漢字 four"]).dictionary_encode(),
        pa.chunked_array([["one two three", None], ["", "漢字 four"]]),
    ],
    ids=["sliced string", "sliced large_string", "dictionary", "chunked"],
)
def test_arrow_layouts_do_not_matter(array: pa.Array) -> None:
    sketcher = Sketcher(Shingles("char", 4), hashes=16, bands=4, seed=3)
    made = sketcher.sketch(Texts.from_arrow(array), np.arange(4))
    assert same(made, sketch(sketcher, [b"one two three", b"", b"", "漢字 four".encode()]))
    assert made.sketched.tolist() == [True, False, False, True]


def test_words_ignore_case_and_punctuation_and_characters_do_not() -> None:
    texts = [b"To be, or not to be", "to\u00a0BE\u2003\u2014or not\u3000to be!".encode()]
    words = sketch(Sketcher(Shingles("word", 3), 8, 2, 0), texts)
    characters = sketch(Sketcher(Shingles("char", 3), 8, 2, 0), texts)
    assert (words.keys[:, 0] == words.keys[:, 1]).all()
    assert (characters.keys[:, 0] != characters.keys[:, 1]).all()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda: Shingles("line", 3), "unit"),  # type: ignore[arg-type]
        (lambda: Shingles("char", 65), "1 to 64"),
        (lambda: Sketcher(Shingles("char", 5), 0, 1, 0), "hashes"),
        (lambda: Sketcher(Shingles("char", 5), 5000, 1, 0), "4096"),
        (lambda: Sketcher(Shingles("char", 5), 8, 9, 0), "bands"),
        (lambda: Sketcher(Shingles("char", 5), 8, 2, -1), "seed"),
        (lambda: Sketcher(Shingles("char", 5), 8, 2, 0, "simhash"), "method"),  # type: ignore[arg-type]
        (lambda: sketch_row_beyond_the_end(), "not there"),
    ],
)
def test_wrong_values_are_named(wrong: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        wrong()


def sketch_row_beyond_the_end() -> None:
    Sketcher(Shingles("char", 5), 8, 2, 0).sketch(texts_of([b"one"]), np.array([1]))


def test_an_unknown_instruction_set_is_refused() -> None:
    one = np.zeros((1, 4), np.uint8)
    with pytest.raises(ValueError, match="sse9"):
        _cpu.count_matches(one, one, instruction_set="sse9")
