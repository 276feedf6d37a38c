"""A worker a GPU: through a stub of dask-cuda anywhere, and through dask-cuda itself where there are GPUs for it."""

from __future__ import annotations

import importlib.machinery
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from curate.engines import EngineOptions, start
from curate.errors import EngineError
from curate.kernels.gpu.driver import device_count
from curate.run import run
from tests.gpu.host_device import HostDevice
from tests.run.outputs import output_bytes


@pytest.fixture
def dask_cuda(monkeypatch) -> list[dict[str, Any]]:
    """A LocalCUDACluster whose workers are threads; what it was asked for."""
    distributed = pytest.importorskip("distributed", reason="pip install 'curate[dask]'")
    asked: list[dict[str, Any]] = []

    def cluster(*, n_workers: int | None, rmm_pool_size: float, **options: Any) -> Any:
        asked.append({"n_workers": n_workers, "rmm_pool_size": rmm_pool_size})
        return distributed.LocalCluster(n_workers=n_workers or 2, processes=False, **options)

    stub = types.ModuleType("dask_cuda")
    stub.__spec__ = importlib.machinery.ModuleSpec("dask_cuda", None)
    stub.LocalCUDACluster = cluster  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "dask_cuda", stub)
    return asked


@pytest.mark.parametrize("device", ["gpu", "auto"])
def test_a_run_over_workers_with_gpus(
    compiler, recipe, reference, as_gpu, dask_cuda, tmp_path: Path, device
) -> None:
    as_gpu(HostDevice(seed=2))
    run(recipe, str(tmp_path), engine="dask", device=device, workers=2)
    assert output_bytes(tmp_path) == reference
    (asked,) = dask_cuda
    assert asked["n_workers"] == 2
    assert 0 < asked["rmm_pool_size"] < 1


def test_a_cluster_whose_workers_have_no_gpu(recipe, monkeypatch, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed", reason="pip install 'curate[dask]'")
    monkeypatch.setattr("curate.kernels.choice.device_count", lambda: 0)
    with distributed.LocalCluster(n_workers=1, processes=False, dashboard_address=None) as cluster:
        address = cluster.scheduler_address
        with pytest.raises(EngineError, match=r"the worker on .*--device gpu: the driver .* offers no GPU"):
            run(recipe, str(tmp_path / "gpu"), engine="dask", address=address, device="gpu")
    assert not [*(tmp_path / "gpu/run").glob("receipts/**/*.json")]


def test_dask_without_dask_cuda_leaves_the_gpu_idle(
    compiler, recipe, as_gpu, monkeypatch, tmp_path: Path
) -> None:
    as_gpu(HostDevice(seed=2))
    monkeypatch.setitem(sys.modules, "dask_cuda", None)
    with pytest.raises(EngineError, match=r"dask_cuda(.|\n)*curate\[rapids\]"):
        run(recipe, str(tmp_path), engine="dask", device="gpu", workers=1)
    assert not [*tmp_path.iterdir()]


@pytest.mark.skipif(device_count() < 2, reason=f"two GPUs are needed, the driver offers {device_count()}")
class TestTwoGpus:
    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        for package in ("cupy", "dask_cuda", "rmm"):
            pytest.importorskip(package, reason="pip install 'curate[dask,rapids]'")

    def test_each_worker_has_its_own_and_rmms_pool(self) -> None:
        def facts() -> tuple[str, bool]:
            import cupy

            from curate.kernels.choice import kernels_on

            kernels_on("gpu")
            device = cupy.cuda.Device()
            return device.pci_bus_id, "rmm" in cupy.cuda.get_allocator().__module__

        engine = start("dask", EngineOptions(workers=2, device="gpu"))
        try:
            found = engine._client.run(facts).values()
        finally:
            engine.close()
        assert len({place for place, _ in found}) == 2
        assert all(from_rmm for _, from_rmm in found)

    def test_a_run_writes_the_same_bytes(self, recipe, reference, tmp_path: Path) -> None:
        run(recipe, str(tmp_path), engine="dask", device="gpu", workers=2)
        assert output_bytes(tmp_path) == reference
