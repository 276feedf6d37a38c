"""What the command line shows: a run's result, and errors. `display_run.py` shows its passes as they go."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from curate.errors import Problem
from curate.report.numbers import compact, count, counted, share, size

#: Columns of a table where output goes to a file or pipe, which have no width of their own.
_FILE_WIDTH = 132
#: Sources that get a column each in the table of stages; more would not fit.
_COLUMNS = 6


def out_console(file_width: int = _FILE_WIDTH) -> Console:
    """Where results go. file_width: columns where that is a file or a pipe."""
    return Console(width=None if sys.stdout.isatty() else file_width, highlight=False)


def error_console() -> Console:
    """Where progress and errors go."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def counting(name: str, documents: int, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Shows work that is no run; call what it gives with the number of documents finished so far."""
    console = Console(quiet=True) if quiet else error_console()
    started = time.monotonic()
    with console.status(Text(name)) as status:
        yield lambda finished: status.update(
            Text(f"{name}: {count(finished)} of {counted(documents, 'document')}")
        )
    console.print(Text(f"{name}: {counted(documents, 'document')}, {time.monotonic() - started:.1f} s"))


def failure(problems: Sequence[Problem], heading: str) -> RenderableType:
    """Problems as one readable block."""
    block = Text(f"{heading}\n" if len(problems) > 1 else "", style="bold red")
    for place, problem in enumerate(problems):
        if place:
            block.append("\n")
        block.append(f"{problem.where}: ", style="bold not red")
        block.append(problem.found, style="not bold red")
        for label, text in (("expected", problem.expected), ("to do", problem.fix)):
            if text:
                block.append(f"\n  {label}: {text}", style="not bold not red")
    return block


def result(stats: Mapping[str, Any]) -> RenderableType:
    """What came in, what went out and why, from a run's figures (docs/report.md has the schema)."""
    return Group(_sources_table(stats["sources"]), Text(), _stages_table(stats["sources"], stats["stages"]))


def _sources_table(sources: Mapping[str, Any]) -> Table:
    table = Table(title="sources", title_justify="left", title_style="bold")
    table.add_column("source")
    for heading in ("documents", "kept", "", "unreadable", "text in", "tokens in", "rows out", "tokens out"):
        table.add_column(heading, justify="right")
    rows = dict(sources)
    if len(sources) > 1:
        rows["all"] = {key: sum(one[key] for one in sources.values()) for key in next(iter(sources.values()))}
    for name, row in rows.items():
        table.add_row(
            Text(name),
            count(row["documents"]),
            count(row["kept"]),
            share(row["kept"] / row["documents"]) if row["documents"] else "",
            count(row["quarantined"]),
            size(row["bytes_in"]),
            compact(row["tokens_in"]),
            count(row["rows_out"]),
            compact(row["tokens_out"]),
            end_section=name == list(sources)[-1],
            style="bold" if name not in sources else "",
        )
    return table


def _stages_table(sources: Mapping[str, Any], stages: Sequence[Mapping[str, Any]]) -> Table:
    names = list(sources) if len(sources) <= _COLUMNS else []
    table = Table(title="documents dropped", title_justify="left", title_style="bold")
    table.add_column("stage and reason")
    for heading in [*names, "all"] if len(sources) > 1 else ["all"]:
        table.add_column(Text(heading), justify="right")
    for stage in stages:
        seen = stage["sources"]
        _add_counts(table, names, Text(stage["name"], style="bold"), {n: seen[n]["dropped"] for n in seen})
        for reason in sorted({reason for one in seen.values() for reason in one["reasons"]}):
            counts = {name: seen[name]["reasons"].get(reason, 0) for name in seen}
            _add_counts(table, names, Text(f"  {reason}", style="dim"), counts)
    return table


def _add_counts(table: Table, names: Sequence[str], label: Text, counts: Mapping[str, int]) -> None:
    cells = [count(counts[name]) if name in counts else "" for name in names]
    cells.append(count(sum(counts.values())))
    table.add_row(label, *cells[-(len(table.columns) - 1) :])
