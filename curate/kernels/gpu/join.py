"""Edges between documents of equal key, on a device: sorts and array operations, with the CPU's result."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.kernels.gpu.device import Device, DeviceArray


def edge_bytes(rows: int, key_words: int) -> int:
    """Device memory that edges of so many rows take at the most: keys and docs, sorted copies, orders and edges."""
    return rows * (16 * key_words + 80)


def key_edges(
    device: Device, keys: NDArray[np.uint64], docs: NDArray[np.uint64]
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Edges (a, b) from each document of a bucket to its smallest, as `dedup.bucket_edges` has them.

    keys: uint64, shape (rows,) or (rows, words): a bucket's rows have equal words. docs: uint64, shape (rows,).
    """
    arrays = device.arrays
    columns = [keys] if keys.ndim == 1 else list(keys.T)
    words = [device.upload(np.ascontiguousarray(column)) for column in columns]
    sorted_columns = _sorted(arrays, [*words, device.upload(docs)])
    key_columns, sorted_docs = sorted_columns[:-1], sorted_columns[-1]
    starts = _starts(arrays, key_columns)
    best = sorted_docs[arrays.flatnonzero(starts)][arrays.cumsum(starts, dtype=np.int64) - 1]
    is_edge = sorted_docs != best
    to, others = _sorted(arrays, [best[is_edge], sorted_docs[is_edge]])
    first = _starts(arrays, [to, others])
    return device.download(others[first]), device.download(to[first])


def _sorted(arrays: Any, columns: list[DeviceArray]) -> list[DeviceArray]:
    """The columns with their rows in order: by the first column, then by the next."""
    order = arrays.argsort(columns[-1], kind="stable")
    for column in reversed(columns[:-1]):
        order = order[arrays.argsort(column[order], kind="stable")]
    return [column[order] for column in columns]


def _starts(arrays: Any, columns: list[DeviceArray]) -> DeviceArray:
    """Which rows differ from the row before them."""
    starts = arrays.ones(len(columns[0]), np.bool_)
    if len(starts) > 1:
        starts[1:] = columns[0][1:] != columns[0][:-1]
        for column in columns[1:]:
            starts[1:] |= column[1:] != column[:-1]
    return starts
