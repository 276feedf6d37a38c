"""Where CuPy takes the GPU's memory from: its own pool, or RMM's, which dask-cuda sets up on workers.

Two pools that each keep what they were given would starve each other, so where RMM has one, CuPy takes from it. cudf
takes from RMM: where it reads texts, RMM gets a pool if it has none.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any, Protocol


class MemoryPool(Protocol):
    def free_bytes(self) -> int:
        """Bytes that the pool holds and nobody uses."""
        ...


class CupyPool:
    """CuPy's default pool."""

    def __init__(self, cupy: Any) -> None:
        self._pool = cupy.get_default_memory_pool()

    def free_bytes(self) -> int:
        return int(self._pool.free_bytes())


class RmmPool:
    """RMM's pool of this process, counted from here on: rmm.mr.StatisticsResourceAdaptor over what was there."""

    def __init__(self, cupy: Any, rmm: Any) -> None:
        self._pool = rmm.mr.get_current_device_resource()
        self._counted = rmm.mr.StatisticsResourceAdaptor(self._pool)
        rmm.mr.set_current_device_resource(self._counted)
        cupy.cuda.set_allocator(importlib.import_module("rmm.allocators.cupy").rmm_cupy_allocator)

    def free_bytes(self) -> int:
        return int(self._pool.pool_size()) - int(self._counted.allocation_counts.current_bytes)


def pool_of(cupy: Any, reads_with_cudf: bool) -> MemoryPool:
    """RMM's pool, if this process has one or reads with cudf, which CuPy then takes from; else CuPy's own."""
    rmm = importlib.import_module("rmm") if reads_with_cudf else sys.modules.get("rmm")
    if rmm is None:
        return CupyPool(cupy)
    resource = rmm.mr.get_current_device_resource()
    if not isinstance(resource, rmm.mr.PoolMemoryResource):
        if not reads_with_cudf:
            return CupyPool(cupy)
        free, _ = cupy.cuda.runtime.memGetInfo()
        rmm.mr.set_current_device_resource(
            rmm.mr.PoolMemoryResource(resource, initial_pool_size=_first_bytes(free))
        )
    return RmmPool(cupy, rmm)


def _first_bytes(free: int) -> int:
    """Of a pool, which grows: the rest is for others in this process, such as PyTorch. RMM wants multiples of 256."""
    return int(free) // 2 // 256 * 256
