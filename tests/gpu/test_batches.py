from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from curate.kernels.gpu.batches import batches, cut, threads_that_fit

costs = st.lists(st.one_of(st.integers(0, 30), st.integers(0, 10**12)), max_size=60)


@given(costs=costs, budget=st.integers(1, 100))
def test_batches_fit_and_hold_everything_once_in_order(costs, budget) -> None:
    runs, too_large = batches(np.array(costs, np.int64), budget)
    assert sorted([i for run in runs for i in range(*run)] + too_large.tolist()) == [*range(len(costs))]
    assert runs == sorted(runs)
    assert all(first < end and sum(costs[first:end]) <= budget for first, end in runs)
    assert all(costs[i] > budget for i in too_large)


@given(costs=costs, budget=st.integers(1, 100))
def test_batches_are_as_long_as_can_be(costs, budget) -> None:
    runs, too_large = batches(np.array(costs, np.int64), budget)
    for first, end in runs:
        assert end == len(costs) or end in too_large or sum(costs[first : end + 1]) > budget


@given(windows=st.lists(st.integers(0, 500), max_size=30), longest=st.integers(1, 60), data=st.data())
def test_pieces_cover_each_text_once(windows, longest, data) -> None:
    documents = data.draw(st.permutations(range(len(windows))).map(lambda all: all[: len(all) * 2 // 3]))
    pieces = cut(np.array(windows, np.int64), np.array(documents, np.int64), longest)
    covered = {document: [] for document in documents}
    for document, begin, end in zip(pieces.documents, pieces.begins, pieces.ends, strict=True):
        assert end - begin <= longest
        covered[int(document)] += range(begin, end)
    assert all(sorted(covered[document]) == [*range(windows[document])] for document in documents)
    several = [document for document in documents if windows[document] > longest]
    assert sorted(set(pieces.split_documents.tolist())) == sorted(several)


@given(windows=st.lists(st.integers(0, 500), min_size=1, max_size=30), longest=st.integers(1, 60))
def test_pieces_of_a_split_text_name_it(windows, longest) -> None:
    pieces = cut(np.array(windows, np.int64), np.arange(len(windows)), longest)
    for document, split in zip(pieces.documents.tolist(), pieces.splits.tolist(), strict=True):
        if windows[document] <= longest:
            assert split == -1
        else:
            assert pieces.split_documents[split] == document


@given(
    words=st.lists(st.integers(1, 100), max_size=50).map(lambda words: sorted(words, reverse=True)),
    budget=st.integers(1, 1000),
    most=st.integers(1, 64),
)
def test_as_many_threads_work_as_fit(words, budget, most) -> None:
    threads = threads_that_fit(np.array(words, np.int64), budget, most)
    assert threads <= min(most, len(words))
    assert sum(words[:threads]) <= budget
    assert threads in (most, len(words)) or sum(words[: threads + 1]) > budget
