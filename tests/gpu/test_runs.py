"""Whole recipes on the device that runs kernels on the CPU: the same bytes as without it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from curate.cli import app
from curate.run import run
from tests.gpu.host_device import HostDevice
from tests.run.outputs import output_bytes


class Counting(HostDevice):
    """launched: kernels that ran, by name."""

    def __init__(self, **options) -> None:
        super().__init__(**options)
        self.launched: set[str] = set()

    def launch(self, kernel, *arguments, **options):
        self.launched.add(kernel)
        super().launch(kernel, *arguments, **options)


@pytest.mark.parametrize("asked", ["gpu", "auto"])
def test_a_run_on_the_device_writes_the_same_bytes(
    compiler, recipe, reference, as_gpu, tmp_path: Path, asked
) -> None:
    counting = Counting(seed=3, memory=1 << 30)
    as_gpu(counting)
    run(recipe, str(tmp_path), device=asked, workers=2)
    assert output_bytes(tmp_path) == reference
    kernels = {"text_hash", "heuristic_statistics", "fasttext_hidden", "fasttext_labels"}
    assert counting.launched == kernels | {"sketch_chars", "sketch_words"}


def test_a_device_with_little_memory_writes_the_same_bytes(
    compiler, recipe, reference, as_gpu, tmp_path: Path
) -> None:
    as_gpu(HostDevice(seed=4, memory=6 << 20))
    run(recipe, str(tmp_path), device="gpu", workers=1, memory="64MiB")
    assert output_bytes(tmp_path) == reference


def test_a_finished_run_is_taken_over_on_another_device(
    compiler, recipe, reference, as_gpu, tmp_path: Path
) -> None:
    run(recipe, str(tmp_path), device="cpu", workers=2)
    counting = Counting(seed=3)
    as_gpu(counting)
    run(recipe, str(tmp_path), device="gpu", workers=2)
    assert output_bytes(tmp_path) == reference
    assert not counting.launched


def test_a_plan_says_what_runs_where(recipe_file) -> None:
    def plan(*options: str) -> str:
        done = CliRunner().invoke(app, ["plan", str(recipe_file), *options], env={"COLUMNS": "200"})
        assert done.exit_code == 0, done.output
        return done.output

    shown = plan("--device", "gpu")
    for line in (
        "language; gpu: scores",
        "heuristics; gpu: statistics\n",
        "mixed; gpu: statistics of gopher",
        "redact; cpu",
        "characters: collects; gpu: sketches, join",
        "exact_dedup: collects; gpu: hashes, join",
    ):
        assert line in re.sub(" +\n", "\n", shown)
    assert "datatrove" not in next(line for line in shown.splitlines() if "mixed; gpu" in line)
    assert "gpu" not in plan("--device", "cpu")


def test_a_plan_for_no_known_device(recipe_file) -> None:
    done = CliRunner().invoke(app, ["plan", str(recipe_file), "--device", "tpu"])
    assert done.exit_code == 1
    assert "one of auto, cpu, gpu" in done.output + done.stderr
