"""Sources and output on Google Cloud Storage, by an emulator over HTTP: the same bytes as on a disk."""

from __future__ import annotations

import os

# Asks for the kind of each bucket over gRPC, which no emulator answers; gcsfs reads this when it is imported.
os.environ["GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"] = "false"

import json
import subprocess
import sys
import time
from pathlib import Path

import fsspec
import pytest

from curate.errors import SourceError
from curate.io import object_lock
from curate.io.files import (
    atomic_write,
    list_folder,
    open_binary,
    read_bytes,
    read_json,
    recording,
    sha256_of,
)
from curate.io.lock import hold
from curate.recipe import load_recipe
from curate.report import verify
from curate.run import clean, run
from tests.run.corpora import RECIPE, write_corpora, write_recipe
from tests.run.outputs import output_bytes
from tests.storage.competing import hold_at_once
from tests.storage.conftest import Generations
from tests.storage.faults import Answer, Proxy, Request
from tests.storage.test_runs import remote_bytes


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small corpora, their recipe, and a local run of it."""
    folder = tmp_path_factory.mktemp("small")
    write_corpora(folder)
    write_recipe(folder)
    run(load_recipe(str(folder / "recipe.yaml")), str(folder / "reference"), workers=2)
    return folder


def receipts(google: Proxy) -> list[str]:
    """The receipts that are there, in the order of writing."""
    assert isinstance(google.fault, Generations)
    return [name for name in tuple(google.fault.names) if name.startswith("out/run/receipts/")]


@pytest.mark.filterwarnings(
    "ignore:Sending a large body:ResourceWarning"
)  # gcsfs to aiohttp: a part of 50 MB
def test_a_file_is_written_in_one_step_and_a_large_one_in_parts(google_bucket: str, google: Proxy) -> None:
    path = f"{google_bucket}/out/large.bin"
    with recording() as written, atomic_write(path) as file:
        for block in range(101):
            file.write(bytes([block]) * (1 << 20))
    assert len([request for request in google.requests if "upload_id=" in request.query]) >= 2, "parts"
    assert written[path].sha256 == sha256_of(path)
    with open_binary(path) as read:
        read.seek((77 << 20) - 1)
        assert read.read(2) == bytes([76, 77])
    google.clear()
    with pytest.raises(ZeroDivisionError), atomic_write(f"{google_bucket}/out/a.bin"):
        raise ZeroDivisionError
    assert google.requests == []


def test_a_killed_run_resumes_to_the_bytes_of_the_local_one(
    corpora: Path, google_bucket: str, google: Proxy
) -> None:
    out = f"{google_bucket}/out"
    command = [sys.executable, "-m", "curate", "run", "recipe.yaml", "-o", out, "--workers", "2", "--quiet"]
    process = subprocess.Popen(command, cwd=corpora, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while process.poll() is None and len(receipts(google)) < 6 and time.monotonic() < deadline:
        time.sleep(0.005)
    assert process.poll() is None, "the run ended before it could be killed"
    process.kill()
    process.wait()
    assert f"{out}/run/lock" in list_folder(f"{out}/run")
    done = {*receipts(google)}
    google.requests.clear()
    assert subprocess.run(command, cwd=corpora, check=False).returncode == 0
    again = {name for name in done for request in google.requests if name.encode() in request.body[:2000]}
    assert len(again) <= 2, "what was under way when the run was killed"
    assert remote_bytes(out) == output_bytes(corpora / "reference")
    assert f"{out}/run/lock" not in list_folder(f"{out}/run")
    assert verify(out) == []
    clean(out)
    assert not list_folder(f"{out}/run")


def test_sources_are_read_through_throttling_and_errors(
    corpora: Path, google_bucket: str, google: Proxy, tmp_path: Path
) -> None:
    store = fsspec.filesystem("gs", token="anon", use_listings_cache=False)
    for name in ("best", "middle", "last"):
        store.put(f"{corpora}/{name}/", f"{google_bucket}/in/{name}/", recursive=True)
    recipe = tmp_path / "remote.yaml"
    recipe.write_text(RECIPE.replace("DATA", f"{google_bucket}/in"))
    faults = [Answer(503, "backendError"), Answer(429, "rateLimitExceeded"), Answer(0)]
    refused: list[Request] = []

    def sometimes(request: Request) -> Answer | None:
        of_content = request.method == "GET" and "alt=media" in request.query and "/in/" in request.path
        if not faults or not of_content or request in refused:
            return None
        refused.append(request)
        return faults.pop()

    google.fault = sometimes
    run(load_recipe(str(recipe)), str(tmp_path / "out"), workers=2)
    assert len(refused) == 3
    local, remote = output_bytes(corpora / "reference"), output_bytes(tmp_path / "out")
    assert {*local} == {*remote}
    different = {path for path in local if local[path] != remote[path]}
    assert different <= {"manifest.json", "README.md", "report/stats.json"}, "they name the sources"
    totals = json.loads((tmp_path / "out/manifest.json").read_bytes())["totals"]
    assert totals == json.loads((corpora / "reference/manifest.json").read_bytes())["totals"]

    google.fault = lambda request: Answer(404, "notFound") if "in/middle/" in request.path else None
    with pytest.raises(SourceError, match=r"gs://corpora/in/middle/.*: the file is not there"):
        run(load_recipe(str(recipe)), str(tmp_path / "another"), workers=2)


def test_of_two_runs_that_begin_at_once_one_gets_the_folder(
    google_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_lock, "BEAT_SECONDS", 0.2)
    monkeypatch.setattr(object_lock, "_POLL_SECONDS", 0.1)
    outcomes = hold_at_once(f"{google_bucket}/out", runs=3)
    assert outcomes.count("held") == 1
    assert all("is in use by process" in outcome for outcome in outcomes if outcome != "held")
    assert list_folder(f"{google_bucket}/out") == []


def test_a_lock_that_is_not_renewed_is_taken_over(
    google_bucket: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_lock, "EXPIRY_SECONDS", 0.5)
    monkeypatch.setattr(object_lock, "_POLL_SECONDS", 0.1)
    with atomic_write(f"{google_bucket}/out/run/lock") as file:
        file.write(b'{"token": "other", "pid": 1, "host": "elsewhere", "since": "then"}')
    with hold(f"{google_bucket}/out") as ensure_held:
        assert read_json(f"{google_bucket}/out/run/lock")["token"] != "other"
        ensure_held()
    with pytest.raises(FileNotFoundError):
        read_bytes(f"{google_bucket}/out/run/lock")
