"""What whoever watches a run sees."""

from __future__ import annotations

import io
import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

from curate.display import result
from curate.display_run import JsonLines, Live, Plain, finished, watching
from curate.progress import Progress, Silent


def events(progress: Progress) -> None:
    """A pass of four tasks, one done before; a pass that was done before; a pass without bytes."""
    progress.pass_started("documents-1", 4, 1, 3_000_000)
    for _ in range(3):
        progress.task_done("documents-1", 500, 1_000_000)
    progress.pass_finished("documents-1", 9.0)
    progress.note("mix: [nothing] is left of source x")
    progress.pass_started("join", 1, 1, 0)
    progress.pass_finished("join", 1.0)
    progress.pass_started("resolve", 1, 0, 0)
    progress.task_done("resolve", 0, 0)
    progress.pass_finished("resolve", 1.0)


def shown(console: Console) -> list[str]:
    assert isinstance(console.file, io.StringIO)
    return [
        re.sub(r"[\d.]+ s(, [\d.]+ [kMGT]?B/s)?$", "T", line.replace("\u00a0", " "))
        for line in console.file.getvalue().splitlines()
    ]


SUMMARIES = [
    "documents-1: 3 tasks, 1,500 documents, 3.00 MB, T",
    "mix: [nothing] is left of source x",
    "join: done before",
    "resolve: 1 task, T",
]


def test_a_pass_without_tasks_was_not_done_before() -> None:
    console = Console(file=io.StringIO(), width=200)
    plain = Plain(console)
    plain.pass_started("resolve", 0, 0, 0)
    plain.pass_finished("resolve", 0.0)
    assert shown(console)[-1] == "resolve: nothing to do"


@pytest.mark.parametrize("every", [0.0, 1e9])
def test_plain_lines(every: float) -> None:
    console = Console(file=io.StringIO(), width=200)
    events(Plain(console, every))
    under_way = [
        "documents-1: 1 of 3 tasks, 500 documents, 1.00 MB",
        "documents-1: 2 of 3 tasks, 1,000 documents, 2.00 MB",
        "documents-1: 3 of 3 tasks, 1,500 documents, 3.00 MB",
    ]
    last = ["resolve: 1 of 1 task"]
    assert shown(console) == [
        "documents-1: 3 tasks, 1 done before, 3.00 MB to read",
        *(under_way if every == 0 else []),
        *SUMMARIES[:3],
        "resolve: 1 task",
        *(last if every == 0 else []),
        SUMMARIES[3],
    ]


def test_a_live_view_leaves_one_line_a_pass_and_the_notes() -> None:
    console = Console(file=io.StringIO(), width=200, force_terminal=False)
    with Live(console) as live:
        events(live)
    assert [line for line in shown(console) if line.strip()] == SUMMARIES


def test_a_live_view_shows_tasks_rates_what_is_kept_memory_and_notes() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=False)
    live = Live(console)
    for number in range(6):
        live.note(f"note {number}: {'long ' * 30}")
    live.pass_started("documents-1", 4, 1, 3_000_000)
    live.task_done("documents-1", 500, 1_000_000, 400)
    console.file = io.StringIO()
    console.print(live.panel())
    lines = shown(console)
    assert all(len(line) <= 80 for line in lines)
    assert re.search(r"documents-1 .* 2 of 4 tasks  0:00:0\d left", lines[0])
    assert re.search(
        r"^  [\d.]+ [kMGT]?B/s  [\d.,]+( [kMBT])? documents/s  500 documents  80.0 % kept$", lines[1]
    )
    assert re.search(
        r"^memory [\d.]+ [MG]B \(peak [\d.]+ [MG]B\)  0:00:0\d since the start$", lines[2].strip()
    )
    assert lines[3].strip() == "2 notes above, and"
    assert [line[:7] for line in lines[4:]] == ["note 2:", "note 3:", "note 4:", "note 5:"]


def test_a_live_view_says_what_goes_on_between_passes() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=False)
    live = Live(console)
    told = []
    for name in ("join", "write"):
        console.file = io.StringIO()
        console.print(live.panel())
        told.append(shown(console)[0])
        live.pass_started(name, 1, 0, 0)
        live.task_done(name, 0, 0)
        live.pass_finished(name, 1.0)
    console.file = io.StringIO()
    console.print(live.panel())
    assert [*told, shown(console)[0]] == ["planning", "after join", "manifest and report"]


def test_json_lines_are_as_documented() -> None:
    file = io.StringIO()
    progress = JsonLines(file, every=0.0)
    events(progress)
    progress.pass_started("documents-2", 1, 0, 100)
    progress.task_done("documents-2", 10, 100, 7)
    zeros = dict.fromkeys(("documents", "kept", "rows_out", "bytes_out", "tokens_out", "quarantined"), 1)
    finished(file, "out", {"sources": {"a": zeros, "b": zeros}})
    told = [json.loads(line) for line in file.getvalue().splitlines()]
    assert [each["event"] for each in told] == [
        *("pass_started", "progress", "progress", "progress", "pass_finished", "note"),
        *("pass_started", "pass_finished", "pass_started", "progress", "pass_finished"),
        *("pass_started", "progress", "finished"),
    ]
    fields = documented_events()
    assert all(list(each) == fields[each["event"]] for each in told)
    assert all(datetime.fromisoformat(each["time"]).utcoffset() == timedelta(0) for each in told)
    last = told[3] | {"seconds": 0, "bytes_per_second": 0, "documents_per_second": 0, "resident_bytes": 0}
    assert last == {
        "time": told[3]["time"],
        "event": "progress",
        "pass": "documents-1",
        "tasks": 4,
        "tasks_done_before": 1,
        "tasks_done": 3,
        "documents": 1500,
        "bytes": 3_000_000,
        "bytes_total": 3_000_000,
        "kept_share": None,
        "seconds": 0,
        "seconds_left": 0.0,
        "bytes_per_second": 0,
        "documents_per_second": 0,
        "resident_bytes": 0,
    }
    assert told[3]["resident_bytes"] > 1_000_000
    assert told[5]["message"] == "mix: [nothing] is left of source x"
    assert told[-2]["kept_share"] == 0.7
    assert (told[-1]["out"], told[-1]["documents"]) == ("out", 2)


def documented_events() -> dict[str, list[str]]:
    """Event -> its fields, by the table of docs/watching.md."""
    page = (Path(__file__).parents[2] / "docs/watching.md").read_text()
    rows = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \| ((?:`\w+`(?:, )?)+) \|", page, re.MULTILINE)
    return {
        event: ["time", "event", *re.findall(r"`(\w+)`", fields)]
        for events, fields in rows
        for event in re.findall(r"`(\w+)`", events)
    }


def test_quiet_and_files_get_no_bars() -> None:
    with watching(quiet=True) as progress:
        assert isinstance(progress, Silent)
    with watching(quiet=False) as progress:
        assert isinstance(progress, Plain)  # the tests' standard error is no terminal


def test_many_sources_share_a_column() -> None:
    zeros = dict.fromkeys(
        ("documents", "kept", "rows_out", "bytes_in", "bytes_out", "tokens_in", "tokens_out", "quarantined"),
        0,
    )
    names = [f"source-{number}" for number in range(9)]
    stages = [
        {
            "name": "where",
            "kind": "where",
            "sources": {name: {"dropped": 2, "reasons": {"a": 2}} for name in names},
        }
    ]
    console = Console(file=io.StringIO(), width=200)
    console.print(result({"sources": dict.fromkeys(names, zeros), "stages": stages}))
    lines = [re.sub(r"[│┃\s]+", " ", line).strip() for line in shown(console)]
    assert "where 18" in lines
    assert "a 18" in lines
