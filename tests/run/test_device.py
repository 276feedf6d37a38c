"""A device that is not there, or that stages cannot use, is an error before anything starts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from curate.errors import EngineError
from curate.recipe import load_recipe
from curate.run import run
from tests.run.corpora import write_corpora, write_recipe


@pytest.mark.parametrize(
    ("device", "gpus", "reason"),
    [
        ("gpu", 0, r"the driver \(libcuda.so.1\) offers no GPU"),
        ("gpu", 1, r"CuPy cannot be imported(.|\n)*curate\[gpu\]"),
        ("tpu", 1, "--device: tpu\n  expected: one of auto, cpu, gpu"),
    ],
)
def test_a_device_that_stages_cannot_use(tmp_path: Path, monkeypatch, device, gpus, reason) -> None:
    monkeypatch.setattr("curate.kernels.choice.device_count", lambda: gpus)
    monkeypatch.setitem(sys.modules, "cupy", None)
    write_corpora(tmp_path)
    recipe = load_recipe(str(write_recipe(tmp_path)))
    with pytest.raises(EngineError, match=reason):
        run(recipe, str(tmp_path / "out"), device=device)
    assert not (tmp_path / "out").exists()
