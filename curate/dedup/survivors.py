"""Which documents of each cluster stay, and which kept document is the witness of each that goes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from curate.dedup.verify import matches_needed, similarity_of_matches
from curate.kernels import _cpu

STAYS = np.uint64(0xFFFFFFFFFFFFFFFF)


def resolve(
    offsets: NDArray[np.int64],
    docs: NDArray[np.uint64],
    signatures: NDArray[np.uint8],
    min_similarity: float | None,
    across: bool,
) -> tuple[NDArray[np.uint64], NDArray[np.float32]]:
    """The witness of each document (uint64, `STAYS` where it stays) and their similarity (float32, then NaN).

    offsets: int64, shape (clusters + 1,), docs: uint64, shape (m,), ascending in a cluster, as in `Clusters`.
    signatures: uint8, shape (m, hashes), of the same documents.

    With `min_similarity`, clusters are walked from the smallest doc up: a document goes if its similarity
    to one that stays, with `across` to one of another source, reaches it; the first such is the witness.
    There are no chains: a witness always stays and is always that similar. Time grows with the members of a
    cluster, and with members x kept members only where most of the pairs are nearly similar enough. Memory: up
    to 300 bytes a kept member of the largest cluster.

    With None, all but the smallest doc of a cluster go with that one as witness; with `across`, all members
    of its source stay (so clusters within one source stay whole), as Zyda-2 was published. Nothing is
    checked, but the similarity is still measured.

    Raises ValueError for arrays that do not fit together and for min_similarity outside 0 to 1.
    """
    hashes = signatures.shape[1]
    needed = -1 if min_similarity is None else matches_needed(min_similarity, hashes)
    witness, matches = _cpu.resolve(offsets, docs, signatures, needed=needed, across=across)
    by_matches = np.append(similarity_of_matches(hashes), np.nan).astype(np.float32)
    return witness, by_matches[matches]
