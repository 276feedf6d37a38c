"""Which documents of each cluster stay, and which kept document is the witness of each that goes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.dedup.sketch import Shingles
from curate.dedup.verify import matches_needed, plausible_matches, similarity_of_matches
from curate.kernels import _cpu

STAYS = np.uint64(0xFFFFFFFFFFFFFFFF)


def resolve(
    offsets: NDArray[np.int64],
    docs: NDArray[np.uint64],
    signatures: NDArray[np.uint8],
    min_similarity: float | None,
    across: bool,
    pinned: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.uint64], NDArray[np.float32]]:
    """The witness of each document (uint64, `STAYS` where it stays) and their similarity (float32, then NaN).

    offsets: int64, shape (clusters + 1,), docs: uint64, shape (m,), ascending in a cluster, as in `Clusters`.
    signatures: uint8, shape (m, hashes), of the same documents. pinned: bool, shape (m,), those that stay whatever
    they are similar to, and count as of no source; None: none.

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
    if pinned is None:
        pinned = np.zeros(len(docs), np.bool_)
    needed = -1 if min_similarity is None else matches_needed(min_similarity, hashes)
    witness, matches = _cpu.resolve(offsets, docs, signatures, pinned, needed=needed, across=across)
    by_matches = np.append(similarity_of_matches(hashes), np.nan).astype(np.float32)
    return witness, by_matches[matches]


@dataclass(frozen=True, slots=True)
class TextPlaces:
    """Where the texts of m documents are: text i is `buffers[buffer[i]][start[i]:stop[i]]`.

    buffers: uint8 arrays, mapped from files, say. buffer: uint32, start, stop: int64, all of shape (m,).
    """

    buffers: list[NDArray[np.uint8]]
    buffer: NDArray[np.uint32]
    start: NDArray[np.int64]
    stop: NDArray[np.int64]


def resolve_exactly(
    offsets: NDArray[np.int64],
    docs: NDArray[np.uint64],
    signatures: NDArray[np.uint8],
    texts: TextPlaces,
    shingles: Shingles,
    min_similarity: float,
    across: bool,
    pinned: NDArray[np.bool_] | None = None,
) -> tuple[NDArray[np.uint64], NDArray[np.float32]]:
    """What `resolve` gives, with the exact Jaccard similarity of the texts' shingle sets.

    texts: of the same documents, already normalised. pinned: as in `resolve`; their texts are not looked at, so
    similarities to them are those of the signatures. Among other documents signatures only rule out: pairs more than
    four standard errors below `min_similarity` are not compared (of those that reach it fewer than 1 in 10,000 are
    missed, and stay).
    Raises ValueError for arrays that do not fit together and for min_similarity outside 0 to 1.
    """
    if pinned is None:
        pinned = np.zeros(len(docs), np.bool_)
    witness, similarity = _cpu.resolve_exactly(
        offsets,
        docs,
        signatures,
        pinned,
        texts.buffers,
        texts.buffer,
        texts.start,
        texts.stop,
        plausible=plausible_matches(min_similarity, signatures.shape[1]),
        needed=matches_needed(min_similarity, signatures.shape[1]),
        least=min_similarity,
        across=across,
        words=shingles.unit == "word",
        length=shingles.length,
    )
    return witness, similarity.astype(np.float32)
