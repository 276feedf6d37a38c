from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.kernels import _cpu
from curate.kernels.gpu import ngrams
from curate.kernels.gpu.jobs import DeviceTexts
from curate.kernels.gpu.kernels import DeviceKernels
from curate.kernels.gpu.ngrams import DeviceNgrams, NgramJob
from curate.kernels.ngrams import LONGEST, NgramIndex
from tests.gpu.host_device import HostDevice
from tests.gpu.texts import documents as hard_documents
from tests.gpu.texts import texts_of

PIECES = [
    "a",
    "B",
    "c",
    "d'",
    "naïve",
    " ",
    " ",
    "\n",
    "-" * 9,
    "漢字",
    "ไทย",
    "x" * 40,
    "\u200b",
    "9",
    "É",
    "\x00",
]
words = st.lists(st.sampled_from(PIECES), max_size=90).map(lambda pieces: "".join(pieces).encode())
documents = st.lists(st.one_of(words, hard_documents), min_size=1, max_size=8)


def index_of(items: list[bytes], longest: int, shortest: int, split: bool) -> _cpu.NgramIndex:
    return NgramIndex(texts_of(items), np.arange(len(items)) // 2, longest, shortest, split).kernel


@settings(max_examples=120, deadline=None)
@given(
    items=documents,
    documents=documents,
    shape=st.sampled_from([(1, 1), (2, 1), (3, 2), (5, 1), (LONGEST, 1)]),
    split=st.booleans(),
)
def test_overlaps_are_those_of_the_cpu(device, items, documents, shape, split) -> None:
    index, texts = index_of(items, *shape, split), texts_of([*documents, b"".join(items), items[0]])
    job = NgramJob(DeviceTexts.upload(device, texts), DeviceNgrams(device, index))
    job.run()
    expected = index.overlaps(texts.data, texts.offsets, np.arange(len(texts)))
    np.testing.assert_array_equal(job.result(), expected)


def test_more_hits_than_there_is_room_for(device) -> None:
    index, texts = index_of([b"a b", b"b a"], 1, 1, True), texts_of([b"a b c " * 500, b"", b"b"])
    found = DeviceKernels(device).overlaps(index, texts, np.arange(3))
    np.testing.assert_array_equal(found, index.overlaps(texts.data, texts.offsets, np.arange(3)))
    assert found[0, 5] == 1000


@pytest.mark.parametrize("memory", [2_000, 60_000, 1 << 24])
def test_what_does_not_fit_is_the_cpus(compiler, memory, monkeypatch) -> None:
    monkeypatch.setattr(ngrams, "LONGEST_TEXT", 3_000)
    documents = [b"the quick brown fox " * size for size in (1, 9, 800, 0, 40, 3, 100)]
    index, texts = index_of(documents[:2], 5, 1, False), texts_of(documents)
    rows, device = np.array([6, 2, 0, 3, 4]), HostDevice(memory=memory)
    found = DeviceKernels(device).overlaps(index, texts, rows)
    np.testing.assert_array_equal(found, index.overlaps(texts.data, texts.offsets, rows))
    assert device.most_live <= memory


def test_an_index_without_ngrams(device) -> None:
    index, texts = index_of([b"two words"], 5, 4, False), texts_of([b"two words and more"])
    found = DeviceKernels(device).overlaps(index, texts, np.arange(1))
    assert found.tolist() == [[-1, 0, 0, 0, 4, 0]]
