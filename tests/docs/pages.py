"""The commands and files in the documentation's code blocks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/*.md", "k8s/*.md", "classifiers/*.md", "benchmarks/results/*.md")
    for path in ROOT.glob(pattern)
)


class Block(NamedTuple):
    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    found = re.findall(r"^( *)```(\w*)\n(.*?)^\1```", page.read_text(), re.MULTILINE | re.DOTALL)
    return [Block(language, text) for _, language, text in found]


def commands(text: str) -> Iterator[str]:
    """Lines that call `curate`, without prompt, folder of the program, comment, and line ends that are escaped."""
    for line in text.replace("\\\n", " ").splitlines():
        called = re.match(r"\s*(?:\$ )?(?:\.venv/bin/)?curate (.*)$", line)
        if called:
            yield re.sub(r"\s+#.*$", "", called[1])


def scripts(text: str) -> list[str]:
    """The Python files that a block calls."""
    return re.findall(r"^\$ python ([\w-]+\.py)$", text, re.MULTILINE)


def file_of(block: Block) -> tuple[str, str] | None:
    """Name and content of a file that a block shows: its first line is `# name.yaml` or `# name.py`."""
    named = re.match(r"# ([\w-]+\.(?:yaml|py))\n", block.text)
    return (named[1], block.text) if named else None
