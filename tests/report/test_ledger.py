"""Reading ledgers: rows in order, documents by position or id, missing columns as nulls, any file system."""

from __future__ import annotations

from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.errors import OutputError
from curate.io import ledger
from curate.io.ledger import LEDGER_FIELDS, Doc, Ledger, pack_doc, unpack_doc
from curate.report.stats import compute_stats
from tests.report.outputs import SOURCES, at, documents


@given(st.integers(0, 2**8 - 1), st.integers(0, 2**24 - 1), st.integers(0, 2**32 - 1))
def test_a_packed_doc_unpacks_to_its_parts(source: int, file: int, row: int) -> None:
    doc = pack_doc(source, file, row)
    assert 0 <= doc < 2**64
    assert unpack_doc(doc) == Doc(source, file, row)


@pytest.mark.parametrize("parts", [(256, 0, 0), (0, 2**24, 0), (0, 0, 2**32), (-1, 0, 0)])
def test_a_part_that_does_not_fit_is_refused(parts: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        pack_doc(*parts)


def test_rows_come_in_the_order_of_doc_with_their_source(out: Path) -> None:
    table = Ledger(str(out)).arrow(["doc", "source"])
    assert table["doc"].to_pylist() == [at(*row.place) for row in documents()]
    assert table["source"].to_pylist() == [row.place[0] for row in documents()]


def test_columns_have_the_ledgers_types_even_where_no_stage_wrote_them(out: Path) -> None:
    for path in (out / "ledger").rglob("*.parquet"):
        pq.write_table(pq.read_table(path, columns=["doc", "bytes", "tokens"]), path)
    ledger = Ledger(str(out))
    assert ledger.arrow().column_names == ["doc", "bytes", "tokens", "source"]
    assert ledger.arrow(list(LEDGER_FIELDS)).schema.types == list(LEDGER_FIELDS.values())


def test_a_condition_chooses_rows(out: Path) -> None:
    table = Ledger(str(out)).arrow(["doc"], "dropped_by = 'fuzzy' AND similarity < 0.9")
    assert table["doc"].to_pylist() == [at("books", 0, 2), at("forum", 0, 2)]


def test_statistics_that_only_one_source_has(out: Path) -> None:
    path = out / "ledger" / "forum" / "forum.parquet"
    table = pq.read_table(path)
    pq.write_table(table.append_column("words", pa.array(range(len(table)), pa.int64())), path)
    assert Ledger(str(out)).arrow(["words"])["words"].null_count == 18 - 5


@pytest.mark.parametrize(
    ("columns", "where"), [(["nothing"], None), (["doc"], "nothing = 1"), (["doc"], "((")]
)
def test_a_query_that_cannot_be_read_names_the_columns(
    out: Path, columns: list[str], where: str | None
) -> None:
    with pytest.raises(OutputError, match="columns of doc, "):
        Ledger(str(out)).arrow(columns, where)


@pytest.mark.parametrize("key", [at("web", 1, 0), str(at("web", 1, 0)), "web:1:0", "web/1/0", "web-1-0"])
def test_a_document_by_position_or_id(out: Path, key: int | str) -> None:
    row = Ledger(str(out)).document(key)
    assert (row["doc"], row["source"], row["dropped_by"]) == (at("web", 1, 0), "web", "quality")
    assert set(row) == {*LEDGER_FIELDS, "source"}


@pytest.mark.parametrize("key", ["web:1:9", "web:99999999:0", "films:0:0", "nobody", 7, 2**64, ""])
def test_a_document_that_is_not_there(out: Path, key: int | str) -> None:
    with pytest.raises(OutputError, match="no document of the ledger answers to it"):
        Ledger(str(out)).document(key)


def test_an_id_of_two_documents_lists_them(out: Path) -> None:
    path = out / "ledger" / "forum" / "forum.parquet"
    table = pq.read_table(path)
    same = pa.array(["same"] * len(table))
    pq.write_table(table.set_column(table.column_names.index("id"), "id", same), path)
    with pytest.raises(OutputError, match=r"5 documents have this id: forum:0:0, forum:0:1"):
        Ledger(str(out)).document("same")


def test_an_output_without_a_ledger(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no ledger files"):
        Ledger(str(tmp_path))


def test_paths_may_hold_wildcards_and_quotes(out: Path) -> None:
    odd = out.rename(out.with_name("o'ut [1]*?"))
    assert len(Ledger(str(odd)).arrow(["doc"])) == 18


def test_a_ledger_of_many_files_is_gathered_for_the_same_figures(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = compute_stats(str(out))
    monkeypatch.setattr(ledger, "_FOOTERS_KEPT", 1)
    with Ledger(str(out)).connect(gather=True) as connection:
        kinds = connection.execute(
            "SELECT table_type FROM information_schema.tables WHERE table_name = 'present'"
        )
        assert kinds.fetchall() == [("BASE TABLE",)]
    assert compute_stats(str(out)) == expected


@pytest.mark.parametrize("copied_bytes", [ledger.COPIED_BYTES, 0])
def test_a_remote_output_reads_like_a_local_one(
    out: Path, copied_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ledger, "COPIED_BYTES", copied_bytes)
    memory = fsspec.filesystem("memory")
    memory.put(str(out), "/bucket/run", recursive=True)
    try:
        remote = "memory://bucket/run"
        assert Ledger(remote).sources() == sorted(SOURCES)
        assert Ledger(remote).files() == Ledger(str(out)).files()
        assert compute_stats(remote) == compute_stats(str(out))
    finally:
        memory.rm("/bucket", recursive=True)
