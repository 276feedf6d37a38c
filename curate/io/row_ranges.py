"""Which ranges of a file to read for some of its rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Rows apart that are still read in one go: skipping fewer would cost more than it saves.
GAP = 256


def row_ranges(rows: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Half-open ranges that hold all of the increasing `rows`, and few others."""
    if not len(rows):
        return []
    breaks = np.flatnonzero(np.diff(rows) > GAP)
    starts = rows[np.concatenate([[0], breaks + 1])]
    stops = rows[np.concatenate([breaks, [len(rows) - 1]])] + 1
    return list(zip(starts.tolist(), stops.tolist(), strict=True))
