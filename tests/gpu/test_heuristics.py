from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.kernels import _cpu
from curate.kernels.gpu.heuristics import HeuristicsJob
from curate.kernels.gpu.jobs import DeviceTexts
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


@settings(max_examples=30, deadline=None)
@given(documents=st.lists(documents.map(str.encode), max_size=8))
def test_few_threads_do_for_many_texts(device, documents) -> None:
    need = int(_cpu.heuristic_scratch_words(np.array([max(map(len, documents), default=0)], np.int64))[0])
    assert_as_on_the_cpu(device, documents, EVERY_GROUP, scratch_bytes=8 * need)


def test_a_text_larger_than_the_memory_is_an_error(device) -> None:
    with pytest.raises(MemoryError, match="1,000 bytes of scratch memory"):
        HeuristicsJob(DeviceTexts.upload(device, texts_of([b"word " * 1000])), EVERY_GROUP, 1000)
