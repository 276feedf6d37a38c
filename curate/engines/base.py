"""What an engine is: it carries out tasks somewhere. Nothing else knows where code runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from curate.engines.task import Receipt, Task


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """How an engine is started.

    workers: tasks at once of an engine that starts its own workers; None: one a core, or one a GPU.
    device: "cpu", "gpu": each worker has a GPU of its own, or, of a cluster that is there already, "auto": a worker
        that has a GPU uses it.
    address, scheduler_file: a cluster that is there already. dashboard: whether the engine shall offer one.
    """

    workers: int | None = None
    device: str = "cpu"
    address: str | None = None
    scheduler_file: str | None = None
    dashboard: bool = False


class Engine(Protocol):
    """Carries out tasks and hands back their receipts as they complete, in any order.

    The first task that fails stops the map: no further task starts, and its error is raised. Tasks under way end
    before that, or can commit nothing afterwards.

    dashboard: where people watch the engine, if it was asked for. retries: tasks started again so far because
    their worker died.
    """

    dashboard: str | None
    retries: int

    def map(self, tasks: Sequence[Task], out: str) -> Iterator[tuple[Task, Receipt]]: ...

    def close(self) -> None: ...
