"""The embedded engine: threads of this process (kernels and Arrow release the GIL)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed

from curate.engines.base import EngineOptions
from curate.engines.cores import usable_cores
from curate.engines.task import Receipt, Task, execute


class Local:
    dashboard = None
    retries = 0

    def __init__(self, workers: int) -> None:
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="curate")

    def map(self, tasks: Sequence[Task], out: str) -> Iterator[tuple[Task, Receipt]]:
        running = {self._pool.submit(execute, task, out): task for task in tasks}
        try:
            for done in as_completed(running):
                yield running[done], done.result()
        finally:
            for future in running:
                future.cancel()

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)


def start(options: EngineOptions) -> Local:
    return Local(options.workers or usable_cores())
