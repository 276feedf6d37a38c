"""Every engine, on real processes: the same bytes, the same errors, and the same bytes after parts of it died."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from curate.engines import ENGINES, Engine, EngineOptions, start
from curate.engines.task import Receipt, Task
from curate.errors import EngineError, SourceError
from curate.io import lease
from curate.models.registry import resolve
from curate.recipe import Recipe, load_recipe
from curate.run import run
from tests.engines.clusters import (
    REPOSITORY,
    Processes,
    at_work,
    failing_beside,
    failing_task,
    odd_task,
    processes,
    start_scheduler,
    start_worker,
    wait_until,
    waiting_task,
)
from tests.engines.conftest import ZYDA2
from tests.run.corpora import RECIPE, write_corpora
from tests.run.outputs import output_bytes, receipt_times

# Ray leaves sockets and files for the interpreter to close.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::FutureWarning")
REMOTE = [name for name in ENGINES if name != "local"]


@pytest.fixture(scope="module", params=REMOTE)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    """An engine with two workers that it has started, shared by tests that leave it alive."""
    pytest.importorskip({"dask": "distributed"}.get(request.param, request.param))
    made = start(request.param, EngineOptions(workers=2))
    yield made
    made.close()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    lease.take(str(tmp_path))
    return tmp_path


class Mapping(threading.Thread):
    """Carries out tasks in a thread, so that the test can disturb them."""

    def __init__(self, engine: Engine, tasks: list[Task], out: Path) -> None:
        super().__init__(daemon=True)
        self._arguments = engine, tasks, str(out)
        self.receipts: dict[str, Receipt] = {}
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        engine, tasks, out = self._arguments
        try:
            for task, receipt in engine.map(tasks, out):
                self.receipts[task.name] = receipt
        except BaseException as error:
            self.error = error

    def finish(self) -> dict[str, Receipt]:
        self.join(120)
        assert not self.is_alive()
        if self.error:
            raise self.error
        return self.receipts


@pytest.mark.parametrize("name", REMOTE)
def test_zyda2_comes_out_in_the_same_bytes(
    name: str, recipe: Recipe, reference: dict[str, str], tmp_path: Path
) -> None:
    run(recipe, str(tmp_path), workers=2, engine=name)
    assert output_bytes(tmp_path) == reference


def test_a_tasks_own_error_is_raised(engine: Engine, out: Path) -> None:
    with pytest.raises(SourceError) as caught:
        list(engine.map([failing_task("part-7")], str(out)))
    (problem,) = caught.value.problems
    assert (problem.where, problem.found, problem.fix) == (
        "part-7.parquet",
        "the file is not there",
        "put it back",
    )
    assert any("fail(out" in note or "in fail" in note for note in caught.value.__notes__)


def test_an_error_that_cannot_travel_still_says_what_was_wrong(engine: Engine, out: Path) -> None:
    with pytest.raises(RuntimeError, match="OddError: part-8 went wrong"):
        list(engine.map([odd_task("part-8")], str(out)))


def test_after_a_failure_nothing_is_committed(engine: Engine, out: Path) -> None:
    mapping = Mapping(engine, [waiting_task("slow"), failing_beside("part-9", "slow")], out)
    wait_until(
        lambda: bool(at_work(out, "slow")) and mapping.error is not None, "one works and one has failed"
    )
    assert isinstance(mapping.error, SourceError)
    (out / "go").touch()
    time.sleep(1)
    assert not (out / "data/slow.txt").exists()
    assert not (out / "run/receipts/slow.json").exists()


def test_tasks_in_flight_are_bounded(engine: Engine, out: Path) -> None:
    tasks = [waiting_task(f"t{number}") for number in range(40)]
    taken: list[str] = []

    class Counted(list[Task]):
        def __iter__(self) -> Iterator[Task]:
            for task in tasks:
                taken.append(task.name)
                yield task

    mapping = Mapping(engine, Counted(tasks), out)
    wait_until(lambda: len(list(out.glob("here-*"))) >= 2, "two tasks are under way")
    time.sleep(0.5)
    assert len(taken) <= 8
    (out / "go").touch()
    assert sorted(mapping.finish()) == sorted(task.name for task in tasks)


def test_a_worker_killed_mid_task(engine: Engine, out: Path) -> None:
    before = engine.retries
    mapping = Mapping(engine, [waiting_task("a"), waiting_task("b")], out)
    wait_until(lambda: bool(at_work(out, "a") and at_work(out, "b")), "both tasks are under way")
    (victim,) = at_work(out, "a")
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: len(at_work(out, "a")) == 2, "the task has been started again")
    (out / "go").touch()
    assert sorted(mapping.finish()) == ["a", "b"]
    assert (out / "data/a.txt").read_text() == "a\n"
    assert engine.retries - before == 1


def test_workers_that_keep_dying_are_an_error(engine: Engine, out: Path) -> None:
    mapping = Mapping(engine, [waiting_task("deadly")], out)
    killed: set[int] = set()
    while mapping.is_alive():
        for victim in set(at_work(out, "deadly")) - killed:
            killed.add(victim)
            os.kill(victim, signal.SIGKILL)
        time.sleep(0.02)
    assert isinstance(mapping.error, EngineError)
    assert len(killed) == 4
    assert "task deadly: 4 workers died while they carried it out" in str(mapping.error)


@pytest.mark.parametrize(("first", "then"), [("dask", "local"), ("ray", "dask")])
def test_coordinator_killed_and_resumed_under_another_engine(
    first: str, then: str, recipe: Recipe, settings: list[str], reference: dict[str, str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    options = [part for setting in settings for part in ("--set", setting)]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "curate", "run", str(ZYDA2), "-o", str(out), *options),
            *("--engine", first, "--workers", "2", "--quiet"),
        ],
        cwd=REPOSITORY,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    wait_until(lambda: len(receipt_times(out)) >= 3 or process.poll() is not None, "three tasks are done")
    process.kill()
    process.wait()
    kept = receipt_times(out)
    run(recipe, str(out), workers=2, engine=then)
    assert output_bytes(out) == reference
    after = receipt_times(out)
    assert {path: after[path] for path in kept} == kept


class TestDaskCluster:
    """A scheduler and workers that were there before."""

    @pytest.fixture
    def running(self, tmp_path: Path) -> Iterator[Processes]:
        with processes(tmp_path) as made:
            yield made

    def test_run_loses_a_worker_and_then_the_scheduler(
        self, running: Processes, recipe: Recipe, reference: dict[str, str], tmp_path: Path
    ) -> None:
        file, out = tmp_path / "scheduler.json", tmp_path / "out"
        scheduler = start_scheduler(running, file)
        workers = [start_worker(running, file, "--no-nanny") for _ in range(2)]
        failure: list[BaseException] = []

        def carry_out() -> None:
            try:
                run(recipe, str(out), engine="dask", scheduler_file=str(file), batch_documents=1)
            except EngineError as error:
                failure.append(error)

        coordinator = threading.Thread(target=carry_out)
        coordinator.start()
        wait_until(lambda: len(receipt_times(out)) >= 1, "a task is done")
        running.kill(workers[0])
        wait_until(lambda: len(receipt_times(out)) >= 3, "three tasks are done")
        running.kill(scheduler)
        coordinator.join()
        assert "does not answer any more" in str(failure[0])
        running.kill_all()
        scheduler = start_scheduler(running, file)
        start_worker(running, file, "--no-nanny")
        address = json.loads(file.read_text())["address"]
        run(recipe, str(out), engine="dask", address=address)
        assert output_bytes(out) == reference

    def test_relative_paths_mean_the_coordinators_folder(
        self, running: Processes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = tmp_path / "scheduler.json"
        start_scheduler(running, file)
        start_worker(running, file, "--no-nanny")
        write_corpora(tmp_path)
        monkeypatch.chdir(tmp_path)
        shutil.copy(resolve("quality-default"), "own.ftz")
        stage = "  - quality: {model: own.ftz, keep: [High, Medium, Low]}\n  - exact_dedup"
        text = RECIPE.replace("  - exact_dedup", stage).replace("DATA/", "")
        Path("recipe.yaml").write_text(text)
        run(load_recipe("recipe.yaml"), "straight")
        run(load_recipe("recipe.yaml"), "out", engine="dask", scheduler_file="scheduler.json")
        assert output_bytes(Path("out")) == output_bytes(Path("straight"))

    def test_a_worker_taken_for_dead_comes_back_and_finishes_too(self, running: Processes, out: Path) -> None:
        file = out / "scheduler.json"
        start_scheduler(running, file, worker_ttl="3s")
        for _ in range(2):
            start_worker(running, file, "--no-nanny")
        engine = start("dask", EngineOptions(scheduler_file=str(file)))
        try:
            mapping = Mapping(engine, [waiting_task("twice")], out)
            wait_until(lambda: bool(at_work(out, "twice")), "the task is under way")
            (cut_off,) = at_work(out, "twice")
            os.kill(cut_off, signal.SIGSTOP)
            wait_until(lambda: len(at_work(out, "twice")) == 2, "another worker has the task")
            (other,) = set(at_work(out, "twice")) - {cut_off}
            (out / f"go-{other}").touch()
            receipt = mapping.finish()["twice"]
            written = (out / "data/twice.txt").read_bytes()
            os.kill(cut_off, signal.SIGCONT)
            (out / f"go-{cut_off}").touch()
            wait_until((out / f"wrote-twice-{cut_off}").exists, "the first worker has written, too")
        finally:
            engine.close()
        assert (out / "data/twice.txt").read_bytes() == written
        kept = json.loads((out / "run/receipts/twice.json").read_text())
        assert {name: tuple(found) for name, found in kept["outputs"].items()} == receipt.outputs
        assert engine.retries == 1

    def test_a_worker_of_a_former_run_commits_nothing(self, running: Processes, out: Path) -> None:
        file = out / "scheduler.json"
        start_scheduler(running, file)
        start_worker(running, file, "--no-nanny")
        engine = start("dask", EngineOptions(scheduler_file=str(file)))
        try:
            Mapping(engine, [waiting_task("late")], out)
            wait_until(lambda: bool(at_work(out, "late")), "the task is under way")
            lease.take(str(out))
            (out / "go").touch()
            time.sleep(2)
            assert not (out / "data/late.txt").exists()
            assert not list(out.rglob("*.partial"))
        finally:
            engine.close()
