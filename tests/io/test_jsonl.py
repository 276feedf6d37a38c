import base64
import gzip
import json
from pathlib import Path

import fsspec
import pytest
import zstandard

from curate.errors import SourceError
from curate.io import compressed
from curate.io.sources import SourceColumns, list_files, read_batches
from tests.io.reading import content

TEXT = SourceColumns("text")
FULL = SourceColumns("text", "id", ("url", "meta.lang"))


def _line(text: object, **others: object) -> bytes:
    return json.dumps({"text": text, **others}).encode() + b"\n"


def _write(path: Path, data: bytes) -> Path:
    if path.suffix == ".gz":
        data = gzip.compress(data, mtime=0)
    elif path.suffix == ".zst":
        data = zstandard.compress(data)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.json.zst"])
def test_documents_with_ids_and_metadata(tmp_path: Path, name: str) -> None:
    texts = ["one", "zwei ü\n𝄞", "nul \x00", ""]
    lines = [
        _line(text, id=f"id-{i}", url=None, meta={"lang": "en"}, other=[1, {}])
        for i, text in enumerate(texts)
    ]
    read = content(_write(tmp_path / name, b"".join(lines)), FULL)
    assert read.texts == texts
    assert read.ids == ["id-0", "id-1", "id-2", "id-3"]
    assert read.column("url") == [None] * 4
    assert read.column("meta.lang") == ["en"] * 4
    assert read.bad == []


def test_what_can_be_wrong_with_a_line(tmp_path: Path) -> None:
    lines = [
        (b'{"text": "fine", "id": "a"}', None),
        (b'{"text": null, "id": "b"}', "text_null"),
        (b'{"id": "c"}', "text_missing"),
        (b'{"text": 5}', "text_not_string"),
        (b'{"text": ["a"]}', "text_not_string"),
        (b'{"text": "a"', "bad_json"),
        (b'{"text": "a"} {"text": "b"}', "bad_json"),
        (b'{"text": "tab\there"}', "bad_json"),
        (b'{"text": "raw nul \x00"}', "bad_json"),
        (b'["text"]', "not_an_object"),
        (b'"text"', "not_an_object"),
        (b'{"text": "\xff"}', "invalid_utf8"),
        (b'{"text": "a", "x": "\xff"}', "invalid_utf8"),
        (b'{"text": "\\ud800"}', "invalid_utf8"),
        (b'{"text": "\\udc00\\ud800"}', "invalid_utf8"),
        (b'{"text": "a", "x": "\\ud800"}', "invalid_utf8"),
        (b'{"text": "\\ud834\\udd1e"}', None),
        (b'{"text": "nul \\u0000"}', None),
        (b'\xef\xbb\xbf{"text": "a"}', "bad_json"),
    ]
    path = _write(tmp_path / "a.jsonl", b"\n".join(line for line, _ in lines))
    read = content(path, SourceColumns("text", "id"))
    assert read.reasons() == [(row, 1, reason) for row, (_, reason) in enumerate(lines) if reason]
    assert read.texts == ["fine", *[None] * 15, "𝄞", "nul \x00", None]
    assert read.ids[:3] == ["a", "b", "c"]
    for bad in read.bad:
        assert bad.row is not None
        raw = base64.b64decode(bad.content_base64) if bad.content_base64 else (bad.content or "").encode()
        assert raw == lines[bad.row][0]
        assert bad.detail
    # Each line on its own, where Arrow sees it first, has the same outcome.
    for line, reason in lines[:-1]:
        alone = content(_write(tmp_path / "b.jsonl", line + b"\n"), TEXT)
        assert [bad.reason for bad in alone.bad] == ([reason] if reason else [])


def test_blank_lines_are_no_rows_and_line_ends_may_be_dos(tmp_path: Path) -> None:
    data = b'\n{"text": "a"}\r\n\r\n  \t\n{"text": "b"}\n\n {"text": "c"} \r\n\n'
    read = content(_write(tmp_path / "a.jsonl", data), TEXT)
    assert read.rows == {0: ("a", None, {}), 1: ("b", None, {}), 2: ("c", None, {})}
    assert content(_write(tmp_path / "b.jsonl", b'{"text": "a"}\r\n{"text": "b"}\r\n'), TEXT).texts == [
        "a",
        "b",
    ]
    for empty in (b"", b"\n", b"\r\n \n"):
        assert content(_write(tmp_path / "c.jsonl", empty), TEXT).batches == []


def test_a_byte_order_mark_begins_no_line(tmp_path: Path) -> None:
    read = content(_write(tmp_path / "a.jsonl", b"\xef\xbb\xbf" + _line("a") + _line("b")), TEXT)
    assert read.texts == ["a", "b"]
    assert content(_write(tmp_path / "b.jsonl", b"\xef\xbb\xbf"), TEXT).batches == []


def test_of_a_key_that_occurs_twice_the_last_value_counts(tmp_path: Path) -> None:
    lines = [b'{"text": "a", "text": "b"}', b'{"text": 1, "text": "c"}', b'{"text": "d", "text": null}']
    read = content(_write(tmp_path / "a.jsonl", b"\n".join(lines)), TEXT)
    assert read.texts == ["b", "c", None]
    assert read.reasons() == [(2, 1, "text_null")]


def test_metadata_that_is_no_string_becomes_compact_json(tmp_path: Path) -> None:
    values = [1, 2.5, True, {"a": [1, "ü"]}, [], None, "text", "null"]
    path = _write(tmp_path / "a.jsonl", b"".join(_line("t", id=value, url=value) for value in values))
    read = content(path, SourceColumns("text", "id", ("url",)))
    expected = ["1", "2.5", "true", '{"a":[1,"ü"]}', "[]", None, "text", "null"]
    assert read.ids == read.column("url") == expected


def test_values_json_lacks_but_writers_use(tmp_path: Path) -> None:
    deep = b'{"text": "deep", "x": ' + b"[" * 3000 + b"]" * 3000 + b"}"
    lines = [b'{"text": "nan", "x": NaN}', b'{"text": "inf", "x": -Infinity}', deep, b'{"text": "ok"}']
    for last in (b"", b"\nbad"):
        read = content(_write(tmp_path / "a.jsonl", b"\n".join(lines) + last), TEXT)
        assert read.texts[:4] == ["nan", "inf", "deep", "ok"]
    kept = content(_write(tmp_path / "a.jsonl", lines[0]), SourceColumns("text", None, ("x",)))
    assert kept.reasons() == [(0, 1, "bad_json")]


def test_dots_reach_into_objects_unless_a_key_is_called_so(tmp_path: Path) -> None:
    lines = [
        b'{"text": "t", "a": {"b": {"c": "deep"}}}',
        b'{"text": "t", "a.b.c": "flat", "a": {"b": {"c": "deep"}}}',
        b'{"text": "t", "a": {"b": null}}',
        b'{"text": "t", "a": {}}',
        b'{"text": "t"}',
    ]
    expected = ["deep", "flat", None, None, None]
    columns = SourceColumns("text", None, ("a.b.c",))
    assert content(_write(tmp_path / "a.jsonl", b"\n".join(lines)), columns).column("a.b.c") == expected
    other = b'\n{"text": "t", "a": "no object"}'
    read = content(_write(tmp_path / "a.jsonl", b"\n".join(lines) + other), columns)
    assert read.column("a.b.c") == [*expected, None]
    both = SourceColumns("text", None, ("a", "a.b.c"))
    read = content(_write(tmp_path / "a.jsonl", b"\n".join(lines)), both)
    assert read.column("a.b.c") == expected
    assert read.column("a") == ['{"b":{"c":"deep"}}'] * 2 + ['{"b":null}', "{}", None]


def test_without_text_lines_are_checked_and_text_is_not(tmp_path: Path) -> None:
    data = _line(5, url="u") + b"bad\n" + _line("a", url="v")
    path = _write(tmp_path / "a.jsonl", data)
    read = content(path, SourceColumns("text", None, ("url",)), text=False)
    assert read.column("url") == ["u", None, "v"]
    assert read.reasons() == [(1, 1, "bad_json")]
    bare = content(path, TEXT, text=False)
    assert (list(bare.rows), bare.reasons()) == ([0, 1, 2], [(1, 1, "bad_json")])


def test_the_raw_content_that_is_kept_is_bounded(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.jsonl", b"x" * (3 << 20) + b"\n" + _line("a"))
    read = content(path, TEXT)
    assert read.texts == [None, "a"]
    assert read.bad[0].content == "x" * (1 << 20)
    assert "the first 1048576 of 3145728 bytes" in read.bad[0].detail


def _many(rows: int = 300) -> tuple[list[str | None], bytes]:
    lines = [_line(f"document {i} " * (i % 40)) if i % 7 else b"{bad}\n" for i in range(rows)]
    lines[5] += b"\r\n\n"
    texts = [f"document {i} " * (i % 40) if i % 7 else None for i in range(rows)]
    return texts, b"".join(lines)


@pytest.mark.parametrize("block", [1, 100, 5000])
@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.jsonl.zst"])
def test_blocks_limits_and_ranges_never_change_what_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, block: int
) -> None:
    texts, data = _many()
    path = _write(tmp_path / name, data)
    for setting in ("BLOCK_BYTES", "_PLAIN_READ_BYTES", "_COMPRESSED_READ_BYTES", "_INFLATED_BYTES"):
        monkeypatch.setattr(compressed, setting, block)
    everything = content(path, TEXT)
    assert everything.texts == texts
    assert everything.reasons() == [(i, 1, "bad_json") for i in range(0, 300, 7)]
    limited = content(path, TEXT, max_documents=7, max_bytes=300)
    assert (limited.rows, limited.bad) == (everything.rows, everything.bad)
    part = content(path, TEXT, rows=[(3, 8), (8, 9), (100, 250)], max_documents=50)
    wanted = [*range(3, 9), *range(100, 250)]
    assert part.rows == {row: everything.rows[row] for row in wanted}
    assert part.bad == [bad for bad in everything.bad if bad.row in wanted]


def test_lines_longer_than_a_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compressed, "BLOCK_BYTES", 1000)
    texts = ["a" * 10, "b" * (5 << 20), "c"]
    path = _write(tmp_path / "a.jsonl.gz", b"".join(map(_line, texts)))
    assert content(path, TEXT).texts == texts


def test_ranges_end_before_damage_that_comes_later(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.jsonl", b"".join(_line(f"t{i}") for i in range(10)))
    whole = gzip.compress(path.read_bytes(), mtime=0)
    (tmp_path / "b.jsonl.gz").write_bytes(whole[:-6])
    assert content(tmp_path / "b.jsonl.gz", TEXT, rows=[(0, 10)]).bad == []
    assert content(tmp_path / "b.jsonl.gz", TEXT, rows=[(0, 11)]).reasons() == [(None, 0, "truncated_file")]


def test_remote_files_read_as_local_ones_do(tmp_path: Path) -> None:
    texts, data = _many()
    memory = fsspec.filesystem("memory")
    for name in ("a.jsonl", "a.jsonl.gz", "a.jsonl.zst"):
        memory.put(str(_write(tmp_path / name, data)), f"/lines/{name}")
        assert content(f"memory://lines/{name}", TEXT).texts == texts
    memory.rm("/lines", recursive=True)


def test_a_lost_connection_is_no_truncated_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = fsspec.filesystem("memory")
    memory.put(str(_write(tmp_path / "a.jsonl.gz", _line("a"))), "/lost/a.jsonl.gz")
    (file,) = list_files("test", ["memory://lost/*"], None, TEXT)

    def lost(*_: object, **__: object) -> bytes:
        raise RuntimeError("connection reset")

    monkeypatch.setattr(type(memory), "cat_file", lost)
    with pytest.raises(SourceError, match=r"a\.jsonl\.gz: cannot be read: RuntimeError: connection reset"):
        list(read_batches(file, TEXT, text=True, max_documents=10, max_bytes=1000))
    memory.rm("/lost", recursive=True)


def test_a_file_that_vanishes_is_a_source_error(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.jsonl", _line("a"))
    (file,) = list_files("test", [str(path)], None, TEXT)
    path.unlink()
    with pytest.raises(SourceError, match=r"a\.jsonl: the file is not there"):
        list(read_batches(file, TEXT, text=True, max_documents=10, max_bytes=1000))
