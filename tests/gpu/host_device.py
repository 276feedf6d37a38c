"""A device whose kernels run on the CPU: the module's own source, compiled by g++ behind shim.h."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import threading
import time
import weakref
from pathlib import Path

import numpy as np

from curate.kernels.gpu.source import entry_points, module_source

SHIM = Path(__file__).parent / "shim.h"
BUILD = Path(__file__).parents[2] / "build" / "gpu-shim"
FLAGS = ["-std=c++20", "-O1", "-fPIC", "-shared", "-ffp-contract=off", "-U_FORTIFY_SOURCE", "-w"]
#: Where threads and blocks stand is the library's, and there is one of it.
LAUNCHING = threading.Lock()
OUTCOMES = {
    1: "arguments of other sizes than the kernel's",
    2: "a barrier that not all threads reach",
}


def build(source: str) -> Path:
    """The library of this source's kernels, compiled once."""
    code = "\n".join(
        ['#include "shim.h"', source, *(f"SHIM_KERNEL({name})" for name in entry_points(source)), ""]
    )
    name = hashlib.sha256((code + SHIM.read_text() + str(FLAGS)).encode()).hexdigest()[:16]
    library = BUILD / f"{name}.so"
    if library.exists():
        return library
    BUILD.mkdir(parents=True, exist_ok=True)
    own = BUILD / f"{name}-{os.getpid()}"
    own.with_suffix(".cpp").write_text(code)
    compiler = os.environ.get("CXX") or shutil.which("g++") or "c++"
    command = [
        compiler,
        *FLAGS,
        f"-I{SHIM.parent}",
        str(own.with_suffix(".cpp")),
        "-o",
        str(own.with_suffix(".so")),
    ]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:4000]
    own.with_suffix(".so").replace(library)
    own.with_suffix(".cpp").unlink()
    return library


class HostDevice:
    """seed: of the order in which blocks and threads run. memory: bytes there are; allocating more is an error."""

    arrays = np
    reading_stream = None

    def __init__(
        self, source: str | None = None, *, seed: int = 0, memory: int = 1 << 40, blocks: int = 3
    ) -> None:
        self.name, self.blocks, self.seed, self.memory = "host", blocks, seed, memory
        self.live = self.most_live = 0
        self._library = ctypes.CDLL(str(build(source or module_source())))

    def _allocate(self, size):
        """Bytes full of rubbish, 8 more on each side: kernels may read the aligned word around a text."""
        if self.live + size > self.memory:
            raise MemoryError(f"{size:,} bytes more than the {self.memory - self.live:,} that are free")
        self.live += size
        self.most_live = max(self.most_live, self.live)
        room = np.full(size + 16, 0xA5, np.uint8)
        weakref.finalize(room, self._free, size)
        return room[8 : 8 + size]

    def _free(self, size):
        self.live -= size

    def upload(self, array):
        memory = self._allocate(array.nbytes)
        memory[:] = np.ascontiguousarray(array).reshape(-1).view(np.uint8)
        return memory.view(array.dtype).reshape(array.shape)

    copied = upload

    def adopted(self, address, count, dtype, owner):
        size = count * np.dtype(dtype).itemsize
        memory = (ctypes.c_ubyte * size).from_address(address)
        memory.owner = owner  # ctypes arrays keep their attributes, and NumPy's keep them
        return np.frombuffer(memory, dtype)

    def empty(self, shape, dtype):
        return self._allocate(int(np.prod(shape)) * np.dtype(dtype).itemsize).view(dtype).reshape(shape)

    def full(self, shape, value, dtype):
        array = self.empty(shape, dtype)
        array.fill(value)
        return array

    def download(self, array):
        return array.copy()

    def address(self, array):
        return array.ctypes.data

    def free_bytes(self):
        return self.memory - self.live

    def launch(self, kernel, blocks, threads, arguments, shared_bytes=0):
        assert blocks > 0
        assert 0 < threads <= 1024
        assert shared_bytes <= 227 << 10  # what a Hopper block can have
        held, sizes = [], []
        for argument in arguments:
            if isinstance(argument, np.ndarray):
                assert argument.flags.c_contiguous
                held.append(ctypes.c_void_p(argument.ctypes.data))
            else:
                assert isinstance(argument, np.generic), f"{argument!r} is no NumPy scalar"
                held.append((ctypes.c_char * argument.nbytes).from_buffer_copy(argument.tobytes()))
            sizes.append(ctypes.sizeof(held[-1]))
        pointers = (ctypes.c_void_p * len(held))(*(ctypes.addressof(value) for value in held))
        with LAUNCHING:
            outcome = getattr(self._library, f"launch_{kernel}")(
                ctypes.c_uint(blocks),
                ctypes.c_uint(threads),
                ctypes.c_size_t(shared_bytes),
                ctypes.c_uint(self.seed),
                pointers,
                (ctypes.c_size_t * len(held))(*sizes),
                ctypes.c_size_t(len(held)),
            )
        assert outcome == 0, f"{kernel}: {OUTCOMES[outcome]}"

    def synchronize(self):
        pass

    def slot_looks(self):
        """How often kernels looked at slots of hash tables, since this was asked last."""
        take = self._library.take_slot_looks
        take.restype = ctypes.c_uint64
        return take()

    def seconds(self, work, repeats):
        times = []
        for _ in range(repeats):
            start = time.perf_counter()
            work()
            times.append(time.perf_counter() - start)
        return max(sorted(times)[len(times) // 2], 1e-9)
