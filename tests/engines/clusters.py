"""Real processes to disturb: Dask schedulers and workers, coordinators, and tasks that wait for the test."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from curate.engines.task import Facts, Task

REPOSITORY = Path(__file__).parents[2]
PATIENCE = 120.0


def wait_until(holds: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain until {what}"
        time.sleep(0.02)


@dataclass
class Processes:
    """Processes that end with the test. prefix: what every command begins with, such as `ip netns exec`."""

    log: Path
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(
        self, *command: str, prefix: Sequence[str] = (), environment: dict[str, str] | None = None
    ) -> subprocess.Popen[bytes]:
        """Starts `python -m command` in a session of its own."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                [*prefix, sys.executable, "-W", "ignore", "-m", *command],
                stdout=log,
                stderr=log,
                cwd=REPOSITORY,
                env={**os.environ, "PYTHONPATH": str(REPOSITORY), **(environment or {})},
                start_new_session=True,
            )
        self.started.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """SIGKILL to the process and its children."""
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGCONT)
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def kill_all(self) -> None:
        for process in self.started:
            self.kill(process)


@contextmanager
def processes(folder: Path) -> Iterator[Processes]:
    made = Processes(folder / "processes.log")
    try:
        yield made
    finally:
        made.kill_all()


def start_scheduler(
    running: Processes, file: Path, *, worker_ttl: str = "5 minutes", host: str = "127.0.0.1", **options: Any
) -> subprocess.Popen[bytes]:
    file.unlink(missing_ok=True)
    scheduler = running.start(
        *("distributed.cli.dask_scheduler", "--scheduler-file", str(file), "--no-dashboard", "--host", host),
        *("--port", str(options.pop("port", 0))),
        environment={"DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL": worker_ttl},
        **options,
    )
    wait_until(file.exists, "the scheduler has started")
    return scheduler


def start_worker(running: Processes, file: Path, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    return running.start(
        *("distributed.cli.dask_worker", "--scheduler-file", str(file), "--nthreads", "1", "--no-dashboard"),
        *arguments,
        **options,
    )


def waiting_task(name: str) -> Task:
    return Task(name, write_when_let, name, {"name": name}, (f"data/{name}.txt",))


def write_when_let(out: str, name: str) -> Facts:
    """Signs in with its process number and writes once `go-<that number>` or `go` stands in the folder."""
    folder = Path(out)
    mine = folder / f"here-{name}-{os.getpid()}"
    mine.touch()
    gates = [folder / f"go-{os.getpid()}", folder / "go"]
    wait_until(lambda: any(gate.exists() for gate in gates), "the test lets the task go on")
    from curate.io.files import atomic_write, join

    with atomic_write(join(out, f"data/{name}.txt")) as file:
        file.write(f"{name}\n".encode())
    mine.with_name(f"wrote-{name}-{os.getpid()}").touch()
    return {"documents": 1}


def at_work(out: Path, name: str) -> list[int]:
    """Process numbers of the workers that have begun the task."""
    return sorted(int(path.name.rpartition("-")[2]) for path in out.glob(f"here-{name}-*"))


def failing_task(name: str) -> Task:
    return Task(name, fail, name, {"name": name}, ())


def fail(out: str, name: str) -> Facts:
    from curate.errors import Problem, SourceError

    raise SourceError(Problem(f"{name}.parquet", "the file is not there", fix="put it back"))


def failing_beside(name: str, other: str) -> Task:
    """As `failing_task`, once a worker has begun `other`: until then an engine would rightly not begin it any more."""
    return Task(name, fail_beside, (name, other), {"name": name, "other": other}, ())


def fail_beside(out: str, names: tuple[str, str]) -> Facts:
    name, other = names
    wait_until(lambda: bool(at_work(Path(out), other)), "the other task is under way")
    return fail(out, name)


def odd_task(name: str) -> Task:
    return Task(name, fail_oddly, name, {"name": name}, ())


class OddError(Exception):
    """An exception that pickle cannot make again."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(first + second)


def fail_oddly(out: str, name: str) -> Facts:
    raise OddError(name, " went wrong")
