"""Where CuPy takes the GPU's memory from: its own pool, or RMM's, which dask-cuda sets up on workers.

Two pools that each keep what they were given would starve each other, so where RMM has one, CuPy takes from it.
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


def pool_of(cupy: Any) -> MemoryPool:
    """RMM's pool, if this process has one, which CuPy then takes from; else CuPy's own."""
    rmm = sys.modules.get("rmm")
    if rmm is not None and isinstance(rmm.mr.get_current_device_resource(), rmm.mr.PoolMemoryResource):
        return RmmPool(cupy, rmm)
    return CupyPool(cupy)
