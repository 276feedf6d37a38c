"""A sieve for lines: which texts may have a line that is listed, or that begins as one of some lines does.

Lines are compared in lower case and without white space around, both as Arrow has them: the tables are Arrow's own, so
that what the sieve holds back is nothing that a comparison by Arrow would find.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.kernels import _cpu

#: Letters with a lower case, and white space, are in the first two planes of Unicode.
FOLDED_CODES = 0x20000
SURROGATES = range(0xD800, 0xE000)
#: In a beginning: a run of digits; no letter or digit follows.
DIGITS, NO_WORD = "#", "~"


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False)
class LineSieve:
    """The arrays of struct LineSieve (line_sieve.h). max_chars: longer lines do not pass."""

    folded: NDArray[np.uint32]
    beginnings: NDArray[np.uint32]
    buckets: NDArray[np.int32]
    slots: NDArray[np.uint64]
    max_chars: int

    @classmethod
    def of(cls, beginnings: Iterable[str], lines: Sequence[str], max_chars: int) -> LineSieve:
        """beginnings: in lower case, with DIGITS and NO_WORD. lines: as Arrow folds and trims them."""
        return cls(_folded(), *_bucketed(beginnings), _slots(lines), max_chars)


@cache
def _folded() -> NDArray[np.uint32]:
    codes = [code for code in range(FOLDED_CODES) if code not in SURROGATES]
    lower = pc.utf8_lower(pa.array(list(map(chr, codes))))
    space = pc.utf8_is_space(lower).to_numpy(zero_copy_only=False)
    folded = np.arange(FOLDED_CODES, dtype=np.uint32)
    folded[codes] = [ord(char) for char in lower.to_pylist()]
    folded[codes] |= np.where(space, np.uint32(_cpu.SPACE_MARK), np.uint32(0))
    return folded


def _bucketed(beginnings: Iterable[str]) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
    by_bucket: list[list[int]] = [[] for _ in range(_cpu.BEGINNING_BUCKETS)]
    special = {DIGITS: _cpu.DIGIT_RUN, NO_WORD: _cpu.NO_WORD_FOLLOWS}
    for beginning in beginnings:
        codes = [special.get(char, ord(char)) for char in beginning]
        first = range(ord("0"), ord("9") + 1) if beginning[0] == DIGITS else (min(codes[0], 128),)
        for bucket in first:
            by_bucket[bucket] += [*codes, _cpu.LINE_END]
    ends = np.cumsum([0, *map(len, by_bucket)], dtype=np.int32)
    return np.array([code for codes in by_bucket for code in codes], np.uint32), ends


def _slots(lines: Sequence[str]) -> NDArray[np.uint64]:
    if not lines:
        return np.zeros(0, np.uint64)
    slots = np.zeros(1 << (2 * len(lines)).bit_length(), np.uint64)
    for line in lines:
        found = int(_cpu.line_hash(np.array(list(map(ord, line)), np.uint32)))
        at = found & (len(slots) - 1)
        while slots[at] not in (0, found):
            at = (at + 1) & (len(slots) - 1)
        slots[at] = found
    return slots
