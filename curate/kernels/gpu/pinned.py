"""Copies from the host's memory to the GPU's beside running kernels, through two pinned buffers that take turns.

The driver copies asynchronously from pinned memory only; texts lie in Arrow's. So a stretch is copied into one buffer
by the CPU while the GPU fetches the stretch before it from the other.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Of each of the two buffers: long enough for the bus, short enough to stay in the CPU's cache while it is filled.
BUFFER_BYTES = 8 << 20


class PinnedCopies:
    """Copies on a stream of their own, of the current GPU. cupy: the module. One copy at a time."""

    def __init__(self, cupy: Any, buffer_bytes: int = BUFFER_BYTES) -> None:
        cuda = cupy.cuda
        self._cupy, self._buffer_bytes = cupy, buffer_bytes
        self._stream = cuda.Stream(non_blocking=True)
        self._buffers = [_Buffer(cupy, buffer_bytes) for _ in range(2)]
        self._lock = threading.Lock()

    def copied(self, array: NDArray[Any]) -> Any:
        """An array of the GPU with the values of `array`, complete when this returns.

        It may be used on any stream, and must not be freed before what uses it is done.
        """
        data = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        with self._lock, self._stream:
            made = self._cupy.empty(array.shape, array.dtype)
            for number, begin in enumerate(range(0, len(data), self._buffer_bytes)):
                part = data[begin : begin + self._buffer_bytes]
                self._buffers[number % 2].send(part, made.data.ptr + begin, self._stream)
            self._stream.synchronize()
        return made


class _Buffer:
    """Pinned memory, and the event of its last copy."""

    def __init__(self, cupy: Any, size: int) -> None:
        self._runtime = cupy.cuda.runtime
        self._memory = cupy.cuda.alloc_pinned_memory(size)
        self._bytes = np.frombuffer(self._memory, np.uint8, size)
        self._sent = cupy.cuda.Event(disable_timing=True)

    def send(self, part: NDArray[np.uint8], to: int, stream: Any) -> None:
        """Copies `part` (uint8) to the address `to`; returns when it lies in this buffer."""
        self._sent.synchronize()
        self._bytes[: len(part)] = part
        kind = self._runtime.memcpyHostToDevice
        self._runtime.memcpyAsync(to, self._memory.ptr, len(part), kind, stream.ptr)
        self._sent.record(stream)
