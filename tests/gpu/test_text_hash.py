from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from curate.dedup import text_hash
from curate.kernels.gpu.jobs import DeviceTexts, TextHashJob
from tests.gpu.texts import batches, texts_of


@settings(max_examples=60, deadline=None)
@given(documents=batches)
def test_hashes_are_those_of_the_cpu(device, documents) -> None:
    texts = texts_of(documents)
    job = TextHashJob(DeviceTexts.upload(device, texts))
    job.run()
    np.testing.assert_array_equal(job.result(), text_hash(texts, np.arange(len(texts))))


@pytest.mark.parametrize("skipped", range(9))
def test_every_length_at_every_alignment(device, skipped) -> None:
    texts = texts_of([b"z" * skipped] + [bytes(range(size)) for size in range(70)])
    job = TextHashJob(DeviceTexts.upload(device, texts))
    job.run()
    np.testing.assert_array_equal(job.result(), text_hash(texts, np.arange(len(texts))))


def test_a_published_vector(device) -> None:
    job = TextHashJob(
        DeviceTexts.upload(device, texts_of([b"The quick brown fox jumps over the lazy dog", b""]))
    )
    job.run()
    assert job.result().tolist() == [[0xE34BBC7BBC071B6C, 0x7A433CA9C49A9347], [0, 0]]


def test_no_texts_at_all(device) -> None:
    job = TextHashJob(DeviceTexts.upload(device, texts_of([])))
    job.run()
    assert job.result().shape == (0, 2)
