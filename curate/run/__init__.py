"""Carries out a recipe: passes through an engine, receipts, resume, quarantine, and the final outputs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from curate.engines import ENGINES
from curate.errors import OutputError, Problem
from curate.io.files import join, local_path, remove_stale_temporaries, write_json
from curate.io.lock import hold
from curate.plan import plan as make_plan
from curate.progress import Progress, Silent
from curate.recipe import Recipe
from curate.run.documents import BatchLimits
from curate.run.folder import ensure_usable, is_manifest, remove_journal, remove_results
from curate.run.journal import Journal
from curate.run.steps import Carrying
from curate.stages.base import DocumentStage


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
    batch_documents: int | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Result:
    """Carry out the recipe into the folder `out`, taking over whatever an earlier run finished there.

    workers: how many tasks at once (default: the processors this process may use). engine: a name of `ENGINES`.
    device: "auto" or "cpu". batch_documents: at most so many documents in memory a task. fresh: start from nothing.
    The outputs depend on the recipe and the inputs alone. Raises CurateError for what the user can mend.
    """
    watcher = progress or Silent()
    limits = BatchLimits() if batch_documents is None else BatchLimits(documents=batch_documents)
    if device not in ("auto", "cpu"):
        raise OutputError(
            Problem("--device", device, "auto or cpu", "GPU kernels are not part of this version")
        )
    if local_path(out) is None:
        raise OutputError(
            Problem(out, "not a local folder", "a path of this machine", "copy the result up afterwards")
        )
    if engine not in ENGINES:
        raise OutputError(Problem("--engine", engine, f"one of {', '.join(ENGINES)}"))
    _refuse_itself(recipe, out)
    planned = make_plan(recipe)
    for step in planned.steps:
        if isinstance(step.stage, DocumentStage):
            step.stage.device = device
    ensure_usable(out, planned)
    with hold(out):
        if fresh:
            remove_results(out)
        remove_stale_temporaries(out)
        write_json(join(out, "run/recipe.json"), recipe.resolved())
        made = ENGINES[engine](workers or len(os.sched_getaffinity(0)))
        try:
            for warning in planned.warnings():
                watcher.note(warning)
            carrying = Carrying(planned, Journal(out, made, watcher), watcher, limits)
            stats, quarantined = carrying.run()
        finally:
            made.close()
    return Result(out, stats, quarantined)


def _refuse_itself(recipe: Recipe, out: str) -> None:
    """Raises OutputError if a stage looks at the run that is about to be written."""
    for stage in recipe.stages:
        for path in getattr(stage.config, "against", ()):
            if Path(path).resolve() == Path(out).resolve():
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
    if not is_manifest(Path(out, "manifest.json")):
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
