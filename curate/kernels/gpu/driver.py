"""Whether a GPU is there, asked of the driver: that a CUDA library can be imported proves nothing."""

from __future__ import annotations

import ctypes

LIBRARY = "libcuda.so.1"


def device_count(library: str = LIBRARY) -> int:
    """How many GPUs the driver offers this process; 0 where there is no driver, or it will not start.

    library: the driver's file, as the dynamic loader finds it.
    """
    try:
        driver = ctypes.CDLL(library)
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return max(count.value, 0)
