"""Zyda-2 on real corpora: time, what each stage dropped, duplicates found against labels.

    python -m benchmarks.zyda2_mini CORPORA OUT [LABELS]

CORPORA holds the folders of pipelines/zyda2-mini.yaml. LABELS is a Parquet table (source, file, row, label) that names
the page or section each document comes from: equal labels are the same origin in another extraction, revision or
version.
Prints Markdown.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import duckdb

from curate.io.ledger import Ledger
from curate.io.manifest import Manifest
from curate.progress import Silent
from curate.recipe import load_recipe
from curate.run import run

PIPELINE = Path(__file__).parents[1] / "pipelines/zyda2-mini.yaml"


class Timed(Silent):
    """Notes the wall seconds of each pass."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._started = 0.0

    def pass_started(self, name: str, tasks: int, already_done: int, total_bytes: int) -> None:
        self._started = time.perf_counter()

    def pass_finished(self, name: str, seconds: float) -> None:
        self.seconds[name] = time.perf_counter() - self._started


def main(corpora: str, out: str, labels: str | None = None) -> None:
    watch = Timed()
    started = time.perf_counter()
    result = run(load_recipe(PIPELINE, [f"vars.data={corpora}"]), out, fresh=True, progress=watch)
    total = time.perf_counter() - started
    size = result.stats["totals"]["bytes_in"] / 1e6
    print(f"{size:.0f} MB of text in {total:.2f} s: {size / total:.0f} MB/s\n\n| pass | seconds |\n|---|---|")
    for name, seconds in watch.seconds.items():
        print(f"| {name} | {seconds:.2f} |")
    print("\n| stage | source | shown | dropped |\n|---|---|---|---|")
    for stage in result.stats["stages"]:
        for source, found in stage["sources"].items():
            print(f"| {stage['name']} | {source} | {found['documents_in']:,} | {found['dropped']:,} |")
    if labels is not None:
        print_recall(out, labels)


def print_recall(out: str, labels: str) -> None:
    """Of documents whose label another document shown to deduplication has, how many went or lost one to them."""
    files = [
        (source.name, Path(file.path).name, source.index << 24 | file.index)
        for source in Manifest.load(out).sources
        for file in source.files
    ]
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE files (source VARCHAR, file VARCHAR, place UBIGINT)")
        connection.executemany("INSERT INTO files VALUES (?, ?, ?)", files)
        ledger = Ledger(out).arrow(["doc", "source", "dropped_by", "duplicate_of"])
        connection.register("ledger", ledger)
        connection.read_parquet(labels).create_view("labels")
        connection.execute(
            """CREATE TABLE shown AS
            SELECT doc, ledger.source, dropped_by, duplicate_of, label
            FROM labels JOIN files ON files.source = labels.source AND files.file = parse_filename(labels.file)
            JOIN ledger ON doc = (place << 32) + row
            WHERE dropped_by IS NULL OR dropped_by IN ('exact_dedup', 'fuzzy_dedup', 'mix')"""
        )
        print("\n| label in | documents that could go | went |\n|---|---|---|")
        for scope, condition in (("any source", "true"), ("two sources", "count(DISTINCT source) > 1")):
            could, went = connection.execute(
                f"""SELECT sum(documents - 1), sum(dropped) FROM (
                SELECT count(*) AS documents, count(duplicate_of) AS dropped FROM shown GROUP BY label
                HAVING count(*) > 1 AND {condition})"""
            ).fetchall()[0]
            print(f"| {scope} | {int(could):,} | {int(went):,} ({went / could:.1%}) |")
        same, drops = connection.execute(
            """SELECT count(*) FILTER (a.label = b.label), count(*)
            FROM shown a JOIN shown b ON a.duplicate_of = b.doc"""
        ).fetchall()[0]
        print(f"\nOf {drops:,} drops with a labelled witness {same:,} ({same / drops:.1%}) have its label.")


if __name__ == "__main__":
    main(*sys.argv[1:])
