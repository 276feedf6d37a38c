"""Notices an input that changed after the run looked at it."""

from __future__ import annotations

from curate.errors import Problem, SourceError
from curate.io.batches import SourceFile
from curate.io.files import source_errors
from curate.io.filesystems import Stat, stat


def ensure_unchanged(file: SourceFile) -> None:
    """Raises SourceError if the file is not as `list_files` found it, by size and time of change."""
    with source_errors(file.path):
        now = stat(file.path)
    if now != Stat(file.bytes, file.modified):
        raise SourceError(
            Problem(
                file.path,
                f"the file changed during the run: {now.bytes} bytes, modified {now.modified}",
                f"{file.bytes} bytes, modified {file.modified}",
                "run again: what the change reaches is done again",
            )
        )
