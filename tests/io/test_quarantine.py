import base64
from pathlib import Path

import orjson
import pytest

from curate.errors import SourceError
from curate.io.quarantine import join_quarantine, read_quarantine, write_quarantine
from curate.io.sources import BadRow, SourceColumns, list_files, read_batches

TEXT = SourceColumns("text")


def _quarantine(path: Path, out: Path, lines: bytes) -> None:
    path.write_bytes(lines)
    (file,) = list_files("web", [str(path)], None, TEXT)
    batches = read_batches(file, TEXT, text=True, max_documents=1, max_bytes=1)
    write_quarantine(str(out), file, (bad for batch in batches for bad in batch.bad))


def test_records_say_what_where_and_why(tmp_path: Path) -> None:
    source, out = tmp_path / "a.jsonl", tmp_path / "run" / "a.jsonl"
    _quarantine(source, out, b'{"text": "a"}\n{"text": 1}\n\xff\n')
    number, raw = list(read_quarantine(str(out)))
    assert number == {
        "source": "web",
        "path": str(source),
        "row": 1,
        "rows": 1,
        "reason": "text_not_string",
        "detail": "the text is a JSON int",
        "content": '{"text": 1}',
    }
    assert (raw["row"], raw["reason"]) == (2, "invalid_utf8")
    assert base64.b64decode(raw["content_base64"]) == b"\xff"
    assert "content" not in raw


def test_parts_join_in_the_order_given(tmp_path: Path) -> None:
    parts = []
    for name in ("b", "a", "empty"):
        parts.append(str(tmp_path / f"{name}.part"))
        _quarantine(tmp_path / f"{name}.jsonl", Path(parts[-1]), b"{}\n5\n" if name != "empty" else b"")
    out = tmp_path / "quarantine" / "web.jsonl"
    join_quarantine(str(out), parts)
    found = [(Path(record["path"]).stem, record["row"]) for record in read_quarantine(str(out))]
    assert found == [("b", 0), ("b", 1), ("a", 0), ("a", 1)]
    assert out.read_bytes() == b"".join(Path(part).read_bytes() for part in parts)


def test_a_record_of_a_file_as_a_whole_has_no_row(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"")
    (file,) = list_files("web", [str(tmp_path / "a.jsonl")], None, TEXT)
    write_quarantine(str(tmp_path / "q"), file, [BadRow(None, 0, "corrupt_file", "why")])
    record = orjson.loads((tmp_path / "q").read_bytes())
    assert (record["row"], record["rows"]) == (None, 0)
    assert "content" not in record


def test_a_missing_part_is_an_error_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="missing: the file is not there"):
        join_quarantine(str(tmp_path / "q"), [str(tmp_path / "missing")])
    assert list(tmp_path.iterdir()) == []
