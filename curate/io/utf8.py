"""Which texts of an Arrow string array are UTF-8.

Arrow's check of a whole array runs at several GB/s, five times as fast as finding the rows, so it goes first.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.io.batches import text_offsets
from curate.kernels import Texts


def all_utf8(column: pa.Array) -> bool:
    """Whether all texts of a string or large_string array are UTF-8."""
    try:
        column.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def utf8_rows(column: pa.Array) -> NDArray[np.bool_]:
    """Which rows of a string or large_string array are UTF-8 or null; bool, shape (rows,)."""
    if all_utf8(column):
        return np.ones(len(column), np.bool_)
    data = column.buffers()[2]
    content = np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)
    null: NDArray[np.bool_] = column.is_null().to_numpy(zero_copy_only=False)
    return Texts(content, text_offsets(column)).utf8_valid() | null


def is_utf8(content: NDArray[np.uint8]) -> bool:
    """Whether bytes are UTF-8."""
    offsets = pa.py_buffer(np.array([0, len(content)], np.int64))
    return all_utf8(pa.Array.from_buffers(pa.large_string(), 1, [None, offsets, pa.py_buffer(content)]))
