import base64
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.errors import SourceError
from curate.io import parquet_source
from curate.io.sources import SourceColumns, list_files, read_batches
from tests.io.reading import Content, content

TEXT = SourceColumns("text")


def _strings(values: list[bytes | None], kind: pa.DataType = pa.string()) -> pa.Array:  # noqa: B008
    """An array of `kind` whose bytes need not be UTF-8."""
    large = kind in (pa.large_string(), pa.large_binary())
    raw = pa.array(values, pa.large_binary() if large else pa.binary())
    return pa.Array.from_buffers(kind, len(raw), raw.buffers())


def _write(path: Path, table: pa.Table, rows: int = 3, **options: Any) -> Path:
    pq.write_table(table, path, row_group_size=rows, **options)
    return path


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.binary(), pa.large_binary(), pa.string_view()]
)
def test_texts_of_every_kind_of_column(tmp_path: Path, kind: pa.DataType) -> None:
    texts = ["one", "", "zwei ü", None, "nul \x00", "𝄞"]
    values = [None if text is None else text.encode() for text in texts]
    column = _strings(values, kind) if kind != pa.string_view() else pa.array(texts, kind)
    read = content(_write(tmp_path / "a.parquet", pa.table({"text": column})), TEXT)
    assert read.texts == texts
    assert read.reasons() == [(3, 1, "text_null")]


def test_dictionary_encoded_columns_are_decoded(tmp_path: Path) -> None:
    texts = ["same", "same", None, "other"] * 3
    table = pa.table({name: pa.array(texts).dictionary_encode() for name in ("text", "id", "lang")})
    path = _write(tmp_path / "a.parquet", table)
    read = content(path, SourceColumns("text", "id", ("lang",)))
    assert read.texts == read.ids == read.column("lang") == texts
    assert [bad.row for bad in read.bad] == [2, 6, 10]


def test_an_all_null_text_column(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.parquet", pa.table({"text": pa.nulls(2)}))
    assert content(path, TEXT).reasons() == [(0, 1, "text_null"), (1, 1, "text_null")]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.binary(), pa.large_binary()])
def test_texts_that_are_not_utf8_are_null_and_kept_in_base64(tmp_path: Path, kind: pa.DataType) -> None:
    values = [b"ok", b"\xff\x00", None, b"fine", b"\xed\xa0\x80", b"\xc3"]
    table = pa.table({"text": _strings(values, kind)})
    read = content(_write(tmp_path / "a.parquet", table, rows=4), TEXT)
    assert read.texts == ["ok", None, None, "fine", None, None]
    assert read.reasons() == [
        (1, 1, "invalid_utf8"),
        (2, 1, "text_null"),
        (4, 1, "invalid_utf8"),
        (5, 1, "invalid_utf8"),
    ]
    raw = [bad.content_base64 and base64.b64decode(bad.content_base64) for bad in read.bad]
    assert raw == [b"\xff\x00", None, b"\xed\xa0\x80", b"\xc3"]


def test_ids_and_metadata_that_are_not_utf8_are_mended(tmp_path: Path) -> None:
    damaged = _strings([b"a", b"\xffb", None])
    table = pa.table({"text": ["x"] * 3, "id": damaged, "url": damaged})
    read = content(_write(tmp_path / "a.parquet", table), SourceColumns("text", "id", ("url",)))
    assert read.ids == read.column("url") == ["a", "\ufffdb", None]
    assert read.bad == []


def test_nested_metadata_that_is_not_utf8_is_mended(tmp_path: Path) -> None:
    damaged = _strings([b"a", b"\xffb", None, b"d"])
    gap = pa.array([False, False, False, True])
    columns = {
        "struct": pa.StructArray.from_arrays([damaged, pa.array([1, 2, 3, 4])], ["s", "n"], mask=gap),
        "list": pa.ListArray.from_arrays(pa.array([0, 1, None, 3, 4]), damaged),
        "map": pa.MapArray.from_arrays([0, 1, 2, 2, 4], pa.array(["k"] * 4), damaged),
    }
    path = _write(tmp_path / "a.parquet", pa.table({"text": ["x"] * 4, **columns}), rows=4)
    for ranges in (None, [(0, 1), (1, 4)]):
        read = content(path, SourceColumns("text", None, tuple(columns)), rows=ranges)
        assert read.column("struct") == [
            {"s": "a", "n": 1},
            {"s": "\ufffdb", "n": 2},
            {"s": None, "n": 3},
            None,
        ]
        assert read.column("list") == [["a"], ["\ufffdb", None], None, ["d"]]
        assert read.column("map") == [[("k", "a")], [("k", "\ufffdb")], [], [("k", None), ("k", "d")]]


def test_metadata_columns_keep_their_types_and_nesting(tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": ["a", "b"],
            "id": [7, None],
            "meta": [{"url": "u", "n": {"deep": 1}}, None],
            "tags": [["x"], []],
            "a.b": ["dotted", "dots"],
        }
    )
    names = ("meta", "meta.url", "meta.n.deep", "tags", "a.b")
    read = content(_write(tmp_path / "a.parquet", table), SourceColumns("text", "id", names))
    assert read.ids == ["7", None]
    assert read.column("meta") == [{"url": "u", "n": {"deep": 1}}, None]
    assert read.column("meta.url") == ["u", None]
    assert read.column("meta.n.deep") == [1, None]
    assert read.column("tags") == [["x"], []]
    assert read.column("a.b") == ["dotted", "dots"]


def test_text_may_lie_within_a_struct(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.parquet", pa.table({"content": [{"text": "a"}, {"text": None}, None]}))
    read = content(path, SourceColumns("content.text"))
    assert read.texts == ["a", None, None]
    assert read.reasons() == [(1, 1, "text_null"), (2, 1, "text_null")]


def test_files_without_rows(tmp_path: Path) -> None:
    path = _write(tmp_path / "a.parquet", pa.table({"text": pa.array([], pa.string())}))
    assert content(path, TEXT).batches == []


def test_without_text_only_the_other_columns_are_read(tmp_path: Path) -> None:
    table = pa.table({"text": _strings([b"\xff", b"a"]), "url": ["u", "v"]})
    path = _write(tmp_path / "a.parquet", table)
    read = content(path, SourceColumns("text", None, ("url",)), text=False)
    assert read.column("url") == ["u", "v"]
    assert read.bad == []
    assert [len(batch) for batch in content(path, TEXT, text=False, max_documents=1).batches] == [1, 1]


def _numbered(path: Path, rows: int = 12, group: int = 4, **options: Any) -> Path:
    table = pa.table({"text": [f"text {i}" * 50 for i in range(rows)], "n": list(range(rows))})
    return _write(path, table, group, use_dictionary=False, **options)


def _damage(path: Path, group: int, column: int = 0) -> None:
    """Inverts the second half of a column's data in one row group."""
    chunk = pq.read_metadata(path).row_group(group).column(column)
    content = bytearray(path.read_bytes())
    stop = chunk.data_page_offset + chunk.total_compressed_size
    for i in range(stop - chunk.total_compressed_size // 2, stop):
        content[i] ^= 255
    path.write_bytes(content)


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(
    "options",
    [
        {"compression": "zstd"},
        {"compression": "snappy"},
        {"compression": "none", "write_page_checksum": True},
    ],
)
def test_a_corrupt_row_group_is_bad_and_reading_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: bool, options: dict[str, Any]
) -> None:
    if not whole:
        monkeypatch.setattr(parquet_source, "WHOLE_GROUP_BYTES", 0)
        monkeypatch.setattr(parquet_source, "_PIECE_BYTES", 600)
    path = _numbered(tmp_path / "a.parquet", **options)
    intact = content(path, SourceColumns("text", None, ("n",)))
    assert intact.bad == []
    _damage(path, group=1)
    read = content(path, SourceColumns("text", None, ("n",)), max_documents=3)
    assert list(read.rows) == list(range(12))
    assert read.texts == [*intact.texts[:4], *[None] * 4, *intact.texts[8:]]
    assert read.column("n") == [0, 1, 2, 3, None, None, None, None, 8, 9, 10, 11]
    assert read.reasons() == [(4, 4, "corrupt_row_group")]
    assert "row group 1 cannot be read" in read.bad[0].detail


def test_a_corrupt_column_that_is_not_needed_does_no_harm(tmp_path: Path) -> None:
    path = _numbered(tmp_path / "a.parquet", compression="zstd", write_page_checksum=True)
    _damage(path, group=1, column=1)
    assert content(path, TEXT).bad == []
    assert content(path, SourceColumns("text", None, ("n",))).reasons() == [(4, 4, "corrupt_row_group")]


def test_ranges_of_a_corrupt_row_group(tmp_path: Path) -> None:
    path = _numbered(tmp_path / "a.parquet", compression="zstd")
    _damage(path, group=1)
    read = content(path, TEXT, rows=[(0, 1), (3, 5), (6, 9)])
    assert read.reasons() == [(4, 1, "corrupt_row_group"), (6, 2, "corrupt_row_group")]
    assert list(read.rows) == [0, 3, 4, 6, 7, 8]


@pytest.mark.parametrize(
    ("damaged", "reason"),
    [
        (b"", "corrupt_file"),
        (b"not Parquet", "corrupt_file"),
        (b"PAR1" + bytes(100), "truncated_file"),
        (b"PAR1" + bytes(100) + b"\xff\xff\xff\x7fPAR1", "corrupt_file"),
        (b"PAR1" + b"\xff" * 100 + (100).to_bytes(4, "little") + b"PAR1", "corrupt_file"),
    ],
)
def test_a_corrupt_footer_is_one_record(tmp_path: Path, damaged: bytes, reason: str) -> None:
    (tmp_path / "a.parquet").write_bytes(damaged)
    (file,) = list_files("test", [str(tmp_path / "a.parquet")], None, TEXT)
    assert file.rows == 0
    assert file.defect
    assert "no valid Parquet footer" in file.defect
    read = content(tmp_path / "a.parquet", TEXT)
    assert read.reasons() == [(None, 0, reason)]
    assert read.bad[0].detail == file.defect
    assert len(read.batches) == 1


def test_a_footer_longer_than_one_read(tmp_path: Path) -> None:
    table = pa.table({"text": ["a"]}).replace_schema_metadata({"k": "v" * 200_000})
    read = content(_write(tmp_path / "a.parquet", table), TEXT)
    assert read.texts == ["a"]


_TEXTS = st.lists(st.one_of(st.none(), st.text(max_size=8), st.just("x" * 40)), max_size=20)


@st.composite
def _ranges(draw: st.DrawFn, stop: int) -> list[tuple[int, int]] | None:
    if draw(st.booleans()):
        return None
    bounds = sorted(draw(st.lists(st.integers(0, stop), max_size=6, unique=True)))
    return list(zip(bounds[::2], bounds[1::2], strict=False))


@given(_TEXTS, st.data())
def test_limits_and_ranges_never_change_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str | None], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("limits") / "a.parquet"
    _write(path, pa.table({"text": pa.array(texts, pa.string())}), data.draw(st.integers(1, 8)))
    everything = content(path, TEXT)
    assert everything.texts == texts
    ranges = data.draw(_ranges(len(texts) + 2))
    part = content(
        path,
        TEXT,
        max_documents=data.draw(st.integers(1, 6)),
        max_bytes=data.draw(st.integers(1, 60)),
        rows=ranges,
    )
    spans = [(0, len(texts))] if ranges is None else ranges
    wanted = [row for first, last in spans for row in range(first, last)]
    wanted = [row for row in wanted if row < len(texts)]
    assert list(part.rows) == wanted
    assert part.rows == {row: everything.rows[row] for row in wanted}
    assert part.bad == [bad for bad in everything.bad if bad.row in wanted]
    _no_batch_spans_two_ranges(part, ranges)


def _no_batch_spans_two_ranges(read: Content, ranges: list[tuple[int, int]] | None) -> None:
    for batch in read.batches if ranges else []:
        assert any(first <= batch.start and batch.start + len(batch) <= last for first, last in ranges or [])


def test_large_row_groups_are_streamed_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _numbered(tmp_path / "a.parquet", rows=100, group=60)
    whole = content(path, TEXT)
    monkeypatch.setattr(parquet_source, "WHOLE_GROUP_BYTES", 0)
    monkeypatch.setattr(parquet_source, "_PIECE_BYTES", 2000)
    streamed = content(path, TEXT)
    assert streamed.rows == whole.rows
    assert len(streamed.batches) > 10
    assert content(path, TEXT, rows=[(5, 7), (59, 61)]).rows.keys() == {5, 6, 59, 60}


def test_texts_are_slices_of_what_arrow_read(tmp_path: Path) -> None:
    path = _numbered(tmp_path / "a.parquet", rows=100, group=100)
    batches = content(path, TEXT, max_documents=10).batches
    buffers = {batch.texts.buffers()[2].address for batch in batches if batch.texts is not None}
    assert len(batches) == 10
    assert len(buffers) == 1


def test_a_file_that_vanishes_is_a_source_error(tmp_path: Path) -> None:
    path = _numbered(tmp_path / "a.parquet")
    (file,) = list_files("test", [str(path)], None, TEXT)
    path.unlink()
    with pytest.raises(SourceError, match=r"a\.parquet: the file is not there"):
        list(read_batches(file, TEXT, text=True, max_documents=10, max_bytes=1000))


def test_a_lost_connection_is_no_corrupt_row_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _numbered(tmp_path / "a.parquet", rows=4000, group=1000, compression="none")
    memory = fsspec.filesystem("memory")
    memory.put(str(path), "/cut/a.parquet")
    read = memory.cat_file

    def cut(_: object, path: str, start: int, end: int) -> bytes:
        if start < 4000:
            raise ConnectionResetError("connection reset")
        return bytes(read(path, start, end))

    monkeypatch.setattr(type(memory), "cat_file", cut)
    (file,) = list_files("test", ["memory://cut/a.parquet"], None, TEXT)
    with pytest.raises(SourceError, match=r"a\.parquet: cannot be read: connection reset"):
        list(read_batches(file, TEXT, text=True, max_documents=10, max_bytes=1000))
    memory.rm("/cut", recursive=True)


def test_remote_files_read_as_local_ones_do(tmp_path: Path) -> None:
    path = _numbered(tmp_path / "a.parquet", compression="zstd")
    _damage(path, group=1)
    fsspec.filesystem("memory").put(str(path), "/b.parquet")
    local, remote = content(path, TEXT), content("memory://b.parquet", TEXT)
    assert remote.rows == local.rows
    assert remote.reasons() == local.reasons() == [(4, 4, "corrupt_row_group")]
    fsspec.filesystem("memory").rm("/b.parquet")
