"""docs/report.md names every key of the figures."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from curate.report import compute_stats
from tests.report.outputs import SOURCES

_DOCS = Path(__file__).parents[2] / "docs" / "report.md"
_DATA = {*SOURCES, "en", "de", "High", "Low", "invalid_utf8"}


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in _DATA and "." not in key:
                yield key
            yield from keys(inner)
    if isinstance(value, list):
        for inner in value:
            yield from keys(inner)


def test_every_key_is_documented(out: Path) -> None:
    text = _DOCS.read_text()
    assert [key for key in sorted(set(keys(compute_stats(str(out))))) if key not in text] == []
