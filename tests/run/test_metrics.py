"""The metrics of a run: valid OpenMetrics with the right numbers, in a file and over HTTP."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest

from curate.errors import EngineError
from curate.progress import Silent
from curate.recipe import load_recipe
from curate.run import run
from tests.run.corpora import write_corpora, write_recipe

parser = pytest.importorskip("prometheus_client.openmetrics.parser")


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Name and labels' values -> value, as prometheus_client's strict parser reads them."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in parser.text_string_to_metric_families(text)
        for sample in family.samples
    }


class Scraping(Silent):
    """Asks for the metrics each time a pass ends."""

    def __init__(self) -> None:
        self.url = ""
        self.scraped: list[tuple[str, str]] = []

    def note(self, message: str) -> None:
        if message.startswith("metrics: "):
            port = message.rpartition(":")[2]
            self.url = f"http://127.0.0.1:{port}"

    def pass_finished(self, name: str, seconds: float) -> None:
        with urllib.request.urlopen(self.url) as answer:
            self.scraped.append((answer.headers["Content-Type"], answer.read().decode()))


@pytest.fixture
def recipe(tmp_path: Path) -> str:
    write_corpora(tmp_path)
    return str(write_recipe(tmp_path))


def test_file_and_endpoint(recipe: str, tmp_path: Path) -> None:
    watching = Scraping()
    out = tmp_path / "out"
    run(load_recipe(recipe), str(out), metrics_port=0, progress=watching)
    kinds = {kind for kind, _ in watching.scraped}
    assert kinds == {"application/openmetrics-text; version=1.0.0; charset=utf-8"}
    found = samples((out / "run/metrics.prom").read_text())
    files = [*tmp_path.glob("best/*"), *tmp_path.glob("middle/*"), *tmp_path.glob("last/*")]
    assert found["curate_pass_documents_total", "documents-1"] == 80 + 40 + 40
    assert found["curate_pass_read_bytes_total", "documents-1"] == sum(path.stat().st_size for path in files)
    shards = sum(path.stat().st_size for path in out.glob("data/*.parquet"))
    assert found["curate_pass_written_bytes_total", "write"] == shards
    assert found["curate_tasks", "documents-1", "done"] == len(files)
    assert found["curate_stage_documents_total", "where"] == 80
    stats = json.loads((out / "report/stats.json").read_text())
    shown = {
        stage["name"]: sum(one["documents_in"] for one in stage["sources"].values())
        for stage in stats["stages"]
    }
    assert found["curate_stage_documents_total", "heuristics"] == shown["heuristics"]
    seconds = sum(json.loads(path.read_text())["seconds"] for path in out.glob("run/receipts/write/*.json"))
    assert found["curate_pass_task_seconds_total", "write"] == pytest.approx(seconds)
    assert found["curate_pass_gpu_seconds_total", "write"] == 0
    assert found["curate_task_retries_total",] == 0
    halfway = samples(watching.scraped[0][1])
    assert ("curate_tasks", "write", "done") not in halfway
    assert halfway["curate_tasks", "documents-1", "done"] == len(files)


def test_a_resumed_run_counts_its_own_work(recipe: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(load_recipe(recipe), str(out))
    run(load_recipe(recipe), str(out))
    found = samples((out / "run/metrics.prom").read_text())
    assert found["curate_tasks", "documents-1", "done before"] == 5
    assert found["curate_tasks", "documents-1", "done"] == 0
    assert found["curate_pass_documents_total", "documents-1"] == 0


def test_a_port_in_use(recipe: str, tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EngineError, match=f"--metrics-port {port}"):
            run(load_recipe(recipe), str(tmp_path / "out"), metrics_port=port)
