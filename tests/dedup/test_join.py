"""Edges of buckets and their clusters against plain Python."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.dedup import UnionFind, bucket_edges, connected
from curate.kernels import _cpu
from tests.hash_secrets import KNOWN_HALF, KNOWN_SECRET, OTHER_SECRETS

U64 = st.integers(0, 2**64 - 1)
small = st.integers(0, 30)
# Keys equal in all but a few bits, at either end: whole keys have to be compared.
near = st.one_of(small, small.map(lambda n: n << 56), small.map(lambda n: n | 1 << 63))
rows = st.lists(st.tuples(st.one_of(near, U64), st.one_of(small, U64)), max_size=80)


def as_array(values: list[int]) -> np.ndarray:
    return np.array(values, np.uint64)


def edges_by_dictionary(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """(b, a) of every edge, sorted."""
    buckets = defaultdict(set)
    for key, doc in pairs:
        buckets[key].add(doc)
    least = {key: min(docs) for key, docs in buckets.items()}
    return sorted({(least[key], doc) for key, docs in buckets.items() for doc in docs if doc != least[key]})


def check(pairs: list[tuple[int, int]]) -> None:
    keys, docs = as_array([k for k, _ in pairs]), as_array([d for _, d in pairs])
    before = keys.copy(), docs.copy()
    a, b = bucket_edges(keys, docs)
    assert list(zip(b.tolist(), a.tolist(), strict=True)) == edges_by_dictionary(pairs)
    assert np.array_equal(keys, before[0])
    assert np.array_equal(docs, before[1])


@settings(max_examples=200, deadline=None)
@given(rows)
def test_edges_are_those_of_a_dictionary(pairs: list[tuple[int, int]]) -> None:
    check(pairs)


@pytest.mark.parametrize("spread", [1, 50, 20_000, 1 << 63])
def test_edges_of_many_rows(spread: int) -> None:
    random = np.random.default_rng(spread)
    keys = random.integers(0, spread, 30_000, np.uint64, endpoint=True)
    docs = random.integers(0, 1 << 40, 30_000, np.uint64) | random.integers(
        0, 4, 30_000, np.uint64
    ) << np.uint64(56)
    check(list(zip(keys.tolist(), docs.tolist(), strict=True)))


def test_read_only_arrays_are_taken_and_order_does_not_matter() -> None:
    random = np.random.default_rng(1)
    keys, docs = random.integers(0, 900, 5_000, np.uint64), random.permutation(5_000).astype(np.uint64)
    wanted = bucket_edges(keys, docs)
    order = random.permutation(5_000)
    keys, docs = keys[order], docs[order]
    keys.flags.writeable = docs.flags.writeable = False
    for made, expected in zip(bucket_edges(keys, docs), wanted, strict=True):
        assert np.array_equal(made, expected)


@pytest.mark.parametrize("columns", [1, 2])
def test_edges_are_the_same_under_every_secret(columns: int) -> None:
    random = np.random.default_rng(columns)
    keys, docs = random.integers(0, 40, (5_000, columns), np.uint64), np.arange(5_000, dtype=np.uint64)
    keys[::2, 0] = int.from_bytes(KNOWN_HALF, "little")
    edges = _cpu.hash_edges if columns == 2 else _cpu.bucket_edges
    keys = keys if columns == 2 else keys[:, 0].copy()
    expected = np.stack(edges(keys, docs))
    for secret in (KNOWN_SECRET, *OTHER_SECRETS):
        np.testing.assert_array_equal(np.stack(edges(keys, docs, hash_secret=secret)), expected)


def test_a_bucket_of_a_million() -> None:
    docs = np.arange(1_000_000, dtype=np.uint64)[::-1].copy()
    a, b = bucket_edges(np.full(1_000_000, 7, np.uint64), docs)
    assert np.array_equal(a, np.arange(1, 1_000_000, dtype=np.uint64))
    assert not b.any()
    assert len(connected(a, b).offsets) == 2


def test_keys_and_docs_must_pair_up() -> None:
    with pytest.raises(ValueError, match="as many keys"):
        bucket_edges(np.zeros(3, np.uint64), np.zeros(2, np.uint64))


def components(edges: list[tuple[int, int]]) -> list[list[int]]:
    """Connected components by repeated flooding, each sorted, by their smallest member."""
    neighbours = defaultdict(set)
    for a, b in edges:
        neighbours[a].add(b)
        neighbours[b].add(a)
    unseen, found = set(neighbours), []
    while unseen:
        reached, frontier = set(), {min(unseen)}
        while frontier:
            reached |= frontier
            frontier = set().union(*(neighbours[n] for n in frontier)) - reached
        unseen -= reached
        found.append(sorted(reached))
    return found


edge_lists = st.lists(st.tuples(st.one_of(small, U64), st.one_of(small, U64)), max_size=60)


@settings(max_examples=200, deadline=None)
@given(edge_lists, st.integers(0, 60))
def test_clusters_are_the_connected_components(edges: list[tuple[int, int]], cut: int) -> None:
    sets = UnionFind()
    for part in (edges[:cut], edges[cut:]):
        sets.add(as_array([a for a, _ in part]), as_array([b for _, b in part]))
    made = sets.clusters()
    wanted = components(edges)
    assert made.docs.tolist() == [doc for cluster in wanted for doc in cluster]
    assert made.roots.tolist() == [cluster[0] for cluster in wanted for _ in cluster]
    assert made.offsets.tolist() == np.cumsum([0, *map(len, wanted)]).tolist()
    assert len(sets) == len(made.docs)


def test_clusters_of_many_documents() -> None:
    random = np.random.default_rng(3)
    names = random.integers(0, 1 << 63, 20_000, np.uint64)
    a, b = names[random.integers(0, 20_000, 12_000)], names[random.integers(0, 20_000, 12_000)]
    made = connected(a, b)
    wanted = components(list(zip(a.tolist(), b.tolist(), strict=True)))
    assert made.docs.tolist() == [doc for cluster in wanted for doc in cluster]
    assert made.offsets.tolist() == np.cumsum([0, *map(len, wanted)]).tolist()


def test_a_long_path_in_the_worst_order() -> None:
    far = np.arange(200_000, 0, -1, dtype=np.uint64)
    made = connected(far, far - np.uint64(1))
    assert made.offsets.tolist() == [0, 200_001]


def test_clusters_of_parts_merge_and_more_edges_may_follow() -> None:
    left, right = connected(as_array([5, 9]), as_array([7, 8])), connected(as_array([7]), as_array([9]))
    merged = UnionFind()
    for part in (left, right):
        merged.add(part.docs, part.roots)
    assert merged.clusters().roots.tolist() == [5, 5, 5, 5]
    merged.add(as_array([1]), as_array([8]))
    assert merged.clusters().docs.tolist() == [1, 5, 7, 8, 9]
    assert merged.clusters().roots.tolist() == [1] * 5


def test_no_edges_no_clusters() -> None:
    made = connected(as_array([]), as_array([]))
    assert made.docs.tolist() == []
    assert made.offsets.tolist() == [0]
