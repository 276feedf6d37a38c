from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.dedup import normalize, normalized
from curate.dedup.normalize import STEPS
from curate.kernels import Texts
from curate.kernels.gpu import normal
from curate.kernels.gpu.kernels import DeviceKernels
from curate.kernels.gpu.resident import ResidentTexts
from tests.gpu.host_device import HostDevice
from tests.gpu.texts import documents as hard_documents
from tests.gpu.texts import texts_of

PIECES = [
    "A",
    "é",
    "É",
    "ẞ",
    "Ω",
    "漢",
    "\u0661",
    "\uff17",
    "0",
    " ",
    ", ",
    "\u3000",
    "…",
    "!" * 17,
    "word" * 5,
    "😀",
]
words = st.lists(st.sampled_from(PIECES), max_size=90).map(lambda pieces: "".join(pieces).encode())
overlong = st.lists(
    st.sampled_from([b"\xc1\x81", b"\xe0\x81\x81", b"\xc0\xa0", b"\xc1", b"\xf8\x80", b"A"]), max_size=40
).map(b"".join)
documents = st.lists(st.one_of(words, hard_documents, overlong), min_size=1, max_size=8)
steps = st.lists(st.sampled_from(STEPS), min_size=1, unique=True)


def bytes_of(texts: Texts, rows) -> list[bytes]:
    texts, rows = texts.on_host(rows)
    return [bytes(texts.data[texts.offsets[row] : texts.offsets[row + 1]]) for row in rows.tolist()]


@settings(max_examples=150, deadline=None)
@given(documents=documents, steps=steps)
def test_normal_forms_are_those_of_the_cpu(device, documents, steps) -> None:
    texts, rows = texts_of(documents), np.arange(len(documents))[::-1].copy()
    found, places = normalized(texts, rows, steps, DeviceKernels(device))
    assert isinstance(found, ResidentTexts)
    assert bytes_of(found, places) == bytes_of(normalize(texts, rows, steps), np.arange(len(rows)))


@pytest.mark.parametrize("memory", [2_000, 60_000, 1 << 24])
def test_what_does_not_fit_is_the_cpus(compiler, memory, monkeypatch) -> None:
    monkeypatch.setattr(normal, "LONGEST_TEXT", 3_000)
    texts = texts_of([b"The, Quick -- brown FOX 12 " * size for size in (1, 9, 800, 0, 40, 3, 100)])
    rows, device = np.array([6, 2, 0, 3, 4]), HostDevice(memory=memory)
    kernels = DeviceKernels(device)
    found, places = normalized(texts, rows, STEPS, kernels)
    expected = normalize(texts, rows, STEPS)
    assert bytes_of(found, places) == bytes_of(expected, np.arange(5))
    hashes = kernels.text_hash(found, places)
    np.testing.assert_array_equal(hashes, DeviceKernels(HostDevice()).text_hash(expected, np.arange(5)))
    assert device.most_live <= memory


def test_no_texts(device) -> None:
    found, places = normalized(texts_of([b"a"]), np.zeros(0, np.int64), STEPS, DeviceKernels(device))
    assert DeviceKernels(device).text_hash(found, places).shape == (0, 2)
