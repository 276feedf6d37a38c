"""Pinned copies and the choice of the memory pool, on stand-ins for CuPy and RMM that keep to what those promise."""

from __future__ import annotations

import ctypes
import sys
import types

import numpy as np
import pytest

from curate.kernels.gpu.memory_pool import CupyPool, RmmPool, pool_of
from curate.kernels.gpu.pinned import PinnedCopies


class LateStream:
    """Carries out what it is given as late as it may: when somebody waits for it."""

    def __init__(self, non_blocking: bool) -> None:
        assert non_blocking
        self.ptr, self.waiting = id(self), []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return None

    def synchronize(self, upto: int | None = None) -> None:
        for work in self.waiting[:upto]:
            work()
        del self.waiting[:upto]


class Event:
    def __init__(self, disable_timing: bool) -> None:
        self.stream = None

    def record(self, stream) -> None:
        self.stream, self.mark = stream, len(stream.waiting)

    def synchronize(self) -> None:
        if self.stream is not None:
            self.stream.synchronize(self.mark)


class Pinned(bytearray):
    @property
    def ptr(self) -> int:
        return ctypes.addressof(ctypes.c_char.from_buffer(self))


class HostArray(np.ndarray):
    @property
    def data(self):
        return types.SimpleNamespace(ptr=self.ctypes.data)


@pytest.fixture
def cupy():
    streams: list[LateStream] = []

    def stream(non_blocking: bool) -> LateStream:
        streams.append(LateStream(non_blocking))
        return streams[-1]

    def memcpy_async(to: int, source: int, size: int, kind: int, pointer: int) -> None:
        (used,) = [each for each in streams if each.ptr == pointer]
        used.waiting.append(lambda: ctypes.memmove(to, source, size))

    runtime = types.SimpleNamespace(memcpyHostToDevice=1, memcpyAsync=memcpy_async)
    cuda = types.SimpleNamespace(Stream=stream, Event=Event, alloc_pinned_memory=Pinned, runtime=runtime)
    return types.SimpleNamespace(
        cuda=cuda, empty=lambda shape, dtype: np.full(shape, 7, dtype).view(HostArray), streams=streams
    )


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 128, 129, 1000])
@pytest.mark.parametrize("dtype", [np.uint8, np.int64])
def test_every_byte_arrives_however_late_the_stream_is(cupy, size, dtype) -> None:
    copies = PinnedCopies(cupy, buffer_bytes=64)
    for seed in range(2):  # the second finds the buffers used
        array = np.random.default_rng(seed).integers(0, 200, size).astype(dtype)
        np.testing.assert_array_equal(np.asarray(copies.copied(array)), array)
    assert not cupy.streams[0].waiting


def rmm_with(resource):
    """RMM whose current resource is `resource`; the pool holds 1000 bytes, of which 300 are in use."""

    class Statistics:
        def __init__(self, upstream) -> None:
            self.upstream = upstream
            self.allocation_counts = types.SimpleNamespace(current_bytes=300)

    current = [resource]
    return types.SimpleNamespace(
        mr=types.SimpleNamespace(
            PoolMemoryResource=Pool,
            StatisticsResourceAdaptor=Statistics,
            get_current_device_resource=lambda: current[-1],
            set_current_device_resource=current.append,
        )
    )


class Pool:
    def __init__(self, upstream: object = None, initial_pool_size: int = 0) -> None:
        self.upstream, self.initial_pool_size = upstream, initial_pool_size

    def pool_size(self) -> int:
        return 1000


def cupy_with_pool():
    allocators: list[object] = []
    pool = types.SimpleNamespace(free_bytes=lambda: 50)
    return types.SimpleNamespace(
        cuda=types.SimpleNamespace(
            set_allocator=allocators.append,
            runtime=types.SimpleNamespace(memGetInfo=lambda: ((2 << 20) + 300, 4 << 20)),
        ),
        get_default_memory_pool=lambda: pool,
        allocators=allocators,
    )


def test_cupy_and_cudf_share_a_pool(monkeypatch) -> None:
    rmm, cupy = rmm_with("cudaMalloc"), cupy_with_pool()
    monkeypatch.setitem(sys.modules, "rmm", rmm)
    monkeypatch.setitem(sys.modules, "rmm.allocators.cupy", types.SimpleNamespace(rmm_cupy_allocator=print))
    assert isinstance(pool_of(cupy, reads_with_cudf=True), RmmPool)
    pool = rmm.mr.get_current_device_resource().upstream
    assert isinstance(pool, Pool)
    assert pool.upstream == "cudaMalloc"
    assert pool.initial_pool_size == 1 << 20
    assert cupy.allocators == [print]


def test_cupy_takes_from_rmms_pool_where_there_is_one(monkeypatch) -> None:
    allocator = types.SimpleNamespace(rmm_cupy_allocator=object())
    rmm, cupy = rmm_with(Pool()), cupy_with_pool()
    monkeypatch.setitem(sys.modules, "rmm", rmm)
    monkeypatch.setitem(sys.modules, "rmm.allocators.cupy", allocator)
    pool = pool_of(cupy, reads_with_cudf=False)
    assert isinstance(pool, RmmPool)
    assert cupy.allocators == [allocator.rmm_cupy_allocator]
    assert rmm.mr.get_current_device_resource().upstream is not None
    assert pool.free_bytes() == 700


@pytest.mark.parametrize("rmm", [None, rmm_with(object())])
def test_cupy_keeps_its_own_pool_elsewhere(monkeypatch, rmm) -> None:
    monkeypatch.setitem(sys.modules, "rmm", rmm)
    cupy = cupy_with_pool()
    pool = pool_of(cupy, reads_with_cudf=False)
    assert isinstance(pool, CupyPool)
    assert pool.free_bytes() == 50
    assert not cupy.allocators
