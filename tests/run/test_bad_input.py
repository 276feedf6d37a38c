"""Bad input is a clear error or a quarantined record, and nothing else is lost."""

from __future__ import annotations

import gzip
import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import CurateError, GuardError, OutputError, SourceError
from curate.io.ledger import Ledger
from curate.recipe import load_recipe
from curate.report import verify
from curate.run import Result, run
from tests.run.corpora import RECIPE, document, write_corpora, write_recipe


def quarantine(out: Path, source: str) -> list[dict[str, object]]:
    lines = (out / f"quarantine/{source}.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def run_with(folder: Path, spoil: Callable[[Path], None]) -> tuple[Result, Path]:
    """Run the small recipe over corpora that `spoil` was let loose on; the output passes `verify`."""
    write_corpora(folder)
    spoil(folder)
    out = folder / "out"
    result = run(load_recipe(str(write_recipe(folder))), str(out))
    assert verify(str(out)) == []
    return result, out


def add_lines(*lines: bytes) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        with (folder / "last/b.jsonl").open("ab") as file:
            file.writelines(line + b"\n" for line in lines)

    return spoil


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"id": "x", "text": "cut', "bad_json"),
        (b'{"id": "x", "text": null}', "text_null"),
        (b'{"id": "x", "text": 7}', "text_not_string"),
        (b'{"id": "x"}', "text_missing"),
        (b'["x"]', "not_an_object"),
        (b'{"id": "x", "text": "\xff\xfe"}', "invalid_utf8"),
    ],
)
def test_a_bad_line_is_quarantined_and_the_rest_kept(tmp_path: Path, line: bytes, reason: str) -> None:
    good = json.dumps({"id": "after", "text": document(500), "meta": 1}).encode()
    result, out = run_with(tmp_path, add_lines(line, good))
    assert result.quarantined == 1
    (record,) = quarantine(out, "last")
    assert (record["row"], record["reason"]) == (15, reason)
    ledger = Ledger(str(out))
    assert ledger.document("last:1:15")["reason"] == f"read.{reason}"
    assert ledger.document("after")["dropped_by"] in (None, "mix")


def test_a_null_text_in_parquet(tmp_path: Path) -> None:
    def spoil(folder: Path) -> None:
        path = folder / "middle/part.parquet"
        table = pq.read_table(path)
        texts = table["text"].to_pylist()
        texts[20] = None
        pq.write_table(table.set_column(0, "text", pa.array(texts)), path)

    result, out = run_with(tmp_path, spoil)
    assert result.quarantined == 1
    assert quarantine(out, "middle")[0]["reason"] == "text_null"


def test_a_corrupt_parquet_file_stops_nothing_else(tmp_path: Path) -> None:
    def spoil(folder: Path) -> None:
        path = folder / "best/b.parquet"
        path.write_bytes(path.read_bytes()[:-200])

    result, out = run_with(tmp_path, spoil)
    assert result.quarantined == 1
    (record,) = quarantine(out, "best")
    assert str(record["path"]).endswith("best/b.parquet")
    assert result.stats["sources"]["best"]["documents"] == 50


def test_a_truncated_gzip_gives_what_can_be_read(tmp_path: Path) -> None:
    def spoil(folder: Path) -> None:
        path = folder / "last/a.json.gz"
        lines = gzip.decompress(path.read_bytes())
        # Stored, not deflated, so that the cut falls where the test can count lines.
        stored = gzip.compress(lines, compresslevel=0, mtime=0)
        path.write_bytes(stored[: len(stored) // 2])

    result, out = run_with(tmp_path, spoil)
    assert result.quarantined == 1
    (record,) = quarantine(out, "last")
    assert record["reason"] == "truncated_file"
    assert 5 < result.stats["sources"]["last"]["documents"] - 15 < 25


def test_empty_files_are_fine(tmp_path: Path) -> None:
    def spoil(folder: Path) -> None:
        (folder / "last/c.jsonl").write_bytes(b"")
        table = pq.read_table(folder / "best/a.parquet")
        pq.write_table(table.slice(0, 0), folder / "best/c.parquet")

    result, _ = run_with(tmp_path, spoil)
    assert result.quarantined == 0
    assert result.stats["totals"]["documents"] == 160


def problems(folder: Path, recipe: str, match: str) -> None:
    write_corpora(folder)
    with pytest.raises(CurateError, match=match):
        run(load_recipe(str(write_recipe(folder, recipe))), str(folder / "out"))
    assert not (folder / "out/data").exists()


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    problems(tmp_path, RECIPE.replace("keep: [url, score]", "keep: [url, scores]"), "did you mean score")


def test_an_empty_glob_is_an_error(tmp_path: Path) -> None:
    problems(tmp_path, RECIPE.replace("DATA/middle/*.parquet", "DATA/midle/*.parquet"), "midle")


def test_all_sources_problems_at_once(tmp_path: Path) -> None:
    broken = RECIPE.replace("DATA/middle/", "DATA/midle/").replace("DATA/last/", "DATA/lost/")
    write_corpora(tmp_path)
    with pytest.raises(SourceError) as raised:
        run(load_recipe(str(write_recipe(tmp_path, broken))), str(tmp_path / "out"))
    assert len(raised.value.problems) == 2


def test_an_unwritable_output_is_an_error(tmp_path: Path) -> None:
    write_corpora(tmp_path)
    (tmp_path / "out").write_text("a file where the folder should be")
    with pytest.raises(OutputError):
        run(load_recipe(str(write_recipe(tmp_path))), str(tmp_path / "out"))


def test_a_full_disk_is_a_clear_error_and_the_run_resumes(tmp_path: Path) -> None:
    write_corpora(tmp_path)
    recipe = write_recipe(tmp_path)

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (6_000, 6_000))

    command = [sys.executable, "-m", "curate", "run", str(recipe), "-o", str(tmp_path / "out"), "--quiet"]
    failed = subprocess.run(command, preexec_fn=limited, capture_output=True, text=True, check=False)
    assert failed.returncode == 1
    assert "disk is full" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert not (tmp_path / "out/manifest.json").exists()
    subprocess.run(command, check=True, capture_output=True)
    assert verify(str(tmp_path / "out")) == []


def test_two_runs_on_one_folder(tmp_path: Path) -> None:
    write_corpora(tmp_path)
    recipe = load_recipe(str(write_recipe(tmp_path)))
    found: list[OutputError] = []

    class Second:
        """Tries to run into the same folder while the first run is under way."""

        def pass_started(self, name: str, tasks: int, already_done: int, total_bytes: int) -> None:
            def attempt() -> None:
                with pytest.raises(OutputError) as raised:
                    run(recipe, str(tmp_path / "out"))
                found.append(raised.value)

            thread = threading.Thread(target=attempt)
            thread.start()
            thread.join()

        def task_done(self, name: str, documents: int, bytes_read: int, kept: int | None = None) -> None: ...
        def pass_finished(self, name: str, seconds: float) -> None: ...
        def note(self, message: str) -> None: ...

    run(recipe, str(tmp_path / "out"), progress=Second())
    assert str(os.getpid()) in str(found[0])
    assert verify(str(tmp_path / "out")) == []


def test_a_guard_stops_the_run_before_anything_is_written(tmp_path: Path) -> None:
    write_corpora(tmp_path)
    strict = RECIPE.replace("max_source_loss: 0.9", "max_source_loss: 0.05")
    with pytest.raises(GuardError, match="source middle would lose 4 of"):
        run(load_recipe(str(write_recipe(tmp_path, strict))), str(tmp_path / "out"))
    assert not (tmp_path / "out/data").exists()
    assert not (tmp_path / "out/manifest.json").exists()


def test_a_file_replaced_while_it_is_read_is_noticed(tmp_path: Path) -> None:
    write_corpora(tmp_path)
    recipe = load_recipe(str(write_recipe(tmp_path)))
    path = tmp_path / "middle/part.parquet"

    class Replace:
        """Replaces a source file once the document pass is over."""

        def pass_started(self, name: str, tasks: int, already_done: int, total_bytes: int) -> None: ...
        def task_done(self, name: str, documents: int, bytes_read: int, kept: int | None = None) -> None: ...

        def pass_finished(self, name: str, seconds: float) -> None:
            if name == "documents-1":
                time.sleep(0.01)
                pq.write_table(pq.read_table(path).slice(0, 30), path)

        def note(self, message: str) -> None: ...

    with pytest.raises(SourceError, match=r"part\.parquet.*changed"):
        run(recipe, str(tmp_path / "out"), progress=Replace())
