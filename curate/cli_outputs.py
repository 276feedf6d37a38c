"""Commands about what a finished run wrote: report, explain, verify, diff, clean."""

from __future__ import annotations

from typing import Annotated

import typer

from curate.cli_errors import reporting
from curate.cli_help import epilog
from curate.cli_options import Debug, OutFolder

outputs_app = typer.Typer(rich_markup_mode=None)


@outputs_app.command(
    epilog=epilog(
        ("curate report out/zyda2", "writes out/zyda2/report again, prints the figures"),
        ("curate report out/zyda2 --format markdown", "tables for a pull request; writes nothing"),
    )
)
def report(
    out: OutFolder,
    form: Annotated[
        str, typer.Option("--format", metavar="FORMAT", help="What is made of the figures: html or markdown.")
    ] = "html",
    debug: Debug = False,
) -> None:
    """Writes OUT/report again, or prints it as Markdown."""
    if form not in ("html", "markdown"):
        raise typer.BadParameter(f"--format {form}: give html or markdown")
    with reporting(debug):
        from curate.display import out_console, result
        from curate.report import compute_stats, markdown, read_timing, write_report

        if form == "markdown":
            typer.echo(markdown(compute_stats(out), read_timing(out)))
            return
        out_console().print(result(write_report(out)))
        typer.echo(f"\nreport: {out}/report/index.html")


@outputs_app.command(
    epilog=epilog(
        ("curate explain out/zyda2 dclm:0:17", "row 17 of the first file of source dclm"),
        ("curate explain out/zyda2 4f3c-0a11", "the document with that id"),
        ("curate explain out/zyda2 --random --stage heuristics -n 5", "five drops of a stage"),
    )
)
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
    """Shows why a document was kept or dropped.

    Of the run OUT; with --random, why some that were drawn at random were dropped.
    """
    if random == (document is not None):
        raise typer.BadParameter("give a document or --random")
    with reporting(debug):
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


@outputs_app.command(
    epilog=epilog(
        ("curate verify out/zyda2", "reads every shard and ledger, recomputes checksums and counts"),
        codes={"1": "something is not as the manifest says; each of it is named"},
    )
)
def verify(out: OutFolder, debug: Debug = False) -> None:
    """Checks every checksum and count of OUT."""
    with reporting(debug):
        from curate.errors import OutputError
        from curate.report import verify as check

        problems = check(out)
        if problems:
            raise OutputError(*problems)
        typer.echo(f"{out}: every checksum and count is right")


@outputs_app.command(
    epilog=epilog(
        ("curate diff out/a out/b", "counts changed verdicts by stage and source"),
        ("curate diff out/a out/b -o changed.parquet", "writes a row for each changed document"),
    )
)
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
    """Shows which documents two runs judge differently, and why.

    Of files that both runs read.
    """
    with reporting(debug):
        from curate.display import out_console
        from curate.report.diff import diff as compare

        out_console().print(compare(before, after, changes).render())
        if changes is not None:
            typer.echo(f"\nchanged documents: {changes}")


@outputs_app.command(
    epilog=epilog(
        ("curate clean out/zyda2", "frees the disk; the run cannot be resumed or compared `against` after it")
    )
)
def clean(out: OutFolder, debug: Debug = False) -> None:
    """Removes OUT/run, what a run keeps to resume."""
    with reporting(debug):
        from curate.run import clean as remove

        remove(out)
