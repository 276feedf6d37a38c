"""`--memory`: the same bytes for any bound, and what does not fit."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import OutputError
from curate.io import batches, json_lines, parquet_columns
from curate.io.spool import Spool
from curate.memory import DEFAULT, Memory
from curate.recipe import load_recipe
from curate.report import verify
from curate.run import run
from curate.run.shard_rows import ShardRows
from tests.run.corpora import document, write_corpora, write_recipe
from tests.run.outputs import output_bytes
from tests.run.pages import kept, run_stages, write_pages

shard_rows = importlib.import_module(ShardRows.__module__)


def memory_of(size: int) -> Memory:
    """As small as no command line may ask for."""
    return Memory(size)


def test_sizes_in_words() -> None:
    assert Memory.of(None) == DEFAULT == Memory.of("4GB") == Memory.of(4_000_000_000)
    assert Memory.of("64MiB").bytes == 64 << 20
    assert Memory.of("1.5 gb").bytes == 1_500_000_000
    with pytest.raises(OutputError, match="'4 parsecs' is not a size"):
        Memory.of("4 parsecs")
    with pytest.raises(OutputError, match="64MiB or more"):
        Memory.of("1MB")


@pytest.mark.parametrize("size", [20_000, 200_000])
def test_the_same_bytes_for_any_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Little enough that batches are a few texts, joins and clusters are cut, and everything goes to files."""
    write_corpora(tmp_path)
    recipe = load_recipe(str(write_recipe(tmp_path)))
    run(recipe, str(tmp_path / "much"), workers=1)
    monkeypatch.setattr(Memory, "of", lambda given: memory_of(size))
    monkeypatch.setattr("curate.stages.fuzzy_tasks.BYTES_OF_A_MEMBER", 0)
    moved: list[object] = []
    for kind in (Spool, ShardRows):
        move = kind._move  # type: ignore[attr-defined]
        monkeypatch.setattr(kind, "_move", lambda self, move=move: (moved.append(type(self)), move(self)))
    run(recipe, str(tmp_path / "little"), workers=2)
    assert output_bytes(tmp_path / "little") == output_bytes(tmp_path / "much")
    assert verify(str(tmp_path / "little")) == []
    if size == 20_000:
        assert {Spool, ShardRows} == set(moved)
        joins = list((tmp_path / "little/run/receipts").rglob("*join/*.json"))
        assert len(joins) > len(list((tmp_path / "much/run/receipts").rglob("*join/*.json")))


def test_too_many_candidates_are_an_error_that_says_how_much_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_pages(tmp_path / "a/a.parquet", [{"id": f"d{i}", "text": document(i // 2)} for i in range(40)])
    monkeypatch.setattr("curate.stages.fuzzy_tasks.BYTES_OF_A_MEMBER", 1 << 30)
    with pytest.raises(OutputError, match=r"(?s)fuzzy_dedup: clusters.*40 documents have a candidate"):
        run_stages(tmp_path, ["a"], "  - fuzzy_dedup: {bands: 32}", memory="64MiB")
    monkeypatch.undo()
    assert len(kept(run_stages(tmp_path, ["a"], "  - fuzzy_dedup: {bands: 32}"))) == 20


@pytest.mark.parametrize("limit", [0, 1_000, 1 << 30])
def test_a_spool_gives_back_what_it_got(limit: int) -> None:
    random = np.random.default_rng(1)
    numbers = random.integers(0, 1 << 60, 1_000, np.uint64)
    wide = random.integers(0, 256, (1_000, 7), np.uint8)
    spool = Spool([np.zeros(0, np.uint64), np.zeros((0, 7), np.uint8)], limit)
    for start in range(0, 1_000, 90):
        spool.add([numbers[start : start + 90], wide[start : start + 90]])
    assert spool.rows == 1_000
    for _ in range(2):
        assert (spool.column(0) == numbers).all()
        blocks = list(spool.blocks([1, 0], 256))
        assert [len(block[0]) for block in blocks] == [256, 256, 256, 232]
        assert (np.concatenate([block[0] for block in blocks]) == wide).all()
        assert (np.concatenate([block[1] for block in blocks]) == numbers).all()
    empty = Spool([np.zeros(0, np.uint64)], limit)
    assert [len(block[0]) for block in empty.blocks([0], 5)] == [0]


@pytest.mark.parametrize("limit", [0, 100_000, 1 << 40])
def test_row_groups_of_shards_are_bounded_by_bytes(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    """A document beyond the bound is a row group of its own."""
    monkeypatch.setattr(shard_rows, "GROUP_BYTES", 160_000)
    monkeypatch.setattr(shard_rows, "_BLOCK_BYTES", 25_000)
    schema = pa.schema([("text", pa.large_string()), ("id", pa.string())])
    rows = ShardRows(schema, limit)
    sizes = [10_000] * 40 + [200_000]
    for number, size in enumerate(sizes):
        rows.add(pa.table({"text": pa.array(["x" * size], pa.large_string()), "id": [str(number)]}))
    order = np.append(np.random.default_rng(0).permutation(40), 40)
    groups = list(rows.groups(order))
    assert [len(group) for group in groups] == [16, 16, 8, 1]
    assert [int(name) for group in groups for name in group["id"].to_pylist()] == order.tolist()
    assert [len(text) for group in groups for text in group["text"].to_pylist()] == sizes


@pytest.mark.parametrize("kind", ["parquet", "jsonl"])
def test_a_text_longer_than_a_page_of_parquet_is_quarantined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """The bound stands in for two gigabytes."""
    for module in (batches, json_lines, parquet_columns):
        monkeypatch.setattr(module, "LONGEST_TEXT", 5_000)
    monkeypatch.setattr(json_lines, "_LARGEST_ARROW_BLOCK", 5_000)
    texts = ["short", "x" * 5_001, "y" * 5_000, "é" * 2_501]
    if kind == "parquet":
        pq.write_table(pa.table({"text": texts}), tmp_path / "a.parquet")
    else:
        (tmp_path / "a.jsonl").write_text("".join(f'{{"text": "{text}"}}\n' for text in texts))
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text(f"name: long\nsources: [{{name: long, path: '{tmp_path}/a.{kind}'}}]\n")
    done = run(load_recipe(str(recipe)), str(tmp_path / "out"))
    assert done.quarantined == 2
    assert (tmp_path / "out/quarantine/long.jsonl").read_text().count("text_too_long") == 2
    written = pq.read_table(tmp_path / "out/data")["text"].to_pylist()
    assert sorted(written) == sorted(["short", "y" * 5_000])


def test_a_document_of_megabytes_goes_through_whole(tmp_path: Path) -> None:
    """The shape of benchmarks/large_documents.py, a hundredth of its size."""
    long = document(1) + "0123456789" * 2_000_000
    texts = [document(0), long, document(2)]
    for kind in ("parquet", "jsonl"):
        folder = tmp_path / kind
        folder.mkdir()
        if kind == "parquet":
            pq.write_table(pa.table({"text": texts}), folder / "a.parquet")
        else:
            (folder / "a.jsonl").write_text("".join(f"{json.dumps({'text': text})}\n" for text in texts))
        recipe = folder / "recipe.yaml"
        recipe.write_text(
            f"name: long\nsources: [{{name: long, path: '{folder}/a.{kind}'}}]\n"
            "stages: [exact_dedup, fuzzy_dedup]\n"
        )
        run(load_recipe(str(recipe)), str(folder / "out"), memory="64MiB")
        written = pq.read_table(folder / "out/data")["text"].to_pylist()
        assert sorted(written) == sorted(texts)


def test_long_texts_that_stand_together_do_not_make_long_batches(tmp_path: Path) -> None:
    from curate.io.sources import SourceColumns, list_files, read_batches

    texts = ["s" * 100] * 20_000 + ["l" * 100_000] * 300
    pq.write_table(
        pa.table({"text": texts}), tmp_path / "a.parquet", write_batch_size=16, use_dictionary=False
    )
    columns = SourceColumns("text")
    (file,) = list_files("a", [str(tmp_path / "a.parquet")], None, columns)
    rows = 0
    for batch in read_batches(file, columns, text=True, max_documents=16_384, max_bytes=1 << 20):
        assert batch.texts is not None
        held = sum(buffer.size for buffer in batch.texts.buffers() if buffer is not None)
        assert held < 20_000_000
        rows += len(batch)
    assert rows == len(texts)
