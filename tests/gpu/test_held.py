"""Copies of models and indexes that stay on the device."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from curate.kernels.gpu import kernels
from curate.kernels.gpu.held import Held
from curate.kernels.gpu.kernels import DeviceKernels
from curate.kernels.gpu.ngrams import DeviceNgrams
from curate.kernels.ngrams import NgramIndex
from tests.gpu.host_device import HostDevice
from tests.gpu.texts import texts_of


class Original:
    """Something that takes so many bytes on a device. copies: how often it was put there."""

    def __init__(self, size: int) -> None:
        self.size, self.copies = size, 0


class Copy:
    def __init__(self, device: HostDevice, original: Original) -> None:
        original.copies += 1
        self.original_size = original.size
        self._array = device.empty((original.size,), np.uint8)
        self.nbytes = original.size


@pytest.fixture
def device(compiler) -> HostDevice:
    return HostDevice(memory=10_000)


def test_many_indexes_in_turn_are_copied_once(compiler, monkeypatch) -> None:
    copied = []

    def counted(device, index):
        copied.append(index)
        return DeviceNgrams(device, index)

    monkeypatch.setattr(kernels, "DeviceNgrams", counted)
    texts, rows = texts_of([b"word 1 of some", b"word 2", b"nothing"]), np.arange(3)
    indexes = [NgramIndex(texts_of([b"word %d" % i]), np.arange(1), 2, 1).kernel for i in range(20)]
    on_device = DeviceKernels(HostDevice())
    for index in indexes * 2:
        found = on_device.overlaps(index, texts, rows)
        np.testing.assert_array_equal(found, index.overlaps(texts.data, texts.offsets, rows))
    assert copied == indexes


def test_half_of_the_memory_is_for_texts(device) -> None:
    held, originals = Held(device), [Original(2_000) for _ in range(3)]
    for original in originals:
        assert held.copy_of(original, Copy).original_size == 2_000
    assert device.live == 4_000
    held.copy_of(originals[1], Copy)
    held.copy_of(originals[0], Copy)  # in the place of the third, which was used before the second
    held.copy_of(originals[1], Copy)
    assert [original.copies for original in originals] == [2, 1, 1]


def test_one_larger_than_the_share_is_held_alone(device) -> None:
    held, small, large = Held(device), Original(1_000), Original(7_000)
    for original in (small, large, large):
        held.copy_of(original, Copy)
    assert large.copies == 1
    assert device.live == 7_000


def test_the_others_go_where_memory_is_short(device) -> None:
    held, originals = Held(device), [Original(1_500), Original(1_500), Original(7_000)]
    for original in originals[:2]:
        held.copy_of(original, Copy)
    texts = device.empty((2_500,), np.uint8)
    assert held.copy_of(originals[2], Copy).nbytes == 7_000
    assert device.live == 7_000 + len(texts)


def test_what_never_fits(device) -> None:
    held = Held(device)
    held.copy_of(small := Original(100), Copy)
    with pytest.raises(MemoryError):
        held.copy_of(Original(20_000), Copy)
    assert held.copy_of(small, Copy).original_size == 100


def test_a_copy_goes_with_its_original(device) -> None:
    held, originals = Held(device), [Original(2_000), Original(100)]
    for original in originals:
        held.copy_of(original, Copy)
    del original
    originals.pop(0)
    gc.collect()
    held.copy_of(originals[0], Copy)
    assert device.live == 100
