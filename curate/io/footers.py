"""Parquet footers and the identity of files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from curate.io.files import filesystem_of, local_path, open_binary, reaching

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


def read_footer(path: str) -> Footer:
    """The footer of the Parquet file at `path`: one read of 64 KiB unless it is longer. Raises OSError."""
    with open_binary(path) as file:
        size = file.seek(0, 2)
        head, tail = _ends(file, size)
    digest = fingerprint(size, tail)
    try:
        if tail[-4:] != _MAGIC:
            raise pa.ArrowInvalid("the file does not end as a Parquet file does")
        # Arrow reads metadata from the end only, so the row groups may be missing.
        opened = pq.ParquetFile(pa.BufferReader(_MAGIC + tail))
    except (OSError, pa.ArrowException) as error:
        cut = size > 0 and head == _MAGIC and tail[-4:] != _MAGIC
        detail = f"no valid Parquet footer in its {size} bytes: {error}"
        return Footer(size, digest, None, None, detail, "truncated_file" if cut else "corrupt_file")
    return Footer(size, digest, opened.metadata, opened.schema_arrow)


def _ends(file: BinaryIO, size: int) -> tuple[bytes, bytes]:
    """The first four bytes, and the footer with its length and magic (or what stands in its place)."""
    start = max(0, size - _TAIL_BYTES)
    file.seek(start)
    tail = file.read(size - start)
    footer = int.from_bytes(tail[-8:-4], "little") + 8
    if tail[-4:] == _MAGIC and footer <= size:
        if footer > len(tail):
            file.seek(size - footer)
            tail = file.read(footer)
        tail = tail[-footer:]
    file.seek(0)
    return file.read(4), tail


def fingerprint(size: int, *parts: bytes) -> str:
    """sha256 in hex of a file's size and of parts of its content."""
    digest = hashlib.sha256(str(size).encode())
    for part in parts:
        digest.update(b"\n")
        digest.update(part)
    return digest.hexdigest()


def modified(path: str) -> str:
    """When the file last changed: nanoseconds since 1970 for a local file, else the entity tag or time its
    file system gives, or nothing if it gives none. Raises OSError."""
    local = local_path(path)
    if local is not None:
        return str(local.stat().st_mtime_ns)
    filesystem, inside = filesystem_of(path)
    with reaching(path):
        info = filesystem.info(inside)
    keys = ("ETag", "etag", "md5Hash", "LastModified", "last_modified", "updated", "mtime", "created")
    return next((str(info[key]) for key in keys if info.get(key)), "")
