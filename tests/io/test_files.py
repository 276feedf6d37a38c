import errno
import json
import os
import resource
from pathlib import Path

import fsspec
import pytest

from curate.errors import OutputError
from curate.io import files


def test_a_written_file_is_whole_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.bin"
    with files.atomic_write(str(path)) as file:
        file.write(b"one")
        assert not path.exists()
    assert path.read_bytes() == b"one"
    assert [entry.name for entry in path.parent.iterdir()] == ["a.bin"]


def test_an_error_while_writing_keeps_the_old_file_and_leaves_no_temporary(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with pytest.raises(TypeError), files.atomic_write(str(path)) as file:
        file.writelines([b"new", "not bytes"])  # type: ignore[list-item]
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_temporaries_are_recognisable_and_stale_ones_can_be_removed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "kept.parquet").write_bytes(b"x")
    stale = tmp_path / "data" / ".a.bin.0123456789ab.partial"
    stale.write_bytes(b"half")
    assert files.list_folder(str(tmp_path)) == [str(tmp_path / "data" / "kept.parquet")]
    assert files.remove_stale_temporaries(str(tmp_path)) == [str(stale)]
    assert files.remove_stale_temporaries(str(tmp_path)) == []
    with files.atomic_write(str(tmp_path / "b.bin")):
        (written,) = tmp_path.glob(".b.bin.*.partial")
    assert not written.exists()


def test_a_full_disk_is_an_output_error_that_says_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(OutputError) as raised, files.atomic_write(str(path)) as file:
            file.write(bytes(1 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert raised.value.problems[0].where == str(path)
    assert "free space" in raised.value.problems[0].fix
    assert list(tmp_path.iterdir()) == []


def test_the_disk_filling_up_at_the_end_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="disk is full"), files.atomic_write(str(tmp_path / "a")):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_place_of_a_folder_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with (
        pytest.raises(OutputError, match="a file stands where a folder is needed"),
        files.atomic_write(str(tmp_path / "file" / "a.bin")),
    ):
        raise AssertionError("the block must not run")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_is_an_output_error(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="no permission"), files.atomic_write(str(tmp_path / "a.bin")):
        raise AssertionError("the block must not run")


def test_other_errors_of_the_writer_pass_through(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), files.atomic_write(str(tmp_path / "a.bin")):
        (tmp_path / "missing").read_bytes()


def test_remote_files_are_uploaded_only_when_whole() -> None:
    with files.atomic_write("memory://written/a/b.bin") as file:
        file.write(b"one")
        assert not files.exists("memory://written/a/b.bin")
    with files.open_binary("memory://written/a/b.bin") as read:
        assert read.read() == b"one"
    with pytest.raises(ZeroDivisionError), files.atomic_write("memory://written/a/c.bin"):
        raise ZeroDivisionError
    assert files.list_folder("memory://written") == ["memory://written/a/b.bin"]
    fsspec.filesystem("memory").rm("/written", recursive=True)


def test_file_urls_are_local(tmp_path: Path) -> None:
    url = f"file://{tmp_path}/a.bin"
    with files.atomic_write(url) as file:
        file.write(b"one")
    assert (tmp_path / "a.bin").read_bytes() == b"one"
    assert files.exists(url)
    with files.open_binary(url) as read:
        assert read.read() == b"one"


def test_json_is_canonical(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    files.write_json(str(path), {"b": [1, 2.5], "a": {"ü": None}})
    expected = '{\n  "a": {\n    "ü": null\n  },\n  "b": [\n    1,\n    2.5\n  ]\n}\n'
    assert path.read_text(encoding="utf-8") == expected
    assert json.loads(expected) == {"b": [1, 2.5], "a": {"ü": None}}
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(str(path), float("nan"))
