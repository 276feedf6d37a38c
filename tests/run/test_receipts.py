"""What a receipt vouches for is on disk before it, and one that is damaged vouches for nothing."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from threading import Lock

import pytest

from curate.recipe import load_recipe
from curate.run import run
from tests.run.corpora import write_corpora, write_recipe
from tests.run.notes import Notes
from tests.run.outputs import output_bytes, receipt_times


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with corpora, their recipe, and a run of it in `out`."""
    folder = tmp_path_factory.mktemp("receipts")
    write_corpora(folder)
    run(load_recipe(str(write_recipe(folder))), str(folder / "out"), workers=2)
    return folder


def other_digest(content: bytes) -> bytes:
    """The same with one digit of an output's checksum changed."""
    digit = re.search(rb"[0-9a-f]{64}", content)
    assert digit is not None
    at = digit.start()
    return content[:at] + (b"1" if content[at : at + 1] == b"0" else b"0") + content[at + 1 :]


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut": lambda content: content[: len(content) // 2],
    "empty": lambda _: b"",
    "zeros": lambda content: bytes(len(content)),
    "half zeros": lambda content: content[: len(content) // 2].ljust(len(content), b"\0"),
    "not UTF-8": lambda content: b"\xff" + content[1:],
    "null": lambda _: b"null",
    "a number": lambda _: b"7",
    "without contents": lambda _: b"{}",
    "another digest": other_digest,
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_receipt_is_done_again_and_said(
    finished: Path, tmp_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    out = shutil.copytree(finished / "out", tmp_path / "out")
    (damaged, *_) = sorted((out / "run/receipts/documents-1").rglob("*.json"))
    damaged.write_bytes(damage(damaged.read_bytes()))
    before, notes = receipt_times(out), Notes()
    run(load_recipe(str(finished / "recipe.yaml")), str(out), workers=2, progress=notes)
    assert [note for note in notes.notes if "damaged" in note] == [
        f"documents-1: 1 of {len(list(damaged.parents[1].rglob('*.json')))} tasks are done again: the receipt is "
        "damaged, or of another version of curate"
    ]
    after = receipt_times(out)
    assert {path for path in after if after[path] != before[path]} == {str(damaged.relative_to(out))}
    assert output_bytes(out) == output_bytes(finished / "out")


def test_the_receipt_of_another_task_is_none(finished: Path, tmp_path: Path) -> None:
    out = shutil.copytree(finished / "out", tmp_path / "out")
    first, second, *_ = sorted((out / "run/receipts/documents-1").rglob("*.json"))
    first.write_bytes(second.read_bytes())
    notes = Notes()
    run(load_recipe(str(finished / "recipe.yaml")), str(out), workers=2, progress=notes)
    assert any("the receipt is damaged" in note for note in notes.notes)
    assert json.loads(first.read_bytes())["task"] != json.loads(second.read_bytes())["task"]
    assert output_bytes(out) == output_bytes(finished / "out")


class Disk:
    """What is flushed and what takes its place, in the order in which the system is told."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.events: list[tuple[str, str]] = []
        self._lock = Lock()
        fsync, replace = os.fsync, Path.replace

        def flushed(handle: int) -> None:
            fsync(handle)
            self._note("flushed", Path(f"/proc/self/fd/{handle}").readlink())

        def placed(path: Path, target: Path) -> Path:
            # Noted first: from here on a power failure may find it there.
            self._note("placed", target)
            return replace(path, target)

        patch.setattr(os, "fsync", flushed)
        patch.setattr(Path, "replace", placed)

    def _note(self, event: str, path: Path) -> None:
        with self._lock:
            self.events.append((event, str(path)))


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc to tell what is flushed")
def test_outputs_are_on_disk_before_their_receipt_and_folders_before_the_manifest(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    out = tmp_path / "out"
    run(load_recipe(str(finished / "recipe.yaml")), str(out), workers=2)
    monkeypatch.undo()
    outputs = 0
    for receipt in (out / "run/receipts").rglob("*.json"):
        at = disk.events.index(("placed", str(receipt)))
        for path in json.loads(receipt.read_bytes())["outputs"]:
            placed = disk.events.index(("placed", str(out / path)))
            flushes = [i for i, event in enumerate(disk.events) if event == ("flushed", str(out / path))]
            assert any(placed < flush < at for flush in flushes), f"{path} is not on disk before {receipt}"
            outputs += 1
    assert outputs > 20
    manifest = disk.events.index(("placed", str(out / "manifest.json")))
    for folder in ("data", "ledger/best"):
        last = max(
            i
            for i, (event, path) in enumerate(disk.events)
            if Path(path).parent == out / folder and event == "placed"
        )
        assert ("flushed", str(out / folder)) in disk.events[last:manifest]
