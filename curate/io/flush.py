"""Flushing local files and folders to disk."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from curate.io.filesystems import local_path

_AT_ONCE = 16


def flush_all(paths: Sequence[Path]) -> None:
    """Flush local files at once: that takes a disk little more time than one, and a tenth of the time that one after
    the other takes. Raises OSError."""
    if not paths:
        return
    with ThreadPoolExecutor(min(len(paths), _AT_ONCE)) as threads:
        flushed = [threads.submit(flush, path) for path in paths]
    for done in flushed:
        done.result()


def flush_folders(folder: str) -> None:
    """Flush which files a folder, where it is a local one, and those below it hold."""
    local = local_path(folder)
    if local is not None and local.is_dir():
        for each, _, _ in os.walk(local):
            flush(Path(each))


def flush(path: Path) -> None:
    """Flush a local file's content, or which files a local folder holds. Raises OSError."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError:
        # Some network file systems cannot flush a folder; its files are on disk by now.
        if not path.is_dir():
            raise
    finally:
        os.close(handle)
