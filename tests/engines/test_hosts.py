"""A cluster of several hosts whose parts die while it works; its output is that of one machine.

The hosts are network namespaces, so links between them can be cut. They share this machine's files, which makes a host
that is cut off a worse case than one that loses its network file system as well: it goes on writing.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from curate.recipe import load_recipe
from curate.run import run
from curate.synth import generate
from tests.engines.clusters import Processes, processes, start_scheduler, start_worker, wait_until
from tests.engines.conftest import ZYDA2
from tests.engines.hosts import Host, three_hosts, why_not
from tests.run.outputs import output_bytes, receipt_times

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
CUT_SECONDS = 20


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], dict[str, str]]:
    """The recipe's settings, and the digests of what one machine makes of it."""
    folder = tmp_path_factory.mktemp("corpora")
    generate(folder / "synth", 4000, seed=5, workers=2, progress=lambda finished: None)
    settings = [f"vars.data={folder / 'synth'}", "output.shard_bytes=500kB"]
    run(load_recipe(ZYDA2, settings), str(folder / "out"), workers=2)
    return settings, output_bytes(folder / "out")


@pytest.fixture
def hosts() -> Iterator[list[Host]]:
    with three_hosts() as made:
        yield made


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Processes]:
    with processes(tmp_path) as made:
        yield made


def coordinator(
    running: Processes,
    host: Host,
    out: Path,
    settings: list[str],
    *options: str,
    environment: dict[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    set_options = [part for setting in settings for part in ("--set", setting)]
    return running.start(
        *("curate", "run", str(ZYDA2), "-o", str(out), *set_options, *options),
        prefix=host.enter,
        environment=environment,
    )


def done(out: Path) -> int:
    return len(receipt_times(out))


def test_dask(
    hosts: list[Host], running: Processes, corpora: tuple[list[str], dict[str, str]], tmp_path: Path
) -> None:
    settings, reference = corpora
    head, second, third = hosts
    file, out = tmp_path / "scheduler.json", tmp_path / "out"
    address = f"tcp://{head.address}:8786"

    def start_head() -> subprocess.Popen[bytes]:
        return start_scheduler(
            running, file, worker_ttl="8s", host=head.address, port=8786, prefix=head.enter
        )

    def start_workers(host: Host) -> subprocess.Popen[bytes]:
        return start_worker(running, file, "--host", host.address, "--nworkers", "2", prefix=host.enter)

    scheduler = start_head()
    for host in (second, third):
        start_workers(host)
    # One document at a time, so that tasks are long enough to be disturbed.
    options = ["--engine", "dask", "--address", address, "--batch-documents", "1"]
    first = coordinator(running, head, out, settings, *options)
    wait_until(lambda: done(out) >= 1, "a task is done")
    with third.cut_off():
        began = time.monotonic()
        os.kill(worker_process(second), signal.SIGKILL)
        time.sleep(max(0.0, CUT_SECONDS - (time.monotonic() - began)))
    before = done(out)
    wait_until(lambda: done(out) > before or first.poll() is not None, "the cluster works on")
    assert first.poll() is None, "the run was over before the scheduler could be killed"
    running.kill(scheduler)
    assert first.wait(120) == 1
    assert "does not answer any more" in running.log.read_text()
    kept = receipt_times(out)

    # Dask's workers end with their scheduler.
    start_head()
    for host in (second, third):
        start_workers(host)
    assert coordinator(running, head, out, settings, *options).wait(200) == 0
    assert output_bytes(out) == reference
    after = receipt_times(out)
    assert sum(after[path] == when for path, when in kept.items()) >= len(kept) - 4, (
        "finished tasks were kept"
    )


def test_ray(
    hosts: list[Host], running: Processes, corpora: tuple[list[str], dict[str, str]], tmp_path: Path
) -> None:
    pytest.importorskip("ray")
    settings, reference = corpora
    head, second, third = hosts
    out = tmp_path / "out"
    token = tmp_path / "token"
    token.write_text(secrets.token_hex(32))
    # A head asks for a token unless told otherwise; this one is the test's own.
    environment = {
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN_PATH": str(token),
    }

    def start_node(host: Host, *arguments: str) -> subprocess.Popen[bytes]:
        return running.start(
            *("ray.scripts.scripts", "start", "--block", "--node-ip-address", host.address),
            *("--object-store-memory", "100000000", *arguments),
            prefix=host.enter,
            environment=environment,
        )

    def start_cluster() -> list[subprocess.Popen[bytes]]:
        first = start_node(
            head, "--head", "--port", "6379", "--num-cpus", "0", "--include-dashboard", "false"
        )
        time.sleep(10)
        return [
            first,
            *(
                start_node(host, "--address", f"{head.address}:6379", "--num-cpus", "2")
                for host in (second, third)
            ),
        ]

    nodes = start_cluster()
    options = ["--engine", "ray", "--address", f"{head.address}:6379", "--batch-documents", "1"]
    first = coordinator(running, head, out, settings, *options, environment=environment)
    wait_until(lambda: done(out) >= 1, "a task is done")
    with third.cut_off():
        began = time.monotonic()
        running.kill(nodes[1])
        nodes.append(start_node(second, "--address", f"{head.address}:6379", "--num-cpus", "2"))
        time.sleep(max(0.0, CUT_SECONDS - (time.monotonic() - began)))
    before = done(out)
    wait_until(lambda: done(out) > before or first.poll() is not None, "the cluster works on")
    assert first.poll() is None, "the run was over before the head could be killed"
    running.kill(nodes[0])
    assert first.wait(200) != 0
    for node in nodes:
        running.kill(node)

    start_cluster()
    assert coordinator(running, head, out, settings, *options, environment=environment).wait(200) == 0
    assert output_bytes(out) == reference


def worker_process(host: Host) -> int:
    """A process of a Dask worker on the host: a child of its nanny."""
    inside = subprocess.run(["ip", "netns", "pids", host.name], capture_output=True, text=True, check=True)
    for number in inside.stdout.split():
        if b"spawn_main" in Path(f"/proc/{number}/cmdline").read_bytes():
            return int(number)
    raise AssertionError(f"no worker on {host.name}")
