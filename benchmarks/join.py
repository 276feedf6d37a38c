"""Join throughput of one core: python benchmarks/join.py [DOCUMENTS]

Keys of 14 bands, a quarter of the documents in clusters of Zipf-distributed size, each sharing a key with its
cluster in 60% of the bands: edges of every band, then union-find over all. Fastest of three runs.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from numpy.typing import NDArray

from curate.dedup import UnionFind, bucket_edges

BANDS = 14


def clusters_of(documents: int, random: np.random.Generator) -> NDArray[np.int64]:
    """The cluster of each document, -1 for none; int64, shape (documents,)."""
    wanted = documents // 4
    sizes = np.minimum(random.zipf(2.0, wanted) + 1, 5_000)
    members = np.repeat(np.arange(wanted), sizes)[:wanted]
    cluster = np.full(documents, -1, np.int64)
    cluster[random.permutation(documents)[:wanted]] = members
    return cluster


def band(cluster: NDArray[np.int64], random: np.random.Generator) -> NDArray[np.uint64]:
    n = len(cluster)
    keys = random.integers(0, 1 << 63, n, np.uint64)
    shared = random.integers(0, 1 << 63, n, np.uint64)
    joins = (cluster >= 0) & (random.random(n) < 0.6)
    keys[joins] = shared[cluster[joins]]
    return keys


def main() -> None:
    documents = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000_000
    random = np.random.default_rng(0)
    cluster = clusters_of(documents, random)
    keys = [band(cluster, random) for _ in range(BANDS)]
    docs = np.arange(documents, dtype=np.uint64)
    best, best_joining = np.inf, np.inf
    for _ in range(3):
        start, joining, edges = time.thread_time(), 0.0, 0
        sets = UnionFind()
        for band_keys in keys:
            begun = time.thread_time()
            a, b = bucket_edges(band_keys, docs)
            joining += time.thread_time() - begun
            edges += len(a)
            sets.add(a, b)
        clusters = sets.clusters()
        best, best_joining = min(best, time.thread_time() - start), min(best_joining, joining)
    print(
        f"{documents:,} documents, {BANDS} bands: {documents / best / 1e6:.2f} million documents/s; "
        f"join {best_joining / documents / BANDS * 1e9:.0f} ns a row, "
        f"{edges:,} edges, union-find {(best - best_joining) / edges * 1e9:.0f} ns an edge, "
        f"{len(clusters.offsets) - 1:,} clusters"
    )


if __name__ == "__main__":
    main()
