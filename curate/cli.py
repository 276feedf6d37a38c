"""The command line: one verb a function, each of which calls the library and shows what it returns.

Exit codes: 0 done, 1 a problem of the data, the recipe or the command, 2 a defect of curate, 130 interrupted.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from curate.cli_models import models_app

if TYPE_CHECKING:
    from curate.errors import Problem
    from curate.recipe import Recipe
    from curate.run import Result

app = typer.Typer(
    help="Turns raw web corpora into LLM pretraining data.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

DATA_PROBLEM, DEFECT, INTERRUPTED = 1, 2, 130

#: Documents of the sample corpora that a recipe with `vars: {data: synth}` gets.
SAMPLE_FOLDER, SAMPLE_DOCUMENTS, UNFINISHED = "synth", 20_000, ".unfinished"

#: Trouble of the machine rather than of curate: no space, no permission, too many open files.
_ENVIRONMENT = {
    errno.ENOSPC,
    errno.EDQUOT,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.EMFILE,
    errno.ENFILE,
}


RecipeFile = Annotated[Path, typer.Argument(metavar="RECIPE", help="A recipe (YAML).", show_default=False)]
OutFolder = Annotated[str, typer.Argument(metavar="OUT", help="The output of a run.", show_default=False)]
Settings = Annotated[
    list[str],
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Replaces a value of the recipe, such as vars.data=/corpora or stages.fuzzy_dedup.bands=16; "
        "can be given again.",
        show_default=False,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(min=1, help="Tasks at a time. Default: the processor's cores.", show_default=False),
]
RunFolder = Annotated[
    str | None, typer.Option("-o", "--out", metavar="OUT", help="Default: out/<name>.", show_default=False)
]
MemoryBound = Annotated[
    str | None,
    typer.Option(
        "--memory",
        metavar="SIZE",
        help="What each worker may take, such as 512MB or 4GB. The local engine's workers share one process, which may "
        "then take so much times --workers. Default: 4GB.",
        show_default=False,
    ),
]
ClusterAddress = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS",
        help="A cluster that is there already: tcp://host:8786 (dask), host:6379 (ray). Default: processes of this "
        "machine.",
        show_default=False,
    ),
]
SchedulerFile = Annotated[
    str | None,
    typer.Option(metavar="FILE", help="The file that a Dask scheduler wrote.", show_default=False),
]
MetricsPort = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=65535,
        help="Serves OUT/run/metrics.prom over HTTP during the run; 0 for any free port.",
        show_default=False,
    ),
]
BatchDocuments = Annotated[
    int | None, typer.Option(min=1, help="Documents read at a time.", show_default=False)
]
Debug = Annotated[bool, typer.Option("--debug", help="Shows the traceback of a defect.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Shows errors and the result only.")]


@app.command()
def run(
    recipe: RecipeFile,
    out: RunFolder = None,
    settings: Settings = [],  # noqa: B006 - typer's form of an option that can be given again
    workers: Workers = None,
    engine: Annotated[
        str, typer.Option(help="Where tasks run: local (threads), dask or ray (processes, clusters).")
    ] = "local",
    address: ClusterAddress = None,
    scheduler_file: SchedulerFile = None,
    device: Annotated[str, typer.Option(help="What text kernels run on: auto or cpu.")] = "auto",
    memory: MemoryBound = None,
    dashboard: Annotated[
        bool, typer.Option("--dashboard", help="Says where the engine's dashboard is (dask, ray).")
    ] = False,
    metrics_port: MetricsPort = None,
    batch_documents: BatchDocuments = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Starts over instead of resuming.")] = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Carries out RECIPE; a run that was interrupted goes on where it stopped."""
    with _reporting(debug):
        from curate.display import out_console, result, watching
        from curate.run import run as carry_out

        loaded = _load(recipe, settings, quiet)
        with watching(quiet) as progress:
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
        out_console().print(result(done.stats))
        typer.echo(f"\noutput: {done.out}\nreport: {done.out}/report/index.html")
        _refuse_unreadable(done, loaded.max_bad)


@app.command()
def plan(
    recipe: RecipeFile,
    settings: Settings = [],  # noqa: B006 - typer's form of an option that can be given again
    workers: Workers = None,
    debug: Debug = False,
) -> None:
    """Checks RECIPE against the real files and shows what a run would do, without writing anything."""
    with _reporting(debug):
        from curate.display import out_console
        from curate.estimate import estimate
        from curate.plan import plan as make_plan
        from curate.plan_view import describe

        made = make_plan(_load(recipe, settings, quiet=False))
        out_console().print(describe(made, estimate(made), workers or _cores()))


@app.command()
def report(
    out: OutFolder,
    form: Annotated[
        str,
        typer.Option(
            "--format", help="html: writes the page and shows the figures; markdown: prints them as tables."
        ),
    ] = "html",
    debug: Debug = False,
) -> None:
    """Writes OUT/report again and shows its figures, or prints them as Markdown."""
    if form not in ("html", "markdown"):
        raise typer.BadParameter(f"--format {form}: give html or markdown")
    with _reporting(debug):
        from curate.display import out_console, result
        from curate.report import compute_stats, markdown, read_timing, write_report

        if form == "markdown":
            typer.echo(markdown(compute_stats(out), read_timing(out)))
            return
        out_console().print(result(write_report(out)))
        typer.echo(f"\nreport: {out}/report/index.html")


@app.command()
def explain(
    out: OutFolder,
    document: Annotated[
        str | None,
        typer.Argument(
            metavar="DOCUMENT", help="Its id, its doc number, or source:file:row.", show_default=False
        ),
    ] = None,
    random: Annotated[bool, typer.Option("--random", help="Picks dropped documents at random.")] = False,
    stage: Annotated[
        str | None, typer.Option(help="With --random: of this stage's drops.", show_default=False)
    ] = None,
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="With --random: how many.")] = 1,
    seed: Annotated[int, typer.Option(help="With --random: another seed picks others.")] = 0,
    debug: Debug = False,
) -> None:
    """Shows why a document of the run OUT was kept or dropped, or why some random ones were dropped."""
    if random == (document is not None):
        raise typer.BadParameter("give a document or --random")
    with _reporting(debug):
        from curate.display import out_console
        from curate.report import explain as find
        from curate.report.sample import sample_drops

        chosen: list[int | str] = [] if document is None else [document]
        if random:
            chosen += sample_drops(out, stage, number, seed)
            if not chosen:
                typer.echo(f"{stage or 'the run'} dropped nothing")
        for place, each in enumerate(chosen):
            if place:
                out_console().rule()
            out_console().print(find(out, each).render())


@app.command()
def verify(out: OutFolder, debug: Debug = False) -> None:
    """Checks every checksum and count of OUT."""
    with _reporting(debug):
        from curate.errors import OutputError
        from curate.report import verify as check

        problems = check(out)
        if problems:
            raise OutputError(*problems)
        typer.echo(f"{out}: every checksum and count is right")


@app.command()
def diff(
    before: Annotated[str, typer.Argument(metavar="OUT1", help="The output of a run.", show_default=False)],
    after: Annotated[
        str, typer.Argument(metavar="OUT2", help="The output of another run.", show_default=False)
    ],
    changes: Annotated[
        str | None,
        typer.Option(
            "-o", "--out", metavar="FILE", help="Writes the changed documents as Parquet.", show_default=False
        ),
    ] = None,
    debug: Debug = False,
) -> None:
    """Shows which documents two runs over the same files judge differently, and why."""
    with _reporting(debug):
        from curate.display import out_console
        from curate.report.diff import diff as compare

        out_console().print(compare(before, after, changes).render())
        if changes is not None:
            typer.echo(f"\nchanged documents: {changes}")


@app.command()
def clean(out: OutFolder, debug: Debug = False) -> None:
    """Removes OUT/run, what a run keeps to resume."""
    with _reporting(debug):
        from curate.run import clean as remove

        remove(out)


@app.command()
def synth(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Where to write.", show_default=False)],
    documents: Annotated[int, typer.Option(min=1, help="How many documents.")] = SAMPLE_DOCUMENTS,
    seed: Annotated[int, typer.Option(min=0, help="Other seeds give other texts.")] = 0,
    workers: Workers = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """Makes corpora shaped like those of Zyda-2, with planted duplicates that truth.parquet names."""
    with _reporting(debug):
        _make_corpora(Path(folder), documents, seed, workers or _cores(), quiet)


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


@contextmanager
def _reporting(debug: bool) -> Iterator[None]:
    """Shows errors as the exit codes promise."""
    from curate.errors import CurateError, Problem
    from curate.io.files import remote_errors

    try:
        with remote_errors():
            yield
    except CurateError as error:
        kind = type(error).__name__.removesuffix("Error").lower()
        _show(error.problems, f"{len(error.problems)} problems ({kind})")
        raise typer.Exit(DATA_PROBLEM) from error
    except KeyboardInterrupt as error:
        typer.echo("\ninterrupted; `curate run` goes on where a run stopped", err=True)
        raise typer.Exit(INTERRUPTED) from error
    except BrokenPipeError:
        # Whoever read our output has gone: nothing more can be said, not even by the flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(DATA_PROBLEM) from None
    except OSError as error:
        if error.errno not in _ENVIRONMENT:
            _defect(error, debug)
        _show([Problem(str(error.filename or "the system"), str(error.strerror))], "")
        raise typer.Exit(DATA_PROBLEM) from error
    except typer.Exit:
        raise
    except Exception as error:
        _defect(error, debug)


def _show(problems: Sequence[Problem], heading: str) -> None:
    from curate.display import error_console, failure

    error_console().print(failure(problems, heading))


def _defect(error: Exception, debug: bool) -> NoReturn:
    """Tells of a defect of curate and leaves. Raises the exit."""
    if debug:
        import traceback

        traceback.print_exception(error)
    hint = "" if debug else "; --debug shows where"
    typer.echo(f"a defect of curate: {type(error).__name__}: {error}{hint}", err=True)
    raise typer.Exit(DEFECT) from error


app.add_typer(models_app(_reporting), name="models")

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
