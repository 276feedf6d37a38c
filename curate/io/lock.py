"""The lock of an output folder: one run at a time writes to it."""

from __future__ import annotations

import fcntl
import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import FileIO

from curate.errors import OutputError, Problem
from curate.io.files import output_errors
from curate.io.filesystems import local_path
from curate.io.object_lock import ObjectLock


def _say_nothing(_: str) -> None:
    pass


def _still_held() -> None:
    """The kernel keeps a local lock for as long as the process lives."""


@contextmanager
def hold(folder: str, note: Callable[[str], None] = _say_nothing) -> Iterator[Callable[[], None]]:
    """Holds the output folder `folder` until the block ends; gives what raises OutputError once it is lost.

    The lock is on `folder`/run/lock: of a local folder one which the kernel gives up with the process, even one that
    is killed; of a remote folder an object (see `curate.io.object_lock`). note: told what is waited for.

    Raises OutputError naming process, host and time where another holder has it.
    """
    local = local_path(folder)
    if local is None:
        lock = ObjectLock(folder, note)
        lock.acquire()
        try:
            yield lock.check
        finally:
            lock.release()
        return
    path = local / "run" / "lock"
    with output_errors(str(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = FileIO(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666), "r+")
    with file:
        with output_errors(str(path)):
            _lock(file, folder)
        _sign(file)
        try:
            yield _still_held
        finally:
            file.truncate(0)


def _lock(file: FileIO, folder: str) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        problem = Problem(
            folder, f"is in use by {_holder(file)}", fix="wait for it, or choose another folder"
        )
        raise OutputError(problem) from None


def _sign(file: FileIO) -> None:
    since = datetime.now(UTC).isoformat(timespec="seconds")
    holder = {"pid": os.getpid(), "host": socket.gethostname(), "since": since}
    file.seek(0)
    file.truncate(0)
    file.write(json.dumps(holder).encode())


def _holder(file: FileIO) -> str:
    # A holder that has the lock but has not signed yet leaves the file empty.
    with suppress(ValueError, KeyError, TypeError):
        holder = json.loads(file.read())
        return f"process {holder['pid']} on {holder['host']} since {holder['since']}"
    return "another process"
