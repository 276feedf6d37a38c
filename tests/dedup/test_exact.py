"""Exact duplicates: the hash against MurmurHash3's published values, groups against dictionaries."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.dedup import STAYS, exact_groups, text_hash
from curate.kernels import Texts
from tests.dedup.oracle import M, fmix64, rotl


def murmur128(data: bytes, seed: int) -> tuple[int, int]:
    """MurmurHash3_x64_128, from its description."""
    c1, c2 = 0x87C37B91114253D5, 0x4CF5AD432745937F
    a = b = seed
    whole = len(data) // 16 * 16
    for i in range(0, whole, 16):
        x, y = int.from_bytes(data[i : i + 8], "little"), int.from_bytes(data[i + 8 : i + 16], "little")
        a = (rotl(a ^ rotl(x * c1 & M, 31) * c2 & M, 27) + b) * 5 + 0x52DCE729 & M
        b = (rotl(b ^ rotl(y * c2 & M, 33) * c1 & M, 31) + a) * 5 + 0x38495AB5 & M
    rest = data[whole:]
    a ^= rotl(int.from_bytes(rest[:8], "little") * c1 & M, 31) * c2 & M
    b ^= rotl(int.from_bytes(rest[8:], "little") * c2 & M, 33) * c1 & M
    a, b = a ^ len(data), b ^ len(data)
    a = a + b & M
    b = a + b & M
    a, b = fmix64(a), fmix64(b)
    a = a + b & M
    return a, a + b & M


def test_the_reference_has_the_verification_value_of_smhasher() -> None:
    hashes = [murmur128(bytes(range(i)), 256 - i) for i in range(256)]
    joined = b"".join(a.to_bytes(8, "little") + b.to_bytes(8, "little") for a, b in hashes)
    assert murmur128(joined, 0)[0] & 0xFFFFFFFF == 0x6384BA69


@settings(max_examples=100, deadline=None)
@given(st.lists(st.binary(max_size=100), min_size=1, max_size=5))
def test_text_hash_is_murmur3(texts: list[bytes]) -> None:
    rows = np.arange(len(texts))[::-1].copy()
    hashes = text_hash(Texts.from_arrow(pa.array(texts, pa.binary())), rows)
    assert hashes.shape == (len(texts), 2)
    assert [tuple(h) for h in hashes.tolist()] == [murmur128(text, 0) for text in reversed(texts)]


def test_text_hash_has_the_well_known_value() -> None:
    texts = Texts.from_arrow(pa.array(["", "The quick brown fox jumps over the lazy dog"]))
    hashes = text_hash(texts, np.arange(2))
    assert hashes.tolist() == [[0, 0], [0xE34BBC7BBC071B6C, 0x7A433CA9C49A9347]]


def doc(source: int, row: int) -> int:
    return source << 56 | row


members = st.dictionaries(
    st.builds(doc, st.integers(0, 3), st.integers(0, 40)),
    st.tuples(st.integers(0, 3), st.integers(0, 3)),
    max_size=60,
)


@settings(max_examples=200, deadline=None)
@given(members, st.booleans(), st.randoms(use_true_random=False))
def test_groups_are_those_of_a_dictionary(
    hash_of: dict[int, tuple[int, int]], across: bool, random: object
) -> None:
    docs = list(hash_of)
    random.shuffle(docs)  # type: ignore[attr-defined]
    hashes = np.array([hash_of[d] for d in docs], np.uint64).reshape(len(docs), 2)
    made = exact_groups(hashes, np.array(docs, np.uint64), across)

    groups = defaultdict(list)
    for d, h in hash_of.items():
        groups[h].append(d)
    wanted = []
    for group in sorted(sorted(g) for g in groups.values() if len(g) > 1):
        for d in group:
            stays = d == group[0] or (across and d >> 56 == group[0] >> 56)
            wanted.append((d, group[0], len(group), int(STAYS) if stays else group[0]))
    rows = zip(*(x.tolist() for x in (made.docs, made.cluster, made.size, made.witness)), strict=True)
    assert list(rows) == wanted


def test_both_halves_of_the_hash_count() -> None:
    hashes = np.array([[1, 2], [1, 3], [2, 2], [1, 2]], np.uint64)
    assert exact_groups(hashes, np.arange(4, dtype=np.uint64), False).docs.tolist() == [0, 3]


def test_hashes_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="two columns"):
        exact_groups(np.zeros((3, 3), np.uint64), np.zeros(3, np.uint64), False)
