"""Small sources written page by page, and what became of the pages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curate.io.ledger import Ledger
from curate.recipe import load_recipe
from curate.report import verify
from curate.run import run


def write_pages(path: Path, pages: Sequence[dict[str, Any]]) -> None:
    """A Parquet file of pages with the keys id, text and whatever else the first has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    names = list(pages[0])
    pq.write_table(pa.table({name: [page[name] for page in pages] for name in names}), path, row_group_size=5)


def run_stages(folder: Path, sources: Sequence[str], stages: str, out: str = "out", **how: Any) -> Path:
    """Run a recipe with these stages over folder/<source>/*.parquet; checks the run against itself."""
    listed = "".join(f'  - {{name: {name}, path: "{folder}/{name}/*.parquet", id: id}}\n' for name in sources)
    recipe = folder / f"{out}.yaml"
    recipe.write_text(f"name: pages\nsources:\n{listed}stages:\n{stages}\n")
    run(load_recipe(str(recipe)), str(folder / out), **how)
    assert verify(str(folder / out)) == []
    return folder / out


def rows(out: Path) -> dict[str, dict[str, Any]]:
    """The ledger's rows by id."""
    with Ledger(str(out)).connect() as connection:
        table = connection.sql("SELECT * FROM ledger ORDER BY doc").to_arrow_table()
    return {row["id"]: row for row in table.to_pylist()}


def witnesses(out: Path) -> dict[str, str]:
    """Of each duplicate of this run its id and that of its witness."""
    found = rows(out)
    names = {row["doc"]: name for name, row in found.items()}
    return {
        name: names[row["duplicate_of"]]
        for name, row in found.items()
        if row["duplicate_of"] is not None and row["duplicate_in"] is None
    }


def kept(out: Path) -> set[str]:
    return {name for name, row in rows(out).items() if row["dropped_by"] is None}
