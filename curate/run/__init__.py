"""Carries out a recipe: passes through an engine, receipts, resume, quarantine, and the final outputs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from curate.engines import ENGINES
from curate.errors import OutputError, Problem
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
    batch_documents: int | None = None,
    fresh: bool = False,
    progress: Progress | None = None,
) -> Result:
    """Carry out the recipe into the folder `out`, a path or a URL, taking over whatever an earlier run finished there.

    workers: how many tasks at once (default: the processors this process may use). engine: a name of `ENGINES`.
    device: "auto" or "cpu". memory: bytes a worker may take, or text
    such as "4GB", the default. batch_documents: at most so many documents in memory a task. fresh: start from nothing.
    The outputs depend on the recipe and the inputs alone. Raises CurateError for what the user can mend.
    """
    watcher = progress or Silent()
    bound = Memory.of(memory)
    limits = BatchLimits(batch_documents or BatchLimits().documents, bound.batch, bound)
    if device not in ("auto", "cpu"):
        raise OutputError(
            Problem("--device", device, "auto or cpu", "GPU kernels are not part of this version")
        )
    if engine not in ENGINES:
        raise OutputError(Problem("--engine", engine, f"one of {', '.join(ENGINES)}"))
    _refuse_itself(recipe, out)
    planned = make_plan(recipe)
    with remote_errors():
        ensure_usable(out, planned)
    with remote_errors(), hold(out, watcher.note) as ensure_held:
        if fresh:
            remove_results(out)
        remove_stale_temporaries(out)
        write_json(join(out, "run/recipe.json"), recipe.resolved())
        made = ENGINES[engine](workers or len(os.sched_getaffinity(0)))
        try:
            carrying = Carrying(planned, Journal(out, made, watcher, ensure_held), watcher, limits)
            stats, quarantined = carrying.run()
        finally:
            made.close()
    return Result(out, stats, quarantined)


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
