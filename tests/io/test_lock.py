import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from curate.errors import OutputError
from curate.io import object_lock
from curate.io.files import exists, read_json, write_json
from curate.io.lock import hold

_HOLDER = (
    "import sys; from curate.io.lock import hold\nwith hold(sys.argv[1]): print('held', flush=True); input()"
)


def test_a_second_holder_is_told_who_holds_the_folder(tmp_path: Path) -> None:
    with hold(str(tmp_path)):
        with pytest.raises(OutputError) as raised, hold(str(tmp_path)):
            raise AssertionError("the block must not run")
        problem = raised.value.problems[0]
        assert problem.where == str(tmp_path)
        assert f"process {os.getpid()} on " in problem.found
        assert " since 20" in problem.found
    with hold(str(tmp_path)):
        pass


def test_the_lock_goes_with_a_killed_process(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(OutputError, match=f"process {holder.pid} "), hold(str(tmp_path)):
            raise AssertionError("the block must not run")
        holder.kill()
        holder.wait()
        with hold(str(tmp_path)):
            pass


def test_an_error_in_the_block_releases_the_lock(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), hold(str(tmp_path)):
        raise ZeroDivisionError
    with hold(str(tmp_path)):
        pass


def test_a_folder_that_cannot_be_made_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="a file stands"), hold(str(tmp_path / "file" / "out")):
        raise AssertionError("the block must not run")


_REMOTE = "memory://locked"


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Locks of remote folders that are renewed and expire within moments."""
    monkeypatch.setattr(object_lock, "BEAT_SECONDS", 0.02)
    monkeypatch.setattr(object_lock, "EXPIRY_SECONDS", 0.5)
    monkeypatch.setattr(object_lock, "_POLL_SECONDS", 0.05)
    yield
    fsspec.filesystem("memory").rm("/locked", recursive=True)


def _leave_lock(**changes: object) -> None:
    """The lock of a run of which nothing else is left."""
    with hold(_REMOTE):
        content = read_json(f"{_REMOTE}/run/lock")
    write_json(f"{_REMOTE}/run/lock", content | changes)


def test_a_second_holder_of_a_remote_folder_is_told_who_holds_it(quick: None) -> None:
    notes: list[str] = []
    with hold(_REMOTE) as ensure_held:
        with pytest.raises(OutputError, match=f"in use by process {os.getpid()} on .* since 20"):
            hold(_REMOTE, notes.append).__enter__()
        ensure_held()
    assert len(notes) == 1
    assert "waiting to see whether that run lives" in notes[0]
    with hold(_REMOTE) as ensure_held:
        ensure_held()
    assert not exists(f"{_REMOTE}/run/lock")
    write_json(f"{_REMOTE}/run/lock", {})


def test_the_remote_lock_of_a_dead_process_of_this_machine_is_taken_at_once(quick: None) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    _leave_lock(token="other", pid=dead.pid)
    notes: list[str] = []
    with hold(_REMOTE, notes.append):
        assert read_json(f"{_REMOTE}/run/lock")["pid"] == os.getpid()
    assert notes == []
    write_json(f"{_REMOTE}/run/lock", {})


def test_a_remote_lock_that_is_not_renewed_is_taken_over(quick: None) -> None:
    _leave_lock(token="other", machine="elsewhere")
    begun = time.monotonic()
    with hold(_REMOTE):
        assert time.monotonic() - begun >= 0.5
    write_json(f"{_REMOTE}/run/lock", {})


def test_a_holder_that_lost_a_remote_lock_is_told_and_leaves_the_new_one_alone(quick: None) -> None:
    with hold(_REMOTE) as ensure_held:
        write_json(f"{_REMOTE}/run/lock", {"token": "somebody else"})
        time.sleep(1.0)
        with pytest.raises(OutputError, match="took it over"):
            ensure_held()
    assert read_json(f"{_REMOTE}/run/lock") == {"token": "somebody else"}
