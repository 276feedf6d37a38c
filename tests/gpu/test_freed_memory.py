"""Kernels run later than they are launched: what they read must not be freed before."""

from __future__ import annotations

import weakref

import numpy as np
import pytest

from curate.kernels.gpu.kernels import DeviceKernels
from curate.kernels.gpu.resident import ResidentTexts
from curate.kernels.interface import CPU, Redacted, SketchShape
from curate.kernels.texts import Texts
from tests.gpu.host_device import HostDevice
from tests.gpu.test_device_memory import skewed
from tests.gpu.texts import texts_of


class Pending(HostDevice):
    """Launches are carried out when the host waits for them; of copied texts, the memory has zeros once it is free.

    Memory of `upload`, `empty` and `full` stays, as CUDA has it for all that is launched before the next use of it.
    freed_early: kernels that were still to read copied texts when those were freed.
    """

    def __init__(self, **options) -> None:
        super().__init__(**options)
        self.freed_early: list[str] = []
        self._launches: list[tuple] = []
        self._kept: list[np.ndarray] = []

    def _allocate(self, size):
        self._kept.append(super()._allocate(size))
        return self._kept[-1]

    def copied(self, array):
        kept = self.upload(array).reshape(-1)
        return self.until_freed(kept).reshape(array.shape) if len(kept) else kept

    def until_freed(self, kept: np.ndarray) -> np.ndarray:
        """An array over the memory of `kept`, which is overwritten once nobody has the array."""
        made = HostDevice.adopted(self, self.address(kept), len(kept), kept.dtype, None)
        weakref.finalize(made, self._overwrite, kept)
        return made

    def _overwrite(self, kept):
        for kernel, _, _, arguments, _ in self._launches:
            arrays = [argument for argument in arguments if isinstance(argument, np.ndarray)]
            if any(np.shares_memory(array, kept) for array in arrays):
                self.freed_early.append(kernel)
        kept.fill(0)

    def launch(self, kernel, blocks, threads, arguments, shared_bytes=0):
        self._launches.append((kernel, blocks, threads, tuple(map(self._unheld, arguments)), shared_bytes))

    def _unheld(self, argument):
        if not isinstance(argument, np.ndarray) or argument.size == 0:
            return argument
        return HostDevice.adopted(self, self.address(argument), argument.size, argument.dtype, None)

    def synchronize(self):
        while self._launches:
            super().launch(*self._launches.pop(0))

    def download(self, array):
        self.synchronize()
        return super().download(array)


class LittleMemory(Pending):
    """Uploads fail while `failing` and a kernel is still to run."""

    failing = True

    def upload(self, array):
        if self.failing and self._launches:
            self.failing = False
            raise MemoryError("in too small pieces")
        return super().upload(array)


@pytest.fixture
def device(compiler) -> Pending:
    return Pending()


def of(texts: Texts) -> list[bytes]:
    return [texts.data[texts.offsets[i] : texts.offsets[i + 1]].tobytes() for i in range(len(texts))]


def lying_on(device: Pending, documents: list[bytes]) -> ResidentTexts:
    """Texts in memory of others, which they take back once nobody has the texts."""
    texts = texts_of(documents)
    arrays = [device.until_freed(device.upload(array)) for array in (texts.data, texts.offsets)]
    return ResidentTexts(device, arrays[0], arrays[1])


ROWS, BY_ROWS = np.array([1, 4]), np.array([2, 0])
BEFORE = [b"none", b"first", b"", b"both", b"second"]
BY = [b"in the second's place", b"nowhere", b"1st"]
AFTER = [b"none", b"1st", b"", b"both", b"in the second's place"]


def test_the_texts_that_replace_others(device) -> None:
    found = DeviceKernels(device).replaced(lying_on(device, BEFORE), ROWS, texts_of(BY), BY_ROWS)
    assert of(found) == AFTER
    assert not device.freed_early


def test_texts_on_the_device_that_replace_others(device) -> None:
    found = DeviceKernels(device).replaced(lying_on(device, BEFORE), ROWS, lying_on(device, BY), BY_ROWS)
    assert of(found) == AFTER
    assert not device.freed_early


def test_the_texts_of_a_run_that_fails_between_its_kernels(compiler) -> None:
    device, texts = LittleMemory(), texts_of([b"long " * 30_000, *skewed()])
    rows, shape = np.arange(len(texts)), SketchShape(False, 5, 20, 4, 7)
    found = DeviceKernels(device).sketch(texts, rows, shape)
    for column, expected in zip(found, CPU.sketch(texts, rows, shape), strict=True):
        np.testing.assert_array_equal(column, expected)
    assert not device.failing
    assert not device.freed_early


def test_copied_texts_of_the_other_kernels(device) -> None:
    texts, kernels = texts_of(skewed()), DeviceKernels(device)
    rows = np.arange(len(texts))
    steps, what = [("plain", 0x3FF)], Redacted(True, True, True, True)
    for found, expected in [
        (kernels.text_hash(texts, rows), CPU.text_hash(texts, rows)),
        (kernels.utf8_valid(texts), texts.utf8_valid()),
        (kernels.heuristics(texts, rows, steps), CPU.heuristics(texts, rows, steps)),
        (kernels.redact_counts(texts, rows, what), CPU.redact_counts(texts, rows, what)),
    ]:
        np.testing.assert_array_equal(found, expected)
    assert not device.freed_early


def test_copied_texts_that_are_rewritten(device) -> None:
    texts = texts_of([text.upper() for text in skewed()])
    rows = np.arange(len(texts))
    found, places = DeviceKernels(device).normalized(texts, rows, 1)
    expected, expected_places = CPU.normalized(texts, rows, 1)
    assert of(found.taken(places)) == of(expected.taken(expected_places))
    assert not device.freed_early
