from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.kernels.gpu.jobs import DeviceTexts
from curate.kernels.gpu.kernels import DeviceKernels
from curate.kernels.gpu.line_sieve import DeviceSieve, LineSieveJob
from curate.kernels.interface import CPU
from curate.kernels.lines import LineSieve
from tests.gpu.host_device import HostDevice
from tests.gpu.texts import documents as hard_documents
from tests.gpu.texts import texts_of

BEGINNINGS = ("share~", "# comment", "©", "\u00fcber uns", "we use")
SIEVES = [
    LineSieve.of(BEGINNINGS, (), 20),
    LineSieve.of((), ("a listed line", "\u00e9t\u00e9 2020", "x"), 60),
    LineSieve.of(BEGINNINGS, ("share", ""), 200),
]
PIECES = [
    "Share",
    "share this",
    "12",
    " comments",
    "\n",
    "\n",
    " ",
    "\u00a0",
    "\u00dcBER UNS",
    "\u00a9",
    "We use",
    "x",
]
PIECES += ["A listed LINE", "\u00c9T\u00c9 2020", "\u212a", "y" * 19, "\r", "\u3000", "漢字"]
lines = st.lists(st.sampled_from(PIECES), max_size=30).map(lambda pieces: "".join(pieces).encode())
documents = st.lists(st.one_of(lines, hard_documents), min_size=1, max_size=8)


@settings(max_examples=150, deadline=None)
@given(documents=documents, sieve=st.sampled_from(SIEVES))
def test_what_passes_is_what_passes_on_the_cpu(device, documents, sieve) -> None:
    texts = texts_of(documents)
    job = LineSieveJob(DeviceTexts.upload(device, texts), DeviceSieve(device, sieve))
    job.run()
    np.testing.assert_array_equal(job.result(), CPU.lines_may_match(sieve, texts, np.arange(len(texts))))


@pytest.mark.parametrize("memory", [2_000, 700_000, 1 << 24])
def test_what_does_not_fit_is_the_cpus(compiler, memory) -> None:
    texts = texts_of(
        [b"Share" * size + b"\n" * 9 + b"SHARE " * (size % 2) for size in (1, 9, 8000, 0, 40, 3, 100)]
    )
    rows, device = np.array([6, 2, 0, 3, 4]), HostDevice(memory=memory)
    found = DeviceKernels(device).lines_may_match(SIEVES[0], texts, rows)
    np.testing.assert_array_equal(found, CPU.lines_may_match(SIEVES[0], texts, rows))
    assert found.tolist() == [False, False, True, False, False]
    assert device.most_live <= memory
