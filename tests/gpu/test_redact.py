from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.kernels.gpu import redact
from curate.kernels.gpu.kernels import DeviceKernels
from curate.kernels.gpu.resident import ResidentTexts
from curate.kernels.interface import CPU, Redacted
from tests.gpu.host_device import HostDevice
from tests.gpu.texts import documents as hard_documents
from tests.gpu.texts import texts_of

PIECES = [
    "a.b@c.org",
    "@",
    "x@y",
    ".com",
    "8.8.8.8",
    "10.0.0.1",
    "1.2.",
    "::1",
    "fe80:",
    "2606:4700::1111",
    "::",
]
PIECES += [
    "+49 30 1234567",
    "(202) 555-0100",
    "202-555-0100",
    "1",
    " ",
    " ",
    ",",
    "é",
    ".",
    "-",
    "x" * 70,
    "::8.8.8.8",
]
mixed = st.lists(st.sampled_from(PIECES), max_size=40).map(lambda pieces: "".join(pieces).encode())
documents = st.lists(st.one_of(mixed, hard_documents), min_size=1, max_size=8)


@settings(max_examples=150, deadline=None)
@given(documents=documents, what=st.builds(Redacted, *[st.booleans()] * 4))
def test_counts_are_those_of_the_cpu(device, documents, what) -> None:
    texts, rows = texts_of(documents), np.arange(len(documents))
    found = DeviceKernels(device).redact_counts(texts, rows, what)
    np.testing.assert_array_equal(found, CPU.redact_counts(texts, rows, what))


@pytest.mark.parametrize("memory", [2_000, 60_000, 1 << 24])
def test_what_does_not_fit_is_the_cpus(compiler, memory, monkeypatch) -> None:
    monkeypatch.setattr(redact, "LONGEST_TEXT", 3_000)
    texts = texts_of([b"write to a@b.org or 8.8.8.8 " * size for size in (1, 9, 800, 0, 40, 3, 100)])
    rows, device, what = (
        np.array([6, 2, 0, 3, 4]),
        HostDevice(memory=memory),
        Redacted(True, True, True, True),
    )
    found = DeviceKernels(device).redact_counts(texts, rows, what)
    np.testing.assert_array_equal(found, CPU.redact_counts(texts, rows, what))
    assert device.most_live <= memory


@pytest.mark.parametrize("memory", [1_500, 1 << 20])
def test_texts_on_the_device_are_replaced_there(compiler, memory) -> None:
    documents = [b"first", b"", b"the third " * 80, b"fourth", b"fifth"]
    host, device = texts_of([b"someone else's", *documents]), HostDevice(memory=memory)
    texts = ResidentTexts(device, device.upload(host.data), device.upload(host.offsets[1:]))
    rows, by, by_rows = (
        np.array([0, 1, 4]),
        texts_of([b"x", b"1st", b"", b"3rd, longer"]),
        np.array([1, 2, 3]),
    )
    found = DeviceKernels(device).replaced(texts, rows, by, by_rows)
    assert isinstance(found, ResidentTexts) == (memory > 1_500)
    on_host, places = found.on_host(np.arange(5))
    expected = [b"1st", b"", b"the third " * 80, b"fourth", b"3rd, longer"]
    assert [
        bytes(on_host.data[on_host.offsets[row] : on_host.offsets[row + 1]]) for row in places.tolist()
    ] == expected
