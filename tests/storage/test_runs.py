"""Runs whose output, or sources too, are on an S3 server: the same bytes as on a disk, whatever happens on the way."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pyarrow.parquet as pq
import pytest

from curate.errors import OutputError, SourceError
from curate.estimate import estimate
from curate.io.files import join, list_folder, read_bytes, sizes_below
from curate.plan import plan
from curate.recipe import load_recipe
from curate.report import compute_stats, explain, verify, write_report
from curate.run import clean, run
from curate.synth import generate
from tests.run.corpora import RECIPE, write_corpora, write_recipe
from tests.run.outputs import output_bytes
from tests.storage.faults import Answer, Proxy, Request

ZYDA2 = Path(__file__).parents[2] / "pipelines/zyda2.yaml"
RECEIPTS = "/out/run/receipts/"


def remote_bytes(out: str) -> dict[str, str]:
    """What `output_bytes` says of a local run."""
    results = [path for path in sizes_below(out) if not path.startswith(("run/", "report/index.html"))]
    return {path: hashlib.sha256(read_bytes(join(out, path))).hexdigest() for path in results}


def receipts(proxy: Proxy) -> list[str]:
    """The receipts that were written, in the order of writing."""
    return [each.path for each in proxy.requests if each.kind == "PUT" and RECEIPTS in each.path]


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small corpora and their recipe."""
    folder = tmp_path_factory.mktemp("small")
    write_corpora(folder)
    write_recipe(folder)
    return folder


@pytest.fixture(scope="module")
def reference(corpora: Path) -> Path:
    """The output of a local run over them."""
    run(load_recipe(str(corpora / "recipe.yaml")), str(corpora / "reference"), workers=2)
    return corpora / "reference"


@pytest.fixture(scope="module")
def zyda2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with sample corpora and a local run of the Zyda-2 recipe."""
    folder = tmp_path_factory.mktemp("zyda2")
    generate(folder / "synth", 600, seed=3, workers=2, progress=lambda _: None)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run(load_recipe(str(ZYDA2)), "local", workers=2)
    return folder


def start(folder: Path, out: str, recipe: Path = ZYDA2, engine: str = "local") -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "curate", "run", str(recipe), "-o", out, "--engine", engine]
    command += ["--workers", "2", "--quiet"]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def test_a_killed_zyda2_run_resumes_to_the_bytes_of_the_local_one(
    zyda2: Path, bucket: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = f"{bucket}/out"
    process = start(zyda2, out)
    deadline = time.monotonic() + 120
    while process.poll() is None and len(receipts(proxy)) < 25 and time.monotonic() < deadline:
        time.sleep(0.005)
    assert process.poll() is None, "the run ended before it could be killed"
    process.kill()
    process.wait()
    assert f"{out}/run/lock" in list_folder(f"{out}/run")
    with pytest.raises(OutputError, match="no manifest"):
        verify(out)
    done = {*receipts(proxy)}
    proxy.clear()
    assert start(zyda2, out).wait() == 0
    # What was written in the moment of the kill may have been on its way to the store.
    assert len({*receipts(proxy)} & done) <= 2
    assert len({*receipts(proxy)} | done) == len(list((zyda2 / "local/run/receipts").rglob("*.json")))
    assert remote_bytes(out) == output_bytes(zyda2 / "local")
    assert b"s3://" not in read_bytes(f"{out}/manifest.json")
    assert f"{out}/run/lock" not in list_folder(f"{out}/run")

    monkeypatch.chdir(zyda2)
    assert verify(out) == []
    assert write_report(out) == compute_stats("local")
    dropped = pq.read_table("local/ledger/dclm").to_pylist()
    doc = next(row["doc"] for row in dropped if row["dropped_by"] == "fuzzy_dedup")
    assert explain(out, doc) == explain("local", doc)
    clean(out)
    assert not list_folder(f"{out}/run")
    assert verify(out) == []


def test_workers_in_other_processes_write_the_same_bytes(corpora: Path, reference: Path, bucket: str) -> None:
    pytest.importorskip("distributed", reason="needs dask")
    out = f"{bucket}/out"
    assert start(corpora, out, corpora / "recipe.yaml", engine="dask").wait() == 0
    assert remote_bytes(out) == output_bytes(reference)


def on_s3(corpora: Path, bucket: str, tmp_path: Path) -> Path:
    """The recipe of the same corpora in the bucket."""
    s3 = fsspec.filesystem("s3", use_listings_cache=False)
    for name in ("best", "middle", "last"):
        s3.put(f"{corpora}/{name}/", f"{bucket}/in/{name}/", recursive=True)
    path = tmp_path / "remote.yaml"
    path.write_text(RECIPE.replace("DATA", f"{bucket}/in"))
    return path


def test_a_run_through_throttling_errors_and_cut_connections_ends_in_the_same_bytes(
    corpora: Path, reference: Path, bucket: str, proxy: Proxy, tmp_path: Path
) -> None:
    recipe = load_recipe(str(on_s3(corpora, bucket, tmp_path)))
    faults = [
        Answer(503, "SlowDown"),
        Answer(500, "InternalError"),
        Answer(429, "TooManyRequests"),
        Answer(0),
    ]
    seen = 0
    before: list[Request] = []

    def sometimes(request: Request) -> Answer | None:
        nonlocal seen
        seen += 1
        # The same request is not refused twice, so that the test does not wait for long.
        if seen % 17 or request in before or request.kind in ("HEAD", "DELETE"):
            return None
        before.append(request)
        fault = faults[len(before) % len(faults)]
        return fault if fault.status or request.kind == "GET" else faults[0]

    proxy.fault = sometimes
    run(recipe, f"{bucket}/out", workers=2)
    proxy.clear()
    assert len(before) >= 10
    local, remote = output_bytes(reference), remote_bytes(f"{bucket}/out")
    assert {*local} == {*remote}
    different = {path for path in local if local[path] != remote[path]}
    assert different <= {"manifest.json", "README.md", "report/stats.json"}
    manifest = json.loads(read_bytes(f"{bucket}/out/manifest.json"))
    assert manifest["totals"] == json.loads((reference / "manifest.json").read_bytes())["totals"]
    assert estimate(plan(recipe)) is not None


def test_a_store_that_stays_busy_is_an_error_that_names_the_file(
    corpora: Path, bucket: str, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    proxy.fault = lambda request: Answer(503, "SlowDown") if "/layers/" in request.path else None
    with pytest.raises(OutputError, match=r"s3://corpora/out/run/layers/.*(SlowDown|reduce|busy|Busy)"):
        run(load_recipe(str(corpora / "recipe.yaml")), f"{bucket}/out", workers=2)
    proxy.clear()
    assert not [path for path in list_folder(f"{bucket}/out/run") if path.endswith(".parquet")]
    assert f"{bucket}/out/run/lock" not in list_folder(f"{bucket}/out/run")


def test_a_source_file_that_vanishes_is_an_error_that_names_it(
    corpora: Path, bucket: str, proxy: Proxy, tmp_path: Path
) -> None:
    recipe = load_recipe(str(on_s3(corpora, bucket, tmp_path)))

    def vanished(request: Request) -> Answer | None:
        begun = any("/run/recipe.json" in each.path for each in proxy.requests)
        return Answer(404, "NoSuchKey") if begun and "/in/middle/" in request.path else None

    proxy.fault = vanished
    with pytest.raises(SourceError, match=r"s3://corpora/in/middle/.*: the file is not there"):
        run(recipe, f"{bucket}/out", workers=2)


def test_a_source_file_that_is_replaced_while_it_is_read_is_an_error(
    corpora: Path, bucket: str, proxy: Proxy, tmp_path: Path
) -> None:
    recipe = load_recipe(str(on_s3(corpora, bucket, tmp_path)))
    reads = 0

    def replaced(request: Request) -> Answer | None:
        nonlocal reads
        begun = any("/run/recipe.json" in each.path for each in proxy.requests)
        if begun and request.kind == "GET" and "/in/last/a" in request.path:
            reads += 1
            if reads == 1:
                proxy.put(request.path, b'{"text": "another file", "id": "x"}\n')
        return None

    proxy.fault = replaced
    with pytest.raises(SourceError, match=r"s3://corpora/in/last/a.*the file changed "):
        run(recipe, f"{bucket}/out", workers=1)


@pytest.fixture
def one_source(tmp_path: Path) -> Iterator[Path]:
    """A folder for JSON lines files, and the recipe that reads them."""
    (tmp_path / "in").mkdir()
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(f'name: one\nsources: [{{name: s, path: "{tmp_path}/in/*.jsonl"}}]\n')
    return recipe


def test_listings_do_not_grow_with_the_files_and_requests_only_in_proportion(
    one_source: Path, bucket: str, proxy: Proxy
) -> None:
    counted = []
    for number, files in enumerate((1, 4, 7)):
        for file in range(files):
            (one_source.parent / f"in/{file}.jsonl").write_text('{"text": "a short text"}\n')
        proxy.clear()
        run(load_recipe(str(one_source)), f"{bucket}/out{number}", workers=2)
        lists = sum(request.kind == "LIST" for request in proxy.requests)
        counted.append((lists, len([each for each in proxy.requests if "/run/lock" not in each.path])))
    (lists, one), (lists_of_4, four), (lists_of_7, seven) = counted
    assert lists == lists_of_4 == lists_of_7
    assert seven - four == four - one
    assert four - one <= 3 * 12
