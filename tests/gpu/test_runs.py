"""Whole recipes on the device that runs kernels on the CPU: the same bytes as without it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from curate.cli import app
from curate.progress import Silent
from curate.recipe import load_recipe
from curate.run import run
from curate.run.steps import Carrying
from tests.gpu.fake_cudf import Cudf, install
from tests.gpu.host_device import HostDevice
from tests.run.outputs import output_bytes


class Counting(HostDevice):
    """launched: kernels that ran, by name. copied_bytes: of texts from the host. adopted_bytes: of memory of others."""

    def __init__(self, **options) -> None:
        super().__init__(**options)
        self.launched: set[str] = set()
        self.copied_bytes = self.adopted_bytes = 0

    def copied(self, array):
        self.copied_bytes += array.nbytes
        return super().upload(array)

    def adopted(self, address, count, dtype, owner):
        self.adopted_bytes += count * np.dtype(dtype).itemsize
        return super().adopted(address, count, dtype, owner)

    def launch(self, kernel, *arguments, **options):
        self.launched.add(kernel)
        super().launch(kernel, *arguments, **options)


@pytest.mark.parametrize("asked", ["gpu", "auto"])
def test_a_run_on_the_device_writes_the_same_bytes(
    compiler, recipe, reference, as_gpu, tmp_path: Path, asked
) -> None:
    counting = Counting(seed=3, memory=1 << 30)
    as_gpu(counting)
    run(recipe, str(tmp_path), device=asked, workers=2)
    assert output_bytes(tmp_path) == reference
    kernels = {
        "text_hash",
        "heuristic_statistics",
        "heuristic_families",
        "fasttext_hidden",
        "fasttext_labels",
    }
    assert counting.launched == kernels | {"sketch_chars", "sketch_words", "redact_counts"}


GPU_ALONE = """
name: on-the-gpu
sources:
  - {{name: fineweb-edu, path: "{data}/fineweb-edu/**/*.parquet", id: id, keep: [url]}}
  - {{name: dclm, path: "{data}/dclm/**/*.parquet", keep: [url]}}
stages:
  - language: {{keep: [en], min_score: 0.3}}
  - heuristics: {{profile: nemo, keep_stats: all}}
  - heuristics: {{name: edited, profile: datatrove, keep_stats: all}}
  - decontaminate: {{against: "{data}/items.jsonl", max_overlap: 0.2}}
  - blocklist: {{words: "{data}/words.txt"}}
  - redact: {{}}
  - boilerplate: {{lines: "{data}/lines.txt"}}
  - decontaminate: {{name: masked, against: "{data}/parts.jsonl", action: mask, window: 20, min_piece: 10}}
  - exact_dedup: {{key: text}}
  - fuzzy_dedup: {{name: characters, preset: zyda2, guards: {{max_source_loss: 1.0}}}}
  - quality: {{model: quality-default}}
  - exact_dedup: {{name: normal, normalize: [lowercase, digits, punctuation]}}
  - fuzzy_dedup:
      name: words
      shingles: {{unit: word, length: 5}}
      normalize: [lowercase, punctuation]
      prefer: quality
      guards: {{max_source_loss: 1.0}}
output: {{shard_bytes: 300kB}}
"""


@pytest.fixture(scope="module")
def gpu_alone(recipe_file, tmp_path_factory):
    """A recipe of which no stage looks at texts on the CPU, and what the CPU makes of it. Of one file a row is bad."""
    data = recipe_file.parent / "synth"
    path = sorted(data.glob("dclm/**/*.parquet"))[0]
    table = pq.read_table(path)
    place = table.column_names.index("text")
    texts = table.column("text").to_pylist()
    items = [{"text": text[50:400]} for text in texts[:2]]
    (data / "items.jsonl").write_text("".join(json.dumps(item) + "\n" for item in items))
    part = {"text": " ".join(texts[3].split()[10:24])}
    (data / "parts.jsonl").write_text(json.dumps(part) + "\n")
    (data / "lines.txt").write_text("\n".join(texts[4].split("\n")[:2]))
    (data / "words.txt").write_text("\n".join(sorted(texts[1].split(), key=len)[-2:]))
    more = "\nYou may write to someone@example.net or to 8.8.8.8.\nShare this page on Facebook.\n"
    texts = [text + more * (place % 9 == 1) for place, text in enumerate(texts)]
    texts[7] = None
    table = table.set_column(place, "text", pa.array(texts, table.schema.field("text").type))
    pq.write_table(table, path, row_group_size=5)
    recipe = tmp_path_factory.mktemp("recipe") / "recipe.yaml"
    recipe.write_text(GPU_ALONE.format(data=data))
    loaded = load_recipe(str(recipe))
    out = tmp_path_factory.mktemp("cpu-alone")
    run(loaded, str(out), device="cpu", workers=2)
    return loaded, output_bytes(out)


@pytest.mark.parametrize("width", [np.int32, np.int64])
def test_texts_that_cudf_reads_are_not_copied(
    compiler, gpu_alone, as_gpu, monkeypatch, tmp_path: Path, width
) -> None:
    recipe, reference = gpu_alone
    cudf = install(monkeypatch, Cudf(width, skipped=2))
    device = Counting(seed=6)
    as_gpu(device)
    run(recipe, str(tmp_path), device="gpu", workers=2)
    assert output_bytes(tmp_path) == reference
    assert len(cudf.read) > 2
    ledgers = [pq.read_table(path) for path in sorted(tmp_path.glob("ledger/**/*.parquet"))]
    ledger = pa.concat_tables(ledgers, promote_options="default")
    assert {"decontaminate", "blocklist", "edited"} <= set(ledger["dropped_by"].to_pylist())
    for name in ("contamination", "redacted_emails", "redacted_ips", "boilerplate_removed"):
        assert pc.sum(ledger[name]).as_py() > 0
    metrics = (tmp_path / "run/metrics.prom").read_text()
    assert re.search(r'stage_documents(_total)?\{[^}]*stage="read by cudf"[^}]*\} [1-9]', metrics)
    assert device.launched >= {
        "utf8_broken",
        "text_hash",
        "fasttext_hidden",
        "sketch_chars",
        "sketch_words",
        "ngram_hits",
        "normal_forms",
        "redact_counts",
        "replaced_texts",
        "lines_may_match",
        "heuristic_families",
    }
    # Of the row group with a bad row, by each stage, and what `redact` and `boilerplate` edit.
    assert 0 < device.copied_bytes < 0.3 * device.adopted_bytes


def test_a_device_with_little_memory_writes_the_same_bytes(
    compiler, recipe, reference, as_gpu, tmp_path: Path
) -> None:
    as_gpu(HostDevice(seed=4, memory=6 << 20))
    run(recipe, str(tmp_path), device="gpu", workers=1, memory="64MiB")
    assert output_bytes(tmp_path) == reference


def test_a_finished_run_is_taken_over_on_another_device(
    compiler, recipe, reference, as_gpu, tmp_path: Path
) -> None:
    run(recipe, str(tmp_path), device="cpu", workers=2)
    counting = Counting(seed=3)
    as_gpu(counting)
    run(recipe, str(tmp_path), device="gpu", workers=2)
    assert output_bytes(tmp_path) == reference
    assert not counting.launched


def test_a_plan_says_what_runs_where(recipe_file) -> None:
    def plan(*options: str) -> str:
        done = CliRunner().invoke(app, ["plan", str(recipe_file), *options], env={"COLUMNS": "200"})
        assert done.exit_code == 0, done.output
        return done.output

    shown = plan("--device", "gpu")
    for line in (
        "language; gpu: scores",
        "heuristics; gpu: statistics\n",
        "mixed; gpu: statistics, edits\n",
        "documents-1: reads text of dolma-cc, fineweb-edu\n",
        "Arrow reads the texts, which are needed on the CPU by boilerplate\n",
        "redact; gpu: counts; cpu: placeholders",
        "characters: collects; gpu: sketches, join",
        "exact_dedup: collects; gpu: hashes, join",
    ):
        assert line in re.sub(" +\n", "\n", shown)
    assert "gpu" not in plan("--device", "cpu")


class Notes(Silent):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_a_run_says_what_the_cpu_does(
    compiler, recipe, gpu_alone, as_gpu, monkeypatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Carrying, "run", lambda carrying: ({}, 0))
    as_gpu(HostDevice())
    mixed, alone, cpu = Notes(), Notes(), Notes()
    run(recipe, str(tmp_path / "mixed"), device="gpu", workers=1, progress=mixed)
    run(gpu_alone[0], str(tmp_path / "alone"), device="gpu", workers=1, progress=alone)
    run(recipe, str(tmp_path / "cpu"), device="cpu", workers=1, progress=cpu)
    work = (
        "redact (placeholders); boilerplate; exact_dedup (sorting of exchange files); "
        "by-url (sorting of exchange files, normal forms of URLs); characters (sorting of "
        "exchange files, clusters, survivors)"
    )
    assert any(note.startswith("without a kernel for the GPU") and work in note for note in mixed.notes)
    assert "documents-1: Arrow reads the texts, which are needed on the CPU by boilerplate" in mixed.notes
    assert any(note.startswith("documents-1: cudf reads texts") for note in alone.notes)
    assert not any("GPU" in note for note in cpu.notes)


def test_a_plan_for_no_known_device(recipe_file) -> None:
    done = CliRunner().invoke(app, ["plan", str(recipe_file), "--device", "tpu"])
    assert done.exit_code == 1
    assert "one of auto, cpu, gpu" in done.output + done.stderr
