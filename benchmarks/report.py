"""How long the report of a large run takes: a real run's ledger, repeated until it has so many rows.

A recipe with filters, exact and near duplicates, and kept statistics runs over sample corpora. Its ledger, shards
(without texts) and manifest are then repeated: copy n of a document stands n times the file's rows further down in the
same file, and so does the document that it duplicates. `--files` cuts each ledger file into as many. What is timed is
`curate.report.write_report`: figures, page, sampled texts.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import curate
from curate.report import write_report
from curate.synth import generate

RECIPE = """
name: large
sources:
  - {{name: fineweb-edu, path: "{0}/fineweb-edu/**/*.parquet", id: id, keep: [url]}}
  - {{name: dclm, path: "{0}/dclm/**/*.parquet", keep: [url]}}
  - {{name: zyda-1, path: "{0}/zyda-1/**/*.parquet", id: nemo_id}}
stages:
  - language: {{keep: [en]}}
  - heuristics: {{profile: nemo, keep_stats: [word_count, mean_word_length]}}
  - exact_dedup: {{key: text}}
  - fuzzy_dedup: {{preset: fineweb}}
"""
POSITIONS = ("doc", "cluster", "duplicate_of")


def repeated(table: pa.Table, rows_of_file: dict[int, int], copies: int) -> pa.Table:
    """The ledger of a source file, `copies` times, each document at a place of its own."""
    bases = np.array(sorted(rows_of_file), np.uint64)
    rows = np.array([rows_of_file[int(base)] for base in bases], np.uint64)
    parts = []
    for copy in range(copies):
        part = table
        for name in POSITIONS:
            values = table[name].combine_chunks()
            docs = values.fill_null(0).to_numpy()
            file = np.searchsorted(bases, docs >> np.uint64(32) << np.uint64(32))
            moved = docs + rows[np.minimum(file, len(rows) - 1)] * np.uint64(copy)
            column = pa.array(moved, mask=values.is_null().to_numpy(zero_copy_only=False))
            part = part.set_column(part.schema.get_field_index(name), name, column)
        parts.append(part)
    return pa.concat_tables(parts)


def enlarge(small: Path, large: Path, copies: int, files: int) -> int:
    """Writes the run `small`, so many times over, to `large`; returns its rows."""
    manifest: dict[str, Any] = json.loads((small / "manifest.json").read_text())
    entries = [(source, file) for source in manifest["sources"] for file in source["files"]]
    rows_of_file = {source["index"] << 56 | file["index"] << 32: file["rows"] for source, file in entries}
    total = 0
    for _, file in entries:
        table = repeated(pq.read_table(small / file["ledger"]), rows_of_file, copies)
        step = -(-len(table) // files)
        for number in range(files):
            path = large / file["ledger"].replace(".parquet", f"-{number:05d}.parquet")
            path.parent.mkdir(parents=True, exist_ok=True)
            pq.write_table(table.slice(number * step, step), path, compression="zstd")
        total += len(table)
    for shard in manifest["shards"]:
        table = pq.read_table(small / shard["path"], columns=["id", "source", "url"])
        (large / "data").mkdir(exist_ok=True)
        pq.write_table(pa.concat_tables([table] * copies), large / shard["path"])
    counts = ("documents", "kept", "bytes_in", "bytes_out", "tokens_in", "tokens_out", "rows_out")
    for entry in (*manifest["sources"], manifest["totals"]):
        entry |= {name: entry[name] * copies for name in counts}
    (large / "manifest.json").write_text(json.dumps(manifest))
    return total


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--documents", type=int, default=20_000, help="of the run that is repeated")
    parser.add_argument("--rows", type=int, default=10_000_000, help="of the large ledger, at least")
    parser.add_argument("--files", type=int, default=1, help="that each ledger file is cut into")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(folder / "corpora", arguments.documents, seed=0, workers=2, progress=lambda _: None)
        (folder / "recipe.yaml").write_text(RECIPE.format(folder / "corpora"))
        curate.run(curate.load_recipe(folder / "recipe.yaml"), str(folder / "small"))
        there = json.loads((folder / "small/manifest.json").read_text())["totals"]["documents"]
        copies = -(-arguments.rows // there)
        rows = enlarge(folder / "small", folder / "large", copies, arguments.files)
        wall, processor = time.perf_counter(), time.process_time()
        stats = write_report(str(folder / "large"))
        wall, processor = time.perf_counter() - wall, time.process_time() - processor
        size = (folder / "large/report/index.html").stat().st_size
        dropped = sum(each["dropped"] for stage in stats["stages"] for each in stage["sources"].values())
        ledgers = len(list((folder / "large/ledger").rglob("*.parquet")))
        print(f"{rows:,} rows in {ledgers:,} ledger files, {dropped:,} of them dropped")
        print(f"{wall:.1f} s of wall time, {processor:.1f} s of processor time, page {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
