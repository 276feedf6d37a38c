"""What an engine is: it carries out tasks somewhere. Nothing else knows where code runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from curate.engines.task import Receipt, Task


class Engine(Protocol):
    """Carries out tasks and hands back their receipts as they complete, in any order.

    The first task that fails stops the map: no further task starts, and its error is raised once the tasks
    under way have ended.
    """

    def map(self, tasks: Sequence[Task], out: str) -> Iterator[tuple[Task, Receipt]]: ...

    def close(self) -> None: ...
