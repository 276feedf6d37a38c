"""Jaccard similarity from signatures of one byte a slot.

Slots that differ have equal bytes one time in 256, so m equal bytes of k stand for (m/k - 2^-8) / (1 - 2^-8).
The standard error at similarity J is about sqrt(J (1 - J) / k): 0.035 at 0.8 with 128 slots.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from curate.kernels import _cpu


def similarity_of_matches(hashes: int) -> NDArray[np.float64]:
    """The similarity that 0, 1, ... hashes equal bytes stand for, in [0, 1]; float64, shape (hashes + 1,)."""
    matches = np.arange(hashes + 1)
    similarities: NDArray[np.float64] = np.maximum(256 * matches - hashes, 0) / (255 * hashes)
    return similarities


def matches_needed(min_similarity: float, hashes: int) -> int:
    """The fewest equal bytes whose similarity reaches `min_similarity`.

    Raises ValueError unless 0 <= min_similarity <= 1.
    """
    if not 0 <= min_similarity <= 1:
        raise ValueError(f"min_similarity must be 0 to 1, found {min_similarity}")
    return int(np.searchsorted(similarity_of_matches(hashes), min_similarity))


def plausible_matches(min_similarity: float, hashes: int) -> int:
    """The equal bytes that pairs of at least this similarity have, less four standard errors.

    Raises ValueError unless 0 <= min_similarity <= 1.
    """
    if not 0 <= min_similarity <= 1:
        raise ValueError(f"min_similarity must be 0 to 1, found {min_similarity}")
    equal = min_similarity + (1 - min_similarity) / 256
    error = math.sqrt(equal * (1 - equal) / hashes)
    return matches_needed(max(0.0, min_similarity - 4 * error), hashes)


def similarity(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The estimated Jaccard similarity of documents a[i] and b[i], in [0, 1]; float64, shape (n,).

    a, b: uint8, shape (n, hashes). Raises ValueError if the shapes differ.
    """
    matches: NDArray[np.int32] = _cpu.count_matches(a, b)
    return similarity_of_matches(a.shape[1])[matches]
