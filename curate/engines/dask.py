"""Tasks on the workers of a Dask cluster: one that is there already, or processes of this machine.

With `device="gpu"` the processes of this machine are dask-cuda's, each with a GPU and a pool of its memory.
"""

from __future__ import annotations

import importlib
import logging
import queue
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from typing import Any

import dask
from distributed import Client, Future
from distributed.scheduler import KilledWorker

from curate.engines.base import EngineOptions
from curate.engines.cores import usable_cores
from curate.engines.remote import RETRIES, Cluster, Failed, Order, attempt, ensure_same_software, worker_died
from curate.engines.software import PACKAGES, software
from curate.engines.task import Receipt
from curate.errors import EngineError, Problem

#: Share of a GPU's memory that RMM takes at once. The rest is for kernels that allocate outside of the pool.
RMM_POOL_SHARE = 0.8
#: How long to wait for the scheduler to answer, in seconds.
CONNECT_TIMEOUT = 30
#: How long to wait for a worker where the cluster has none, in seconds.
WORKER_TIMEOUT = 300
#: How often the workers are counted, in seconds.
_COUNT_EVERY = 2.0


class DaskCluster(Cluster):
    """client: connected. started: the cluster that goes with the engine; None for one that was there before."""

    def __init__(self, client: Client, started: Any | None, dashboard: bool, device: str) -> None:
        self.device = device
        self._client = client
        self._address = client.scheduler.address
        self._started = started
        self._done: queue.SimpleQueue[Future] = queue.SimpleQueue()
        self._threads = 0
        self._counted = -_COUNT_EVERY
        self._last_seen = time.monotonic()
        self._running: dict[Future, str] = {}
        self.dashboard = client.dashboard_link if dashboard else None
        client.subscribe_topic("all", self._scheduler_event)
        if started is None:
            self._ensure_same_software()

    def slots(self) -> int:
        now = time.monotonic()
        if now - self._counted >= _COUNT_EVERY:
            self._counted = now
            with self._reaching_scheduler():
                self._threads = sum(self._client.nthreads().values())
            if self._threads:
                self._last_seen = now
        return self._threads

    def submit(self, order: Order) -> None:
        key = f"{order.task.name}-{order.lease.token}"
        with self._reaching_scheduler(), warnings.catch_warnings():
            # A task over a corpus of many files has a list of them, which Dask calls large.
            warnings.filterwarnings("ignore", "Sending large graph", UserWarning)
            future = self._client.submit(attempt, order, key=key, pure=False)
        self._running[future] = order.task.name
        future.add_done_callback(self._done.put)

    def next_done(self) -> tuple[str, Receipt | Failed]:
        while True:
            try:
                future = self._done.get(timeout=_COUNT_EVERY)
            except queue.Empty:
                self._ensure_workers()
                continue
            if future in self._running:
                name = self._running.pop(future)
                return name, self._outcome(future, name)

    def cancel(self) -> None:
        futures = list(self._running)
        self._running.clear()
        with suppress(Exception):
            self._client.cancel(futures, force=True)

    def close(self) -> None:
        with suppress(Exception):
            self._client.unsubscribe_topic("all")
        for each in filter(None, (self._client, self._started)):
            with suppress(Exception):
                each.close(timeout=10)

    def _outcome(self, future: Future, task: str) -> Receipt | Failed:
        if future.status == "cancelled":
            raise self._scheduler_gone()
        if future.status == "error":
            error = future.exception()
            if isinstance(error, KilledWorker):
                return Failed(worker_died(task, error.allowed_failures + 1))
            return Failed(_not_understood(error))
        with self._reaching_scheduler():
            outcome: Receipt | Failed = future.result()
        return outcome

    def _ensure_workers(self) -> None:
        if self._client.status != "running":
            raise self._scheduler_gone()
        if not self.slots() and time.monotonic() - self._last_seen > WORKER_TIMEOUT:
            raise EngineError(
                Problem(
                    self._where(),
                    f"has had no worker for {WORKER_TIMEOUT} s",
                    fix="start workers and run again: what is finished is not done again",
                )
            )

    def _ensure_same_software(self) -> None:
        """Workers that join later are looked at when they get their first task."""
        names = ["curate", *PACKAGES]
        found = self._client.get_versions(packages=names)["workers"]
        here = {name: version for name, version in software().items() if name in ("Python", *names)}
        for worker, versions in sorted(found.items()):
            there = {name: versions["packages"][name] or "none" for name in names}
            there["Python"] = ".".join(versions["host"]["python"].split(".")[:2])
            ensure_same_software(f"the worker at {worker}", here, there)

    def _scheduler_event(self, event: tuple[float, Any]) -> None:
        """Counts our tasks that are started again because a worker was lost."""
        _, message = event
        if isinstance(message, dict) and message.get("action") == "remove-worker":
            ours = {future.key for future in list(self._running)}
            self.retries += len(ours & {*message["processing-tasks"]})

    @contextmanager
    def _reaching_scheduler(self) -> Iterator[None]:
        """Turns what a client raises whose scheduler has gone into an EngineError."""
        try:
            yield
        except (OSError, TimeoutError, RuntimeError, CancelledError) as error:
            raise self._scheduler_gone() from error

    def _scheduler_gone(self) -> EngineError:
        return EngineError(
            Problem(
                self._where(),
                "does not answer any more",
                "a running Dask scheduler",
                "start it and run again: what is finished is not done again",
            )
        )

    def _where(self) -> str:
        return f"the Dask scheduler at {self._address}"


def _not_understood(error: BaseException) -> EngineError:
    return EngineError(
        Problem(
            "a Dask worker",
            f"cannot take a task: {type(error).__name__}: {error}",
            "workers with the same version of curate",
            "install it on every host and start the workers again",
        )
    )


def start(options: EngineOptions) -> DaskCluster:
    """Raises EngineError where the scheduler does not answer or workers run other software."""
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    started = None
    if options.address or options.scheduler_file:
        where: dict[str, Any] = {"address": options.address, "scheduler_file": options.scheduler_file}
    else:
        started = _start_cluster(options)
        where = {"address": started}
    try:
        client = Client(**where, timeout=CONNECT_TIMEOUT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise EngineError(
            Problem(
                options.address or options.scheduler_file or "the Dask scheduler",
                f"no Dask scheduler answers: {error}",
                "the address of a running one, such as tcp://10.0.0.1:8786, or the file it wrote",
                "start one with `dask scheduler`, and workers with `dask worker`",
            )
        ) from error
    try:
        return DaskCluster(client, started, options.dashboard, options.device)
    except BaseException:
        client.close()
        raise


def _start_cluster(options: EngineOptions) -> Any:
    """A cluster of processes of this machine, as many as `workers`, or one a core, or one a GPU."""
    common = {"threads_per_worker": 1, "dashboard_address": ":8787" if options.dashboard else None}
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": RETRIES}),
        warnings.catch_warnings(),
    ):
        # Another dashboard on the usual port: Dask takes another one.
        warnings.filterwarnings("ignore", "Port 8787 is already in use", UserWarning)
        if options.device == "gpu":
            made = importlib.import_module("dask_cuda").LocalCUDACluster
            return made(n_workers=options.workers, rmm_pool_size=RMM_POOL_SHARE, **common)
        made = importlib.import_module("distributed").LocalCluster
        # Dask would kill a worker for using more than an even share of the memory.
        return made(
            n_workers=options.workers or usable_cores(),
            processes=True,
            memory_limit=None,
            silence_logs=logging.CRITICAL,
            **common,
        )
