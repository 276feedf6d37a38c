"""Shingles as Python sets, and all pairs of sets above a Jaccard similarity."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict

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


def similar_pairs(sets: list[set[object]], threshold: float) -> list[tuple[int, int]]:
    """All pairs at or above the threshold, exactly.

    Two such sets A and B share at least threshold x |A| members, so one of the |A| - ceil(threshold x |A|) + 1 rarest
    members of A is among those of B (Chaudhuri, Ganti, Kaushik, 2006): only those are indexed.
    """
    hashes = [{hash(member) for member in members} for members in sets]
    count = Counter(member for members in hashes for member in members)
    index: dict[int, list[int]] = defaultdict(list)
    pairs = set()
    for number, members in enumerate(hashes):
        length = len(members) - math.ceil(threshold * len(members)) + 1
        shared = [member for member in members if count[member] > 1]
        rare = length - (len(members) - len(shared))  # members of no other set come first and need no index
        for member in sorted(shared, key=lambda member: (count[member], member))[: max(rare, 0)]:
            pairs.update((other, number) for other in index[member])
            index[member].append(number)
    return sorted((a, b) for a, b in pairs if jaccard(sets[a], sets[b]) >= threshold)
