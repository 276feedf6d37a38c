"""A run that is killed and started again ends in the same bytes, and does no finished task twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from curate.recipe import load_recipe
from curate.run import run
from tests.run.corpora import RECIPE, document, write_corpora, write_recipe
from tests.run.notes import Notes
from tests.run.outputs import output_bytes, receipt_times


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder with corpora and recipe, and the output of a run nobody disturbed."""
    folder = tmp_path_factory.mktemp("resume")
    write_corpora(folder)
    out = folder / "undisturbed"
    run(load_recipe(str(write_recipe(folder))), str(out), workers=2)
    return folder, out


def start(recipe: Path, out: Path) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "curate",
        "run",
        str(recipe),
        "-o",
        str(out),
        "--workers",
        "2",
        "--quiet",
    ]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_kills_at_many_points(undisturbed: tuple[Path, Path], tmp_path: Path) -> None:
    folder, reference = undisturbed
    out = tmp_path / "out"
    recipe = folder / "recipe.yaml"
    total = len(receipt_times(reference))
    kept: dict[str, int] = {}
    for wanted in range(1, total, max(1, total // 10)):
        process = start(recipe, out)
        deadline = time.monotonic() + 60
        while process.poll() is None and len(receipt_times(out)) < wanted and time.monotonic() < deadline:
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        now = receipt_times(out)
        assert {path: when for path, when in now.items() if path in kept} == kept, (
            "a finished task was redone"
        )
        kept = now
    assert start(recipe, out).wait() == 0
    assert output_bytes(out) == output_bytes(reference)
    final = receipt_times(out)
    assert {path: final[path] for path in kept} == kept


def test_a_finished_run_does_nothing_again(undisturbed: tuple[Path, Path]) -> None:
    folder, out = undisturbed
    before, times = output_bytes(out), receipt_times(out)
    run(load_recipe(str(folder / "recipe.yaml")), str(out))
    assert output_bytes(out) == before
    assert receipt_times(out) == times


def test_a_changed_mix_redoes_only_what_follows_it(tmp_path: Path) -> None:
    write_corpora(tmp_path)
    out = tmp_path / "out"
    run(load_recipe(str(write_recipe(tmp_path))), str(out))
    before = receipt_times(out)
    notes = Notes()
    changed = write_recipe(tmp_path, RECIPE.replace("best: 5", "best: 1"))
    run(load_recipe(str(changed)), str(out), progress=notes)
    after = receipt_times(out)
    redone = {path.split("/")[2] for path in after if before.get(path) != after[path]}
    assert redone <= {"ledger", "write"}
    assert "ledger" in redone
    assert any("mix" in note for note in notes.notes)
    fresh = tmp_path / "fresh"
    run(load_recipe(str(changed)), str(fresh))
    assert output_bytes(out) == output_bytes(fresh)


def test_a_changed_stage_redoes_its_pass_and_says_so(tmp_path: Path) -> None:
    write_corpora(tmp_path)
    out = tmp_path / "out"
    run(load_recipe(str(write_recipe(tmp_path))), str(out))
    before = receipt_times(out)
    notes = Notes()
    changed = write_recipe(tmp_path, RECIPE.replace('"score < 4"', '"score < 3"'))
    run(load_recipe(str(changed)), str(out), progress=notes)
    redone = {path for path, when in receipt_times(out).items() if before.get(path) != when}
    passes = {path.split("/")[2] + "/" + path.split("/")[3] for path in redone if "documents-1" in path}
    assert passes == {"documents-1/best"}, "only the source that the stage looks at is read again"
    assert any("stage where" in note for note in notes.notes)
    fresh = tmp_path / "fresh"
    run(load_recipe(str(changed)), str(fresh))
    assert output_bytes(out) == output_bytes(fresh)


def test_a_changed_input_is_noticed(tmp_path: Path) -> None:
    write_corpora(tmp_path)
    out = tmp_path / "out"
    recipe = load_recipe(str(write_recipe(tmp_path)))
    run(recipe, str(out))
    file = tmp_path / "middle/part.parquet"
    table = pq.read_table(file)
    texts = [*table["text"].to_pylist()[:-1], document(999)]
    pq.write_table(table.set_column(0, "text", [texts]), file, row_group_size=17)
    notes = Notes()
    run(recipe, str(out), progress=notes)
    assert any("part.parquet" in note for note in notes.notes)
    fresh = tmp_path / "fresh"
    run(recipe, str(fresh))
    assert output_bytes(out) == output_bytes(fresh)
