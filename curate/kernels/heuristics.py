"""The integer statistics of documents that heuristic filters are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from curate.kernels import _cpu
from curate.kernels.interface import CPU, Kernels
from curate.kernels.texts import Texts

#: The family of statistics that most implementations share.
PLAIN = "plain"
#: What each statistic of each family counts, by name, in the kernel's order.
FAMILY_STATISTICS: dict[str, dict[str, str]] = {
    family: {name: meaning for name, meaning, _ in statistics}
    for family, statistics in _cpu.HEURISTIC_FAMILIES
}
STATISTICS: dict[str, str] = FAMILY_STATISTICS[PLAIN]
#: Version of the Unicode tables that statistics depend on, and of the rules and tables of word boundaries.
UNICODE_VERSION: str = _cpu.UNICODE_VERSION
WORD_BREAK_VERSION: str = _cpu.WORD_BREAK_VERSION

Statistics = dict[str, NDArray[np.int64]]
_GROUPS: dict[str, int] = {name: group for name, _, group in dict(_cpu.HEURISTIC_FAMILIES)[PLAIN]}


def heuristic_statistics(
    texts: Texts, rows: NDArray[np.int64], names: Iterable[str] = tuple(STATISTICS)
) -> Statistics:
    """Statistics of the texts at `rows`: those named and whatever is computed with them.

    names: of STATISTICS; all by default.
    Returns arrays by name, each int64, shape (rows,).

    Words are those of str.split(), lines and paragraphs those of split("\\n") and split("\\n\\n"); lengths
    are in code points; n-grams are compared exactly. A text that is not well-formed UTF-8 gives unspecified
    counts. Raises ValueError for a text over 2 GiB or a row that is not there, KeyError for an unknown name.
    """
    return family_statistics(texts, rows, [(PLAIN, names)])[0]


def family_statistics(
    texts: Texts,
    rows: NDArray[np.int64],
    steps: Sequence[tuple[str, Iterable[str]]],
    kernels: Kernels = CPU,
) -> list[Statistics]:
    """What `heuristic_statistics` gives, for several families of FAMILY_STATISTICS in one pass over the texts.

    steps: families with the statistics wanted, which only PLAIN heeds. A family that edits the text, such as
        `datatrove.c4_quality`, is followed by the statistics of the text that it leaves behind.
    kernels: where they are measured.
    """
    groups = [{0} | {_GROUPS[name] for name in names} if family == PLAIN else {0} for family, names in steps]
    asked = [(family, sum(1 << group for group in of)) for (family, _), of in zip(steps, groups, strict=True)]
    matrix = kernels.heuristics(texts, np.ascontiguousarray(rows, np.int64), asked)
    place, found = 0, []
    for (family, _), of in zip(steps, groups, strict=True):
        names = FAMILY_STATISTICS[family]
        columns = {name: matrix[:, place + i] for i, name in enumerate(names)}
        if family == PLAIN:
            columns = {name: column for name, column in columns.items() if _GROUPS[name] in of}
        found.append(columns)
        place += len(names)
    return found
