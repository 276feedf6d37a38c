"""The CPU's stand-in for a GPU notices what would go wrong on one."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from tests.gpu.host_device import HostDevice

pytestmark = pytest.mark.skipif(
    shutil.which("g++") is None, reason="no g++ to build kernels for the CPU with"
)

SOURCE = """
namespace curate { using u64 = std::uint64_t; }
extern "C" __global__ void reversed(int* values, int barrier) {
  CURATE_SHARED(memory);
  memory[threadIdx.x] = values[threadIdx.x];
  if (barrier) __syncthreads();
  values[threadIdx.x] = static_cast<int>(memory[blockDim.x - 1 - threadIdx.x]);
}
extern "C" __global__ void uneven(int* values) {
  if (threadIdx.x > 0) __syncthreads();
  values[threadIdx.x] = 1;
}
"""


def reversed_values(seed: int, barrier: int) -> list[int]:
    values = np.arange(8, dtype=np.int32)
    HostDevice(SOURCE, seed=seed).launch("reversed", 1, 8, (values, np.int32(barrier)), 64)
    return values.tolist()


def test_barriers_hold() -> None:
    assert all(reversed_values(seed, 1) == [*range(7, -1, -1)] for seed in range(5))


def test_a_missing_barrier_shows() -> None:
    assert any(reversed_values(seed, 0) != [*range(7, -1, -1)] for seed in range(5))


def test_a_barrier_that_some_threads_miss_is_an_error() -> None:
    with pytest.raises(AssertionError, match="a barrier that not all threads reach"):
        HostDevice(SOURCE).launch("uneven", 1, 4, (np.zeros(4, np.int32),))


def test_arguments_of_other_sizes_are_an_error() -> None:
    with pytest.raises(AssertionError, match="arguments of other sizes"):
        HostDevice(SOURCE).launch("reversed", 1, 4, (np.zeros(4, np.int32), np.int64(1)), 64)
