"""The lock of an output folder on a remote file system: an object that its holder keeps writing again.

Whoever finds the object waits to see whether it is written again. If so, the folder is in use; if it stays the same
for EXPIRY_SECONDS, or names a process of this machine that is gone, its run was killed and the lock is taken over. No
clocks are compared.

What is guaranteed: where the store has conditional writes (S3's If-None-Match and If-Match, the creation of memory and
Google Cloud Storage) two runs cannot both begin. A holder that was silent for longer than EXPIRY_SECONDS (a suspended
machine, a long outage) may lose the folder to another run; it sees so at its next write and stops, but what its tasks
were writing may still arrive. On other stores two runs that begin in the same moment are noticed by one of them within
BEAT_SECONDS.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

from curate.errors import OutputError, Problem
from curate.io.files import join, output_errors, read_bytes
from curate.io.filesystems import Stat, filesystem_of, reaching, stat

BEAT_SECONDS = 10.0
EXPIRY_SECONDS = 60.0
_POLL_SECONDS = 1.0

_REFUSALS = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")

#: Locks that this process holds.
_held: set[str] = set()


class ObjectLock:
    """The lock of the remote `folder`. note: told where the lock of another run has to be waited for."""

    def __init__(self, folder: str, note: Callable[[str], None]) -> None:
        self._folder = folder
        self._path = join(folder, "run/lock")
        self._note = note
        self._token = secrets.token_hex(16)
        self._since = datetime.now(UTC).isoformat(timespec="seconds")
        self._beats = 0
        self._lost = False
        self._stopped = Event()
        self._thread = Thread(target=self._keep, name="curate-lock", daemon=True)

    def acquire(self) -> None:
        """Take the lock. Raises OutputError naming the holder where another run has it."""
        with output_errors(self._path):
            while not self._take():
                pass
        _held.add(self._token)
        self._thread.start()

    def release(self) -> None:
        """Give the lock back, if it is still this one's."""
        self._stopped.set()
        self._thread.join()
        _held.discard(self._token)
        with output_errors(self._path):
            found = self._find()
            if found is not None and found[1].get("token") == self._token:
                filesystem, inside = filesystem_of(self._path)
                with reaching(self._path):
                    filesystem.rm_file(inside)

    def check(self) -> None:
        """Raises OutputError where another run has taken the folder over."""
        if self._lost:
            raise OutputError(
                Problem(
                    self._folder,
                    f"this run could not renew its lock for {EXPIRY_SECONDS:.0f} s, or another run took it over",
                    "one run at a time",
                    "wait for the other run, then run again: what is done is kept",
                )
            )

    def _take(self) -> bool:
        """One attempt; False where the lock changed hands meanwhile."""
        found = self._find()
        if found is None:
            return self._write(None)
        version, holder = found
        if holder.get("token") == self._token:
            # The first write arrived, but its answer was lost.
            return True
        if not _is_gone(holder):
            self._note(f"{self._folder} is locked by {_name(holder)}: waiting to see whether that run lives")
            if not self._stays_silent(version):
                fix = "wait for it, or choose another folder"
                raise OutputError(Problem(self._folder, f"is in use by {_name(holder)}", fix=fix))
        return self._write(version)

    def _find(self) -> tuple[Stat, dict[str, Any]] | None:
        """The object's version and what it says, of the same moment or later; None where there is none."""
        with suppress(FileNotFoundError):
            version = stat(self._path)
            content = json.loads(read_bytes(self._path))
            return version, content if isinstance(content, dict) else {}
        return None

    def _write(self, version: Stat | None) -> bool:
        """Write the object in the place of `version`; False where something else is there."""
        self._beats += 1
        content = json.dumps(
            {
                "token": self._token,
                "pid": os.getpid(),
                "host": socket.gethostname(),
                "machine": _machine(),
                "since": self._since,
                "beat": self._beats,
            }
        ).encode()
        filesystem, inside = filesystem_of(self._path)
        try:
            with reaching(self._path):
                if version is not None and "s3" in filesystem.protocol:
                    filesystem.pipe_file(inside, content, IfMatch=version.modified)
                else:
                    if version is not None:
                        filesystem.rm_file(inside)
                    filesystem.pipe_file(inside, content, mode="create")
        except OSError as error:
            if not _is_refusal(error):
                raise
            return False
        return True

    def _stays_silent(self, version: Stat) -> bool:
        begun = time.monotonic()
        while time.monotonic() < begun + EXPIRY_SECONDS:
            time.sleep(_POLL_SECONDS)
            with suppress(FileNotFoundError):
                if stat(self._path) == version:
                    continue
            return False
        return True

    def _keep(self) -> None:
        """Write the object again and again, until the lock is given back or lost."""
        renewed = time.monotonic()
        while not self._stopped.wait(BEAT_SECONDS):
            with suppress(OSError):
                found = self._find()
                if found is None or found[1].get("token") != self._token or not self._write(found[0]):
                    self._lost = True
                    return
                renewed = time.monotonic()
            if time.monotonic() - renewed > EXPIRY_SECONDS:
                self._lost = True
                return


def _is_refusal(error: BaseException | None) -> bool:
    """Whether the store did not write because the object is not as it was, or somebody else is just writing it."""
    while error is not None:
        code = getattr(error, "response", {}).get("Error", {}).get("Code")
        if isinstance(error, FileExistsError | FileNotFoundError) or code in _REFUSALS:
            return True
        error = error.__cause__
    return False


def _is_gone(holder: dict[str, Any]) -> bool:
    """Whether the holder was a process of this machine that is no more."""
    if holder.get("machine") != _machine() or not isinstance(holder.get("pid"), int):
        return False
    if holder["pid"] == os.getpid():
        return holder.get("token") not in _held
    try:
        os.kill(holder["pid"], 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def _machine() -> str:
    """What processes that see each other's numbers have in common: the boot and the namespace of processes."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(str(Path("/proc/self/ns/pid").stat().st_ino))
    return "/".join(parts)


def _name(holder: dict[str, Any]) -> str:
    if not {"pid", "host", "since"} <= set(holder):
        return "another process"
    return f"process {holder['pid']} on {holder['host']} since {holder['since']}"
