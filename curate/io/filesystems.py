"""Which file system a path means, and how its errors and its answers about files are read.

A path without `://` and a `file://` URL are local; anything else goes through fsspec.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec

from curate.errors import CurateError

_S3 = ("s3", "s3a")
_OTHER_WRITERS_SEEN = (*_S3, "gs", "gcs")
#: Tries of one request to S3; botocore waits a random part of 1, 2, 4, 8, 16 s between them.
_S3_ATTEMPTS = 6
#: Parts of 50 MB that one upload holds in memory.
_S3_PARTS_AT_ONCE = 4
#: What file systems call that which changes when a file does, the most telling first.
_VERSION_KEYS = (
    "ETag",
    "etag",
    "blob_id",
    "md5Hash",
    "LastModified",
    "last_modified",
    "updated",
    "mtime",
    "created",
)


@dataclass(frozen=True, slots=True)
class Stat:
    """What a file system tells of a file without reading it.

    modified: nanoseconds since 1970 for a local file, else the entity tag or time that its file system gives, or
    nothing if it gives none.
    """

    bytes: int
    modified: str


def local_path(path: str) -> Path | None:
    """The local path that `path` names, or None where it is a URL of another file system."""
    if "://" not in path:
        return Path(path)
    scheme, rest = path.split("://", 1)
    return Path(rest) if scheme in ("file", "local") else None


def canonical(path: str) -> str:
    """One spelling of a folder's path: absolute and without symbolic links, or a URL without slashes at its end."""
    local = local_path(path)
    if local is not None:
        return str(local.resolve())
    filesystem, inside = filesystem_of(path)
    return str(filesystem.unstrip_protocol(inside)).rstrip("/")


def absolute(path: str) -> str:
    """The same file for a process in another folder: local paths become absolute, URLs stay."""
    local = local_path(path)
    return path if local is None else str(local.absolute())


def filesystem_of(path: str) -> tuple[Any, str]:
    """The fsspec file system of `path`, and the path inside it; OSError where the URL's scheme is unknown.

    What fsspec's configuration sets for a scheme has precedence over the settings made here.
    """
    scheme = path.split("://", 1)[0] if "://" in path else ""
    configured = fsspec.config.conf.get(scheme, {})
    options = {name: value for name, value in _options(scheme).items() if name not in configured}
    with reaching(path):
        filesystem, inside = fsspec.core.url_to_fs(path, **options)
    return filesystem, inside


def _options(scheme: str) -> dict[str, Any]:
    # Other processes write to the folder too: a listing of a moment ago is not how it stands now.
    options: dict[str, Any] = {"use_listings_cache": False} if scheme in _OTHER_WRITERS_SEEN else {}
    if scheme in _S3:
        options["max_concurrency"] = _S3_PARTS_AT_ONCE
        if not {"AWS_MAX_ATTEMPTS", "AWS_RETRY_MODE"} & set(os.environ):
            options["config_kwargs"] = {
                # The mode that takes any 429 for what it is.
                "retries": {"mode": "legacy", "total_max_attempts": _S3_ATTEMPTS},
            }
    return options


def stat(path: str) -> Stat:
    """Size and version of the file at `path`, in one request. Raises OSError where there is none."""
    local = local_path(path)
    if local is not None:
        found = local.stat()
        return Stat(found.st_size, str(found.st_mtime_ns))
    filesystem, inside = filesystem_of(path)
    with reaching(path):
        return stat_of(filesystem.info(inside))


def stat_of(info: Mapping[str, Any]) -> Stat:
    """The same from what a remote file system's `info` or listing says."""
    modified = next((str(info[key]) for key in _VERSION_KEYS if info.get(key)), "")
    return Stat(int(info["size"]), modified)


@contextmanager
def reaching(path: str) -> Iterator[None]:
    """Turns whatever a remote file system raises (no credentials, no such package, a lost connection) into an
    OSError that has an error number and `path` for its file name; errors about local paths pass."""
    try:
        yield
    except Exception as error:
        if isinstance(error, CurateError) or local_path(path) is not None:
            raise
        if isinstance(error, OSError) and error.errno:
            raise OSError(error.errno, error.strerror or str(error), path) from error
        kinds = ((FileNotFoundError, errno.ENOENT), (PermissionError, errno.EACCES))
        number = next((number for kind, number in kinds if isinstance(error, kind)), errno.EIO)
        detail = str(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
        raise OSError(number, detail, path) from error
