"""The integer statistics of documents that heuristic filters are made of."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from curate.kernels import _cpu
from curate.kernels.texts import Texts

#: What each statistic counts, by name, in the kernel's order.
STATISTICS: dict[str, str] = dict(_cpu.HEURISTIC_STATISTICS)
#: Version of the Unicode tables that statistics depend on.
UNICODE_VERSION: str = _cpu.UNICODE_VERSION


def heuristic_statistics(texts: Texts, rows: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """All of STATISTICS for the texts at `rows`; each array int64, shape (rows,).

    Words are those of str.split(), lines and paragraphs those of split("\\n") and split("\\n\\n"); lengths
    are in code points; n-grams are compared exactly. A text that is not well-formed UTF-8 gives unspecified
    counts. Raises ValueError for a text over 2 GiB or a row that is not there.
    """
    matrix = _cpu.heuristics(texts.data, texts.offsets, np.ascontiguousarray(rows, np.int64))
    return {name: matrix[:, place] for place, name in enumerate(STATISTICS)}
