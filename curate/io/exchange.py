"""Exchange files: arrays that tasks pass on to other tasks through a shared folder.

An Arrow IPC file, not compressed, so that a local one is read by mapping it into memory: no copy, and only
the pages that are used. A file holds several sets of arrays with the same names and types, each a record
batch: band keys split by prefix, for one.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.errors import Problem, SourceError
from curate.io.files import atomic_write, source_errors
from curate.io.filesystems import local_path
from curate.io.remote import IN_MEMORY_BYTES, RangedFile, fetch_once, still_held


def write_arrays(
    path: str, batches: Iterable[Mapping[str, NDArray[Any]]], metadata: Mapping[str, str]
) -> None:
    """Writes `batches` to `path`, whole or not at all.

    batches: taken one at a time; each maps the same names, in the same order, to arrays of one length: numbers
    of shape (rows,), or uint8 of shape (rows, width) with the same width in all batches.

    Raises ValueError where batches do not fit each other, OutputError where the file cannot be written.
    """
    tables = map(_record_batch, batches)
    first = next(tables, None)
    schema = (first.schema if first is not None else pa.schema([])).with_metadata(dict(metadata))
    with atomic_write(path) as file, pa.ipc.new_file(pa.PythonFile(file, mode="w"), schema) as writer:
        for table in itertools.chain([first] if first is not None else [], tables):
            if not table.schema.equals(schema):
                raise ValueError(f"batches of {path} differ: {table.schema} and {schema}")
            writer.write_batch(table)


def _record_batch(arrays: Mapping[str, NDArray[Any]]) -> pa.RecordBatch:
    columns = [_to_arrow(name, array) for name, array in arrays.items()]
    return pa.RecordBatch.from_arrays(columns, names=list(arrays))


def _to_arrow(name: str, array: NDArray[Any]) -> pa.Array:
    if array.ndim == 1:
        return pa.array(array)
    if array.ndim != 2 or array.dtype != np.uint8:
        raise ValueError(
            f"{name} must have one dimension, or be uint8 with two; it is {array.dtype} {array.shape}"
        )
    content = pa.py_buffer(np.ascontiguousarray(array))
    return pa.Array.from_buffers(pa.binary(array.shape[1]), len(array), [None, content])


#: A batch's description, and with it the batch if that is small, is one request.
_AHEAD_BYTES = 1 << 20


class ExchangeFile:
    """An exchange file opened for reading; raises SourceError where it cannot be opened.

    A local file is mapped into memory. Of a remote one the batches that are read are asked for; one that is small,
    or of which the `whole` is wanted, is fetched once for all tasks of the process, and mapped from local disk.

    Arrays from `read` stay valid after `close`, which gives the file handle back.
    """

    def __init__(self, path: str, *, whole: bool = False, sha256: str = "") -> None:
        """whole: that much of the file is wanted, again and again maybe. sha256: its checksum, if that is known:
        then a file that this process still holds is not even looked for."""
        self._path = path
        with source_errors(path):
            self._file = _open(path, whole, sha256)
            try:
                self._reader = pa.ipc.open_file(self._file)
            except pa.ArrowInvalid as error:
                self._file.close()
                fix = "remove it and run again"
                raise SourceError(Problem(path, f"is not an exchange file: {error}", fix=fix)) from error
        raw = self._reader.schema.metadata or {}
        self.metadata: dict[str, str] = {key.decode(): value.decode() for key, value in raw.items()}

    def __len__(self) -> int:
        """How many batches the file holds."""
        return int(self._reader.num_record_batches)

    def __enter__(self) -> ExchangeFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def read(self, batch: int) -> dict[str, NDArray[Any]]:
        """The arrays of one batch, as they were written; read-only views of a local file."""
        with source_errors(self._path):
            table = self._reader.get_batch(batch)
        return {name: _to_numpy(table.column(name)) for name in table.schema.names}


def _open(path: str, whole: bool, sha256: str) -> pa.NativeFile:
    local = local_path(path)
    if local is not None:
        return pa.memory_map(str(local))
    held = still_held(path, sha256) if sha256 else None
    if held is not None:
        return pa.BufferReader(held)
    ranged = RangedFile(path)
    version = sha256 or ranged.stat.modified
    if version and (whole or ranged.stat.bytes <= IN_MEMORY_BYTES):
        return pa.BufferReader(fetch_once(path, version, ranged.stat))
    return pa.PythonFile(io.BufferedReader(ranged, _AHEAD_BYTES), mode="r")


def _to_numpy(column: pa.Array) -> NDArray[Any]:
    if not pa.types.is_fixed_size_binary(column.type):
        values: NDArray[Any] = column.to_numpy(zero_copy_only=False)
        return values
    width = column.type.byte_width
    content = np.frombuffer(column.buffers()[1], np.uint8)
    first = column.offset * width
    return content[first : first + len(column) * width].reshape(len(column), width)
