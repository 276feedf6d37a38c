from __future__ import annotations

import shutil
import subprocess

import pytest

from curate.kernels.gpu.driver import device_count


def driver(folder, init: int, status: int, count: int) -> str:
    if shutil.which("gcc") is None:
        pytest.skip("no C compiler to build a stand-in for the driver with")
    code = f"int cuInit(unsigned flags) {{ return flags == 0 ? {init} : 1; }}\n"
    code += f"int cuDeviceGetCount(int* count) {{ *count = {count}; return {status}; }}\n"
    path = folder / "libcuda.so.1"
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", str(path)], input=code.encode(), check=True
    )
    return str(path)


@pytest.mark.parametrize(
    ("init", "status", "count", "expected"),
    [(0, 0, 2, 2), (0, 0, 0, 0), (100, 0, 1, 0), (0, 3, 1, 0)],
    ids=["two", "none", "will not start", "will not count"],
)
def test_the_driver_is_asked(tmp_path, init, status, count, expected) -> None:
    assert device_count(driver(tmp_path, init, status, count)) == expected


def test_no_driver_is_no_gpu(tmp_path) -> None:
    assert device_count(str(tmp_path / "libcuda.so.1")) == 0
