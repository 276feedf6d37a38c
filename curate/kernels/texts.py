"""Arrow text columns as the two buffers that kernels take."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels import _cpu


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts side by side: text i is `data[offsets[i]:offsets[i + 1]]`.

    data: uint8, shape (bytes,), a view of the Arrow buffer where there is one.
    offsets: int64, shape (documents + 1,), not decreasing.
    """

    data: NDArray[np.uint8]
    offsets: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Bytes of each text, int64, shape (documents,)."""
        return np.diff(self.offsets)

    @classmethod
    def from_arrow(cls, array: pa.Array | pa.ChunkedArray) -> Texts:
        """The texts of a string, large_string, binary, large_binary or dictionary array; nulls become empty.

        Raises TypeError for any other type.
        """
        if isinstance(array, pa.ChunkedArray):
            array = array.combine_chunks()
        if isinstance(array, pa.ChunkedArray):  # too large for one chunk of 32-bit offsets
            array = pa.chunked_array(array.chunks).cast(pa.large_string()).combine_chunks()
        if pa.types.is_dictionary(array.type):
            array = array.dictionary_decode()
        kind = array.type
        if pa.types.is_large_string(kind) or pa.types.is_large_binary(kind):
            width: type[np.signedinteger] = np.int64
        elif pa.types.is_string(kind) or pa.types.is_binary(kind):
            width = np.int32
        else:
            raise TypeError(f"texts must be strings or binary, found {kind}")
        if array.null_count:
            array = array.fill_null(b"" if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) else "")
        _, offsets_buffer, data_buffer = array.buffers()
        if len(array) == 0 or offsets_buffer is None:
            return cls(np.zeros(0, np.uint8), np.zeros(1, np.int64))
        offsets = np.frombuffer(offsets_buffer, width)[array.offset : array.offset + len(array) + 1]
        data = np.frombuffer(data_buffer, np.uint8) if data_buffer is not None else np.zeros(0, np.uint8)
        return cls(data, offsets.astype(np.int64, copy=False))

    def to_arrow(self) -> pa.Array:
        """The texts as a large_string array over the same memory."""
        buffers = [None, pa.py_buffer(np.ascontiguousarray(self.offsets)), pa.py_buffer(self.data)]
        return pa.Array.from_buffers(pa.large_string(), len(self), buffers)

    def part(self, begin: int, end: int) -> Texts:
        """The texts `begin` to `end` (not included), over the same memory."""
        return Texts(self.data, self.offsets[begin : end + 1])

    def on_host(self, rows: NDArray[np.int64]) -> tuple[Texts, NDArray[np.int64]]:
        """The texts at `rows` in the host's memory: texts, and their rows among them."""
        return self, rows

    def taken(self, rows: NDArray[np.int64]) -> Texts:
        """The texts at `rows`, side by side; a view where they follow each other."""
        if len(rows) and np.array_equal(rows, np.arange(rows[0], rows[0] + len(rows))):
            return self.part(int(rows[0]), int(rows[0]) + len(rows))
        return Texts.from_arrow(self.to_arrow().take(pa.array(rows)))

    def replaced(self, rows: NDArray[np.int64], by: Texts) -> Texts:
        """These texts with those at `rows` (int64, shape (len(by),)) replaced."""
        places = np.arange(len(self))
        places[rows] = len(self) + np.arange(len(rows))
        return Texts.from_arrow(pa.concat_arrays([self.to_arrow(), by.to_arrow()]).take(pa.array(places)))

    def utf8_valid(self) -> NDArray[np.bool_]:
        """Which texts are well-formed UTF-8 (Unicode 16.0, table 3-7); bool, shape (documents,)."""
        valid: NDArray[np.bool_] = _cpu.utf8_valid(self.data, self.offsets)
        return valid
