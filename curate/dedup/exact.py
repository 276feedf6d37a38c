"""Documents whose texts are the same bytes, by a 128-bit hash.

At 10^11 different texts the chance of any false match is under 10^-16.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.dedup.survivors import STAYS
from curate.kernels import Texts
from curate.kernels.interface import CPU, Kernels


@dataclass(frozen=True, slots=True)
class Groups:
    """The documents that share their hash with another, sorted by cluster, then doc; all of shape (m,).

    docs: uint64. cluster: uint64, the smallest doc of the group. size: int64, documents in the group.
    witness: uint64, the document that stands for this one; `STAYS` where it stays.
    """

    docs: NDArray[np.uint64]
    cluster: NDArray[np.uint64]
    size: NDArray[np.int64]
    witness: NDArray[np.uint64]


def text_hash(texts: Texts, rows: NDArray[np.int64], kernels: Kernels = CPU) -> NDArray[np.uint64]:
    """MurmurHash3_x64_128 (seed 0) of the bytes of the texts named by `rows`; uint64, shape (rows, 2).

    Raises ValueError if a row is not there.
    """
    return kernels.text_hash(texts, rows)


def exact_groups(
    hashes: NDArray[np.uint64], docs: NDArray[np.uint64], across: bool, kernels: Kernels = CPU
) -> Groups:
    """Groups documents of equal hash and says which go.

    hashes: uint64, shape (n, 2). docs: uint64, shape (n,), each once, in any order.
    Of each group the smallest doc stays and is the witness of the rest. With `across`, groups within one
    source are left alone, and all members from the source of the smallest doc stay.
    Memory: 32 bytes a document, and 48 more a document of a group.
    """
    others, best = kernels.key_edges(hashes, docs)
    heads, counts = np.unique(best, return_counts=True)
    sizes = counts + 1
    cluster = np.repeat(heads, sizes)
    is_head = np.zeros(len(cluster), np.bool_)
    is_head[np.cumsum(sizes) - sizes] = True
    members = cluster.copy()
    members[~is_head] = others
    goes = ~is_head
    if across:
        goes &= (members >> np.uint64(56)) != (cluster >> np.uint64(56))
    return Groups(members, cluster, np.repeat(sizes, sizes), np.where(goes, cluster, STAYS))
