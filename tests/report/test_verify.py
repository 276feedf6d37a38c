"""A sound run verifies; each planted corruption is found and named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import OutputError
from curate.report import verify
from tests.report.outputs import at

Corruption = Callable[[Path], None]


def shard(out: Path, number: int = 0) -> Path:
    return out / "data" / f"train-{number:05}-of-00002.parquet"


def in_ledger(source: str, row: int, **values: Any) -> Corruption:
    """Overwrites values of one row of a ledger (of the first file of the source)."""

    def corrupt(out: Path) -> None:
        path = sorted((out / "ledger" / source).iterdir())[0]
        table = pq.read_table(path)
        rows = table.to_pylist()
        rows[row] |= values
        pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)

    return corrupt


def in_manifest(change: Callable[[dict[str, Any]], None]) -> Corruption:
    def corrupt(out: Path) -> None:
        path = out / "manifest.json"
        manifest = json.loads(path.read_text())
        change(manifest)
        path.write_text(json.dumps(manifest))

    return corrupt


def flip_a_bit(out: Path) -> None:
    content = bytearray(shard(out).read_bytes())
    content[8] ^= 1
    shard(out).write_bytes(content)


def cut_a_shard(out: Path) -> None:
    shard(out).write_bytes(shard(out).read_bytes()[:-20])


def swap_sources(manifest: dict[str, Any]) -> None:
    counts = manifest["shards"][0]["rows_by_source"]
    manifest["shards"][0]["rows_by_source"] = {"web": counts["web"] - 1, "books": counts["books"] + 1}


def cut_a_ledger(out: Path) -> None:
    path = out / "ledger" / "forum" / "forum.parquet"
    pq.write_table(pq.read_table(path).slice(0, 4), path)


CORRUPTIONS: dict[str, tuple[Corruption, str]] = {
    "a bit of a shard": (flip_a_bit, "train-00000-of-00002.parquet: sha256"),
    "a shard cut short": (cut_a_shard, "train-00000-of-00002.parquet: bytes"),
    "a shard gone": (lambda out: shard(out, 1).unlink(), "the shard is missing"),
    "a shard too many": (lambda out: shard(out, 2).write_bytes(b""), "the manifest does not name"),
    "a ledger gone": (lambda out: (out / "ledger/web/web-b.parquet").unlink(), "the ledger is missing"),
    "a ledger too many": (
        lambda out: (out / "ledger/web/web-c.parquet").write_bytes(b""),
        "the manifest does not name",
    ),
    "a ledger that is none": (
        lambda out: (out / "ledger/web/web-b.parquet").write_bytes(b"PAR1"),
        "not readable as a ledger",
    ),
    "a ledger cut short": (cut_a_ledger, "4 rows"),
    "a row twice": (in_ledger("web", 1, doc=at("web", 0, 0)), "row 1 is of doc 0"),
    "a source file's rows": (
        in_manifest(lambda manifest: manifest["sources"][2]["files"][0].update(rows=6)),
        "forum.parquet: 5 rows",
    ),
    "a shard's rows": (in_manifest(lambda manifest: manifest["shards"][1].update(rows=4)), ": rows: 3"),
    "a shard's sources": (in_manifest(swap_sources), ": rows_by_source: "),
    "a shard's tokens": (in_manifest(lambda manifest: manifest["shards"][1].update(tokens=1)), "tokens"),
    "a source's count": (
        in_manifest(lambda manifest: manifest["sources"][0].update(kept=3)),
        "ledger of web: kept: 2",
    ),
    "the totals": (
        in_manifest(lambda manifest: manifest["totals"].update(tokens_out=131)),
        "ledger: totals: tokens_out: 130",
    ),
    "a drop undone": (in_ledger("books", 3, dropped_by=None, reason=None), "kept, yet not in the output"),
    "a dropped copy": (
        in_ledger("books", 3, copies=1),
        "dropped, yet in the output: 1 documents (books:0:3)",
    ),
    "copies that no shard has": (in_ledger("books", 0, copies=4), "4 rows of books in the shards"),
    "an unknown stage": (in_ledger("books", 3, dropped_by="magic"), "dropped_by magic"),
    "a witness that is none": (
        in_ledger("forum", 1, duplicate_of=at("web", 0, 9)),
        "that is not in the ledger",
    ),
    "no witness": (in_ledger("forum", 1, duplicate_of=None), "a duplicate without a witness"),
    "a witness of no source": (
        in_ledger("forum", 1, duplicate_of=at("forum", 0, 1) + (1 << 56)),
        "source number 3",
    ),
    "a witness of the same stage": (
        in_ledger("forum", 1, duplicate_of=at("books", 0, 1)),
        "that its stage or an earlier one dropped: 1 documents (forum:0:1)",
    ),
    "a witness dropped before": (
        in_ledger("forum", 1, duplicate_of=at("web", 0, 2)),
        "that its stage or an earlier one dropped: 1 documents (forum:0:1)",
    ),
    "itself as witness": (
        in_ledger("forum", 1, duplicate_of=at("forum", 0, 1)),
        "that its stage or an earlier one dropped: 1 documents (forum:0:1)",
    ),
    "a similarity": (in_ledger("forum", 1, similarity=1.5), "not between 0 and 1"),
    "a quarantine record gone": (lambda out: (out / "quarantine/web.jsonl").unlink(), "records of 0 rows"),
}


def test_a_sound_run_has_no_problems(out: Path) -> None:
    assert verify(str(out)) == []


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_each_corruption_is_found(out: Path, name: str) -> None:
    corrupt, expected = CORRUPTIONS[name]
    corrupt(out)
    assert expected in "\n".join(map(str, verify(str(out))))


def test_without_a_manifest_there_is_nothing_to_verify(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no manifest"):
        verify(str(tmp_path))
