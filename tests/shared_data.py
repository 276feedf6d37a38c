"""Finds the real corpora and golden tables that lie beside a checkout, and skips where they are absent."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("CURATE_SHARED_DATA", Path(__file__).parents[2] / "shared" / "data"))


def shared_data(name: str) -> Path:
    """The path of `name` under the shared data folder; the calling test is skipped where it does not exist."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"real data not here: {name} (set CURATE_SHARED_DATA to the folder that holds it)")
    return path
