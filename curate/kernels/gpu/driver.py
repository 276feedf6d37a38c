"""Whether a GPU is there, asked of the driver: that a CUDA library can be imported proves nothing."""

from __future__ import annotations

import ctypes
import functools

LIBRARY = "libcuda.so.1"


def device_count(library: str = LIBRARY) -> int:
    """How many GPUs the driver offers this process; 0 where there is no driver, or it will not start.

    library: the driver's file, as the dynamic loader finds it.
    """
    driver = _loaded(library)
    if driver is None:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return max(count.value, 0)


@functools.cache
def _loaded(library: str) -> ctypes.CDLL | None:
    """The driver, None where there is none. The loader searches for one that is not there all over again."""
    try:
        return ctypes.CDLL(library)
    except OSError:
        return None
