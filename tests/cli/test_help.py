"""--help of every command: each option and argument explained, examples that parse, exit codes, environment."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from curate.cli import app


def commands(command: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command that does something, with the words that call it."""
    group = command or get_command(app)
    for name, each in group.commands.items():
        if hasattr(each, "commands"):
            yield from commands(each, (*path, name))
        else:
            yield (*path, name), each


COMMANDS = dict(commands())
EVERY = pytest.mark.parametrize("words", COMMANDS, ids=" ".join)


def shown(words: tuple[str, ...]) -> str:
    result = CliRunner().invoke(
        app, [*words, "--help"], env={**os.environ, "COLUMNS": "80"}, prog_name="curate"
    )
    assert result.exit_code == 0
    return result.output


def test_the_commands_are_all_here() -> None:
    top = {words[0] for words in COMMANDS}
    assert top == {"run", "plan", "synth", "report", "explain", "verify", "diff", "clean", "models"}
    assert len(COMMANDS) == 12


@EVERY
def test_every_option_and_argument_is_explained(words: tuple[str, ...]) -> None:
    command = COMMANDS[words]
    assert command.help
    assert [each.name for each in command.params if not (each.help or "").strip()] == []
    text = re.sub(r"\s+", " ", shown(words))
    for each in command.params:
        # Wrapped lines may divide a word at a hyphen.
        assert each.help.replace(" ", "")[:40] in text.replace(" ", ""), each.name


@EVERY
def test_help_has_examples_exit_codes_and_the_environment(words: tuple[str, ...]) -> None:
    text = shown(words)
    for heading in ("Examples:", "Exit codes:", "Environment:"):
        assert f"\n  {heading}\n" in text
    assert re.findall(r"^ {4}(\d+) +\S", text, re.MULTILINE) == ["0", "1", "2", "130"]
    assert [line for line in text.splitlines() if len(line) > 80 and "curate " not in line] == []


@EVERY
def test_examples_are_commands_that_parse(words: tuple[str, ...]) -> None:
    lines = re.findall(r"^ {4}(curate .*)$", shown(words), re.MULTILINE)
    assert lines
    for line in lines:
        arguments = shlex.split(line.partition(" 2>")[0])[1:]
        assert tuple(arguments[: len(words)]) == words
        context = COMMANDS[words].make_context(" ".join(words), arguments[len(words) :])
        assert context.params
