import hashlib
import os
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import SourceError
from curate.io.sources import SourceColumns, list_files

TEXT = SourceColumns("text")


def _write(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith(".parquet"):
            pq.write_table(pa.table({"text": ["a", "bc"]}), path)
        else:
            path.write_bytes(b'{"text": "a"}\n')


def _names(folder: Path, *patterns: str, format: str | None = None) -> list[str]:
    found = list_files("web", [str(folder / pattern) for pattern in patterns], format, TEXT)
    assert [file.index for file in found] == list(range(len(found)))
    return [str(Path(file.path).relative_to(folder)) for file in found]


def test_globs_reach_down_and_files_come_sorted(tmp_path: Path) -> None:
    _write(tmp_path, "b.parquet", "a/10.parquet", "a/9.parquet", "a/x/y/1.parquet", "c.jsonl")
    assert _names(tmp_path, "**/*.parquet") == ["a/10.parquet", "a/9.parquet", "a/x/y/1.parquet", "b.parquet"]
    assert _names(tmp_path, "a/*.parquet") == ["a/10.parquet", "a/9.parquet"]
    assert _names(tmp_path, "a/?.parquet", "b.parquet", "a/9.parquet") == ["a/9.parquet", "b.parquet"]


def test_globs_pass_over_hidden_names_and_folders(tmp_path: Path) -> None:
    _write(tmp_path, "a.jsonl", ".b.jsonl", "_c.jsonl", "_temporary/d.jsonl", ".cache/e.jsonl", "f/_g.jsonl")
    assert _names(tmp_path, "**/*.jsonl") == ["a.jsonl"]
    assert _names(tmp_path, "_temporary/*.jsonl") == ["_temporary/d.jsonl"]
    assert _names(tmp_path, "_c.jsonl") == ["_c.jsonl"]


def test_a_path_that_looks_like_a_glob_means_the_file_of_that_name(tmp_path: Path) -> None:
    _write(tmp_path, "a[1].jsonl", "a1.jsonl")
    assert _names(tmp_path, "a[1].jsonl") == ["a[1].jsonl"]


def test_formats_follow_the_name_unless_given(tmp_path: Path) -> None:
    names = ["a.parquet", "b.jsonl", "c.json", "d.ndjson", "e.jsonl.gz", "f.json.zst", "g.txt"]
    _write(tmp_path, *names)
    found = list_files("web", [str(tmp_path / "[a-f]*")], None, TEXT)
    assert [file.format for file in found] == ["parquet", *["jsonl"] * 5]
    assert list_files("web", [str(tmp_path / "g.txt")], "jsonl", TEXT)[0].format == "jsonl"
    with pytest.raises(SourceError, match="the name does not tell the format"):
        _names(tmp_path, "*")
    with pytest.raises(SourceError, match="unknown format csv"):
        _names(tmp_path, "*", format="csv")


def test_an_empty_glob_names_the_pattern_and_the_deepest_folder_there_is(tmp_path: Path) -> None:
    _write(tmp_path, "web/dclm/a.jsonl")
    pattern = str(tmp_path / "web" / "dclmm" / "**" / "*.jsonl")
    with pytest.raises(SourceError) as raised:
        list_files("dclm", [pattern], None, TEXT)
    (problem,) = raised.value.problems
    assert problem.where == "source dclm"
    assert pattern in problem.found
    assert f"below {tmp_path / 'web'}," in problem.expected


def test_a_folder_is_an_error_that_shows_the_glob(tmp_path: Path) -> None:
    _write(tmp_path, "web/a.parquet")
    with pytest.raises(SourceError, match=r"is a folder(.|\n)*web/\*\*/\*\.parquet"):
        list_files("dclm", [str(tmp_path / "web")], None, TEXT)


def test_all_empty_patterns_are_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as raised:
        list_files("dclm", [str(tmp_path / "a.jsonl"), str(tmp_path / "*.b")], None, TEXT)
    assert len(raised.value.problems) == 2
    with pytest.raises(SourceError, match="has no path"):
        list_files("dclm", [], None, TEXT)


def test_what_a_file_is_known_by(tmp_path: Path) -> None:
    _write(tmp_path, "a.parquet", "b.jsonl")
    parquet, jsonl = list_files("web", [str(tmp_path / "*")], None, TEXT)
    assert (parquet.rows, jsonl.rows) == (2, None)
    assert parquet.bytes == (tmp_path / "a.parquet").stat().st_size
    assert parquet.modified == str((tmp_path / "a.parquet").stat().st_mtime_ns)
    assert parquet.text_bytes_estimate
    assert jsonl.text_bytes_estimate == jsonl.bytes == 14
    assert parquet.defect is jsonl.defect is None


@pytest.mark.parametrize("name", ["a.parquet", "a.jsonl"])
def test_fingerprints_follow_content_and_not_time_or_place(tmp_path: Path, name: str) -> None:
    _write(tmp_path, name, f"other/{name}")
    one, same = list_files("web", [str(tmp_path / "**" / name)], None, TEXT)
    assert one.fingerprint == same.fingerprint
    os.utime(tmp_path / name, ns=(1, 1))
    (touched,) = list_files("web", [str(tmp_path / name)], None, TEXT)
    assert (touched.fingerprint, touched.modified) == (one.fingerprint, "1")
    if name == "a.jsonl":
        (tmp_path / name).write_bytes(b'{"text": "b"}\n')
    else:
        pq.write_table(pa.table({"text": ["a", "bd"]}), tmp_path / name)
    (changed,) = list_files("web", [str(tmp_path / name)], None, TEXT)
    assert changed.fingerprint != one.fingerprint


def test_a_missing_column_names_file_column_and_what_there_is(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["a"], "url": ["u"]}), tmp_path / "a.parquet")
    with pytest.raises(SourceError) as raised:
        list_files("web", [str(tmp_path / "*")], None, SourceColumns("txt", "id", ("url", "meta.x")))
    found = [str(problem) for problem in raised.value.problems]
    assert [problem.where for problem in raised.value.problems] == [str(tmp_path / "a.parquet")] * 3
    assert "no column txt" in found[0]
    assert "one of text, url" in found[0]
    assert "did you mean text?" in found[0]
    assert "no column id" in found[1]
    assert "no column meta.x" in found[2]


@pytest.mark.parametrize("kind", [pa.int64(), pa.list_(pa.string()), pa.struct([("a", pa.string())])])
def test_a_text_column_that_is_no_text_is_an_error(tmp_path: Path, kind: pa.DataType) -> None:
    pq.write_table(pa.table({"text": pa.nulls(1, kind)}), tmp_path / "a.parquet")
    with pytest.raises(SourceError, match=r"column text is .*\n.*expected: text"):
        list_files("web", [str(tmp_path / "*")], None, TEXT)


def test_an_id_column_that_cannot_serve_is_an_error(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["a"], "id": [[1]]}), tmp_path / "a.parquet")
    with pytest.raises(SourceError, match=r"column id is list"):
        list_files("web", [str(tmp_path / "*")], None, SourceColumns("text", "id"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read anything")
def test_a_file_that_may_not_be_read_is_an_error(tmp_path: Path) -> None:
    _write(tmp_path, "a.parquet")
    (tmp_path / "a.parquet").chmod(0)
    with pytest.raises(SourceError, match=r"a\.parquet: no permission"):
        _names(tmp_path, "*")


def test_remote_files_list_and_read_through_fsspec(tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    _write(tmp_path, "a.parquet", "x/b.jsonl", "x/_c.jsonl")
    memory.put(str(tmp_path) + "/", "/corpora/", recursive=True)
    found = list_files("web", ["memory://corpora/**/*.jsonl", "memory://corpora/a.parquet"], None, TEXT)
    assert [file.path for file in found] == ["memory:///corpora/a.parquet", "memory:///corpora/x/b.jsonl"]
    assert found[0].modified
    local = list_files("web", [f"file://{tmp_path}/a.parquet", f"{tmp_path}/x/b.jsonl"], None, TEXT)
    assert found[0].fingerprint == local[0].fingerprint
    assert (
        found[1].fingerprint == hashlib.sha256(f"{found[1].bytes}\n{found[1].modified}".encode()).hexdigest()
    )
    with pytest.raises(SourceError, match="below /corpora"):
        list_files("web", ["memory://corpora/y/*.jsonl"], None, TEXT)
    memory.rm("/corpora", recursive=True)


def test_a_file_system_that_cannot_be_reached_is_an_error() -> None:
    with pytest.raises(
        SourceError, match=r"nosuch://a/\*\.jsonl: cannot be read: ValueError: Protocol not known"
    ):
        list_files("web", ["nosuch://a/*.jsonl"], None, TEXT)


def test_many_files_list_in_order(tmp_path: Path) -> None:
    _write(tmp_path, *(f"{i:03}.parquet" for i in range(100)))
    assert _names(tmp_path, "*.parquet") == [f"{i:03}.parquet" for i in range(100)]
