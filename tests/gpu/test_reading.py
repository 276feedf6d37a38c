"""Texts read into the device's memory: the same documents, ids, metadata and bad rows as Arrow reads on the host."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import EngineError
from curate.io import cudf_parquet
from curate.io.sources import SourceColumns, list_files, read_batches
from curate.kernels.choice import kernels_on
from curate.kernels.gpu.driver import device_count
from curate.kernels.gpu.kernels import DeviceKernels
from tests.gpu.fake_cudf import Cudf, install
from tests.gpu.host_device import HostDevice

COLUMNS = SourceColumns("text", "id", ("url",))
WORDS = ["", "a", "naïve", "漢字", "the quick brown fox " * 40]


@pytest.fixture(params=[(np.int32, 0), (np.int64, 0), (np.int32, 3), (np.int64, 3)], ids=str)
def cudf(request, compiler, monkeypatch) -> Cudf:
    return install(monkeypatch, Cudf(*request.param))


@pytest.fixture
def memory(compiler):
    return DeviceKernels(HostDevice(seed=5))


def table(texts: pa.Array) -> pa.Table:
    rows = len(texts)
    urls = [None if row % 5 == 0 else f"https://example.org/{row}" for row in range(rows)]
    return pa.table({"text": texts, "id": [f"id-{row}" for row in range(rows)], "url": urls})


def words(rows: int) -> list[str]:
    return [WORDS[row % len(WORDS)] * (1 + row % 3) for row in range(rows)]


def documents(batches, rows=None) -> tuple[list[tuple], list]:
    """(row, text, id, url) of each document that is wanted, and the bad rows among them."""
    found, bad = [], []
    for batch in batches:
        bad += batch.bad
        if not len(batch):
            continue
        if batch.device_texts is not None:
            host, places = batch.device_texts.on_host(np.arange(len(batch)))
            texts = [
                bytes(host.data[host.offsets[at] : host.offsets[at + 1]]).decode() for at in places.tolist()
            ]
        else:
            texts = batch.texts.to_pylist()
        columns = (batch.ids.to_pylist(), batch.columns["url"].to_pylist())
        numbers = range(batch.start, batch.start + len(batch))
        found += zip(numbers, texts, *columns, strict=True)
    if rows is not None:
        found = [each for each in found if any(first <= each[0] < last for first, last in rows)]
    return found, bad


def both(path: Path, memory, rows=None, max_documents=10_000, max_bytes=1 << 20, columns=COLUMNS):
    """The batches as read into the device's memory, which hold what the host reads."""
    (file,) = list_files("corpus", [str(path)], None, columns)
    on_device = list(cudf_parquet.read(file, columns, memory, max_documents, max_bytes, rows))
    on_host = read_batches(file, columns, text=True, max_documents=7, max_bytes=1 << 20, rows=rows)
    assert documents(on_device, rows) == documents(on_host, rows)
    return on_device


KINDS = {
    "string": pa.array(words(60)),
    "large string": pa.array(words(60), pa.large_string()),
    "binary": pa.array([text.encode() for text in words(60)], pa.binary()),
    "dictionary": pa.array(words(60)).dictionary_encode(),
    "all empty": pa.array([""] * 60),
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_text_column(kind, cudf, memory, tmp_path: Path) -> None:
    pq.write_table(table(KINDS[kind]), tmp_path / "a.parquet", row_group_size=11)
    batches = both(tmp_path / "a.parquet", memory)
    assert [batch.device_texts is not None for batch in batches] == [True]
    assert cudf.read == {str(tmp_path / "a.parquet"): [0, 1, 2, 3, 4, 5]}


def test_row_groups_with_a_bad_row_are_the_hosts(cudf, memory, tmp_path: Path) -> None:
    texts = [text.encode() for text in words(60)]
    texts[15], texts[37], texts[38] = None, b"caf\xe9", b"cut \xe2\x80"
    pq.write_table(table(pa.array(texts, pa.binary())), tmp_path / "a.parquet", row_group_size=10)
    batches = both(tmp_path / "a.parquet", memory)
    assert [batch.device_texts is not None for batch in batches] == [True, False, True, False, True]
    assert cudf.read == {str(tmp_path / "a.parquet"): [0, 1, 2, 3, 4, 5]}
    assert [bad.reason for batch in batches for bad in batch.bad] == ["text_null", *["invalid_utf8"] * 2]


def test_some_rows_of_a_file(cudf, memory, tmp_path: Path) -> None:
    pq.write_table(table(KINDS["string"]), tmp_path / "a.parquet", row_group_size=6)
    both(tmp_path / "a.parquet", memory, rows=[(2, 3), (20, 31), (58, 60)])
    assert cudf.read == {str(tmp_path / "a.parquet"): [0, 3, 4, 5, 9]}


def test_batches_are_as_large_as_asked_for(cudf, memory, tmp_path: Path) -> None:
    lines = [f"{row} " + "unlike any other " * 20 for row in range(60)]
    lines[33] = "x" * 9_000
    pq.write_table(table(pa.array(lines)), tmp_path / "a.parquet", row_group_size=6, use_dictionary=False)
    batches = both(tmp_path / "a.parquet", memory, max_bytes=6_000)
    assert [len(batch) for batch in batches if batch.device_texts is not None] == [12, 12, 6, 12, 12]
    assert sum(len(batch) for batch in batches if batch.device_texts is None) == 6


def test_a_dictionary_that_unfolds_beyond_a_batch_is_the_hosts(cudf, memory, tmp_path: Path) -> None:
    pq.write_table(table(pa.array(["the same " * 9_000] * 60)), tmp_path / "a.parquet")
    assert {batch.device_texts for batch in both(tmp_path / "a.parquet", memory, max_bytes=1 << 18)} == {None}


class NoRoomForOffsets(HostDevice):
    """Offsets of 32 bits, which would have to be widened, find no memory beside the text."""

    def adopted(self, address, count, dtype, owner):
        if dtype is np.int32:
            raise MemoryError("free, but in too small pieces")
        return super().adopted(address, count, dtype, owner)


def test_columns_that_leave_no_memory_are_the_hosts(cudf, compiler, tmp_path: Path) -> None:
    pq.write_table(table(KINDS["string"]), tmp_path / "a.parquet", row_group_size=20)
    batches = both(tmp_path / "a.parquet", DeviceKernels(NoRoomForOffsets()))
    assert cudf.read == {str(tmp_path / "a.parquet"): [0, 1, 2]}
    assert all((batch.device_texts is None) == (cudf.width is np.int32) for batch in batches)


def nested(path: Path) -> SourceColumns:
    rows = [{"body": text} for text in words(20)]
    pq.write_table(pa.table({"text": rows, "id": ["x"] * 20, "url": ["y"] * 20}), path)
    return SourceColumns("text.body", "id", ("url",))


def with_checksums(path: Path) -> SourceColumns:
    pq.write_table(table(KINDS["string"]), path, write_page_checksum=True)
    return COLUMNS


def without_rows(path: Path) -> SourceColumns:
    pq.write_table(table(KINDS["string"]).slice(0, 0), path)
    return COLUMNS


def without_footer(path: Path) -> SourceColumns:
    path.write_bytes(b"PAR1 and no more")
    return COLUMNS


@pytest.mark.parametrize("write", [nested, with_checksums, without_rows, without_footer])
def test_files_that_are_the_hosts(write, cudf, memory, tmp_path: Path) -> None:
    columns = write(tmp_path / "a.parquet")
    both(tmp_path / "a.parquet", memory, columns=columns)
    assert cudf.read == {}


def test_json_lines_are_the_hosts(cudf, memory, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "one", "id": "1", "url": "u"}\n{"text": 2}\n')
    batches = both(tmp_path / "a.jsonl", memory)
    assert [bad.reason for batch in batches for bad in batch.bad] == ["text_not_string"]


@pytest.mark.parametrize("write", [with_checksums, lambda path: pq.write_table(table(KINDS["string"]), path)])
def test_damaged_pages_are_quarantined_as_on_the_host(write, monkeypatch, memory, tmp_path: Path) -> None:
    install(monkeypatch, Cudf(fails=True))  # as cudf does for what it cannot decode
    path = tmp_path / "a.parquet"
    write(path)
    content = bytearray(path.read_bytes())
    content[60:90] = bytes(30)
    path.write_bytes(content)
    batches = both(path, memory)
    assert {bad.reason for batch in batches for bad in batch.bad} == {"corrupt_row_group"}


@pytest.mark.skipif(device_count() == 0, reason="a GPU is needed, the driver offers none")
class TestOnAGpu:
    """The same with cudf itself."""

    @pytest.fixture
    def memory(self):
        for package in ("cupy", "pylibcudf", "rmm"):
            pytest.importorskip(package, reason="pip install 'curate[rapids]'")
        return kernels_on("gpu")

    @pytest.mark.parametrize("kind", KINDS)
    def test_every_kind_of_text_column(self, kind, memory, tmp_path: Path) -> None:
        pq.write_table(table(KINDS[kind]), tmp_path / "a.parquet", row_group_size=11, compression="zstd")
        batches = both(tmp_path / "a.parquet", memory)
        assert [batch.device_texts is not None for batch in batches] == [True]

    def test_row_groups_with_a_bad_row_are_the_hosts(self, memory, tmp_path: Path) -> None:
        texts = [text.encode() for text in words(60)]
        texts[15], texts[37] = None, b"caf\xe9"
        pq.write_table(table(pa.array(texts, pa.binary())), tmp_path / "a.parquet", row_group_size=10)
        batches = both(tmp_path / "a.parquet", memory)
        assert [batch.device_texts is not None for batch in batches] == [True, False, True, False, True]

    def test_some_rows_of_a_file(self, memory, tmp_path: Path) -> None:
        pq.write_table(table(KINDS["string"]), tmp_path / "a.parquet", row_group_size=6)
        both(tmp_path / "a.parquet", memory, rows=[(2, 3), (20, 31), (58, 60)])


def test_a_pylibcudf_that_does_not_work_is_named(monkeypatch, memory, tmp_path: Path) -> None:
    pq.write_table(table(KINDS["string"]), tmp_path / "a.parquet")
    (file,) = list_files("corpus", [str(tmp_path / "a.parquet")], None, COLUMNS)

    def broken(name: str):
        raise OSError("libcudf.so: cannot open shared object file")

    monkeypatch.setattr(cudf_parquet.importlib, "import_module", broken)
    with pytest.raises(EngineError, match=r"pylibcudf cannot be imported: libcudf(.|\n)*curate\[rapids\]"):
        list(cudf_parquet.read(file, COLUMNS, memory, 100, 1 << 20, None))
