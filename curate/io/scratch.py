"""Folders that are needed for a while, where Python's `tempfile` puts them (TMPDIR).

A process locks its folder, and the kernel gives the lock up with the process, even one that is killed. So what was
left behind is told from what is in use: the next process of the same host that makes such a folder removes it. A lock
may not show on other hosts that share the place, so the host is part of the folder's name.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

PREFIX = f"curate-scratch-{socket.gethostname()}-"


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """An empty folder that is removed when the block ends. Raises OSError where none can be made."""
    _remove_abandoned(tempfile.gettempdir())
    folder, lock = _locked_folder()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _locked_folder() -> tuple[Path, int]:
    """A new folder, and the descriptor that holds its lock."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        # Another process may take it for abandoned before it is locked.
        with suppress(FileNotFoundError):
            lock = os.open(folder, os.O_RDONLY)
            with suppress(OSError):  # a file system without locks: nobody removes what is left on it
                fcntl.flock(lock, fcntl.LOCK_EX)
            if folder.exists():
                return folder, lock
            os.close(lock)


@cache
def _remove_abandoned(parent: str) -> None:
    """Removes what processes that are gone left in `parent`, as far as it may be removed."""
    for folder in Path(parent).glob(f"{PREFIX}*"):
        with suppress(OSError):
            lock = os.open(folder, os.O_RDONLY)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(folder)
            finally:
                os.close(lock)
