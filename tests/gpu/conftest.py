"""The device that runs kernels on the CPU, in several orders of threads."""

from __future__ import annotations

import shutil

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
  - boilerplate: {{patterns: "{data}/patterns.txt"}}
  - exact_dedup: {{key: text}}
  - exact_dedup: {{name: by-url, key: url, sources: [fineweb-edu]}}
  - fuzzy_dedup: {{name: characters, preset: zyda2, guards: {{max_source_loss: 1.0}}}}
  - quality: {{model: quality-default}}
  - fuzzy_dedup: {{name: words, preset: fineweb, prefer: quality, guards: {{max_source_loss: 1.0}}}}
output: {{shard_bytes: 300kB}}
"""


@pytest.fixture(scope="session")
def compiler():
    if shutil.which("g++") is None:
        pytest.skip("no g++ to build the kernels for the CPU with")


@pytest.fixture(scope="session", params=[1, 2], ids=["order-1", "order-2"])
def device(request, compiler):
    return HostDevice(seed=request.param)


@pytest.fixture(scope="session")
def recipe_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("corpora")
    generate(folder / "synth", 250, seed=5, workers=1, progress=lambda finished: None)
    (folder / "synth" / "patterns.txt").write_text("^the .*\\d\n")
    path = folder / "recipe.yaml"
    path.write_text(RECIPE.format(data=folder / "synth"))
    return path


@pytest.fixture(scope="session")
def recipe(recipe_file):
    return load_recipe(str(recipe_file))


@pytest.fixture(scope="session")
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
