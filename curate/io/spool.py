"""Columns that grow by blocks of rows, in memory up to a bound and in a temporary file beyond it.

The file is in the folder that Python's `tempfile` chooses (TMPDIR), has no name, and is gone with the process.
"""

from __future__ import annotations

import tempfile
import weakref
from collections.abc import Iterator, Sequence
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from curate.io.files import output_errors


class Spool:
    """Columns of one length. Reading them back takes nothing out."""

    def __init__(self, empty: Sequence[NDArray[Any]], limit: int) -> None:
        """empty: each column without rows, for its type and shape. limit: bytes held in memory."""
        self._empty = tuple(empty)
        self._limit = limit
        self._file: IO[bytes] | None = None
        self._places: list[list[tuple[int, int]]] = [[] for _ in empty]  # in the file: where, how many rows
        self._held: list[list[NDArray[Any]]] = [[] for _ in empty]
        self._bytes = 0
        self.rows = 0

    def add(self, columns: Sequence[NDArray[Any]]) -> None:
        """Append rows to every column."""
        for held, column in zip(self._held, columns, strict=True):
            held.append(column)
            self._bytes += column.nbytes
        self.rows += len(columns[0])
        if self._bytes > self._limit:
            self._move()

    def column(self, number: int) -> NDArray[Any]:
        """The whole column."""
        return np.concatenate([self._empty[number], *self._chunks(number)])

    def blocks(self, numbers: Sequence[int], rows: int) -> Iterator[list[NDArray[Any]]]:
        """These columns in blocks of `rows` rows, the last of what is left; one without rows where there are none."""
        chunks = [self._chunks(number) for number in numbers]
        rest = [self._empty[number] for number in numbers]
        for pieces in zip(*chunks, strict=True):
            rest = [np.concatenate(both) for both in zip(rest, pieces, strict=True)]
            while len(rest[0]) > rows:
                yield [column[:rows] for column in rest]
                rest = [column[rows:] for column in rest]
        yield rest

    def _chunks(self, number: int) -> Iterator[NDArray[Any]]:
        shape, dtype = self._empty[number].shape[1:], self._empty[number].dtype
        for place, rows in self._places[number]:
            assert self._file is not None, "places are in the file"
            self._file.seek(place)
            found = np.empty((rows, *shape), dtype)
            self._file.readinto(found.reshape(-1).view(np.uint8))  # type: ignore[attr-defined]
            yield found
        yield from self._held[number]

    def _move(self) -> None:
        """Write what is held to the file."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="curate.")  # noqa: SIM115 - closed with the spool
            weakref.finalize(self, self._file.close)
        with output_errors(tempfile.gettempdir()):
            place = self._file.seek(0, 2)
            for places, held in zip(self._places, self._held, strict=True):
                for column in held:
                    self._file.write(np.ascontiguousarray(column).reshape(-1).view(np.uint8).data)
                    places.append((place, len(column)))
                    place += column.nbytes
                held.clear()
        self._bytes = 0
