"""What stands below the options in each command's --help: examples, exit codes, environment variables."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping

#: Columns of the text, which click indents by two.
_WIDTH = 78

_EXIT_CODES = {
    "0": "done",
    "1": "a problem of the data, the recipe or the command: the message says what to do",
    "2": "a defect of curate: --debug shows where",
    "130": "interrupted: `curate run` goes on where a run stopped",
}

#: Variables that every command heeds.
_ENVIRONMENT = {
    "TMPDIR": "where temporary files go; not into memory (docs/memory.md)",
    "AWS_*": "credentials, region and AWS_ENDPOINT_URL of s3:// paths (docs/object-storage.md)",
    "NO_COLOR": "any value: no colours",
    "COLUMNS": "width of what goes to a terminal",
}

#: Those of commands that load models.
MODELS = {"HF_HOME": "cache of models of the Hugging Face hub; HF_HUB_OFFLINE=1 asks nothing of the hub"}


def epilog(
    *examples: tuple[str, str], codes: Mapping[str, str] = {}, environment: Mapping[str, str] = {}
) -> str:
    """The text for `typer.Typer.command(epilog=...)`.

    examples: pairs of a command line and what it does. codes: exit codes that mean more in this command.
    environment: variables besides those that every command heeds.
    """
    lines = [line for command, what in examples for line in (f"  {command}", *_wrapped(what, " " * 6))]
    sections = {
        "Examples": lines,
        "Exit codes": _pairs({**_EXIT_CODES, **codes}, 4),
        "Environment": _pairs({**_ENVIRONMENT, **environment}, 9),
    }
    # \b keeps click from wrapping a paragraph anew.
    return "\n\n".join("\n".join(["\b", f"{title}:", *body]) for title, body in sections.items())


def _pairs(explained: Mapping[str, str], width: int) -> list[str]:
    return [
        line
        for name, what in explained.items()
        for line in _wrapped(what, " " * (width + 3), f"  {name:<{width}} ")
    ]


def _wrapped(text: str, indent: str, first: str | None = None) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=indent if first is None else first, subsequent_indent=indent
    )
