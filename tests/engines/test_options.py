"""Which engine is started, with which options; what does not fit is an error before anything starts."""

from __future__ import annotations

import socket
import subprocess
import sys
import types
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from curate.engines import EngineOptions, ensure_fitting, start
from curate.engines.remote import Failed, Order, attempt
from curate.engines.software import software
from curate.errors import EngineError
from curate.io import lease
from tests.engines.clusters import waiting_task


@pytest.mark.parametrize(
    ("engine", "options", "words"),
    [
        ("slurm", EngineOptions(), "--engine: slurm\n  expected: one of local, dask, ray"),
        (
            "local",
            EngineOptions(address="tcp://h:1"),
            "--address: means nothing to --engine local\n  expected: --engine dask or ray",
        ),
        ("local", EngineOptions(dashboard=True), "--dashboard: means nothing to --engine local"),
        (
            "ray",
            EngineOptions(scheduler_file="s.json"),
            "--scheduler-file: means nothing to --engine ray\n  expected: --engine dask",
        ),
        ("dask", EngineOptions(address="a", scheduler_file="b"), "--scheduler-file: given together with"),
        (
            "dask",
            EngineOptions(address="a", workers=3),
            "--workers: given for a cluster that is there already",
        ),
    ],
)
def test_options_that_do_not_fit(engine: str, options: EngineOptions, words: str) -> None:
    with pytest.raises(EngineError) as caught:
        ensure_fitting(engine, options)
    assert words in str(caught.value)


def test_an_engine_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "curate.engines.dask", raising=False)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(EngineError, match=r"pip install 'curate\[dask\]'"):
        start("dask", EngineOptions())


def test_nothing_heavy_is_imported_before_it_is_asked_for() -> None:
    code = "import sys, curate.engines, curate.run; print({'dask', 'distributed', 'ray'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_an_address_where_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    module = pytest.importorskip("curate.engines.dask")
    monkeypatch.setattr(module, "CONNECT_TIMEOUT", 1)
    with pytest.raises(EngineError, match="no Dask scheduler answers"):
        start("dask", EngineOptions(address="tcp://127.0.0.1:9"))


def test_the_dashboard_is_where_it_says() -> None:
    pytest.importorskip("distributed")
    engine = start("dask", EngineOptions(workers=1, dashboard=True))
    try:
        assert engine.dashboard is not None
        address = urlsplit(engine.dashboard)
        with socket.create_connection((address.hostname, address.port), timeout=10):
            pass
    finally:
        engine.close()


class TestGpu:
    """`device="gpu"` is dask-cuda's cluster: here a stub that starts plain workers and notes what it was given."""

    @pytest.fixture
    def asked(self, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
        distributed = pytest.importorskip("distributed")
        calls: list[dict[str, Any]] = []

        def cluster(*, n_workers: int | None, rmm_pool_size: float, **options: Any) -> Any:
            calls.append({"n_workers": n_workers, "rmm_pool_size": rmm_pool_size, **options})
            return distributed.LocalCluster(n_workers=n_workers or 2, processes=False, **options)

        stub = types.ModuleType("dask_cuda")
        stub.LocalCUDACluster = cluster  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "dask_cuda", stub)
        monkeypatch.setattr("curate.engines.remote.kernels_on", lambda device: None)
        return calls

    @pytest.mark.parametrize(("workers", "slots"), [(None, 2), (1, 1)])
    def test_a_worker_a_gpu(
        self, asked: list[dict[str, Any]], workers: int | None, slots: int, tmp_path: Path
    ) -> None:
        lease.take(str(tmp_path))
        (tmp_path / "go").touch()
        engine = start("dask", EngineOptions(workers=workers, device="gpu"))
        try:
            assert engine.slots() == slots
            tasks = [waiting_task(f"t{number}") for number in range(3)]
            assert {task.name for task, _ in engine.map(tasks, str(tmp_path))} == {"t0", "t1", "t2"}
        finally:
            engine.close()
        (call,) = asked
        assert (call["n_workers"], call["threads_per_worker"]) == (workers, 1)
        assert 0 < call["rmm_pool_size"] < 1

    def test_without_dask_cuda(self, monkeypatch: pytest.MonkeyPatch) -> None:
        pytest.importorskip("distributed")
        monkeypatch.setitem(sys.modules, "dask_cuda", None)
        with pytest.raises(EngineError, match=r"dask_cuda is not installed(.|\n)*curate\[rapids\]"):
            start("dask", EngineOptions(device="gpu"))


class TestWorker:
    """What a worker finds out before its first task."""

    def order(self, out: Path, **changed: str) -> Order:
        return Order(waiting_task("x"), str(out), lease.take(str(out)), {**software(), **changed})

    def failure(self, order: Order) -> str:
        outcome = attempt(order)
        assert isinstance(outcome, Failed)
        assert isinstance(outcome.error, EngineError)
        return str(outcome.error)

    def test_other_software(self, tmp_path: Path) -> None:
        words = self.failure(self.order(tmp_path, pyarrow="0.1", Python="2.7"))
        assert f"pyarrow {software()['pyarrow']} (here 0.1)" in words
        assert f"Python {sys.version_info.major}.{sys.version_info.minor} (here 2.7)" in words
        assert "install the same versions on every host" in words

    def test_output_that_is_not_shared(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("curate.engines.remote._SHOWS_WITHIN", 0.3)
        order = self.order(tmp_path / "here")
        elsewhere = Order(order.task, str(tmp_path / "there"), order.lease, order.software)
        words = self.failure(elsewhere)
        assert words.startswith(f"{tmp_path / 'there'}: the worker on ")
        assert "does not find there the run/lease.json" in words
        assert "mount it on every host" in words

    def test_a_task_handed_out_before_another_run_took_over(self, tmp_path: Path) -> None:
        (tmp_path / "go").touch()
        order = self.order(tmp_path)
        assert not isinstance(attempt(order), Failed)
        (tmp_path / "data/x.txt").unlink()
        lease.take(str(tmp_path))
        assert "was taken over by process" in self.failure(order)
        assert not (tmp_path / "data/x.txt").exists()
