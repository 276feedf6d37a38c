"""The integer statistics of documents that heuristic filters are made of."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from curate.kernels import _cpu
from curate.kernels.texts import Texts

#: What each statistic counts, by name, in the kernel's order.
STATISTICS: dict[str, str] = {name: meaning for name, meaning, _ in _cpu.HEURISTIC_STATISTICS}
#: Version of the Unicode tables that statistics depend on, and of the rules and tables of word boundaries.
UNICODE_VERSION: str = _cpu.UNICODE_VERSION
WORD_BREAK_VERSION: str = _cpu.WORD_BREAK_VERSION

_GROUPS: dict[str, int] = {name: group for name, _, group in _cpu.HEURISTIC_STATISTICS}


def heuristic_statistics(
    texts: Texts, rows: NDArray[np.int64], names: Iterable[str] = tuple(STATISTICS)
) -> dict[str, NDArray[np.int64]]:
    """Statistics of the texts at `rows`: those named and whatever is computed with them.

    names: of STATISTICS; all by default.
    Returns arrays by name, each int64, shape (rows,).

    Words are those of str.split(), lines and paragraphs those of split("\\n") and split("\\n\\n"); lengths
    are in code points; n-grams are compared exactly. A text that is not well-formed UTF-8 gives unspecified
    counts. Raises ValueError for a text over 2 GiB or a row that is not there, KeyError for an unknown name.
    """
    groups = {0} | {_GROUPS[name] for name in names}
    bits = sum(1 << group for group in groups)
    matrix = _cpu.heuristics(texts.data, texts.offsets, np.ascontiguousarray(rows, np.int64), bits)
    return {name: matrix[:, place] for place, name in enumerate(STATISTICS) if _GROUPS[name] in groups}
