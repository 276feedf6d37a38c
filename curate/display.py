"""What the command line shows: a run's passes as they go, its result, and errors."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.progress import BarColumn, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as RichProgress
from rich.table import Table
from rich.text import Text

from curate.errors import Problem
from curate.progress import Progress, Silent
from curate.report.numbers import compact, count, share, size

#: Columns of a table where output goes to a file or pipe, which have no width of their own.
_FILE_WIDTH = 132
#: Sources that get a column each in the table of stages; more would not fit.
_COLUMNS = 6


def out_console() -> Console:
    """Where results go."""
    return Console(width=None if sys.stdout.isatty() else _FILE_WIDTH, highlight=False)


def error_console() -> Console:
    """Where progress and errors go."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


@dataclass
class _Pass:
    """What has been done of one pass."""

    tasks: int
    already_done: int
    total_bytes: int
    done: int = 0
    documents: int = 0
    bytes: int = 0
    started: float = field(default_factory=time.monotonic)

    @property
    def to_do(self) -> int:
        """Tasks that this run has to do."""
        return self.tasks - self.already_done

    def add(self, documents: int, bytes_read: int) -> None:
        self.done += 1
        self.documents += documents
        self.bytes += bytes_read

    def outlook(self) -> str:
        """What there is to do."""
        before = [f"{count(self.already_done)} done before"] if self.already_done else []
        bytes_left = [f"{size(self.total_bytes)} to read"] if self.total_bytes else []
        return ", ".join([_tasks(self.to_do), *before, *bytes_left])

    def standing(self) -> str:
        """How far it is."""
        return ", ".join([f"{count(self.done)} of {_tasks(self.to_do)}", *self._amounts()])

    def summary(self) -> str:
        """What was done. The time is what whoever watches has waited, not the sum over tasks."""
        if not self.to_do:
            return "done before"
        seconds = f"{time.monotonic() - self.started:.1f} s"
        return ", ".join(
            [_tasks(self.done), *self._amounts(), seconds, *([self.rate()] if self.bytes else [])]
        )

    def rate(self) -> str:
        """Bytes a second since the start."""
        return f"{size(round(self.bytes / max(time.monotonic() - self.started, 1e-3)))}/s"

    def _amounts(self) -> list[str]:
        documents = [f"{compact(self.documents)} documents"] if self.documents else []
        return documents + ([size(self.bytes)] if self.bytes else [])


def _tasks(number: int) -> str:
    return "1 task" if number == 1 else f"{count(number)} tasks"


class Plain:
    """A `Progress` in lines, for logs: the start and end of a pass, and how far it is now and then.

    every: least seconds between two lines about one pass.
    """

    def __init__(self, console: Console, every: float = 10.0) -> None:
        self._console = console
        self._every = every
        self._passes: dict[str, _Pass] = {}
        self._told = time.monotonic()

    def pass_started(self, name: str, tasks: int, already_done: int, total_bytes: int) -> None:
        state = _Pass(tasks, already_done, total_bytes)
        self._passes[name] = state
        if state.to_do:
            self._line(f"{name}: {state.outlook()}")

    def task_done(self, name: str, documents: int, bytes_read: int) -> None:
        state = self._passes[name]
        state.add(documents, bytes_read)
        if time.monotonic() - self._told >= self._every:
            self._line(f"{name}: {state.standing()}")

    def pass_finished(self, name: str, seconds: float) -> None:
        self._line(f"{name}: {self._passes.pop(name).summary()}")

    def note(self, message: str) -> None:
        self._line(message)

    def _line(self, text: str) -> None:
        self._told = time.monotonic()
        self._console.print(Text(text.replace("\u00a0", " ")))


class _Rate(ProgressColumn):
    """Bytes a second and documents so far of a pass under way."""

    def render(self, task: Task) -> Text:
        state: _Pass = task.fields["state"]
        rate = [state.rate()] if state.bytes else []
        documents = [f"{compact(state.documents)} documents"] if state.documents else []
        return Text("  ".join(rate + documents), style="cyan")


class Live:
    """A `Progress` of one bar a pass, for a terminal: tasks, rate, time left."""

    def __init__(self, console: Console) -> None:
        self.bars = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TextColumn("{task.fields[tasks]}"),
            _Rate(),
            TimeRemainingColumn(compact=True),
            console=console,
        )
        self._console = console
        self._passes: dict[str, tuple[TaskID, _Pass]] = {}

    def pass_started(self, name: str, tasks: int, already_done: int, total_bytes: int) -> None:
        state = _Pass(tasks, already_done, total_bytes)
        total = total_bytes or max(state.to_do, 1)
        bar = self.bars.add_task(name, total=total, state=state, tasks=f"{already_done}/{tasks}")
        self._passes[name] = (bar, state)

    def task_done(self, name: str, documents: int, bytes_read: int) -> None:
        bar, state = self._passes[name]
        state.add(documents, bytes_read)
        done = f"{state.already_done + state.done}/{state.tasks}"
        self.bars.update(bar, advance=bytes_read if state.total_bytes else 1, tasks=done)

    def pass_finished(self, name: str, seconds: float) -> None:
        bar, state = self._passes.pop(name)
        self.bars.remove_task(bar)
        self.bars.refresh()
        self._console.print(Text(f"{name}: {state.summary()}"))

    def note(self, message: str) -> None:
        self._console.print(Text(message, style="yellow"))


@contextmanager
def watching(quiet: bool) -> Iterator[Progress]:
    """A `Progress` that suits where standard error goes."""
    console = error_console()
    if quiet:
        yield Silent()
    elif console.is_terminal:
        live = Live(console)
        with live.bars:
            yield live
    else:
        yield Plain(console)


@contextmanager
def counting(name: str, documents: int, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Shows work that is no run; call what it gives with the number of documents finished so far."""
    console = Console(quiet=True) if quiet else error_console()
    started = time.monotonic()
    with console.status(Text(name)) as status:
        yield lambda finished: status.update(
            Text(f"{name}: {count(finished)} of {count(documents)} documents")
        )
    console.print(Text(f"{name}: {count(documents)} documents, {time.monotonic() - started:.1f} s"))


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
