"""Who stays where texts decide: the similarity of their shingles, where signatures do not rule a pair out."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.dedup import STAYS, Shingles, Sketcher, TextPlaces, resolve_exactly
from curate.dedup.verify import matches_needed, plausible_matches, similarity_of_matches
from curate.kernels import Texts

K = 20


def shingles(text: bytes) -> set[bytes]:
    return {text[i : i + 3] for i in range(max(1, len(text) - 2))}


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.lists(st.text("abc", min_size=1, max_size=8), max_size=5), max_size=4),
    st.integers(1, 20).map(lambda part: part / 20),
    st.booleans(),
)
def test_texts_decide_exactly(groups: list[list[str]], least: float, across: bool) -> None:
    """Equal signatures leave every pair to the texts; these stand in two buffers, turned around."""
    texts = [text.encode() for group in groups for text in group]
    offsets = np.cumsum([0, *map(len, groups)])
    docs = np.array([(i % 2 if across else 0) << 56 | i for i in range(len(texts))], np.uint64)
    for start, end in pairwise(offsets):
        docs[start:end].sort()
    reverse = b"".join(reversed(texts))
    ends = np.array([sum(map(len, texts[i:])) for i in range(len(texts))], np.int64)
    sizes = np.array([len(text) for text in texts], np.int64)
    which = np.arange(len(texts), dtype=np.uint32) % 2
    places = TextPlaces([np.frombuffer(reverse, np.uint8)] * 2, which, ends - sizes, ends)
    signatures = np.zeros((len(texts), K), np.uint8)
    witness, similarities = resolve_exactly(
        offsets, docs, signatures, places, Shingles("char", 3), least, across
    )
    for start, end in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        kept: list[int] = []
        for i in range(start, end):
            mine = shingles(texts[i])
            jaccard = {j: len(mine & shingles(texts[j])) / len(mine | shingles(texts[j])) for j in kept}
            rivals = [j for j in kept if not (across and int(docs[j]) >> 56 == int(docs[i]) >> 56)]
            found = [j for j in rivals if jaccard[j] >= least]
            assert int(witness[i]) == (int(docs[found[0]]) if found else int(STAYS))
            if found:
                assert similarities[i] == np.float32(jaccard[found[0]])
            kept += [] if found else [i]


@pytest.mark.parametrize("size", [40, 900])
def test_texts_of_pinned_documents_are_not_looked_at(size: int) -> None:
    """Pinned documents have no text here; their signatures decide, and texts among the others."""
    random = np.random.default_rng(size)
    bases = random.integers(97, 105, (8, 60), np.uint8)
    texts = bases[random.integers(0, 8, size)]
    texts[random.random(texts.shape) < 0.02] = 120
    packed = Texts(texts.reshape(-1), np.arange(size + 1, dtype=np.int64) * 60)
    signatures = Sketcher(Shingles("char", 3), 96, 8, seed=1).sketch(packed, np.arange(size)).signatures
    pinned = np.arange(size) < size // 4
    start = np.where(pinned, 0, packed.offsets[:-1])
    stop = np.where(pinned, 0, packed.offsets[1:])
    places = TextPlaces([packed.data], np.zeros(size, np.uint32), start, stop)
    docs = np.arange(size, dtype=np.uint64)
    witness, measured = resolve_exactly(
        np.array([0, size]), docs, signatures, places, Shingles("char", 3), 0.8, False, pinned
    )
    needed, plausible = matches_needed(0.8, 96), plausible_matches(0.8, 96)
    sets = [shingles(text.tobytes()) for text in texts]
    kept: list[int] = []
    by_signature = by_text = 0
    for i in range(size):
        for j in kept if not pinned[i] else []:
            equal = int((signatures[i] == signatures[j]).sum())
            jaccard = len(sets[i] & sets[j]) / len(sets[i] | sets[j])
            if pinned[j] and equal >= needed:
                assert (int(witness[i]), measured[i]) == (j, np.float32(similarity_of_matches(96)[equal]))
                by_signature += 1
                break
            if not pinned[j] and equal >= plausible and jaccard >= 0.8:
                assert (int(witness[i]), measured[i]) == (j, np.float32(jaccard))
                by_text += 1
                break
        else:
            assert witness[i] == STAYS
            kept.append(i)
    assert by_signature >= 3
    assert by_text >= 3


def test_signatures_rule_out_only_what_is_far_away() -> None:
    needed = plausible_matches(0.8, 128)
    assert 0.64 < similarity_of_matches(128)[needed] < 0.68
    assert plausible_matches(0.0, 128) == 0
    assert plausible_matches(1.0, 128) == 128
    with pytest.raises(ValueError, match="0 to 1"):
        plausible_matches(1.5, 128)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"buffer": np.array([2], np.uint32)}, "no buffer"),
        ({"stop": np.array([9], np.int64)}, "outside"),
        ({"start": np.array([-1], np.int64)}, "outside"),
        ({"stop": np.zeros(2, np.int64)}, "every doc"),
    ],
)
def test_texts_that_are_not_there(change: dict[str, np.ndarray], says: str) -> None:
    right = {
        "buffers": [np.zeros(4, np.uint8)],
        "buffer": np.zeros(1, np.uint32),
        "start": np.zeros(1, np.int64),
        "stop": np.full(1, 4, np.int64),
    }
    places = TextPlaces(**(right | change))  # type: ignore[arg-type]
    one = np.zeros(1, np.uint64)
    with pytest.raises(ValueError, match=says):
        resolve_exactly(
            np.array([0, 1]), one, np.zeros((1, 4), np.uint8), places, Shingles("char", 3), 0.5, False
        )


@pytest.mark.parametrize("across", [False, True])
def test_texts_of_large_clusters_decide_by_the_same_rule(across: bool) -> None:
    random = np.random.default_rng(5)
    bases = [random.choice(list(b"abcdefgh"), 60).astype(np.uint8) for _ in range(60)]
    texts = [bases[i].copy() for i in random.integers(0, 60, 700)]
    for text in texts:
        text[random.integers(0, 60, random.integers(0, 6))] = random.integers(97, 105)
    size = np.arange(701, dtype=np.int64) * 60
    packed = Texts(np.concatenate(texts), size)
    signatures = Sketcher(Shingles("char", 3), 96, 8, seed=1).sketch(packed, np.arange(700)).signatures
    docs = np.sort(random.integers(0, 3, 700, np.uint64) << np.uint64(56) | np.arange(700, dtype=np.uint64))
    places = TextPlaces([packed.data], np.zeros(700, np.uint32), size[:-1], size[1:])
    witness, _ = resolve_exactly(
        np.array([0, 700]), docs, signatures, places, Shingles("char", 3), 0.75, across
    )
    sets, least = [shingles(text.tobytes()) for text in texts], plausible_matches(0.75, 96)
    kept: list[int] = []
    for i in range(700):
        found = [
            j
            for j in kept
            if not (across and docs[j] >> 56 == docs[i] >> 56)
            and (signatures[i] == signatures[j]).sum() >= least
            and len(sets[i] & sets[j]) >= 0.75 * len(sets[i] | sets[j])
        ]
        assert int(witness[i]) == (int(docs[found[0]]) if found else int(STAYS))
        kept += [] if found else [i]
    assert 60 <= len(kept) < 600
