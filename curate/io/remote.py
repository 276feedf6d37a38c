"""Files of other file systems: read by ranges or fetched whole, and put there in one step.

An object store shows an object when its upload is complete and not before, so nothing is renamed: a PUT, or a
multi-part upload's completion, is the commit. An upload that fails is aborted; one whose process is killed leaves
parts that no listing shows.
"""

from __future__ import annotations

import errno
import io
import mmap
import tempfile
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import pyarrow as pa

from curate.io.filesystems import Stat, filesystem_of, reaching, stat

#: A whole file up to this size is kept in memory, a larger one in the temporary folder.
IN_MEMORY_BYTES = 4 << 20
_BLOCK_BYTES = 32 << 20
_KEPT_BYTES = 4 << 30


class RangedFile(io.RawIOBase):
    """A file whose reads are requests for just the bytes wanted. Raises OSError with an error number only:
    Arrow's own complaints about data have none."""

    def __init__(self, path: str) -> None:
        """Raises OSError where there is no such file."""
        self._path = path
        self.stat = stat(path)
        self._at = 0

    def readinto(self, buffer: Any) -> int:
        stop = min(self._at + len(buffer), self.stat.bytes)
        if stop <= self._at:
            return 0
        try:
            data = read_range(self._path, self._at, stop)
        except OSError as error:
            # A range that the file no longer has: of one that is gone, `stat` says so.
            if stat(self._path) == self.stat:
                raise
            raise OSError(errno.ESTALE, "the file changed while it was being read", self._path) from error
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        self._at = max(0, offset + (0, self._at, self.stat.bytes)[whence])
        return self._at

    def tell(self) -> int:
        return self._at

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True


def read_range(path: str, start: int, stop: int) -> bytes:
    """The bytes `start` to `stop` (not included) of a remote file, in one request."""
    filesystem, inside = filesystem_of(path)
    with reaching(path):
        return bytes(filesystem.cat_file(inside, start=start, end=stop))


def fetch(path: str, found: Stat | None = None) -> pa.Buffer:
    """A remote file's content: in memory if it is small, else mapped from a temporary file that has no name and
    goes with the buffer. found: what `stat` says of it."""
    size = (found or stat(path)).bytes
    if size <= IN_MEMORY_BYTES:
        return pa.py_buffer(read_range(path, 0, size) if size else b"")
    with tempfile.TemporaryFile(prefix="curate-") as file:
        for start in range(0, size, _BLOCK_BYTES):
            file.write(read_range(path, start, min(size, start + _BLOCK_BYTES)))
        file.flush()
        return pa.py_buffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


class _Kept:
    """Files that many tasks of this process read, fetched once; those not used for longest go first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._buffers: OrderedDict[tuple[str, str], pa.Buffer] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()

    def find(self, path: str, version: str) -> pa.Buffer | None:
        key = (path, version)
        with self._lock:
            if key in self._buffers:
                self._buffers.move_to_end(key)
            return self._buffers.get(key)

    def add(self, path: str, version: str, buffer: pa.Buffer) -> None:
        key = (path, version)
        with self._lock:
            if key not in self._buffers:
                self._buffers[key] = buffer
                self._bytes += buffer.size
            while self._bytes > self._limit and len(self._buffers) > 1:
                self._bytes -= self._buffers.popitem(last=False)[1].size


_kept = _Kept(_KEPT_BYTES)


def still_held(path: str, version: str) -> pa.Buffer | None:
    """What this process holds of a file that `fetch_once` got, if it still does."""
    return _kept.find(path, version)


def fetch_once(path: str, version: str, found: Stat) -> pa.Buffer:
    """What `fetch` gives, which this process holds on to for a while. version: a checksum, or whatever else is
    another one once the file changes."""
    buffer = still_held(path, version)
    if buffer is None:
        buffer = fetch(path, found)
        _kept.add(path, version, buffer)
    return buffer


def upload(name: str, path: str) -> None:
    """Puts the local file `name` to `path`, which shows all of it or, after an error, is as it was."""
    filesystem, inside = filesystem_of(path)
    with reaching(path):
        filesystem.put_file(name, inside)


def download_all(folder: str, paths: Sequence[str], to: str) -> None:
    """Copies the files `paths`, relative to the remote `folder`, to the same paths below the local folder `to`."""
    for path in paths:
        target = Path(to, path)
        target.parent.mkdir(parents=True, exist_ok=True)
        filesystem, inside = filesystem_of(f"{folder}/{path}")
        with reaching(f"{folder}/{path}"):
            filesystem.get_file(inside, str(target))
