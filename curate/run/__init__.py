"""Carries out a recipe: passes through an engine, receipts, resume, quarantine, and the final outputs."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Any

from curate.beside_gpu import remarks
from curate.engines import Engine, EngineOptions, ensure_fitting, start
from curate.engines.placement import placement
from curate.errors import OutputError, Problem
from curate.io import lease
from curate.io.files import join, remote_errors, remove_stale_temporaries, write_json
from curate.io.filesystems import canonical
from curate.io.lock import hold
from curate.memory import Memory
from curate.plan import plan as make_plan
from curate.progress import Progress, Silent
from curate.recipe import Recipe
from curate.run.documents import BatchLimits
from curate.run.folder import ensure_usable, is_manifest, remove_journal, remove_results
from curate.run.journal import Journal
from curate.run.metrics import Metrics
from curate.run.steps import Carrying


@dataclass(frozen=True, slots=True)
class Result:
    """What a run came to. stats: as in OUT/report/stats.json. quarantined: records, of rows and of files."""

    out: str
    stats: dict[str, Any]
    quarantined: int


def run(
    recipe: Recipe,
    out: str,
    *,
    workers: int | None = None,
    engine: str = "local",
    device: str = "auto",
    memory: str | int | None = None,
    address: str | None = None,
    scheduler_file: str | None = None,
    dashboard: bool = False,
    metrics_port: int | None = None,
    batch_documents: int | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Result:
    """Carry out the recipe into the folder `out`, a path or a URL, taking over whatever an earlier run finished there.

    workers: how many tasks at once (default: the processors this process may use). engine: a name of `ENGINES`.
    address, scheduler_file: of a cluster that is there already, for the engines that can join one. dashboard: start
    the engine's, and say where. metrics_port: serve the run's metrics there, 0 for any free port (docs/clusters.md).
    device: what stages compute on, where they have kernels for it: "cpu", "gpu", or "auto", a GPU where a worker has
    one. memory: bytes a worker may take, or text such as "4GB", the default. batch_documents: at most so many
    documents in memory a task. fresh: start from nothing.
    The outputs depend on the recipe and the inputs alone. Raises CurateError for what the user can mend.
    """
    watcher = progress or Silent()
    bound = Memory.of(memory)
    ensure_fitting(engine, EngineOptions(workers, "cpu", address, scheduler_file, dashboard))
    placed, remark = placement(device, engine, joined=bool(address or scheduler_file))
    options = EngineOptions(workers, placed, address, scheduler_file, dashboard)
    # Threads of this process choose for themselves: a transformer needs no CuPy.
    computes_on = device if engine == "local" else placed
    limits = BatchLimits(batch_documents, bound.batch, bound, computes_on)
    _refuse_itself(recipe, out)
    planned = make_plan(recipe)
    for step in planned.steps:
        step.stage.device = computes_on
    with remote_errors():
        ensure_usable(out, planned)
    with remote_errors(), hold(out, watcher.note) as ensure_held:
        if fresh:
            remove_results(out)
        remove_stale_temporaries(out)
        write_json(join(out, "run/recipe.json"), recipe.resolved())
        lease.take(out)
        metrics = Metrics(out, engine, gpu=placed == "gpu")
        with closing(start(engine, options)) as made, metrics.published(metrics_port) as served:
            for note in (*planned.warnings(), remark, *(remarks(planned) if placed == "gpu" else ())):
                if note:
                    watcher.note(note)
            _say_where(watcher, made, served)
            journal = Journal(out, made, watcher, metrics, ensure_held)
            stats, quarantined = Carrying(planned, journal, watcher, limits).run()
    return Result(out, stats, quarantined)


def _say_where(watcher: Progress, engine: Engine, metrics: str | None) -> None:
    """Tells where the run can be watched."""
    for name, address in (("dashboard", engine.dashboard), ("metrics", metrics)):
        if address:
            watcher.note(f"{name}: {address}")


def _refuse_itself(recipe: Recipe, out: str) -> None:
    """Raises OutputError if a stage looks at the run that is about to be written."""
    for stage in recipe.stages:
        for path in getattr(stage.config, "against", ()):
            if canonical(path) == canonical(out):
                raise OutputError(
                    Problem(
                        f"stages.{stage.name}.against",
                        f"{path} is the folder that this run writes",
                        "folders of earlier runs",
                        "write this run to another folder (-o)",
                    )
                )


def clean(out: str) -> None:
    """Remove the journal of a finished run: what is left is the dataset, its ledger and its report."""
    if not is_manifest(join(out, "manifest.json")):
        raise OutputError(
            Problem(
                out,
                "no manifest of a run: nothing to clean",
                "the folder of a finished run",
                "finish it first",
            )
        )
    with hold(out):
        remove_journal(out)
