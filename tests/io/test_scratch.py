"""What killed processes leave in the temporary folder is removed by the next one that uses it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

#: Each uses the temporary folder until it is told to go on.
WORK = {
    "a folder": """
        from curate.io.scratch import scratch_folder
        with scratch_folder() as folder:
            (folder / "file").write_bytes(b"content")
            pause()
    """,
    "a question to a ledger": """
        from curate.io.ledger import Ledger
        with Ledger(out).connect() as connection:
            connection.sql("SELECT * FROM ledger").fetchall()
            pause()
    """,
    "a file for an object store": """
        from curate.io.files import atomic_write
        with atomic_write("memory://bucket/file") as file:
            file.write(bytes(1 << 20))
            pause()
    """,
}
PAUSE = """
import sys
out = sys.argv[1]
def pause():
    print("waiting", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    folder = tmp_path / "out" / "ledger" / "source"
    folder.mkdir(parents=True)
    pq.write_table(pa.table({"doc": pa.array([0], pa.uint64())}), folder / "file.parquet")
    return tmp_path / "out"


@contextmanager
def waiting(work: str, out: Path, temporary: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process in the middle of its work."""
    code = PAUSE + "\n".join(line[8:] for line in WORK[work].splitlines())
    environment = os.environ | {"TMPDIR": str(temporary)}
    command = [sys.executable, "-c", code, str(out)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"waiting\n"
        yield process
        process.kill()


def finish(process: subprocess.Popen[bytes]) -> None:
    assert process.communicate(b"\n")[0] == b""
    assert process.returncode == 0


@pytest.mark.parametrize("work", WORK)
def test_the_next_process_removes_what_a_killed_one_left(work: str, ledger: Path, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with waiting(work, ledger, temporary) as process:
        process.kill()
    (left,) = temporary.iterdir()
    with waiting(work, ledger, temporary) as process:
        (used,) = temporary.iterdir()
        assert used != left
        finish(process)
    assert not list(temporary.iterdir())


def test_what_is_in_use_stays(ledger: Path, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    (temporary / "someone else's").mkdir()
    with waiting("a folder", ledger, temporary) as first:
        before = set(temporary.iterdir())
        with waiting("a folder", ledger, temporary) as second:
            assert before < set(temporary.iterdir())
            finish(second)
        assert set(temporary.iterdir()) == before
        finish(first)
    assert [path.name for path in temporary.iterdir()] == ["someone else's"]
