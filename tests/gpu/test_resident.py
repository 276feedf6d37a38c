"""Kernels on texts that lie in the device's memory: the CPU's results, without a copy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.kernels import _cpu
from curate.kernels.gpu import heuristics, kernels, resident
from curate.kernels.gpu.jobs import DeviceTexts, Utf8Job
from curate.kernels.gpu.kernels import DeviceKernels
from curate.kernels.gpu.resident import ResidentTexts
from curate.kernels.interface import CPU, SketchShape
from curate.models.fasttext import FastText
from tests.gpu.host_device import HostDevice
from tests.gpu.test_device_memory import ORDERS, skewed
from tests.gpu.texts import batches, texts_of
from tests.models.fasttext_files import Spec, model_bytes


class NoCopies(HostDevice):
    """Texts lie there already, so nothing large is copied to it."""

    def copied(self, array):
        raise AssertionError("texts are copied")


@pytest.fixture(params=[40_000, 1 << 24])
def device(request, compiler):
    return NoCopies(memory=request.param)


@pytest.fixture(params=ORDERS, ids=ORDERS)
def rows(request):
    return ORDERS[request.param]


def on_device(device: HostDevice, documents: list[bytes]) -> ResidentTexts:
    """The texts behind others' bytes, as after slicing."""
    texts = texts_of([b"someone else's", *documents])
    return ResidentTexts(device, device.upload(texts.data), device.upload(texts.offsets[1:]))


def test_text_hashes(device, rows, monkeypatch) -> None:
    monkeypatch.setattr(kernels, "LONGEST_HASHED_TEXT", 2_000)
    found = DeviceKernels(device).text_hash(on_device(device, skewed()), rows)
    np.testing.assert_array_equal(found, CPU.text_hash(texts_of(skewed()), rows))


@pytest.mark.parametrize("words", [False, True])
def test_sketches(device, rows, words) -> None:
    shape = SketchShape(words, 5, 20, 4, 7)
    found = DeviceKernels(device).sketch(on_device(device, skewed()), rows, shape)
    for column, expected in zip(found, CPU.sketch(texts_of(skewed()), rows, shape), strict=True):
        np.testing.assert_array_equal(column, expected)


def test_heuristic_statistics(device, rows, monkeypatch) -> None:
    monkeypatch.setattr(heuristics, "LONGEST_TEXT", 2_000)
    steps = [("plain", 0x3FF), ("datatrove.gopher_quality", 1)]
    found = DeviceKernels(device).heuristics(on_device(device, skewed()), rows, steps)
    np.testing.assert_array_equal(found, CPU.heuristics(texts_of(skewed()), rows, steps))


def test_fasttext(device, rows) -> None:
    spec = Spec(words=("</s>", "the", "fox"), dim=6, min_n=2, max_n=3, bucket=60, word_ngrams=2)
    model = FastText(np.frombuffer(model_bytes(spec), np.uint8), "model").kernel
    found = DeviceKernels(device).fasttext(model, on_device(device, skewed()), rows, 2, 500)
    for column, expected in zip(found, CPU.fasttext(model, texts_of(skewed()), rows, 2, 500), strict=True):
        np.testing.assert_array_equal(column, expected)


@pytest.mark.parametrize("alone", [0, 1000])
def test_the_host_fetches_the_texts_it_asks_for(device, rows, alone, monkeypatch) -> None:
    monkeypatch.setattr(resident, "FETCHED_ALONE", alone)
    texts, places = on_device(device, skewed()).on_host(rows)
    np.testing.assert_array_equal(
        _cpu.text_hash(texts.data, texts.offsets, places), CPU.text_hash(texts_of(skewed()), rows)
    )


class Fetching(HostDevice):
    """fetched_bytes: that the host has taken from it."""

    fetched_bytes = 0

    def download(self, array):
        self.fetched_bytes += array.nbytes
        return super().download(array)


@pytest.mark.parametrize("count", [3, resident.FETCHED_ALONE, resident.FETCHED_ALONE + 1, 999])
def test_the_host_fetches_no_other_texts(compiler, count) -> None:
    documents = [b"%d " % row * (row % 7) for row in range(1000)]
    device = Fetching()
    texts, rows = on_device(device, documents), np.arange(999, 999 - count, -1)
    fetched_before = device.fetched_bytes
    found, places = texts.on_host(rows)
    host = texts_of(documents)
    np.testing.assert_array_equal(CPU.text_hash(found, places), CPU.text_hash(host, rows))
    assert device.fetched_bytes - fetched_before == host.sizes[rows].sum()


@pytest.mark.parametrize("rows", [np.arange(1000), np.arange(300)])
def test_the_host_fetches_all_texts_once(compiler, rows) -> None:
    device = Fetching()
    texts = on_device(device, [b"text"] * 1000)
    whole = texts.data
    fetched_before = device.fetched_bytes
    for asked in (texts, texts.part(100, 1000)):
        found, places = asked.on_host(rows[: len(asked)])
        assert found.data is whole
        np.testing.assert_array_equal(found.sizes[places], np.full(len(places), 4))
    assert device.fetched_bytes == fetched_before


def test_the_host_fetches_all_texts_where_chosen_ones_have_no_room(compiler) -> None:
    device = HostDevice(memory=20_000)
    texts, rows = on_device(device, [b"chosen" * 2] * 800), np.arange(1, 800)
    found, places = texts.on_host(rows)
    assert len(found) == 800
    np.testing.assert_array_equal(places, rows)


@settings(max_examples=150, deadline=None)
@given(documents=batches, by=batches, data=st.data())
def test_replaced_texts(compiler, documents, by, data) -> None:
    pairs = st.tuples(st.integers(0, len(documents) - 1), st.integers(0, len(by) - 1))
    chosen = dict(data.draw(st.lists(pairs)))
    rows, by_rows = np.array(list(chosen), np.int64), np.array(list(chosen.values()), np.int64)
    expected = [by[chosen[row]] if row in chosen else documents[row] for row in range(len(documents))]
    for seed in (1, 2):
        device = HostDevice(seed=seed)
        found = DeviceKernels(device).replaced(on_device(device, documents), rows, texts_of(by), by_rows)
        assert isinstance(found, ResidentTexts)
        assert found.data.tobytes() == b"".join(expected)
        np.testing.assert_array_equal(found.offsets, texts_of(expected).offsets)


@settings(max_examples=150, deadline=None)
@given(documents=batches)
def test_utf8(compiler, documents) -> None:
    texts = texts_of(documents)
    for seed in (1, 2):
        job = Utf8Job(DeviceTexts.upload(HostDevice(seed=seed), texts))
        job.run()
        np.testing.assert_array_equal(job.result(), texts.utf8_valid())


def test_every_start_and_second_byte_of_utf8(compiler) -> None:
    tails = [b"", b"\x80", b"\x80\x80", b"\x80\x80\x80", b"a"]
    documents = [
        bytes([first, second]) + tail for first in range(256) for second in range(256) for tail in tails
    ]
    texts, device = texts_of(documents), HostDevice(seed=1)
    job = Utf8Job(DeviceTexts.upload(device, texts))
    job.run()
    expected = texts.utf8_valid()
    np.testing.assert_array_equal(job.result(), expected)
    assert expected[:: len(tails)].sum() == 128 * 128 + (0xE0 - 0xC2) * 64
