"""Who stays: every drop has a witness that stays and is similar, whatever the order of the input."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.dedup import (
    STAYS,
    Shingles,
    Sketcher,
    UnionFind,
    bucket_edges,
    resolve,
    similarity,
)
from curate.dedup.verify import matches_needed
from curate.kernels import Texts, _cpu

K = 20


@st.composite
def clusters(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Offsets, docs and signatures; slots of two values, so that all similarities occur."""
    sizes = draw(st.lists(st.integers(0, 7), max_size=4))
    total = sum(sizes)
    names = st.builds(lambda s, r: s << 56 | r, st.integers(0, 2), st.integers(0, 99))
    docs = [sorted(draw(st.sets(names, min_size=n, max_size=n))) for n in sizes]
    slots = st.lists(st.integers(0, 1), min_size=K * total, max_size=K * total)
    signatures = np.array(draw(slots), np.uint8).reshape(total, K)
    offsets = np.cumsum([0, *sizes])
    return offsets, np.array([d for cluster in docs for d in cluster], np.uint64), signatures


def similar(a: np.ndarray, b: np.ndarray) -> Fraction:
    equal = Fraction(int((a == b).sum()), K)
    return max(Fraction(0), (equal - Fraction(1, 256)) / (1 - Fraction(1, 256)))


def walk(
    offsets: np.ndarray, docs: np.ndarray, signatures: np.ndarray, least: float | None, across: bool
) -> list[tuple[int, float | None]]:
    """The rule in plain Python: the witness of each document and their similarity."""
    result: list[tuple[int, float | None]] = []
    for start, end in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        kept: list[int] = []
        for i in range(start, end):
            if least is None:
                stays = i == start or (across and docs[i] >> 56 == docs[start] >> 56)
                found = [] if stays else [start]
            else:
                rivals = [j for j in kept if not (across and int(docs[j]) >> 56 == int(docs[i]) >> 56)]
                found = [j for j in rivals if float(similar(signatures[i], signatures[j])) >= least]
            if found:
                result.append((int(docs[found[0]]), float(similar(signatures[i], signatures[found[0]]))))
            else:
                kept.append(i)
                result.append((int(STAYS), None))
    return result


def walk_in_numpy(
    docs: np.ndarray, signatures: np.ndarray, needed: int, across: bool
) -> list[tuple[int, int]]:
    """The rule for one large cluster: the witness of each document and how many slots are equal."""
    kept: list[int] = []
    result = []
    for i in range(len(docs)):
        equal = (signatures[kept] == signatures[i]).sum(axis=1)
        rivals = np.array([not (across and docs[j] >> 56 == docs[i] >> 56) for j in kept], np.bool_)
        found = np.flatnonzero((equal >= needed) & rivals)
        if len(found):
            result.append((int(docs[kept[found[0]]]), int(equal[found[0]])))
        else:
            kept.append(i)
            result.append((int(STAYS), -1))
    return result


thresholds = st.one_of(st.none(), st.floats(0, 1), st.integers(0, K).map(lambda m: m / K))


@settings(max_examples=300, deadline=None)
@given(clusters(), thresholds, st.booleans())
def test_survivors_are_those_of_the_rule(
    made: tuple[np.ndarray, np.ndarray, np.ndarray], least: float | None, across: bool
) -> None:
    witness, similarities = resolve(*made, least, across)
    for i, (wanted, value) in enumerate(walk(*made, least, across)):
        assert int(witness[i]) == wanted
        if value is None:
            assert math.isnan(similarities[i])
        else:
            assert similarities[i] == np.float32(value)
            assert STAYS in witness[made[1] == np.uint64(wanted)]
            assert least is None or value >= least
    assert similarities.dtype == np.float32


@settings(max_examples=200, deadline=None)
@given(clusters(), thresholds, st.booleans(), st.data())
def test_pinned_documents_stay_and_are_of_no_source(
    made: tuple[np.ndarray, np.ndarray, np.ndarray], least: float | None, across: bool, data: st.DataObject
) -> None:
    """Pinned documents, the first of each cluster, as the same cluster with each of them a source of its own."""
    offsets, docs, signatures = made
    counts = [data.draw(st.integers(0, size)) for size in np.diff(offsets)]
    pinned = np.zeros(len(docs), np.bool_)
    for start, count in zip(offsets[:-1], counts, strict=True):
        pinned[start : start + count] = True
    witness, similarities = resolve(*made, least, across, pinned)
    assert (witness[pinned] == STAYS).all()
    for start, end, count in zip(offsets[:-1].tolist(), offsets[1:].tolist(), counts, strict=True):
        kept = list(range(start, start + count))
        for i in range(start + count, end):
            rivals = [
                j for j in kept if pinned[j] or not (across and int(docs[j]) >> 56 == int(docs[i]) >> 56)
            ]
            if least is None:
                rivals = [j for j in rivals if j == start]
            found = [
                j for j in rivals if least is None or float(similar(signatures[i], signatures[j])) >= least
            ]
            assert int(witness[i]) == (int(docs[found[0]]) if found else int(STAYS))
            assert math.isnan(similarities[i]) == (not found)
            kept += [] if found else [i]


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("least", [0.6, 0.8, 1.0])
@pytest.mark.parametrize(("hashes", "bases", "changed", "shared"), [(112, 300, 0.1, 8), (50, 40, 0.2, 40)])
def test_large_clusters_follow_the_same_rule(
    hashes: int, bases: int, changed: float, shared: int, least: float, across: bool
) -> None:
    # Copies of some signatures with noise; the first `shared` slots are equal in all, as in a bucket of a band.
    random = np.random.default_rng(hashes)
    signatures = random.integers(0, 256, (bases, hashes), np.uint8)[random.integers(0, bases, 1_000)]
    noise = random.random(signatures.shape) < changed
    signatures[noise] = random.integers(0, 256, noise.sum(), np.uint8)
    signatures[:, :shared] = 7
    docs = np.sort(
        random.integers(0, 3, 1_000, np.uint64) << np.uint64(56) | np.arange(1_000, dtype=np.uint64)
    )
    needed = matches_needed(least, hashes)
    wanted = walk_in_numpy(docs, signatures, needed, across)
    bounds, pinned = np.array([0, 1_000]), np.zeros(1_000, bool)
    witness, matches = _cpu.resolve(bounds, docs, signatures, pinned, needed, across)
    assert list(zip(witness.tolist(), matches.tolist(), strict=True)) == wanted
    pinned[:300] = True
    witness, matches = _cpu.resolve(bounds, docs, signatures, pinned, needed, across)
    assert (witness[:300] == STAYS).all()
    earlier = np.array([(signatures[:300] == signature).sum(axis=1).max() for signature in signatures[300:]])
    assert (witness[300:][earlier >= needed] < docs[300]).all()
    assert (matches[300:][earlier >= needed] >= needed).all()
    assert 0 < sum(found == int(STAYS) for found, _ in wanted) < 1_000 or least == 1.0


@pytest.mark.parametrize("hashes", [1, 31, 64, 112, 128, 256, 300])
def test_the_threshold_is_exact(hashes: int) -> None:
    for matches in range(hashes + 1):
        exact = max(Fraction(0), Fraction(256 * matches - hashes, 255 * hashes))
        needed = matches_needed(float(exact), hashes)
        assert needed <= matches
        assert needed == matches or exact == 0
        if 0 < exact < 1:
            assert matches_needed(math.nextafter(float(exact), 1), hashes) == matches + 1


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 200), st.integers(0, 2**32))
def test_every_instruction_set_counts_the_same(hashes: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    a, b = random.integers(0, 3, (2, 5, hashes), np.uint8)
    wanted = (a == b).sum(axis=1).tolist()
    docs = np.arange(5, dtype=np.uint64)
    walked = resolve(np.array([0, 5]), docs, a, 0.4, False)[0]
    for instruction_set in _cpu.instruction_sets():
        assert _cpu.count_matches(a, b, instruction_set=instruction_set).tolist() == wanted
        witness, _ = _cpu.resolve(
            np.array([0, 5]),
            docs,
            a,
            np.zeros(5, bool),
            matches_needed(0.4, hashes),
            False,
            instruction_set=instruction_set,
        )
        assert np.array_equal(witness, walked)


def test_similarity_of_rows() -> None:
    a = np.zeros((3, 128), np.uint8)
    b = a.copy()
    b[1, :64] = 1
    b[2] = 1
    assert similarity(a, b).tolist() == [1.0, (0.5 - 1 / 256) / (255 / 256), 0.0]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"offsets": [1, 3]}, "begin with 0"),
        ({"offsets": [0, 2]}, "end with the number of docs"),
        ({"offsets": [0, 2, 1, 3]}, "not decrease"),
        ({"docs": [1, 1, 2]}, "ascend"),
        ({"signatures": 2}, "as many signatures"),
        ({"least": 1.5}, "0 to 1"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(change: dict[str, object], says: str) -> None:
    offsets = np.array(change.get("offsets", [0, 3]), np.int64)
    docs = np.array(change.get("docs", [1, 2, 3]), np.uint64)
    signatures = np.zeros((change.get("signatures", 3), 8), np.uint8)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=says):
        resolve(offsets, docs, signatures, change.get("least", 0.8), False)  # type: ignore[arg-type]


def words(start: int, count: int = 200) -> str:
    return " ".join(f"w{n}" for n in range(start, start + count))


def decide(
    texts: dict[int, str], least: float | None, across: bool, order: list[int]
) -> dict[int, tuple[int, float]]:
    """From texts by doc to (witness, similarity) by doc, for those in a cluster."""
    packed = Texts.from_arrow(pa.array([texts[d] for d in order]))
    made = Sketcher(Shingles("word", 1), 128, 32, seed=1).sketch(packed, np.arange(len(order)))
    docs = np.array(order, np.uint64)
    sets = UnionFind()
    for keys in made.keys:
        sets.add(*bucket_edges(keys[made.sketched], docs[made.sketched]))
    clusters = sets.clusters()
    position = {doc: i for i, doc in enumerate(order)}
    rows = [position[doc] for doc in clusters.docs.tolist()]
    witness, found = resolve(clusters.offsets, clusters.docs, made.signatures[rows], least, across)
    return {doc: (int(w), float(s)) for doc, w, s in zip(clusters.docs.tolist(), witness, found, strict=True)}


def test_no_chains() -> None:
    # Neighbours share 180 of 220 words, 0.82; the ends of the chain 160 of 240, 0.67.
    texts = {1: words(0), 2: words(20), 3: words(40)}
    decided = decide(texts, 0.75, False, [1, 2, 3])
    assert decided[1][0] == int(STAYS)
    assert decided[2][0] == 1
    assert decided[3][0] == int(STAYS)
    unverified = decide(texts, None, False, [1, 2, 3])
    assert unverified[3][0] == 1
    assert unverified[3][1] == pytest.approx(160 / 240, abs=0.15)


def test_empty_texts_are_duplicates_of_nothing() -> None:
    assert decide({1: "", 2: "", 3: "..."}, 0.8, False, [1, 2, 3]) == {}


@pytest.mark.parametrize("across", [False, True])
@pytest.mark.parametrize("least", [None, 0.7])
def test_the_order_of_documents_does_not_matter(least: float | None, across: bool) -> None:
    random = np.random.default_rng(4)
    texts = {
        int(n) << 56 | i: words(int(s)) for i, (n, s) in enumerate(random.integers(0, [3, 600], (80, 2)))
    }
    wanted = decide(texts, least, across, sorted(texts))
    assert any(witness != int(STAYS) for witness, _ in wanted.values())
    for _ in range(3):
        shuffled = decide(texts, least, across, random.permutation(sorted(texts)).tolist())
        assert {d: w for d, (w, _) in shuffled.items()} == {d: w for d, (w, _) in wanted.items()}
