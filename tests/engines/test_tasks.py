"""What travels to workers: every task of a run that uses every kind of stage can be pickled, and is small."""

from __future__ import annotations

import importlib
import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from curate.engines.local import Local
from curate.engines.task import Receipt, Task
from curate.recipe import load_recipe
from curate.run import run
from tests.run.corpora import RECIPE, document, write_corpora, write_recipe
from tests.run.outputs import output_bytes

STAGES = """stages:
  - where: {sources: [best], keep: "score < 4"}
  - blocklist: {domains: "DATA/domains.txt"}
  - language: {keep: [en], min_score: 0.5}
  - heuristics: {profile: nemo}
  - redact
  - decontaminate: {against: "DATA/benchmark.jsonl", action: mask}
  - quality: {sources: [last], keep: [High, Medium, Low]}
  - exact_dedup: {key: text}
  - fuzzy_dedup: {verify: {exact: true, min_similarity: 0.7}, bands: 16, guards: {max_source_loss: 0.9}}
mix:"""


class Pickling(Local):
    """The local engine, except that it carries out copies of tasks that went through pickle."""

    def __init__(self) -> None:
        super().__init__(2)
        self.sizes: dict[str, int] = {}

    def map(self, tasks: Sequence[Task], out: str) -> Iterator[tuple[Task, Receipt]]:
        pickled = {task.name: pickle.dumps(task) for task in tasks}
        self.sizes |= {name: len(data) for name, data in pickled.items()}
        yield from super().map([pickle.loads(data) for data in pickled.values()], out)


def test_tasks_travel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_corpora(tmp_path)
    (tmp_path / "domains.txt").write_text("bad.example\n")
    (tmp_path / "benchmark.jsonl").write_text(f'{{"text": "{document(101)[:300]}"}}\n')
    before, _, after = RECIPE.partition("stages:")
    recipe = write_recipe(tmp_path, before + STAGES + after.partition("mix:")[2])
    run(load_recipe(str(recipe)), str(tmp_path / "straight"))
    engine = Pickling()
    monkeypatch.setattr(importlib.import_module("curate.run"), "start", lambda name, options: engine)
    run(load_recipe(str(recipe)), str(tmp_path / "out"))
    assert output_bytes(tmp_path / "out") == output_bytes(tmp_path / "straight")
    assert {name.split("/")[0] for name in engine.sizes} >= {"documents-1", "fuzzy_dedup", "ledger", "write"}
    assert max(engine.sizes.values()) < 20_000
