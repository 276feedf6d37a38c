"""docs/ledger.md: every column and field is there with its type, and each way to read a ledger gives the same."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from pydantic import BaseModel

from curate.io import manifest
from curate.io.ledger import LEDGER_FIELDS
from tests.report.outputs import documents, write_output

PAGE = (Path(__file__).parents[2] / "docs" / "ledger.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def test_every_column_is_listed_in_order_with_its_type() -> None:
    section = PAGE.partition("## Columns")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| `(\w+)` \| (\w+) \|", section, re.MULTILINE)
    assert listed == [(name, str(kind)) for name, kind in LEDGER_FIELDS.items()]


@pytest.mark.parametrize(
    "model",
    [each for each in vars(manifest).values() if isinstance(each, type) and issubclass(each, BaseModel)],
    ids=lambda model: model.__name__,
)
def test_every_field_of_the_manifest_is_named(model: type[BaseModel]) -> None:
    section = PAGE.partition("## The manifest")[2]
    assert [name for name in model.model_fields if f"`{name}`" not in section] == []


@pytest.mark.parametrize("library", ["curate", "duckdb", "polars", "pandas"])
def test_each_way_to_read_a_ledger(library: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip(library)
    (tmp_path / "made").mkdir()
    (tmp_path / "out").mkdir()
    write_output(tmp_path / "made").rename(tmp_path / "out/zyda2")
    # Files differ in columns, as they do where a stage looks at some sources only.
    (books,) = (tmp_path / "out/zyda2/ledger/books").glob("*.parquet")
    pq.write_table(pq.read_table(books).drop_columns(["similarity"]), books)
    monkeypatch.chdir(tmp_path)
    (block,) = [each for each in BLOCKS if f"import {library}" in each]
    names: dict[str, Any] = {}
    exec(block, names)
    expected = Counter(row.columns["reason"] for row in documents() if "reason" in row.columns)
    assert counted(library, names["reasons"]) == expected


def counted(library: str, reasons: Any) -> dict[str, int]:
    if library == "curate":
        return {row["reason"]: row["reason_count"] for row in reasons.to_pylist()}
    if library == "duckdb":
        return dict(reasons.fetchall())
    return dict(reasons.rows()) if library == "polars" else reasons.to_dict()
