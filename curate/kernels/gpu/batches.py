"""How work is cut so that it fits the device: batches for its memory, pieces for its blocks."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Int64s = NDArray[np.int64]

#: Of the memory that is free, what a batch may take; the rest is for the allocator's rounding and other work.
SHARE_OF_FREE = 0.8


def batches(costs: Int64s, budget: int) -> tuple[list[tuple[int, int]], Int64s]:
    """Cuts documents into runs that fit the memory, in order.

    costs: int64, shape (documents,), bytes of device memory each takes. budget: bytes for a batch.
    Returns the runs (first, after last), as long as can be, and the documents that do not fit even alone, which no
    run holds and the CPU must take.
    """
    runs: list[tuple[int, int]] = []
    too_large = np.flatnonzero(costs > budget).astype(np.int64)
    edges = [-1, *too_large.tolist(), len(costs)]
    for before, after in pairwise(edges):
        runs += _runs_of(costs[before + 1 : after], before + 1, budget)
    return runs, too_large


def _runs_of(costs: Int64s, first: int, budget: int) -> list[tuple[int, int]]:
    sums = np.concatenate([[0], np.cumsum(costs)])
    runs, at = [], 0
    while at < len(costs):
        end = int(np.searchsorted(sums, sums[at] + budget, side="right")) - 1
        runs.append((first + at, first + end))
        at = end
    return runs


@dataclass(frozen=True, slots=True)
class Pieces:
    """Parts of texts, an item of work each; int64, shape (pieces,).

    documents: which text (its place in the batch). begins, ends: the windows of it.
    splits: -1 where the piece is the whole text, else the number of its text among those that are split.
    split_documents: int64, shape (split texts,), those texts.
    """

    documents: Int64s
    begins: Int64s
    ends: Int64s
    splits: Int64s
    split_documents: Int64s


def cut(windows: Int64s, documents: Int64s, longest: int) -> Pieces:
    """Cuts the texts `documents`, which have so many windows (int64, shape (all texts,)), into equal pieces of at
    most `longest` windows. A text without windows is one empty piece."""
    counts = np.maximum(-(-windows[documents] // longest), 1)
    number = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    of = np.repeat(documents, counts)
    share = np.repeat(-(-windows[documents] // counts), counts)
    begins = np.minimum(number * share, windows[of])
    ends = np.minimum(begins + share, windows[of])
    split = counts > 1
    names = np.where(split, np.cumsum(split) - 1, -1)
    return Pieces(of, begins, ends, np.repeat(names, counts), documents[split])


def threads_that_fit(words: Int64s, budget: int, most: int) -> int:
    """How many threads can work at once on texts that each need scratch memory; 0 where not even one can.

    words: int64, shape (texts,), not increasing: 64-bit words each text needs. budget: 64-bit words in all.
    Thread t of n takes the texts t, t + n, t + 2n and so on, so text t's memory is enough for all of them.
    """
    return int(np.searchsorted(np.cumsum(words[:most]), budget, side="right"))
