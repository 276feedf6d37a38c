"""The lease of an output folder: which run may write into it, for workers that the coordinator cannot stop.

`curate.io.lock` keeps two coordinators apart. But a worker on another host may still be busy with a task when its
coordinator is killed, or when it cannot be reached for a while. Each run that begins takes a new lease, and a task
that was handed out under an older one is refused when it wants to commit a file.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from curate.errors import EngineError, Problem
from curate.io.files import before_commit, join, read_json, write_json

#: Where the lease lies below the output folder.
LEASE = "run/lease.json"


@dataclass(frozen=True, slots=True)
class Lease:
    """token: differs for every lease ever taken. host, process: the coordinator's."""

    token: str
    host: str
    process: int


def take(out: str) -> Lease:
    """Take the lease of the folder `out`; whoever held it before can commit nothing there any more."""
    lease = Lease(secrets.token_hex(8), socket.gethostname(), os.getpid())
    write_json(join(out, LEASE), asdict(lease))
    return lease


def current(out: str) -> Lease:
    """The newest lease of `out`. Raises OSError where there is none."""
    return Lease(**read_json(join(out, LEASE)))


@contextmanager
def held(out: str, lease: Lease) -> Iterator[None]:
    """Within the block this thread commits files only while `lease` is the newest of `out`; else EngineError."""
    mark = before_commit.set(lambda: ensure_current(out, lease))
    try:
        yield
    finally:
        before_commit.reset(mark)


def ensure_current(out: str, lease: Lease) -> None:
    """Raises EngineError where another run has taken the folder over."""
    found = current(out)
    if found != lease:
        raise EngineError(
            Problem(
                out,
                f"was taken over by process {found.process} on {found.host}",
                f"process {lease.process} on {lease.host}, for which this task was started",
                "nothing: the task is carried out again by the run that goes on",
            )
        )
