"""The device that runs kernels on the CPU, in several orders of threads."""

from __future__ import annotations

import shutil

import pytest

from tests.gpu.host_device import HostDevice


@pytest.fixture(scope="session")
def compiler():
    if shutil.which("g++") is None:
        pytest.skip("no g++ to build the kernels for the CPU with")


@pytest.fixture(scope="session", params=[1, 2], ids=["order-1", "order-2"])
def device(request, compiler):
    return HostDevice(seed=request.param)
