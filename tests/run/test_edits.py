"""Stages that edit texts: later stages and the output see what they leave, whatever the passes and the batches."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.io.ledger import Ledger
from curate.recipe import load_recipe
from curate.report import verify
from curate.run import run
from tests.run.corpora import document, write_recipe
from tests.run.outputs import output_bytes, receipt_times

QUESTION = "A farmer keeps eleven hens, and every hen lays four eggs a week; how many eggs are there after three weeks?"
RECIPE = """
name: edits
sources:
  - {name: first, path: "DATA/first/*.parquet", id: id}
  - {name: second, path: "DATA/second/*.parquet", id: id}
stages:
  - redact: {}
  - exact_dedup: {key: text}
  - decontaminate: {against: "DATA/sums.jsonl", sources: [second], action: mask, window: 10, min_piece: 50}
  - where: {keep: "edited_bytes >= 300"}
  - fuzzy_dedup: {verify: {min_similarity: 0.7, exact: true}, bands: 16}
output: {shard_bytes: 8kB}
"""


def _write(path: Path, texts: list[str], start: int = 0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    ids = [f"{path.parent.name}-{start + row}" for row in range(len(texts))]
    pq.write_table(pa.table({"text": texts, "id": ids}), path, row_group_size=4)


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    """Rows 1 of both sources differ in an address only; row 2 of `second` has a question in it; row 3 is one."""
    first = [document(number) for number in range(12)]
    second = [document(number) for number in range(100, 112)]
    first[1] += " Write to jane@example.org."
    second[1] = document(1) + " Write to joe@example.net."
    second[2] = document(102) + " " + QUESTION + " " + document(202)
    second[3] = QUESTION
    second[4] = "Short, from 8.8.8.8 or 8.8.4.4."
    _write(tmp_path / "first/a.parquet", first)
    _write(tmp_path / "second/a.parquet", second[:7])
    _write(tmp_path / "second/b.parquet", second[7:], 7)
    (tmp_path / "sums.jsonl").write_text(json.dumps({"text": QUESTION}) + "\n")
    return tmp_path


def _texts(out: Path) -> dict[str, str]:
    shards = [
        pq.read_table(path, columns=["id", "text"]) for path in sorted((out / "data").glob("*.parquet"))
    ]
    return {row["id"]: row["text"] for row in pa.concat_tables(shards).to_pylist()}


def test_later_stages_and_the_output_see_the_edited_text(corpora: Path) -> None:
    out = corpora / "out"
    run(load_recipe(write_recipe(corpora, RECIPE)), str(out), workers=1)
    texts = _texts(out)
    rows = {row["id"]: row for row in Ledger(str(out)).arrow().to_pylist()}

    assert texts["first-1"] == document(1) + " Write to email@example.com."
    assert rows["second-1"]["reason"] == "exact_dedup.duplicate"
    assert rows["second-1"]["redacted_emails"] == 1
    assert QUESTION[:40] not in texts["second-2"]
    assert texts["second-2"] == document(102)[:-9] + "\n\n" + document(202)[8:]
    assert rows["second-2"]["contaminated_by"] == "sums:0"
    assert rows["second-3"]["reason"] == "decontaminate.sums"
    assert (
        rows["second-4"] | {"reason": "where.not_kept", "redacted_ips": 2, "value": 35.0} == rows["second-4"]
    )
    for name, text in texts.items():
        size = len(text.encode())
        assert (rows[name]["edited_bytes"], rows[name]["edited_tokens"]) == (size, -(-size // 4))
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["totals"]["bytes_out"] == sum(len(text.encode()) for text in texts.values())
    assert verify(str(out)) == []


def test_the_same_bytes_whatever_the_batches_and_workers(corpora: Path) -> None:
    recipe = load_recipe(write_recipe(corpora, RECIPE))
    run(recipe, str(corpora / "one"), workers=1)
    run(recipe, str(corpora / "two"), workers=2, batch_documents=3)
    assert output_bytes(corpora / "one") == output_bytes(corpora / "two")


def test_another_edit_redoes_what_depends_on_the_texts(corpora: Path) -> None:
    out = corpora / "out"
    run(load_recipe(write_recipe(corpora, RECIPE)), str(out), workers=1)
    before = receipt_times(out)
    run(load_recipe(write_recipe(corpora, RECIPE)), str(out), workers=1)
    assert receipt_times(out) == before
    changed = RECIPE.replace("redact: {}", "redact: {email_placeholder: nobody@example.com}")
    run(load_recipe(write_recipe(corpora, changed)), str(out), workers=1)
    assert _texts(out)["first-1"] == document(1) + " Write to nobody@example.com."
    run(load_recipe(write_recipe(corpora, changed)), str(corpora / "fresh"), workers=1)
    assert output_bytes(out) == output_bytes(corpora / "fresh")
