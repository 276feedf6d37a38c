"""The command line: one verb a function, each of which calls the library and shows what it returns."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from curate.cli_errors import DATA_PROBLEM, INTERRUPTED, reporting
from curate.cli_help import MODELS, epilog
from curate.cli_models import models_app
from curate.cli_options import (
    BatchDocuments,
    BytesToPlan,
    ClusterAddress,
    Dashboard,
    Debug,
    Device,
    DeviceToPlan,
    DocumentsToPlan,
    EngineName,
    Fresh,
    JsonLogs,
    MemoryBound,
    MetricsPort,
    Quiet,
    RecipeFile,
    RunFolder,
    SchedulerFile,
    Settings,
    Workers,
)
from curate.cli_outputs import outputs_app

if TYPE_CHECKING:
    from curate.recipe import Recipe
    from curate.run import Result

app = typer.Typer(
    help="Turns raw web corpora into LLM pretraining data.",
    epilog=epilog(
        ("curate run pipelines/zyda2.yaml", "makes sample corpora, then runs the recipe over them"),
        ("curate COMMAND --help", "options, examples and exit codes of one command"),
    ),
    rich_markup_mode=None,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

#: Documents of the sample corpora that a recipe with `vars: {data: synth}` gets.
SAMPLE_FOLDER, SAMPLE_DOCUMENTS, UNFINISHED = "synth", 20_000, ".unfinished"
#: Columns of what `plan` prints to a file or pipe.
_PLAN_WIDTH = 80


@app.command(
    epilog=epilog(
        ("curate run pipelines/zyda2.yaml", "runs the recipe on this machine into out/zyda2"),
        (
            "curate run r.yaml --set vars.data=/corpora -o /data/r --workers 32 --memory 8GB",
            "other corpora, another folder, 32 tasks at a time of 8 GB each",
        ),
        (
            "curate run r.yaml -o s3://bucket/r --engine dask --address tcp://head:8786",
            "on a Dask cluster that is there, into object storage",
        ),
        (
            "curate run r.yaml --json-logs 2>> run.jsonl",
            "one JSON object a line on standard error (docs/watching.md)",
        ),
        codes={
            "1": "a problem of the data, the recipe or the command; or more unreadable input than max_bad"
        },
        environment=MODELS,
    )
)
def run(
    recipe: RecipeFile,
    out: RunFolder = None,
    settings: Settings = [],  # noqa: B006 - typer's form of an option that can be given again
    workers: Workers = None,
    engine: EngineName = "local",
    address: ClusterAddress = None,
    scheduler_file: SchedulerFile = None,
    device: Device = "auto",
    memory: MemoryBound = None,
    dashboard: Dashboard = False,
    metrics_port: MetricsPort = None,
    batch_documents: BatchDocuments = None,
    fresh: Fresh = False,
    quiet: Quiet = False,
    json_logs: JsonLogs = False,
    debug: Debug = False,
) -> None:
    """Carries out RECIPE; goes on where an interrupted run stopped."""
    if quiet and json_logs:
        raise typer.BadParameter("give --quiet or --json-logs")
    with reporting(debug, json_logs):
        from curate.display_run import watching
        from curate.run import run as carry_out

        loaded = _load(recipe, settings, quiet or json_logs)
        with watching(quiet, json_logs) as progress:
            done = carry_out(
                loaded,
                out or f"out/{loaded.name}",
                workers=workers,
                engine=engine,
                device=device,
                memory=memory,
                address=address,
                scheduler_file=scheduler_file,
                dashboard=dashboard,
                metrics_port=metrics_port,
                batch_documents=batch_documents,
                fresh=fresh,
                progress=progress,
            )
        _show(done, json_logs)
        _refuse_unreadable(done, loaded.max_bad)


@app.command(
    epilog=epilog(
        ("curate plan r.yaml", "checks r.yaml, and estimates what it would cost, from a sample"),
        (
            "curate plan r.yaml --documents 12e9 --bytes 50e12 --workers 64",
            "what it would cost for a corpus like the sample, but of 12 billion documents and 50 TB of text",
        ),
        environment=MODELS,
    )
)
def plan(
    recipe: RecipeFile,
    settings: Settings = [],  # noqa: B006 - typer's form of an option that can be given again
    workers: Workers = None,
    memory: MemoryBound = None,
    documents: DocumentsToPlan = None,
    text_bytes: BytesToPlan = None,
    device: DeviceToPlan = "auto",
    debug: Debug = False,
) -> None:
    """Shows what a run would do and cost, and writes nothing.

    Checks RECIPE against the real files. A sample of each source goes through the stages. --documents and --bytes
    (one follows from the other by the sample's mean) show bytes, memory, tasks and hours by pass at that size.
    """
    with reporting(debug):
        from curate.display import out_console
        from curate.estimate import estimate
        from curate.memory import Memory
        from curate.plan import plan as make_plan
        from curate.plan_view import describe, describe_costs
        from curate.scale import costs, workload

        made = make_plan(_load(recipe, settings, quiet=False))
        found = estimate(made, device)
        at_once = workers or _cores()
        console = out_console(_PLAN_WIDTH)
        console.print(describe(made, found, at_once, device))
        if documents is not None or text_bytes is not None:
            load = workload(made, found, documents, text_bytes)
            console.print(describe_costs(costs(load, at_once, Memory.of(memory).bytes)))


@app.command(
    epilog=epilog(
        ("curate synth corpora", "20,000 documents in four corpora, and truth.parquet"),
        ("curate synth corpora --documents 1000000 --seed 7", "more of them, others"),
    )
)
def synth(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Where to write.", show_default=False)],
    documents: Annotated[int, typer.Option(min=1, help="How many documents.")] = SAMPLE_DOCUMENTS,
    seed: Annotated[int, typer.Option(min=0, help="Other seeds give other texts.")] = 0,
    workers: Workers = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Makes sample corpora with planted duplicates.

    Shaped like those of Zyda-2; truth.parquet says which document is what.
    """
    with reporting(debug):
        _make_corpora(Path(folder), documents, seed, workers or _cores(), quiet)


def _show(done: Result, json_logs: bool) -> None:
    from curate.display import out_console, result
    from curate.display_run import finished

    if json_logs:
        finished(sys.stderr, done.out, done.stats)
    out_console().print(result(done.stats))
    typer.echo(f"\noutput: {done.out}\nreport: {done.out}/report/index.html")


def _refuse_unreadable(done: Result, max_bad: int) -> None:
    from curate.errors import Problem, SourceError

    if done.quarantined > max_bad:
        raise SourceError(
            Problem(
                f"{done.out}/quarantine",
                f"{done.quarantined:,} documents could not be read; the output is complete without them",
                f"at most {max_bad:,} (max_bad)",
                "see there what is wrong with them, or raise max_bad in the recipe",
            )
        )


def _load(path: Path, settings: list[str], quiet: bool) -> Recipe:
    """The recipe; the sample corpora are made first where it reads them and they are not there."""
    from curate.recipe import load_recipe

    recipe = load_recipe(path, settings)
    patterns = [pattern for source in recipe.sources for pattern in source.path]
    folder = Path(SAMPLE_FOLDER)
    if any(pattern.startswith(f"{SAMPLE_FOLDER}/") for pattern in patterns) and not folder.exists():
        # Under another name until they are complete: an interrupted first run must not leave half of them.
        unfinished = Path(SAMPLE_FOLDER + UNFINISHED)
        _make_corpora(unfinished, SAMPLE_DOCUMENTS, 0, _cores(), quiet)
        unfinished.rename(folder)
    return recipe


def _make_corpora(folder: Path, documents: int, seed: int, workers: int, quiet: bool) -> None:
    from curate.display import counting
    from curate.synth import generate

    with counting(f"sample corpora in {folder}".removesuffix(UNFINISHED), documents, quiet) as reached:
        generate(folder, documents, seed=seed, workers=workers, progress=reached)


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


app.add_typer(outputs_app)
app.add_typer(models_app, name="models")

#: typer's class of all wrong use of a command, which it does not export.
_UsageError: type[Any] = typer.BadParameter.__bases__[0]


def main() -> None:
    """The entry point of the command `curate`."""
    try:
        code = app(standalone_mode=False)
    except _UsageError as error:
        typer.echo(f"curate: {error.format_message()}\n  to do: see curate --help", err=True)
        code = DATA_PROBLEM
    except typer.Abort:
        code = INTERRUPTED
    sys.exit(code or 0)
