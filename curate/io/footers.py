"""Parquet footers and the identity of files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from curate.io.filesystems import local_path
from curate.io.remote import read_range

_MAGIC = b"PAR1"
_TAIL_BYTES = 64 << 10


@dataclass(frozen=True, slots=True)
class Footer:
    """A Parquet file's footer: `metadata` and `schema`, or else the `defect` and its reason."""

    file_bytes: int
    fingerprint: str
    metadata: pq.FileMetaData | None
    schema: pa.Schema | None
    defect: str | None = None
    defect_reason: str = "corrupt_file"


def read_footer(path: str, size: int) -> Footer:
    """The footer of the Parquet file at `path`, which has `size` bytes: one read of 64 KiB unless it is longer.
    Raises OSError."""
    tail = _tail(path, size)
    digest = fingerprint(size, tail)
    try:
        if tail[-4:] != _MAGIC:
            raise pa.ArrowInvalid("the file does not end as a Parquet file does")
        # Arrow reads metadata from the end only, so the row groups may be missing.
        opened = pq.ParquetFile(pa.BufferReader(_MAGIC + tail))
    except (OSError, pa.ArrowException) as error:
        cut = tail[-4:] != _MAGIC and _read(path, 0, min(size, 4)) == _MAGIC
        detail = f"no valid Parquet footer in its {size} bytes: {error}"
        return Footer(size, digest, None, None, detail, "truncated_file" if cut else "corrupt_file")
    return Footer(size, digest, opened.metadata, opened.schema_arrow)


def _tail(path: str, size: int) -> bytes:
    """The footer with its length and magic, or what stands in its place."""
    start = max(0, size - _TAIL_BYTES)
    tail = _read(path, start, size)
    footer = int.from_bytes(tail[-8:-4], "little") + 8
    if tail[-4:] == _MAGIC and footer <= size:
        if footer > len(tail):
            tail = _read(path, size - footer, size)
        tail = tail[-footer:]
    return tail


def _read(path: str, start: int, stop: int) -> bytes:
    local = local_path(path)
    if local is None:
        return read_range(path, start, stop) if start < stop else b""
    with local.open("rb") as file:
        file.seek(start)
        return file.read(stop - start)


def fingerprint(size: int, *parts: bytes) -> str:
    """sha256 in hex of a file's size and of parts of its content."""
    digest = hashlib.sha256(str(size).encode())
    for part in parts:
        digest.update(b"\n")
        digest.update(part)
    return digest.hexdigest()
