"""Every `curate` command in the documentation is one that the program takes, and the tutorials do what they say."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from curate.cli import app
from tests.docs.pages import PAGES, ROOT, blocks, commands, file_of, scripts

SHOWN = [
    (str(page.relative_to(ROOT)), command)
    for page in PAGES
    for block in blocks(page)
    for command in commands(block.text)
]
TUTORIALS = ("docs/quickstart.md", "docs/zyda2.md", "docs/own-classifier.md", "docs/new-crawl.md")


def test_there_are_commands_to_check() -> None:
    assert {"README.md", *TUTORIALS, "docs/classifiers.md"} <= {page for page, _ in SHOWN}


@pytest.mark.parametrize(("page", "command"), SHOWN)
def test_the_program_takes_the_command(page: str, command: str) -> None:
    """Parsed by the program's own parser: sub-command, options, numbers of arguments, kinds of values."""
    group = typer.main.get_command(app)
    arguments = shlex.split(command)
    while hasattr(group, "commands"):
        name = arguments.pop(0)
        assert name in group.commands, f"{page}: no command {name}"
        group = group.commands[name]
    group.make_context(name, arguments)


@pytest.mark.parametrize("page", TUTORIALS)
def test_a_tutorial_does_what_it_says(page: str, tmp_path: Path) -> None:
    """All its files and commands in order, in an empty folder that has the recipes."""
    (tmp_path / "pipelines").symlink_to(ROOT / "pipelines")
    ran = 0
    for block in blocks(ROOT / page):
        shown = file_of(block)
        if shown:
            (tmp_path / shown[0]).write_text(shown[1])
        calls = [[script] for script in scripts(block.text)]
        calls += [["-m", "curate", *shlex.split(command)] for command in commands(block.text)]
        for call in calls:
            done = subprocess.run(
                [sys.executable, *call],
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=240,
            )
            assert done.returncode == 0, f"{shlex.join(call)}\n{done.stderr}"
            ran += 1
    assert ran >= 4
