"""What whoever watches a run sees."""

from __future__ import annotations

import io
import re

import pytest
from rich.console import Console

from curate.display import Live, Plain, result, watching
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


def test_bars_leave_one_line_a_pass() -> None:
    console = Console(file=io.StringIO(), width=200, force_terminal=False)
    live = Live(console)
    with live.bars:
        events(live)
    assert [line for line in shown(console) if line.strip()] == SUMMARIES


def test_a_bar_shows_tasks_rate_and_documents() -> None:
    console = Console(file=io.StringIO(), width=200, force_terminal=True, color_system=None)
    live = Live(console)
    with live.bars:
        live.pass_started("documents-1", 4, 1, 3_000_000)
        live.task_done("documents-1", 500, 1_000_000)
        live.bars.refresh()
    text = "\n".join(shown(console))
    assert "2/4" in text
    assert "500 documents" in text


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
