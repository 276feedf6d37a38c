"""The check for GPU machines, carried out on the CPU's stand-in for a GPU."""

from __future__ import annotations

import json

import numpy as np
import pytest

from curate.kernels.check import command, corpus
from curate.kernels.check.command import NO_GPU, OTHER_BITS, SAME, check, report
from curate.kernels.gpu.kernels import DeviceKernels

KERNELS = {
    "text hash",
    "heuristic statistics",
    "heuristic families",
    "fastText",
    "sketch char 25",
    "sketch word 5",
}


@pytest.fixture(scope="module")
def result(device):
    return check(device, 40_000, repeats=1, part_bytes=20_000)


def test_every_kernel_is_compared_and_timed(result) -> None:
    assert result["text_bytes"] >= 40_000
    assert result["differing"] == dict.fromkeys(KERNELS | {"bucket edges", "hash edges"}, 0)
    assert {name.split(" (")[0] for name in result["kernels"]} == KERNELS
    for speed in result["kernels"].values():
        assert speed["gb_per_second"] > 0
        assert speed["of_copy_bandwidth"] == speed["gb_per_second"] / result["copy_gb_per_second"]
    assert set(command.GOALS) <= result["kernels"].keys()


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
    assert not any(differing.values())


def test_without_a_gpu_the_command_says_so(monkeypatch, capsys) -> None:
    monkeypatch.setattr(command, "device_count", lambda: 0)
    assert command.main([]) == NO_GPU
    assert "no GPU to check: the driver (libcuda.so.1)" in capsys.readouterr().err


def test_generated_texts_are_utf8_of_the_size_asked_for() -> None:
    random = np.random.default_rng(1)
    words = corpus.vocabulary(random)
    texts = corpus.joined([corpus.web_like(random, words, 1 << 20), corpus.hard(random, words, 1000)])
    assert texts.utf8_valid().all()
    assert 0.5 < len(texts.data) / (1 << 20) < 2
    assert 500 < np.median(texts.sizes) < 4000
