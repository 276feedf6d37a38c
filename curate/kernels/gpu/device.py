"""What kernels run on: memory, launches, time. CuPy's is the real one; tests run the kernels on the CPU."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from curate.kernels.gpu.memory_pool import pool_of
from curate.kernels.gpu.pinned import PinnedCopies
from curate.kernels.gpu.source import OPTIONS, file_of, nvrtc_source

#: An array in the device's memory: has shape, dtype, nbytes, views by slicing, and NumPy's arithmetic.
DeviceArray = Any
#: Kernel arguments: device arrays, or NumPy scalars of exactly the parameter's type.
Argument = Any


class Device(Protocol):
    """A device, its memory and the compiled module."""

    name: str
    #: Blocks of threads that keep it busy.
    blocks: int
    #: NumPy, or what stands for it where the arrays are.
    arrays: Any
    #: A stream beside that of the kernels, for reading into the device's memory.
    reading_stream: Any

    def upload(self, array: NDArray[Any]) -> DeviceArray: ...

    def copied(self, array: NDArray[Any]) -> DeviceArray:
        """As `upload`, for much data, from any thread: kernels run meanwhile, and it is there on return.

        It must not be freed before the kernels that read it are done: the next copy, which no kernel waits for or is
        waited for by, may take its memory at once. Memory of `upload`, `empty` and `full` may.
        """
        ...

    def adopted(self, address: int, count: int, dtype: DTypeLike, owner: object) -> DeviceArray:
        """An array of shape (count,) over memory of the device that `owner`, which it keeps, holds."""
        ...

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> DeviceArray: ...

    def full(self, shape: tuple[int, ...], value: int, dtype: DTypeLike) -> DeviceArray: ...

    def download(self, array: DeviceArray) -> NDArray[Any]: ...

    def address(self, array: DeviceArray) -> int:
        """Where the array starts, for structures that hold pointers."""
        ...

    def free_bytes(self) -> int:
        """Memory that can be had now."""
        ...

    def launch(
        self, kernel: str, blocks: int, threads: int, arguments: tuple[Argument, ...], shared_bytes: int = 0
    ) -> None: ...

    def synchronize(self) -> None:
        """Returns when all that was launched is done: what kernels read may be freed from then on."""
        ...

    def seconds(self, work: Any, repeats: int) -> float:
        """The median time of work(), a callable without arguments, after one more to warm up."""
        ...


class CupyDevice:
    """The current CUDA device, through CuPy. Modules are compiled on first use and kept by CuPy's own cache."""

    #: A block may use more shared memory than this only where its kernel says so.
    PLAIN_SHARED_BYTES = 48 << 10

    def __init__(self) -> None:
        """Raises ImportError without CuPy, and CuPy's own error without a GPU."""
        import cupy

        self.arrays = cupy
        current = cupy.cuda.Device()
        properties = cupy.cuda.runtime.getDeviceProperties(current.id)
        self.name: str = properties["name"].decode()
        self.blocks: int = 32 * properties["multiProcessorCount"]
        self._modules: dict[str, Any] = {}
        self._pool = pool_of(cupy, reads_with_cudf=find_spec("pylibcudf") is not None)
        self._copies = PinnedCopies(cupy)
        self.reading_stream = cupy.cuda.Stream(non_blocking=True)

    def upload(self, array: NDArray[Any]) -> DeviceArray:
        return self.arrays.asarray(array)

    def copied(self, array: NDArray[Any]) -> DeviceArray:
        return self._copies.copied(array)

    def adopted(self, address: int, count: int, dtype: DTypeLike, owner: object) -> DeviceArray:
        if count == 0:  # CuPy takes no null pointers
            return self.arrays.empty((0,), dtype)
        cuda, size = self.arrays.cuda, count * np.dtype(dtype).itemsize
        memory = cuda.UnownedMemory(address, size, owner)
        return self.arrays.ndarray((count,), dtype, cuda.MemoryPointer(memory, 0))

    def empty(self, shape: tuple[int, ...], dtype: DTypeLike) -> DeviceArray:
        return self.arrays.empty(shape, dtype)

    def full(self, shape: tuple[int, ...], value: int, dtype: DTypeLike) -> DeviceArray:
        return self.arrays.full(shape, value, dtype)

    def download(self, array: DeviceArray) -> NDArray[Any]:
        host: NDArray[Any] = self.arrays.asnumpy(array)
        return host

    def address(self, array: DeviceArray) -> int:
        return int(array.data.ptr)

    def free_bytes(self) -> int:
        free, _ = self.arrays.cuda.runtime.memGetInfo()
        return int(free) + self._pool.free_bytes()

    def launch(
        self, kernel: str, blocks: int, threads: int, arguments: tuple[Argument, ...], shared_bytes: int = 0
    ) -> None:
        function = self._function(kernel)
        if shared_bytes > self.PLAIN_SHARED_BYTES:
            function.max_dynamic_shared_size_bytes = shared_bytes
        function((blocks,), (threads,), arguments, shared_mem=shared_bytes)

    def synchronize(self) -> None:
        self.arrays.cuda.get_current_stream().synchronize()

    def _function(self, kernel: str) -> Any:
        file = file_of(kernel)
        if file not in self._modules:
            code = nvrtc_source(file)
            self._modules[file] = self.arrays.RawModule(code=code, options=OPTIONS, backend="nvrtc")
        return self._modules[file].get_function(kernel)

    def seconds(self, work: Any, repeats: int) -> float:
        cuda = self.arrays.cuda
        work()
        times = []
        for _ in range(repeats):
            start, stop = cuda.Event(), cuda.Event()
            start.record()
            work()
            stop.record()
            stop.synchronize()
            times.append(cuda.get_elapsed_time(start, stop) / 1000)
        return float(np.median(times))
