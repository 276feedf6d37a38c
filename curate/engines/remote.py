"""What engines with workers in other processes have in common: orders, how workers carry them out, and the flow.

A worker never raises: what goes wrong in a task comes back as a value, so that the coordinator raises the task's own
error rather than a cluster's account of it. A worker looks once at whether it runs the coordinator's software and
sees the coordinator's output folder, however late it joined.
"""

from __future__ import annotations

import os
import pickle
import socket
import time
import traceback
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice

from curate.engines.software import differences, software
from curate.engines.task import Receipt, Task, execute
from curate.errors import EngineError, Problem
from curate.io.filesystems import absolute
from curate.io.lease import LEASE, Lease, current, ensure_current, held, take
from curate.kernels.choice import kernels_on

#: Tasks handed out for each one that can run: enough to keep workers busy, few enough to hold in memory.
TASKS_A_SLOT = 2
#: Tasks handed out where nobody can run any: what an adaptive cluster needs to see in order to grow.
TASKS_WITHOUT_SLOTS = 8
#: How often a task is started again because its worker died.
RETRIES = 3
#: How long a worker waits for the coordinator's lease to show on a network file system that caches, in seconds.
_SHOWS_WITHIN = 10.0


@dataclass(frozen=True, slots=True)
class Order:
    """A task as it travels to a worker. software: the coordinator's. device: what the worker is to compute on."""

    task: Task
    out: str
    lease: Lease
    software: Mapping[str, str]
    device: str = "cpu"


@dataclass(frozen=True, slots=True)
class Failed:
    """What comes back instead of a receipt: the task's error, with the worker's traceback as a note."""

    error: Exception


def attempt(order: Order) -> Receipt | Failed:
    """Carry out an order on a worker."""
    try:
        _ensure_fit(order)
        with held(order.out, order.lease):
            ensure_current(order.out, order.lease)
            return execute(order.task, order.out)
    except Exception as error:
        return Failed(_portable(error))


def _portable(error: Exception) -> Exception:
    """The error with its traceback as a note; a RuntimeError that says the same where it cannot be pickled."""
    trace = "".join(traceback.format_exception(error))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        error = RuntimeError(f"{type(error).__name__}: {error}")
    error.add_note(f"on {socket.gethostname()}, process {os.getpid()}:\n{trace}")
    return error


_fit: set[str] = set()


def _ensure_fit(order: Order) -> None:
    """Raises EngineError unless this process can work for the coordinator; looks once a lease."""
    if order.lease.token in _fit:
        return
    ensure_same_software(f"the worker on {socket.gethostname()}", order.software, software())
    _ensure_shared(order)
    _ensure_device(order.device)
    _fit.add(order.lease.token)


def ensure_same_software(worker: str, here: Mapping[str, str], there: Mapping[str, str]) -> None:
    """Raises EngineError where `worker` runs something else than the coordinator."""
    other = differences(here, there)
    if other:
        raise EngineError(
            Problem(
                worker,
                f"runs {', '.join(other)}",
                "what the coordinator runs, or outputs would not be the same bytes",
                "install the same versions on every host and start the workers again",
            )
        )


def _ensure_device(device: str) -> None:
    try:
        kernels_on(device)
    except EngineError as error:
        (problem,) = error.problems
        where = f"the worker on {socket.gethostname()}, {problem.where}"
        raise EngineError(replace(problem, where=where)) from error


def _ensure_shared(order: Order) -> None:
    deadline = time.monotonic() + _SHOWS_WITHIN
    while True:
        with suppress(OSError, ValueError):
            if current(order.out) == order.lease:
                return
        if time.monotonic() > deadline:
            break
        time.sleep(0.2)
    raise EngineError(
        Problem(
            order.out,
            f"the worker on {socket.gethostname()} does not find there the {LEASE} that the coordinator on "
            f"{order.lease.host} wrote",
            "an output folder that all workers see under the same path",
            "mount it on every host, and give -o its path there",
        )
    )


class Cluster(ABC):
    """An engine that hands orders to workers of other processes, a bounded number at a time."""

    dashboard: str | None = None
    retries: int = 0
    device: str = "cpu"

    def map(self, tasks: Sequence[Task], out: str) -> Iterator[tuple[Task, Receipt]]:
        out = absolute(out)
        lease = current(out)
        waiting = iter(tasks)
        running: dict[str, Task] = {}
        try:
            while True:
                room = (TASKS_A_SLOT * self.slots() or TASKS_WITHOUT_SLOTS) - len(running)
                for task in islice(waiting, max(0, room)):
                    running[task.name] = task
                    self.submit(Order(task, out, lease, software(), self.device))
                if not running:
                    return
                name, outcome = self.next_done()
                task = running.pop(name)
                if isinstance(outcome, Failed):
                    raise outcome.error
                yield task, outcome
        finally:
            if running:
                # What runs on a worker cannot be stopped, but it can be kept from committing anything.
                take(out)
                self.cancel()

    @abstractmethod
    def slots(self) -> int:
        """How many tasks the cluster can carry out at once, now."""

    @abstractmethod
    def submit(self, order: Order) -> None:
        """Hand out an order."""

    @abstractmethod
    def next_done(self) -> tuple[str, Receipt | Failed]:
        """Wait for one of the orders handed out: its task's name, and what came of it.

        Raises EngineError where the cluster is gone.
        """

    @abstractmethod
    def cancel(self) -> None:
        """Forget all orders that are not done."""

    @abstractmethod
    def close(self) -> None: ...


def worker_died(task: str, deaths: int) -> EngineError:
    """The error of a task whose workers keep dying."""
    return EngineError(
        Problem(
            f"task {task}",
            f"{deaths} workers died while they carried it out",
            fix="see the workers' logs; most often they lack memory: give each more of it, or run fewer on a host",
        )
    )
