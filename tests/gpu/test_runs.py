"""Whole recipes on the device that runs kernels on the CPU: the same bytes as without it."""

from __future__ import annotations

from pathlib import Path

import pytest

from curate.kernels.gpu.kernels import DeviceKernels
from curate.recipe import load_recipe
from curate.run import run
from curate.synth import generate
from tests.gpu.host_device import HostDevice
from tests.run.outputs import output_bytes

RECIPE = """
name: everything
sources:
  - {{name: fineweb-edu, path: "{data}/fineweb-edu/**/*.parquet", id: id, keep: [url]}}
  - {{name: dolma-cc, path: "{data}/dolma-cc/**/*.json.gz", format: jsonl, id: id}}
stages:
  - language: {{keep: [en], min_score: 0.3}}
  - heuristics: {{profile: nemo, keep_stats: all}}
  - heuristics: {{name: mixed, profile: [gopher, datatrove], keep_stats: all}}
  - redact: {{}}
  - exact_dedup: {{key: text}}
  - exact_dedup: {{name: by-url, key: url, sources: [fineweb-edu]}}
  - fuzzy_dedup: {{name: characters, preset: zyda2, guards: {{max_source_loss: 1.0}}}}
  - quality: {{model: quality-default}}
  - fuzzy_dedup: {{name: words, preset: fineweb, prefer: quality, guards: {{max_source_loss: 1.0}}}}
output: {{shard_bytes: 300kB}}
"""


class Counting(HostDevice):
    """launched: kernels that ran, by name."""

    def __init__(self, **options) -> None:
        super().__init__(**options)
        self.launched: set[str] = set()

    def launch(self, kernel, *arguments, **options):
        self.launched.add(kernel)
        super().launch(kernel, *arguments, **options)


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpora")
    generate(folder / "synth", 250, seed=5, workers=1, progress=lambda finished: None)
    path = folder / "recipe.yaml"
    path.write_text(RECIPE.format(data=folder / "synth"))
    return load_recipe(str(path))


@pytest.fixture(scope="module")
def reference(recipe, tmp_path_factory):
    out = tmp_path_factory.mktemp("cpu")
    run(recipe, str(out), device="cpu", workers=2)
    return output_bytes(out)


@pytest.fixture
def as_gpu(monkeypatch):
    """Makes a device the GPU of this process."""

    def install(device: HostDevice) -> None:
        monkeypatch.setattr("curate.kernels.choice._gpu", DeviceKernels(device))
        monkeypatch.setattr("curate.engines.placement.device_count", lambda: 1)

    return install


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
