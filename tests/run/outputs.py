"""What a run left behind, for comparing runs."""

from __future__ import annotations

import hashlib
from pathlib import Path


def output_bytes(out: Path) -> dict[str, str]:
    """sha256 of every file of a run, by path, but those of its journal and the page, which shows times."""
    return {
        str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(out.rglob("*"))
        if path.is_file() and "run" not in path.relative_to(out).parts[:1] and path.name != "index.html"
    }


def receipt_times(out: Path) -> dict[str, int]:
    """When each receipt was written, in nanoseconds, by path."""
    return {
        str(path.relative_to(out)): path.stat().st_mtime_ns
        for path in sorted((out / "run/receipts").rglob("*.json"))
    }
