from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.kernels import _cpu
from curate.kernels.gpu import heuristics
from curate.kernels.gpu.heuristics import FamiliesJob, HeuristicsJob
from curate.kernels.gpu.jobs import DeviceTexts
from curate.kernels.gpu.kernels import DeviceKernels
from curate.kernels.gpu.resident import ResidentTexts
from curate.kernels.heuristics import FAMILY_STATISTICS
from curate.kernels.interface import CPU
from tests.gpu.host_device import HostDevice
from tests.gpu.texts import texts_of
from tests.heuristics.strategies import texts as documents

EVERY_GROUP = 0x3FF


def assert_as_on_the_cpu(device, documents: list[bytes], groups: int, scratch_bytes: int = 1 << 26) -> None:
    texts = texts_of(documents)
    job = HeuristicsJob(DeviceTexts.upload(device, texts), groups, scratch_bytes)
    job.run()
    expected = _cpu.heuristics(texts.data, texts.offsets, np.arange(len(texts)), [("plain", groups)])
    np.testing.assert_array_equal(job.result(), expected)


@settings(max_examples=60, deadline=None)
@given(documents=st.lists(documents.map(str.encode), max_size=8), groups=st.integers(1, EVERY_GROUP))
def test_statistics_are_those_of_the_cpu(device, documents, groups) -> None:
    assert_as_on_the_cpu(device, documents, groups)


#: The families that edit stand before others, which measure what they leave behind.
ORDERS = [
    [family for family in FAMILY_STATISTICS if family != "plain"],
    ["c4", "datatrove.c4_quality", "plain", "dclm.refinedweb_lines", "datatrove.fineweb_quality"],
    ["dolma.c4", "datatrove.c4_quality_keep_unpunctuated", "datatrove.gopher_repetition", "plain"],
]


@pytest.mark.parametrize("families", ORDERS, ids=["every family", "edits first", "others edit"])
@settings(max_examples=40, deadline=None)
@given(documents=st.lists(documents.map(str.encode), max_size=6))
def test_families_are_those_of_the_cpu(device, families, documents) -> None:
    texts, steps = texts_of(documents), [(family, EVERY_GROUP) for family in families]
    job = FamiliesJob(DeviceTexts.upload(device, texts), steps, 1 << 26)
    job.run()
    expected = _cpu.heuristics(texts.data, texts.offsets, np.arange(len(texts)), steps)
    np.testing.assert_array_equal(job.result(), expected)


EDITS = ["c4", "datatrove.c4_quality", "dclm.refinedweb_lines", "dolma.c4"]


@settings(max_examples=40, deadline=None)
@given(
    documents=st.lists(documents.map(str.encode), min_size=1, max_size=6),
    families=st.lists(st.sampled_from(EDITS), min_size=1, max_size=3),
    longest=st.sampled_from([20, 1 << 20]),
)
def test_edits_are_those_of_the_cpu(device, documents, families, longest) -> None:
    texts, rows = texts_of(documents), np.arange(len(documents))[::-1].copy()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(heuristics, "LONGEST_TEXT", longest)
        kernels = DeviceKernels(device)
        found, places = kernels.edited(texts, rows, families)
    assert isinstance(found, ResidentTexts)
    expected, _ = CPU.edited(texts, rows, families)
    left, places = found.on_host(places)
    np.testing.assert_array_equal(left.sizes[places], expected.sizes)
    np.testing.assert_array_equal(
        CPU.text_hash(left, places), CPU.text_hash(expected, np.arange(len(expected)))
    )


@pytest.mark.parametrize("memory", [4_000, 1 << 20])
def test_edits_without_room_for_them_are_the_cpus(compiler, memory) -> None:
    texts, rows = (
        texts_of([b"Short line\nA line that is long enough to stay here.\n" * 60, b"a"]),
        np.arange(2),
    )
    device = HostDevice(memory=memory)
    found, places = DeviceKernels(device).edited(texts, rows, EDITS[:1])
    expected, _ = CPU.edited(texts, rows, EDITS[:1])
    np.testing.assert_array_equal(CPU.text_hash(*found.on_host(places)), CPU.text_hash(expected, rows))
    assert device.most_live <= memory


@settings(max_examples=30, deadline=None)
@given(documents=st.lists(documents.map(str.encode), max_size=8))
def test_few_threads_do_for_many_texts(device, documents) -> None:
    need = int(_cpu.heuristic_scratch_words(np.array([max(map(len, documents), default=0)], np.int64))[0])
    assert_as_on_the_cpu(device, documents, EVERY_GROUP, scratch_bytes=8 * need)


def test_a_text_larger_than_the_memory_is_an_error(device) -> None:
    with pytest.raises(MemoryError, match="1,000 bytes of scratch memory"):
        HeuristicsJob(DeviceTexts.upload(device, texts_of([b"word " * 1000])), EVERY_GROUP, 1000)
