"""What the workers of a run compute on: settled here where they are this machine's, and by each worker elsewhere."""

from __future__ import annotations

import importlib.util

from curate.errors import EngineError, Problem
from curate.kernels.choice import ensure_known, why_no_gpu
from curate.kernels.gpu.driver import device_count


def placement(device: str, engine: str, joined: bool) -> tuple[str, str | None]:
    """`EngineOptions.device` for what the user asked for, and what to tell the user about it.

    joined: whether the cluster is there already: its workers may have GPUs where this machine has none, so each says
    for itself. Raises EngineError where `device` is "gpu" and this machine's workers could not use one.
    """
    ensure_known(device)
    if device == "cpu" or joined:
        return device, None
    problem = why_no_gpu() or _no_worker_a_gpu(engine)
    if problem is None:
        return "gpu", _others_idle(engine)
    if device == "gpu":
        raise EngineError(problem)
    return "cpu", f"the GPU stays idle: {problem.found}; {problem.fix}" if device_count() else None


def _no_worker_a_gpu(engine: str) -> Problem | None:
    """What keeps an engine of this machine from giving each worker a GPU of its own."""
    if engine != "dask" or importlib.util.find_spec("dask_cuda") is not None:
        return None
    return Problem(
        "--device gpu",
        "dask_cuda, which starts a worker a GPU, is not installed",
        fix="pip install 'curate[rapids]'",
    )


def _others_idle(engine: str) -> str | None:
    count = device_count()
    if engine != "local" or count < 2:
        return None
    return f"--engine local uses one of the {count} GPUs; --engine dask starts a worker on each"
