"""Drops of a stage picked at random."""

from __future__ import annotations

from pathlib import Path

import pytest

from curate.errors import OutputError
from curate.report.sample import sample_drops
from tests.report.outputs import documents


def drops_of(stage: str) -> set[int]:
    return {row.ledger()["doc"] for row in documents() if row.columns.get("dropped_by") == stage}


def test_all_drops_of_a_stage_and_no_others(out: Path) -> None:
    assert set(sample_drops(str(out), "quality", 100)) == drops_of("quality")
    every = {row.ledger()["doc"] for row in documents() if "dropped_by" in row.columns}
    assert set(sample_drops(str(out), None, 100)) == every


def test_the_same_seed_gives_the_same_and_a_larger_number_more(out: Path) -> None:
    three = sample_drops(str(out), None, 3)
    assert sample_drops(str(out), None, 5)[:3] == three
    assert any(sample_drops(str(out), None, 3, seed) != three for seed in range(1, 10))


def test_an_unknown_stage_is_an_error_that_names_the_known(out: Path) -> None:
    with pytest.raises(OutputError, match="language"):
        sample_drops(str(out), "languages", 1)
