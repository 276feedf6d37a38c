"""Tasks on the workers of a Ray cluster: one that is there already, or processes of this machine."""

from __future__ import annotations

import logging
import os
import time
from collections import Counter
from contextlib import suppress
from typing import Any

# Ray would report its use to its makers.
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")

import ray
from ray import exceptions

from curate.engines.base import EngineOptions
from curate.engines.cores import usable_cores
from curate.engines.remote import RETRIES, Cluster, Failed, Order, attempt, worker_died
from curate.engines.task import Receipt
from curate.errors import EngineError, Problem

_DEATHS = (
    exceptions.WorkerCrashedError,
    exceptions.NodeDiedError,
    exceptions.LocalRayletDiedError,
    exceptions.OutOfMemoryError,
    exceptions.ObjectLostError,
)
#: How long to wait before looking at how large the cluster is, in seconds.
_COUNT_EVERY = 2.0


class RayCluster(Cluster):
    """device: "gpu": each task takes a GPU; "auto": if the cluster has any. owned: whether Ray ends with the engine."""

    def __init__(self, device: str, dashboard: str | None, owned: bool) -> None:
        self.device = device
        self._owned = owned
        gpu = device == "gpu" or (device == "auto" and ray.cluster_resources().get("GPU", 0) >= 1)
        self._resource = "GPU" if gpu else "CPU"
        # Ray shall not retry by itself, so that retries are bounded and counted.
        self._attempt = ray.remote(
            num_cpus=1, num_gpus=1 if gpu else 0, max_retries=0, scheduling_strategy="SPREAD"
        )(attempt)
        self._running: dict[Any, Order] = {}
        self._deaths: Counter[str] = Counter()
        self._slots, self._counted = 0, -_COUNT_EVERY
        self.dashboard = dashboard

    def slots(self) -> int:
        now = time.monotonic()
        if now - self._counted >= _COUNT_EVERY:
            self._counted = now
            self._slots = int(ray.cluster_resources().get(self._resource, 0))
        return self._slots

    def submit(self, order: Order) -> None:
        self._running[self._attempt.remote(order)] = order

    def next_done(self) -> tuple[str, Receipt | Failed]:
        while True:
            done, _ = ray.wait(list(self._running), num_returns=1, timeout=_COUNT_EVERY)
            for handle in done:
                order = self._running.pop(handle)
                outcome = self._outcome(handle, order)
                if outcome is not None:
                    return order.task.name, outcome

    def cancel(self) -> None:
        for handle in self._running:
            with suppress(exceptions.RayError):
                ray.cancel(handle, force=True)
        self._running.clear()

    def close(self) -> None:
        if self._owned:
            ray.shutdown()

    def _outcome(self, handle: Any, order: Order) -> Receipt | Failed | None:
        """None where the worker died and the order was handed out again."""
        name = order.task.name
        try:
            outcome: Receipt | Failed = ray.get(handle)
        except _DEATHS:
            self._deaths[name] += 1
            if self._deaths[name] > RETRIES:
                return Failed(worker_died(name, self._deaths[name]))
            self.retries += 1
            self.submit(order)
            return None
        except exceptions.RayError as error:
            return Failed(_not_understood(error))
        return outcome


def _not_understood(error: Exception) -> EngineError:
    cause = getattr(error, "cause", None) or error
    return EngineError(
        Problem(
            "a Ray worker",
            f"cannot take a task: {type(cause).__name__}: {str(cause).strip().splitlines()[-1]}",
            "workers with the same version of curate",
            "install it on every host and start the workers again",
        )
    )


def start(options: EngineOptions) -> RayCluster:
    """Raises EngineError where the cluster does not answer.

    Ray is one to a process: a program that has initialised it keeps that instance, with the workers it has.
    """
    owned = not ray.is_initialized()
    if owned:
        _initialise(options)
    try:
        dashboard = _dashboard() if options.dashboard else None
        return RayCluster(options.device, dashboard, owned)
    except BaseException:
        if owned:
            ray.shutdown()
        raise


def _initialise(options: EngineOptions) -> None:
    where: dict[str, Any] = {"address": options.address}
    if not options.address:
        where = {
            "address": "local",
            "num_cpus": options.workers or usable_cores(),
            "include_dashboard": options.dashboard,
        }
    try:
        ray.init(**where, log_to_driver=False, logging_level=logging.CRITICAL)
    except (OSError, RuntimeError, ValueError) as error:
        raise EngineError(
            Problem(
                options.address or "Ray",
                f"no Ray cluster answers: {str(error).strip().splitlines()[0]}",
                "the address of a running one, such as 10.0.0.1:6379",
                "start one with `ray start --head`, and join hosts with `ray start --address`",
            )
        ) from error


def _dashboard() -> str:
    address = ray.worker.get_dashboard_url()
    if not address:
        raise EngineError(
            Problem(
                "--dashboard",
                "this Ray cluster has none",
                "ray with its dashboard",
                "pip install 'ray[default]' on its head",
            )
        )
    return f"http://{address}"
