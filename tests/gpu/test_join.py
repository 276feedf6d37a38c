from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.kernels import _cpu
from curate.kernels.gpu.join import key_edges

small = st.integers(0, 12)
numbers = st.one_of(small, small.map(lambda n: n << 60), st.integers(0, 2**64 - 1))
rows = st.lists(st.tuples(numbers, st.one_of(small, numbers), numbers), max_size=60)


@settings(max_examples=100, deadline=None)
@given(rows)
@pytest.mark.parametrize("words", [1, 2])
def test_edges_are_those_of_the_cpu(device, words, rows) -> None:
    table = np.array(rows, np.uint64).reshape(-1, 3)
    keys, docs = np.ascontiguousarray(table[:, :words]), np.ascontiguousarray(table[:, 2])
    expected = _cpu.bucket_edges(keys[:, 0].copy(), docs) if words == 1 else _cpu.hash_edges(keys, docs)
    np.testing.assert_array_equal(key_edges(device, keys, docs), expected)
