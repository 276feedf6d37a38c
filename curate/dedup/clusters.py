"""Connected documents, by union-find over streamed edges."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.kernels import _cpu


@dataclass(frozen=True, slots=True)
class Clusters:
    """Documents sorted by the root of their cluster, then by doc. The root is the cluster's smallest doc.

    docs, roots: uint64, shape (m,). offsets: int64, shape (clusters + 1,): cluster c is
    docs[offsets[c]:offsets[c + 1]], its root the first of them.
    """

    docs: NDArray[np.uint64]
    roots: NDArray[np.uint64]
    offsets: NDArray[np.int64]


class UnionFind:
    """Clusters of the documents that occur in an edge, whatever their numbers.

    Edges may come in any order and number of calls. Clusters of parts can be merged: their (docs, roots)
    are edges. Memory: 20 to 28 bytes a document with an edge while adding, half as much again while a table
    grows, and 48 more in `clusters`. At most 2^32 - 2 documents. Calls from several threads take turns.
    """

    def __init__(self) -> None:
        self._sets = _cpu.UnionFind()

    def __len__(self) -> int:
        """Documents seen so far."""
        return len(self._sets)

    def add(self, a: NDArray[np.uint64], b: NDArray[np.uint64]) -> None:
        """Connects a[i] and b[i]; uint64, shape (edges,). Raises ValueError if the lengths differ."""
        self._sets.add(a, b)

    def clusters(self) -> Clusters:
        """The clusters of all edges so far; more edges may follow."""
        docs, roots = self._sets.clusters()
        starts = np.flatnonzero(docs == roots)
        return Clusters(docs, roots, np.append(starts, len(docs)).astype(np.int64))


def connected(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> Clusters:
    """The clusters of the edges (a[i], b[i]); uint64, shape (edges,)."""
    sets = UnionFind()
    sets.add(a, b)
    return sets.clusters()
