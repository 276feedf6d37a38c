"""Which texts share word n-grams with given ones.

Words are lower-cased and have letters, marks and numbers only; a character of a script that is written without
spaces (Han, Hiragana, Katakana, Thai, Lao, Khmer, Myanmar) is a word. N-grams are compared letter by letter.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.kernels import _cpu
from curate.kernels.interface import CPU, Kernels
from curate.kernels.texts import Texts

LONGEST = 64


@dataclass(frozen=True, slots=True)
class Overlaps:
    """What texts share with the items of an index; all int64, shape (rows,).

    item: the item of which the largest share of n-grams is in the text (then: most of them, then: the first),
    -1 where the text has none of any. found, total: that item's different n-grams in the text, and altogether.
    covered, words: the text's words inside of n-grams of any item, and altogether. matches: places of n-grams.
    """

    item: NDArray[np.int64]
    found: NDArray[np.int64]
    total: NDArray[np.int64]
    covered: NDArray[np.int64]
    words: NDArray[np.int64]
    matches: NDArray[np.int64]


class NgramIndex:
    """The word n-grams of items, built once and then read by any number of threads.

    texts: what the items consist of; an item's texts stand side by side. items: int64, the item of each text, from
    0 and not decreasing; n-grams do not reach from one text into the next. longest: n, 1 to 64. An item none of
    whose texts has n words is matched by all words of the one with most, if it has at least `shortest`.
    split: whether words end at punctuation too; else only at white space, and punctuation inside is left out.
    """

    def __init__(
        self, texts: Texts, items: NDArray[np.int64], longest: int, shortest: int, split: bool = False
    ) -> None:
        count = int(items[-1]) + 1 if len(items) else 0
        self.kernel = _cpu.NgramIndex(
            texts.data, texts.offsets, np.ascontiguousarray(items, np.int64), count, longest, shortest, split
        )

    @property
    def grams(self) -> int:
        """How many different n-grams there are."""
        return int(self.kernel.grams())

    def grams_of_items(self) -> NDArray[np.int64]:
        """Different n-grams of each item; 0 for an item with too few words to be found."""
        counts: NDArray[np.int64] = self.kernel.grams_of_items()
        return counts

    def overlaps(self, texts: Texts, rows: NDArray[np.int64], kernels: Kernels = CPU) -> Overlaps:
        """What the texts at `rows` share with the items. kernels: where they are looked through."""
        table = kernels.overlaps(self.kernel, texts, np.ascontiguousarray(rows, np.int64))
        return Overlaps(*table.T)

    def cut(
        self, texts: Texts, rows: NDArray[np.int64], window: int, shortest: int
    ) -> tuple[Texts, NDArray[np.int64]]:
        """The texts at `rows` without what they share and `window` characters before and behind it.

        Pieces between with fewer than `shortest` characters go too; those kept are joined by an empty line.
        Returns the texts, and for each how many pieces there were and how many are kept: int64, shape (rows, 2).
        """
        texts, rows = texts.on_host(np.ascontiguousarray(rows, np.int64))
        data, offsets, pieces = self.kernel.cut(texts.data, texts.offsets, rows, window, shortest)
        return Texts(data, offsets), pieces
