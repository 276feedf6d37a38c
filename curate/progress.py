"""What a run tells whoever watches it."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Receives the events of a run, all from the thread that called `run`."""

    def pass_started(self, name: str, tasks: int, already_done: int, total_bytes: int) -> None:
        """A pass begins: how many tasks it has, how many an earlier run finished, bytes of input to read."""

    def task_done(self, name: str, documents: int, bytes_read: int, kept: int | None = None) -> None:
        """One task of the pass finished. kept: how many of its documents no stage has dropped so far; None where the
        pass does not tell."""

    def pass_finished(self, name: str, seconds: float) -> None:
        """All tasks of the pass are done."""

    def note(self, message: str) -> None:
        """Something the user should read: a warning, or why finished work is done again."""


class Silent:
    """A `Progress` that shows nothing."""

    def pass_started(self, name: str, tasks: int, already_done: int, total_bytes: int) -> None:
        return None

    def task_done(self, name: str, documents: int, bytes_read: int, kept: int | None = None) -> None:
        return None

    def pass_finished(self, name: str, seconds: float) -> None:
        return None

    def note(self, message: str) -> None:
        return None
