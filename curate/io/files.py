"""Files by path or fsspec URL: opening, listing, and writing so that a file is either whole or not there.

A path without `://` and a `file://` URL are local; anything else goes through fsspec.
"""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import Any, BinaryIO, cast

import fsspec

from curate.errors import CurateError, OutputError, Problem, SourceError

#: What the names of files still being written end with; they begin with a dot.
PARTIAL = ".partial"

#: Called when a file has been written and is to take its place; raises where it must not.
before_commit: ContextVar[Callable[[], None]] = ContextVar("before_commit", default=lambda: None)

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def local_path(path: str) -> Path | None:
    """The local path that `path` names, or None where it is a URL of another file system."""
    if "://" not in path:
        return Path(path)
    scheme, rest = path.split("://", 1)
    return Path(rest) if scheme in ("file", "local") else None


def open_binary(path: str) -> BinaryIO:
    """Opens `path` for reading; the result can seek. Raises OSError as `open` does."""
    local = local_path(path)
    if local is not None:
        return local.open("rb")
    filesystem, inside = filesystem_of(path)
    with reaching(path):
        return cast(BinaryIO, io.BufferedReader(_Remote(path, filesystem.open(inside, "rb"))))


class _Remote(io.RawIOBase):
    """A file of another file system whose reads raise nothing but OSError, with an error number: Arrow's own
    complaints about data have none."""

    def __init__(self, path: str, file: BinaryIO) -> None:
        self._path = path
        self._file = file

    def readinto(self, buffer: Any) -> int:
        with reaching(self._path):
            data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        with reaching(self._path):
            return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def filesystem_of(path: str) -> tuple[Any, str]:
    """The fsspec file system of `path`, and the path inside it; OSError where the URL's scheme is unknown."""
    with reaching(path):
        filesystem, inside = fsspec.core.url_to_fs(path)
    return filesystem, inside


@contextmanager
def reaching(path: str) -> Iterator[None]:
    """Turns whatever a remote file system raises (no credentials, no such package, a lost connection) into an
    OSError that has an error number; errors about local paths pass."""
    try:
        yield
    except Exception as error:
        named = isinstance(error, CurateError) or (isinstance(error, OSError) and error.errno)
        if named or local_path(path) is not None:
            raise
        kinds = ((FileNotFoundError, errno.ENOENT), (PermissionError, errno.EACCES))
        number = next((number for kind, number in kinds if isinstance(error, kind)), errno.EIO)
        detail = str(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
        raise OSError(number, detail) from error


def join(folder: str, inside: str) -> str:
    """The path of `inside`, written with slashes, below `folder`."""
    return f"{folder.rstrip('/')}/{inside}"


def size_of(path: str) -> int:
    """Bytes of the file at `path`. Raises OSError where there is none."""
    filesystem, inside = filesystem_of(path)
    with reaching(path):
        return int(filesystem.size(inside))


def sha256_of(path: str) -> str:
    """sha256 of the file at `path`, in hex. Raises OSError where there is none."""
    digest = hashlib.sha256()
    with open_binary(path) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def exists(path: str) -> bool:
    """Whether a file or folder stands at `path`. Raises OSError where that cannot be told."""
    filesystem, inside = filesystem_of(path)
    with reaching(path):
        return bool(filesystem.exists(inside))


def remove(path: str) -> None:
    """Removes the file at `path`, if there is one."""
    filesystem, inside = filesystem_of(path)
    with suppress(FileNotFoundError), reaching(path):
        filesystem.rm_file(inside)


def list_folder(folder: str) -> list[str]:
    """Paths of the files below `folder`, at any depth, sorted; empty where there is no such folder.

    Files still being written are left out. Raises OSError where a remote folder cannot be reached.
    """
    filesystem, inside = filesystem_of(folder)
    with reaching(folder):
        found = [name for name in filesystem.find(inside) if not _is_partial(name.rsplit("/", 1)[-1])]
    return sorted(found if local_path(folder) is not None else map(filesystem.unstrip_protocol, found))


def _is_partial(name: str) -> bool:
    return name.startswith(".") and name.endswith(PARTIAL)


@contextmanager
def source_errors(path: str) -> Iterator[None]:
    """Turns an OSError raised while an input is read into a SourceError that names `path`."""
    try:
        yield
    except OSError as error:
        raise SourceError(_reading_problem(path, error)) from error


def _reading_problem(path: str, error: OSError) -> Problem:
    if isinstance(error, FileNotFoundError):
        return Problem(
            path, "the file is not there", fix="run again if the file was replaced, else correct `path`"
        )
    if isinstance(error, PermissionError):
        return Problem(path, "no permission to read the file", fix="make the file readable for this user")
    found = f"cannot be read: {error.strerror or error}"
    return Problem(path, found, fix="check the disk or connection and run again")


@contextmanager
def atomic_write(path: str) -> Iterator[BinaryIO]:
    """A binary file to write `path` with; it takes the place of `path` when the block ends without an error.

    Local: written as `.<name>.<random>.partial` in the same folder (made if need be), flushed to disk and
    renamed. Remote: written to the local temporary folder and then uploaded. After an error nothing is left.

    Raises OutputError where the folder cannot be written or the disk is full.
    """
    local = local_path(path)
    if local is None:
        with _upload(path) as file:
            yield file
        return
    partial = local.parent / f".{local.name}.{secrets.token_hex(6)}{PARTIAL}"
    with output_errors(path):
        local.parent.mkdir(parents=True, exist_ok=True)
        file = partial.open("xb")
    try:
        with _room_errors(path):
            yield file
        with output_errors(path):
            file.flush()
            os.fsync(file.fileno())
            file.close()
        before_commit.get()()
        with output_errors(path):
            partial.replace(local)
            _sync_folder(local.parent)
    except BaseException:
        # A full disk refuses what is still buffered once more; the first refusal is the one to report.
        with suppress(OSError):
            file.close()
        partial.unlink(missing_ok=True)
        raise


@contextmanager
def _upload(path: str) -> Iterator[BinaryIO]:
    with output_errors(path):
        handle, name = tempfile.mkstemp(suffix=PARTIAL, prefix=".curate.")
    try:
        with os.fdopen(handle, "wb") as file, _room_errors(name):
            yield file
            with output_errors(name):
                file.flush()
        before_commit.get()()
        with output_errors(path), reaching(path):
            filesystem, inside = filesystem_of(path)
            filesystem.makedirs(filesystem._parent(inside), exist_ok=True)
            filesystem.put_file(name, inside)
    finally:
        Path(name).unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        # Some network file systems cannot flush a folder; the file itself is on disk by now.
        with suppress(OSError):
            os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def output_errors(path: str) -> Iterator[None]:
    """Turns an OSError raised while an output is written into an OutputError that says what to do."""
    try:
        yield
    except OSError as error:
        raise OutputError(_writing_problem(path, error)) from error


@contextmanager
def _room_errors(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno not in _NO_ROOM:
            raise
        raise OutputError(_writing_problem(path, error)) from error


def _writing_problem(path: str, error: OSError) -> Problem:
    if error.errno in _NO_ROOM:
        folder = str(Path(path).parent)
        return Problem(path, "the disk is full", fix=f"free space where {folder} is, then run again")
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return Problem(
            path, "no permission to write here", fix="choose another output folder or make it writable"
        )
    if isinstance(error, FileExistsError | NotADirectoryError):
        return Problem(path, "a file stands where a folder is needed", fix="choose another output folder")
    return Problem(
        path,
        f"cannot be written: {error.strerror or error}",
        fix="check the disk or connection and run again",
    )


def read_json(path: str) -> Any:
    """What `write_json` wrote. Raises OSError where there is no file, ValueError where it is not JSON."""
    with open_binary(path) as file:
        return json.load(file)


def write_json(path: str, value: object) -> None:
    """Writes `value` as canonical JSON: sorted keys, two spaces of indent, UTF-8, a newline at the end.

    Raises ValueError for NaN and infinities, which JSON does not have.
    """
    text = json.dumps(value, sort_keys=True, indent=2, ensure_ascii=False, allow_nan=False)
    with atomic_write(path) as file:
        file.write(text.encode() + b"\n")


def remove_stale_temporaries(folder: str) -> list[str]:
    """Removes what writers that were killed left below a local `folder`; returns the removed paths, sorted.

    Only for a folder nobody else writes to (see `curate.io.lock`). Remote folders have no such files.
    """
    local = local_path(folder)
    if local is None:
        return []
    stale = sorted(path for path in local.rglob(f".*{PARTIAL}") if path.is_file())
    for path in stale:
        path.unlink(missing_ok=True)
    return [str(path) for path in stale]
