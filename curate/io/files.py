"""Files by path or fsspec URL: opening, listing, and writing so that a file is either whole or not there."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

import pyarrow as pa

from curate.errors import OutputError, Problem, SourceError
from curate.io.filesystems import filesystem_of, local_path, reaching, stat
from curate.io.flush import flush, flush_all
from curate.io.remote import RangedFile, fetch, upload
from curate.io.scratch import scratch_folder

#: What the names of files still being written end with; they begin with a dot.
PARTIAL = ".partial"

_AHEAD_BYTES = 1 << 20
_WRITTEN_AT_ONCE = 1 << 16
_REMOVED_AT_ONCE = 1000

#: Called when a file has been written and is to take its place; raises where it must not.
before_commit: ContextVar[Callable[[], None]] = ContextVar("before_commit", default=lambda: None)

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def open_binary(path: str, ahead: int = _AHEAD_BYTES) -> BinaryIO:
    """Opens `path` for reading; the result can seek. Raises OSError as `open` does.

    ahead: of a remote file, a read of fewer bytes is one of so many, which later reads are served from.
    """
    local = local_path(path)
    if local is not None:
        return local.open("rb")
    return cast(BinaryIO, io.BufferedReader(RangedFile(path), ahead))


def open_whole(path: str) -> BinaryIO:
    """Opens a file that will be read from end to end: a remote one is fetched at once. Raises OSError."""
    local = local_path(path)
    return local.open("rb") if local is not None else cast(BinaryIO, pa.BufferReader(fetch(path)))


def read_bytes(path: str) -> bytes:
    """The content of a small file; of a remote one in one request. Raises OSError where there is none."""
    local = local_path(path)
    if local is not None:
        return local.read_bytes()
    filesystem, inside = filesystem_of(path)
    with reaching(path):
        # Without a range, some file systems would ask for the size first.
        return bytes(filesystem.cat_file(inside, start=0))


def join(folder: str, inside: str) -> str:
    """The path of `inside`, written with slashes, below `folder`."""
    return f"{folder.rstrip('/')}/{inside}"


def size_of(path: str) -> int:
    """Bytes of the file at `path`. Raises OSError where there is none."""
    return stat(path).bytes


def sha256_of(path: str) -> str:
    """sha256 of the file at `path`, in hex. Raises OSError where there is none."""
    digest = hashlib.sha256()
    with open_whole(path) as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def read_all(paths: Sequence[str]) -> list[bytes]:
    """The contents of small files of one file system, in order; remote ones are asked for at once. Raises OSError."""
    if not paths or local_path(paths[0]) is not None:
        return [read_bytes(path) for path in paths]
    inside = [filesystem_of(path)[1] for path in paths]
    found = filesystem_of(paths[0])[0].cat_ranges(inside, [0] * len(paths), [None] * len(paths))
    for path, content in zip(paths, found, strict=True):
        if isinstance(content, Exception):
            with reaching(path):
                raise content
    return [bytes(content) for content in found]


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
    return [join(folder, inside) for inside in sizes_below(folder)]


def sizes_below(folder: str) -> dict[str, int]:
    """Bytes of each file below `folder`, by its path relative to it, as `list_folder` sorts them."""
    filesystem, inside = filesystem_of(folder)
    with reaching(folder):
        found = filesystem.find(inside, detail=True)
    below = len(inside.rstrip("/")) + 1
    return {
        path[below:]: int(found[path]["size"])
        for path in sorted(found)
        if len(path) > below and not _is_partial(path.rsplit("/", 1)[-1])
    }


def names_in(folder: str) -> list[str]:
    """Names of the files and folders right in `folder`, sorted; empty where there is no such folder."""
    filesystem, inside = filesystem_of(folder)
    with suppress(FileNotFoundError), reaching(folder):
        found = [path.rstrip("/").rsplit("/", 1)[-1] for path in filesystem.ls(inside, detail=False)]
        return sorted({*found} - {""})
    return []


def remove_tree(path: str) -> None:
    """Removes the file at `path`, or the folder with all that is in it, if there is one."""
    local = local_path(path)
    if local is None:
        filesystem, inside = filesystem_of(path)
        with reaching(path):
            found = filesystem.find(inside)
        remove_all([filesystem.unstrip_protocol(name) for name in found])
    elif local.is_dir() and not local.is_symlink():
        shutil.rmtree(local)
    else:
        local.unlink(missing_ok=True)


def remove_all(paths: Sequence[str]) -> None:
    """Removes files of one file system, many in one request where it can; it is no error if one is gone."""
    remote = [path for path in paths if local_path(path) is None]
    for path in paths:
        if local_path(path) is not None:
            remove(path)
    for start in range(0, len(remote), _REMOVED_AT_ONCE):
        inside = [filesystem_of(path)[1] for path in remote[start : start + _REMOVED_AT_ONCE]]
        with suppress(FileNotFoundError), reaching(remote[start]):
            filesystem_of(remote[start])[0].rm(inside)


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


@dataclass(frozen=True, slots=True)
class Written:
    """What `atomic_write` put into a file."""

    bytes: int
    sha256: str


_recorded: ContextVar[dict[str, Written] | None] = ContextVar("_recorded", default=None)


@contextmanager
def recording() -> Iterator[dict[str, Written]]:
    """Collects what this thread's `atomic_write`s put into files, by path, so that nobody has to read it back.

    Local ones are flushed to disk together, when the block ends without an error.
    """
    written: dict[str, Written] = {}
    token = _recorded.set(written)
    try:
        yield written
    finally:
        _recorded.reset(token)
    with output_errors(next(iter(written), "")):
        flush_all([local for local in map(local_path, written) if local is not None])


class _Digesting(io.BufferedWriter):
    """Writes from beginning to end and keeps the checksum."""

    def __init__(self, raw: io.RawIOBase) -> None:
        super().__init__(raw, _WRITTEN_AT_ONCE)
        self._digest = hashlib.sha256()
        self._bytes = 0

    def write(self, data: Any) -> int:
        self._digest.update(data)
        written = super().write(data)
        self._bytes += written
        return written

    def seekable(self) -> bool:
        return False

    def seek(self, *_: int) -> int:
        raise io.UnsupportedOperation("files are written from beginning to end")

    def record(self, path: str) -> None:
        written = _recorded.get()
        if written is not None:
            written[path] = Written(self._bytes, self._digest.hexdigest())


@contextmanager
def atomic_write(path: str, flushed: bool = True) -> Iterator[BinaryIO]:
    """A binary file to write `path` with, from beginning to end; it takes the place of `path` when the block
    ends without an error.

    Local: written as `.<name>.<random>.partial` in the same folder (made if need be), flushed to disk (not unless
    `flushed`; within `recording`, at its end) and renamed. Remote: written to the local temporary folder and then
    uploaded, which is one step for whoever
    looks at an object store. After an error nothing is left.

    Raises OutputError where the folder cannot be written or the disk is full.
    """
    local = local_path(path)
    if local is None:
        with _upload(path) as file:
            yield file
        return
    flushed = flushed and _recorded.get() is None
    partial = local.parent / f".{local.name}.{secrets.token_hex(6)}{PARTIAL}"
    with output_errors(path):
        local.parent.mkdir(parents=True, exist_ok=True)
        file = _Digesting(io.FileIO(partial, "xb"))
    try:
        with _room_errors(path):
            yield cast(BinaryIO, file)
        with output_errors(path):
            file.flush()
            if flushed:
                os.fsync(file.fileno())
            file.close()
        before_commit.get()()
        with output_errors(path):
            partial.replace(local)
            if flushed:
                flush(local.parent)
        file.record(path)
    except BaseException:
        # A full disk refuses what is still buffered once more; the first refusal is the one to report.
        with suppress(OSError):
            file.close()
        partial.unlink(missing_ok=True)
        raise


@contextmanager
def _upload(path: str) -> Iterator[BinaryIO]:
    with ExitStack() as stack:
        with output_errors(path):
            name = str(stack.enter_context(scratch_folder()) / "upload")
            file = _Digesting(io.FileIO(name, "wb"))
        try:
            with _room_errors(name):
                yield cast(BinaryIO, file)
                with output_errors(name):
                    file.close()
            before_commit.get()()
            with output_errors(path):
                upload(name, path)
            file.record(path)
        finally:
            with suppress(OSError):
                file.close()


@contextmanager
def remote_errors() -> Iterator[None]:
    """Turns an OSError about a remote file that no other handler has named into an OutputError."""
    try:
        yield
    except OSError as error:
        if not isinstance(error.filename, str) or local_path(error.filename) is not None:
            raise
        found = f"cannot be reached: {error.strerror}"
        fix = "check the connection and the credentials, then run again"
        raise OutputError(Problem(error.filename, found, fix=fix)) from error


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
    return json.loads(read_bytes(path))


def write_json(path: str, value: object, flushed: bool = True, indent: int | None = 2) -> None:
    """Writes `value` as canonical JSON: sorted keys, two spaces of indent, UTF-8, a newline at the end. flushed:
    see `atomic_write`. indent: None for one line, which takes a tenth of the time.

    Raises ValueError for NaN and infinities, which JSON does not have.
    """
    text = json.dumps(value, sort_keys=True, indent=indent, ensure_ascii=False, allow_nan=False)
    with atomic_write(path, flushed) as file:
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
