"""Shingles as Python sets, and all pairs of sets above a Jaccard similarity."""

from __future__ import annotations

import re
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray

_SEPARATOR = re.compile(rb"\xe2[\x80\x81][\x80-\xbf]|\xc2\xa0|\xe3\x80[\x80-\x82]")
_WORD = re.compile(rb"[0-9A-Za-z\x80-\xff]+")


def byte_shingles(text: str, length: int) -> set[object]:
    data = text.encode()
    return {data[i : i + length] for i in range(max(len(data) - length + 1, len(data) > 0))}


def word_shingles(text: str, length: int) -> set[object]:
    words = [word.lower() for word in _WORD.findall(_SEPARATOR.sub(b" ", text.encode()))]
    return {tuple(words[i : i + length]) for i in range(max(len(words) - length + 1, len(words) > 0))}


def jaccard(a: set[object], b: set[object]) -> float:
    return len(a & b) / len(a | b) if a or b else 1.0


def hashed_bytes(text: str, length: int) -> NDArray[np.uint64]:
    """Distinct hashes of byte shingles, sorted: a polynomial in a random odd base, modulo 2^64."""
    data = np.frombuffer(text.encode(), np.uint8).astype(np.uint64) + np.uint64(1)
    windows = max(len(data) - length + 1, 1)
    hashes = np.zeros(windows, np.uint64)
    for at in range(min(length, len(data))):
        hashes = hashes * np.uint64(0x9D39247E33776D41) + data[at : at + windows]
    return np.unique(hashes)


def hashed_words(text: str, length: int) -> NDArray[np.uint64]:
    return np.unique(
        np.array([hash(words) for words in word_shingles(text, length)], np.int64).view(np.uint64)
    )


def similar_pairs(sets: list[NDArray[np.uint64]], threshold: float) -> list[tuple[int, int]]:
    """All pairs of sets at or above the Jaccard threshold, exactly.

    Such a pair shares at least threshold x |A| members. So of the |A| - ceil(threshold x |A|) + 1 rarest members of
    A one is in B, and is among as many of its rarest (Chaudhuri, Ganti, Kaushik, 2006): only those are indexed.
    """
    size = np.array([len(members) for members in sets])
    owner = np.repeat(np.arange(len(sets)), size)
    _, member, count = np.unique(np.concatenate(sets), return_inverse=True, return_counts=True)
    order = np.lexsort((member, count[member], owner))
    rank = np.arange(len(order)) - np.repeat(np.cumsum(size) - size, size)
    rarest = rank <= (size - np.ceil(threshold * size))[owner]
    indexed = order[rarest & (count[member[order]] > 1)]
    indexed = indexed[np.argsort(member[indexed], kind="stable")]
    bounds = np.flatnonzero(np.diff(member[indexed], prepend=-1, append=-1))
    pairs = {
        pair
        for start, end in pairwise(bounds.tolist())
        for pair in combinations(sorted(owner[indexed[start:end]].tolist()), 2)
    }
    return sorted((a, b) for a, b in pairs if _similarity(sets[a], sets[b]) >= threshold)


def _similarity(a: NDArray[np.uint64], b: NDArray[np.uint64]) -> float:
    common = len(np.intersect1d(a, b, assume_unique=True))
    return common / (len(a) + len(b) - common)
