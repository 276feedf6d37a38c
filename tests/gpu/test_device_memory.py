"""Batches on a device with little memory: it is never asked for more, and the results are the CPU's."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from curate.kernels import _cpu
from curate.kernels.gpu import fasttext, heuristics, kernels
from curate.kernels.gpu.kernels import DeviceKernels
from curate.kernels.interface import SketchShape
from curate.models.fasttext import FastText
from tests.gpu.host_device import HostDevice
from tests.gpu.texts import texts_of
from tests.models.fasttext_files import Spec, model_bytes

pytestmark = pytest.mark.skipif(
    shutil.which("g++") is None, reason="no g++ to build the kernels for the CPU with"
)

WORDS = b"the quick brown fox jumps over the lazy dog and then some more of it ".split()


def skewed() -> list[bytes]:
    """Sixty short texts, and one as long as all of them together."""
    random = np.random.default_rng(0)
    sizes = [*random.integers(0, 40, 30), 1200, *random.integers(0, 40, 30)]
    return [b" ".join(WORDS[i] for i in random.integers(0, len(WORDS), size)) for size in sizes]


@pytest.fixture(params=[6_000, 30_000, 400_000, 1 << 24])
def device(request):
    return HostDevice(memory=request.param)


ORDERS = {"all": np.arange(61), "some, backwards": np.arange(60, -1, -3)}


@pytest.fixture(params=ORDERS, ids=ORDERS)
def rows(request):
    return ORDERS[request.param]


def test_text_hashes(device, rows) -> None:
    texts = texts_of(skewed())
    found = DeviceKernels(device).text_hash(texts, rows)
    np.testing.assert_array_equal(found, _cpu.text_hash(texts.data, texts.offsets, rows))
    assert 0 < device.most_live <= device.memory


@pytest.mark.parametrize("words", [False, True])
def test_sketches(device, rows, words) -> None:
    texts, shape = texts_of(skewed()), SketchShape(words, 5, 20, 4, 7)
    found = DeviceKernels(device).sketch(texts, rows, shape)
    arguments = {"words": words, "length": 5, "hashes": 20, "bands": 4, "seed": 7, "minhash": False}
    for column, expected in zip(
        found, _cpu.sketch(texts.data, texts.offsets, rows, **arguments), strict=True
    ):
        np.testing.assert_array_equal(column, expected)
    assert 0 < device.most_live <= device.memory


@pytest.mark.parametrize("families", [[], [("datatrove.c4_quality", 1), ("datatrove.fineweb_quality", 1)]])
def test_heuristic_statistics(device, rows, families, monkeypatch) -> None:
    monkeypatch.setattr(heuristics, "LONGEST_TEXT", 2000)
    texts = texts_of(skewed())
    steps = [("plain", 0x3FF), *families]
    found = DeviceKernels(device).heuristics(texts, rows, steps)
    np.testing.assert_array_equal(found, _cpu.heuristics(texts.data, texts.offsets, rows, steps))
    assert device.most_live <= device.memory


def test_fasttext(rows, monkeypatch) -> None:
    monkeypatch.setattr(fasttext, "LONGEST_TEXT", 2000)
    spec = Spec(words=("</s>", "the", "fox"), dim=6, min_n=2, max_n=3, bucket=60, word_ngrams=2)
    model, texts = FastText(np.frombuffer(model_bytes(spec), np.uint8), "model"), texts_of(skewed())
    device = HostDevice(memory=60_000)
    labels, probabilities = DeviceKernels(device).fasttext(model.kernel, texts, rows, 2, 500)
    expected = model.score(texts, rows, k=2, max_chars=500)
    np.testing.assert_array_equal(labels, expected.labels)
    np.testing.assert_array_equal(probabilities, expected.probabilities)
    assert 0 < device.most_live <= device.memory


def test_edges_that_do_not_fit_are_the_cpus() -> None:
    keys, docs = np.arange(100, dtype=np.uint64) % np.uint64(7), np.arange(100, dtype=np.uint64)
    device = HostDevice(memory=1000)
    np.testing.assert_array_equal(DeviceKernels(device).key_edges(keys, docs), _cpu.bucket_edges(keys, docs))
    assert device.most_live == 0


def test_texts_beyond_a_length_are_the_cpus(monkeypatch) -> None:
    monkeypatch.setattr(kernels, "LONGEST_HASHED_TEXT", 3)
    texts, device = texts_of([b"four", b"fives"]), HostDevice()
    found = DeviceKernels(device).text_hash(texts, np.arange(2))
    np.testing.assert_array_equal(found, _cpu.text_hash(texts.data, texts.offsets, np.arange(2)))
    assert device.most_live == 0


def test_no_rows_at_all() -> None:
    found = DeviceKernels(HostDevice()).text_hash(texts_of([b"a"]), np.zeros(0, np.int64))
    assert found.shape == (0, 2)
