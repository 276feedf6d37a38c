from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.kernels import _cpu
from curate.kernels.gpu.heuristics import FamiliesJob, HeuristicsJob
from curate.kernels.gpu.jobs import DeviceTexts
from curate.kernels.heuristics import FAMILY_STATISTICS
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


@settings(max_examples=30, deadline=None)
@given(documents=st.lists(documents.map(str.encode), max_size=8))
def test_few_threads_do_for_many_texts(device, documents) -> None:
    need = int(_cpu.heuristic_scratch_words(np.array([max(map(len, documents), default=0)], np.int64))[0])
    assert_as_on_the_cpu(device, documents, EVERY_GROUP, scratch_bytes=8 * need)


def test_a_text_larger_than_the_memory_is_an_error(device) -> None:
    with pytest.raises(MemoryError, match="1,000 bytes of scratch memory"):
        HeuristicsJob(DeviceTexts.upload(device, texts_of([b"word " * 1000])), EVERY_GROUP, 1000)
