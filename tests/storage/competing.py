"""Runs that begin at once in one folder."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Barrier

from curate.errors import OutputError
from curate.io.lock import hold


def hold_at_once(folder: str, runs: int) -> list[str]:
    """What each of the runs got that ask for the folder at the same moment: "held", or the error."""
    begin, ended = Barrier(runs), Barrier(runs)

    def compete(_: int) -> str:
        with ExitStack() as stack:
            begin.wait()
            try:
                stack.enter_context(hold(folder))
            except OutputError as error:
                ended.wait()
                return str(error)
            ended.wait()
            return "held"

    with ThreadPoolExecutor(runs) as threads:
        return sorted(threads.map(compete, range(runs)))
