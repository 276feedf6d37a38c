"""Exchange columns sorted by a 64-bit key and cut by key prefix, so that a task reads only its share of every file."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from curate.io.exchange import ExchangeFile

Columns = dict[str, NDArray[np.generic]]

DOCUMENTS_A_SLICE = 32_768
MOST_SLICES = 4_096


def slices_for(documents: int) -> int:
    """How many prefixes (a power of two) a file of that many keys is cut into."""
    return min(MOST_SLICES, 1 << max(0, (documents - 1) // DOCUMENTS_A_SLICE).bit_length())


def parts_for(documents: int, documents_a_part: int) -> int:
    """How many tasks (a power of two) share that many keys of one band."""
    return 1 << max(0, -(-documents // documents_a_part) - 1).bit_length()


def cut_by_prefix(columns: Mapping[str, NDArray[np.generic]], slices: int) -> list[Columns]:
    """Cut columns, sorted by `key` (uint64), into `slices` record batches by the key's leading bits."""
    bounds = _bounds(columns["key"], slices)
    return [
        {name: column[start:stop] for name, column in columns.items()} for start, stop in pairwise(bounds)
    ]


def read_prefix(file: ExchangeFile, first: int, slices: int, part: int, parts: int) -> Columns:
    """The columns whose key falls in `part` of `parts`, from the `slices` record batches starting at `first`."""
    if parts <= slices:
        each = slices // parts
        found = [file.read(first + i) for i in range(part * each, (part + 1) * each)]
        if len(found) == 1:
            return found[0]
        return {name: np.concatenate([columns[name] for columns in found]) for name in found[0]}
    columns = file.read(first + part * slices // parts)
    # Two places only: the file is mapped, and a search touches pages.
    start, stop = (_start(columns["key"], parts, each) for each in (part, part + 1))
    return {name: column[start:stop] for name, column in columns.items()}


def _start(key: NDArray[np.generic], parts: int, part: int) -> int:
    """Where `part` of `parts` prefixes begins among sorted keys."""
    if part == parts:
        return len(key)
    return int(np.searchsorted(key, np.uint64(part << 64 - (parts.bit_length() - 1)))) if part else 0


def _bounds(key: NDArray[np.generic], slices: int) -> list[int]:
    """Where each prefix begins among sorted keys, and where the last one ends."""
    shift = 64 - (slices.bit_length() - 1)
    firsts = np.array([prefix << shift for prefix in range(1, slices)], np.uint64)
    return [0, *np.searchsorted(key, firsts).tolist(), len(key)]
