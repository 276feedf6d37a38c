import os
import subprocess
import sys
from pathlib import Path

import pytest

from curate.errors import OutputError
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


def test_remote_folders_are_not_locked() -> None:
    with hold("memory://out"), hold("memory://out"):
        pass
