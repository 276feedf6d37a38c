"""What a run shows while it goes: a live view in a terminal, lines in a log, JSON for programs, or nothing.

`docs/watching.md` describes the three and the fields of the JSON lines.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

from rich.console import Console, Group, RenderableType
from rich.live import Live as RichLive
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from curate.display import error_console
from curate.memory import resident_bytes
from curate.progress import Progress, Silent
from curate.report.numbers import compact, count, counted, share, size

#: Notes that the live view keeps in sight; all of them scroll by above it.
_NOTES_KEPT = 4
#: Least seconds between two lines about one pass in a log.
_LINE_EVERY = 10.0


@dataclass
class PassState:
    """What has been done of one pass. kept: of `told` documents; tasks that do not tell count in neither."""

    tasks: int
    already_done: int
    total_bytes: int
    done: int = 0
    documents: int = 0
    bytes: int = 0
    kept: int = 0
    told: int = 0
    started: float = field(default_factory=time.monotonic)

    @property
    def to_do(self) -> int:
        """Tasks that this run has to do."""
        return self.tasks - self.already_done

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    @property
    def seconds_left(self) -> float | None:
        """By the bytes read so far, or the tasks where a pass reads no texts; None before the first task is done."""
        share_done = self.bytes / self.total_bytes if self.total_bytes else self.done / max(self.to_do, 1)
        return self.seconds * (1 - share_done) / share_done if share_done else None

    @property
    def kept_share(self) -> float | None:
        return self.kept / self.told if self.told else None

    def add(self, documents: int, bytes_read: int, kept: int | None) -> None:
        self.done += 1
        self.documents += documents
        self.bytes += bytes_read
        if kept is not None:
            self.kept += kept
            self.told += documents

    def rate(self, amount: int) -> float:
        """An amount a second since the start."""
        return amount / max(self.seconds, 1e-3)

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
            return "done before" if self.already_done else "nothing to do"
        return ", ".join([_tasks(self.done), *self._amounts(), f"{self.seconds:.1f} s", *self.rates()[:1]])

    def rates(self) -> list[str]:
        """Bytes and documents a second, as far as the pass has any."""
        bytes_rate = [f"{size(round(self.rate(self.bytes)))}/s"] if self.bytes else []
        return bytes_rate + ([f"{compact(self.rate(self.documents))} documents/s"] if self.documents else [])

    def _amounts(self) -> list[str]:
        documents = [f"{compact(self.documents)} documents"] if self.documents else []
        kept = [] if self.kept_share is None else [f"{share(self.kept_share)} kept"]
        return documents + kept + ([size(self.bytes)] if self.bytes else [])


def _tasks(number: int) -> str:
    return counted(number, "task")


class Plain:
    """A `Progress` in lines, for logs: the start and end of a pass, and how far it is now and then.

    every: least seconds between two lines about one pass.
    """

    def __init__(self, console: Console, every: float = _LINE_EVERY) -> None:
        self._console = console
        self._every = every
        self._passes: dict[str, PassState] = {}
        self._told = time.monotonic()

    def pass_started(self, name: str, tasks: int, already_done: int, total_bytes: int) -> None:
        state = PassState(tasks, already_done, total_bytes)
        self._passes[name] = state
        if state.to_do:
            self._line(f"{name}: {state.outlook()}")

    def task_done(self, name: str, documents: int, bytes_read: int, kept: int | None = None) -> None:
        state = self._passes[name]
        state.add(documents, bytes_read, kept)
        if time.monotonic() - self._told >= self._every:
            self._line(f"{name}: {state.standing()}")

    def pass_finished(self, name: str, seconds: float) -> None:
        self._line(f"{name}: {self._passes.pop(name).summary()}")

    def note(self, message: str) -> None:
        self._line(message)

    def _line(self, text: str) -> None:
        self._told = time.monotonic()
        self._console.print(Text(text.replace("\u00a0", " ")))


class Live:
    """A `Progress` for a terminal: a panel with the passes under way, memory, and the latest notes.

    Finished passes and all notes stay above the panel, which is gone at the end.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._passes: dict[str, PassState] = {}
        self._notes: list[str] = []
        self._last = ""
        self._started = time.monotonic()
        self._peak = 0
        self._live = RichLive(
            get_renderable=self.panel, console=console, transient=True, refresh_per_second=4
        )

    def __enter__(self) -> Live:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def pass_started(self, name: str, tasks: int, already_done: int, total_bytes: int) -> None:
        self._passes[name] = PassState(tasks, already_done, total_bytes)

    def task_done(self, name: str, documents: int, bytes_read: int, kept: int | None = None) -> None:
        self._passes[name].add(documents, bytes_read, kept)

    def pass_finished(self, name: str, seconds: float) -> None:
        summary = self._passes.pop(name).summary()
        self._last = name
        self._console.print(Text(f"{name}: {summary}"))

    def note(self, message: str) -> None:
        self._notes.append(message)
        self._console.print(Text(message, style="yellow"))

    def panel(self) -> RenderableType:
        """What is redrawn four times a second."""
        resident = resident_bytes()
        self._peak = max(self._peak, resident)
        memory = f"memory {size(resident)} (peak {size(self._peak)})"
        parts: list[RenderableType] = [_state(name, state) for name, state in list(self._passes.items())]
        if not parts:
            parts.append(Text(self._between(), style="bold"))
        parts.append(
            Text(f"{memory}  {_clock(time.monotonic() - self._started)} since the start", style="dim")
        )
        older = len(self._notes) - _NOTES_KEPT
        if older > 0:
            parts.append(Text(f"{counted(older, 'note')} above, and", style="dim"))
        lines = [Text(note, style="yellow", no_wrap=True) for note in self._notes[-_NOTES_KEPT:]]
        for line in lines:
            line.truncate(self._console.width, overflow="ellipsis")
        return Group(*parts, *lines)

    def _between(self) -> str:
        """What goes on while no pass does."""
        if not self._last:
            return "planning"
        return "manifest and report" if self._last == "write" else f"after {self._last}"


def _state(name: str, state: PassState) -> RenderableType:
    """Two lines: how far, and how fast."""
    grid = Table.grid(padding=(0, 2))
    done = state.bytes if state.total_bytes else state.done
    bar = ProgressBar(total=state.total_bytes or max(state.to_do, 1), completed=done, width=24)
    tasks = f"{count(state.already_done + state.done)} of {_tasks(state.tasks)}"
    left = "" if state.seconds_left is None else f"{_clock(state.seconds_left)} left"
    grid.add_row(Text(name, style="bold"), bar, Text(tasks), Text(left, style="cyan"))
    kept = [] if state.kept_share is None else [f"{share(state.kept_share)} kept"]
    documents = [f"{compact(state.documents)} documents"] if state.documents else []
    return Group(grid, Text("  " + "  ".join([*state.rates(), *documents, *kept]), style="cyan"))


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}"


class JsonLines:
    """A `Progress` of one JSON object a line; docs/watching.md has the fields.

    every: least seconds between two `progress` lines.
    """

    def __init__(self, file: TextIO, every: float = _LINE_EVERY) -> None:
        self._file = file
        self._every = every
        self._passes: dict[str, PassState] = {}
        self._told = time.monotonic()

    def pass_started(self, name: str, tasks: int, already_done: int, total_bytes: int) -> None:
        self._passes[name] = PassState(tasks, already_done, total_bytes)
        self._of_pass("pass_started", name)

    def task_done(self, name: str, documents: int, bytes_read: int, kept: int | None = None) -> None:
        self._passes[name].add(documents, bytes_read, kept)
        if time.monotonic() - self._told >= self._every:
            self._of_pass("progress", name)

    def pass_finished(self, name: str, seconds: float) -> None:
        self._of_pass("pass_finished", name)
        del self._passes[name]

    def note(self, message: str) -> None:
        write_event(self._file, "note", {"message": message})

    def _of_pass(self, event: str, name: str) -> None:
        self._told = time.monotonic()
        state = self._passes[name]
        left = state.seconds_left
        fields = {
            "pass": name,
            "tasks": state.tasks,
            "tasks_done_before": state.already_done,
            "tasks_done": state.done,
            "documents": state.documents,
            "bytes": state.bytes,
            "bytes_total": state.total_bytes,
            "kept_share": state.kept_share,
            "seconds": round(state.seconds, 3),
            "seconds_left": None if left is None else round(left, 3),
            "bytes_per_second": round(state.rate(state.bytes)),
            "documents_per_second": round(state.rate(state.documents)),
            "resident_bytes": resident_bytes(),
        }
        write_event(self._file, event, fields)


def write_event(file: TextIO, event: str, fields: Mapping[str, Any]) -> None:
    """One line: `time` (UTC, ISO 8601), `event`, and the event's fields."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    print(json.dumps({"time": now, "event": event, **fields}, ensure_ascii=False), file=file, flush=True)


def finished(file: TextIO, out: str, stats: Mapping[str, Any]) -> None:
    """The event of a run that came to its end. stats: as in OUT/report/stats.json."""
    keys = ("documents", "kept", "rows_out", "bytes_out", "tokens_out", "quarantined")
    totals = {key: sum(source[key] for source in stats["sources"].values()) for key in keys}
    write_event(file, "finished", {"out": out, **totals})


@contextmanager
def watching(quiet: bool, json_logs: bool = False) -> Iterator[Progress]:
    """A `Progress` that suits what was asked for, and where standard error goes."""
    console = error_console()
    if json_logs:
        yield JsonLines(sys.stderr)
    elif quiet:
        yield Silent()
    elif console.is_terminal:
        with Live(console) as live:
            yield live
    else:
        yield Plain(console)
