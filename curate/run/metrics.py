"""What a run has done so far, as OpenMetrics 1.0 text: in OUT/run/metrics.prom, and over HTTP for who asks.

The format is that of https://prometheus.io/docs/specs/om/open_metrics_spec/. Numbers count the work of this run; what
an earlier run had finished shows in `curate_tasks{state="done before"}` alone.
"""

from __future__ import annotations

import socket
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import curate
from curate.engines.task import Receipt, Task
from curate.errors import EngineError, Problem
from curate.io.files import atomic_write, join

METRICS = "run/metrics.prom"
CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
#: How often the file is written during a pass, in seconds.
_WRITE_EVERY = 10.0


@dataclass
class _PassCounts:
    tasks: int
    done_before: int
    done: int = 0
    documents: int = 0
    bytes_read: int = 0
    bytes_written: int = 0
    seconds: float = 0.0
    gpu_seconds: float = 0.0


class Metrics:
    """Counts of one run, kept by the thread that runs it and read by those that serve them.

    gpu: whether a task has a GPU to itself while it runs, so that its seconds are GPU seconds too.
    """

    def __init__(self, out: str, engine: str, gpu: bool) -> None:
        self._out = out
        self._engine = engine
        self._gpu = gpu
        self._passes: dict[str, _PassCounts] = {}
        self._stages: dict[str, tuple[int, float]] = defaultdict(lambda: (0, 0.0))
        self._retries = 0
        self._started = time.monotonic()
        self._written = -_WRITE_EVERY
        self._lock = threading.Lock()

    def pass_started(self, name: str, tasks: int, done_before: int) -> None:
        with self._lock:
            self._passes[name] = _PassCounts(tasks, done_before)
        self.write()

    def task_done(self, name: str, task: Task, receipt: Receipt, retries: int) -> None:
        """retries: of the run so far."""
        with self._lock:
            counts = self._passes[name]
            counts.done += 1
            counts.documents += receipt.facts.get("documents", 0)
            counts.bytes_read += task.bytes_read
            counts.bytes_written += sum(size for size, _ in receipt.outputs.values())
            counts.seconds += receipt.seconds
            counts.gpu_seconds += receipt.seconds if self._gpu else 0.0
            for stage, (documents, seconds) in receipt.stages.items():
                shown, spent = self._stages[stage]
                self._stages[stage] = (shown + documents, spent + seconds)
            self._retries = retries
        if time.monotonic() - self._written >= _WRITE_EVERY:
            self.write()

    def write(self) -> None:
        """Write OUT/run/metrics.prom as things stand."""
        self._written = time.monotonic()
        with atomic_write(join(self._out, METRICS)) as file:
            file.write(self.text().encode())

    def text(self) -> str:
        """All metrics as OpenMetrics text."""
        with self._lock:
            return "".join(
                [
                    _family(
                        "curate_run",
                        "info",
                        "What runs.",
                        [("_info", {"version": curate.__version__, "engine": self._engine}, 1)],
                    ),
                    _family(
                        "curate_run_seconds",
                        "gauge",
                        "Time since the run began.",
                        [("", {}, time.monotonic() - self._started)],
                    ),
                    _family(
                        "curate_task_retries",
                        "counter",
                        "Tasks started again because their worker died.",
                        [("_total", {}, self._retries)],
                    ),
                    *self._of_passes(),
                    *self._of_stages(),
                    "# EOF\n",
                ]
            )

    def _of_passes(self) -> Iterator[str]:
        states = []
        for name, counts in self._passes.items():
            waiting = counts.tasks - counts.done_before - counts.done
            for state, number in (
                ("done before", counts.done_before),
                ("done", counts.done),
                ("to do", waiting),
            ):
                states.append(("", {"pass": name, "state": state}, number))
        yield _family("curate_tasks", "gauge", "Tasks of a pass.", states)
        for family, field, help_text in (
            ("curate_pass_documents", "documents", "Documents that tasks went over."),
            ("curate_pass_read_bytes", "bytes_read", "Size of source files that tasks read."),
            ("curate_pass_written_bytes", "bytes_written", "Size of files that tasks wrote."),
            ("curate_pass_task_seconds", "seconds", "Time that tasks took, added up over workers."),
            ("curate_pass_gpu_seconds", "gpu_seconds", "Time that tasks held a GPU, added up over GPUs."),
        ):
            samples = [
                ("_total", {"pass": name}, getattr(counts, field)) for name, counts in self._passes.items()
            ]
            yield _family(family, "counter", help_text, samples)

    def _of_stages(self) -> Iterator[str]:
        for family, place, help_text in (
            ("curate_stage_documents", 0, "Documents that were shown to a stage."),
            ("curate_stage_seconds", 1, "Time that a stage took over texts, added up over workers."),
        ):
            samples = [("_total", {"stage": stage}, spent[place]) for stage, spent in self._stages.items()]
            yield _family(family, "counter", help_text, samples)

    @contextmanager
    def published(self, port: int | None) -> Iterator[str | None]:
        """Writes the file when the block begins and ends; serves the text at `port` meanwhile. Gives the URL.

        port: None not to serve, 0 for any free one. Raises EngineError where the port cannot be had.
        """
        self.write()
        server = None if port is None else _serve(self, port)
        try:
            yield f"http://{socket.gethostname()}:{server.server_address[1]}/metrics" if server else None
        finally:
            if server:
                server.shutdown()
                server.server_close()
            self.write()


def _family(
    name: str, kind: str, help_text: str, samples: Sequence[tuple[str, Mapping[str, str], float]]
) -> str:
    """One metric family; names that end in _seconds or _bytes have that unit."""
    unit = name.rpartition("_")[2]
    lines = [f"# TYPE {name} {kind}"]
    if unit in ("seconds", "bytes"):
        lines.append(f"# UNIT {name} {unit}")
    lines.append(f"# HELP {name} {help_text}")
    for suffix, labels, value in samples:
        shown = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
        lines.append(
            f"{name}{suffix}{{{shown}}} {value:.6f}"
            if isinstance(value, float)
            else f"{name}{suffix}{{{shown}}} {value}"
        )
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _serve(metrics: Metrics, port: int) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.partition("?")[0] not in ("/", "/metrics"):
                self.send_error(404)
                return
            body = metrics.text().encode()
            self.send_response(200)
            self.send_header("Content-Type", CONTENT_TYPE)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return None

    try:
        server = ThreadingHTTPServer(("", port), Handler)
    except OSError as error:
        raise EngineError(
            Problem(f"--metrics-port {port}", f"cannot be had: {error.strerror}", fix="choose another, or 0")
        ) from error
    threading.Thread(target=server.serve_forever, name="metrics", daemon=True).start()
    return server
