"""Candidate pairs of one band: documents whose band keys are equal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from curate.kernels.interface import CPU, Kernels


def bucket_edges(
    keys: NDArray[np.uint64], docs: NDArray[np.uint64], kernels: Kernels = CPU
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Edges (a, b), uint64, from each document of a bucket to its smallest, b < a.

    keys, docs: uint64, shape (n,), n < 2^32 - 1; row i is in the bucket of keys[i]. Whole keys are
    compared. A bucket of one document has no edge, even where that document is in it twice. Edges are
    distinct and sorted by b, then a, whatever the order of the rows. Time is linear in n however full a
    bucket is. Memory: 16 bytes a row, and 32 an edge. Raises ValueError if the lengths differ or n is too
    large.
    """
    return kernels.key_edges(keys, docs)
