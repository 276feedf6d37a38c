"""Neighbouring stages share one reading of the text, and the plan says how many readings there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from curate.io.sources import RawBatch, SourceFile, read_batches
from curate.plan import plan
from curate.recipe import load_recipe
from curate.run import run
from tests.run.corpora import RECIPE, write_corpora, write_recipe

LATER = RECIPE.replace(
    "mix: {weights",
    "  - heuristics: {name: again, sources: [last]}\n  - where: {keep: 'bytes > 10'}\nmix: {weights",
).replace("{best: 5, middle: 3, last: 2}", "{best: 5, middle: 3, last: 5}")


class Reader:
    """Reads as `read_batches` does, and counts the documents whose text was read, by source."""

    def __init__(self) -> None:
        self.documents: Counter[str] = Counter()

    def __call__(self, file: SourceFile, columns: Any, *, text: bool, **how: Any) -> Iterator[RawBatch]:
        for batch in read_batches(file, columns, text=text, **how):
            self.documents[file.source] += len(batch) if text else 0
            yield batch


@pytest.mark.parametrize(("recipe", "expected"), [(RECIPE, (2, 2, 2)), (LATER, (2, 2, 3))])
def test_text_is_read_as_often_as_the_plan_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, recipe: str, expected: tuple[int, int, int]
) -> None:
    write_corpora(tmp_path)
    reader = Reader()
    for module in ("curate.run.documents", "curate.run.shards"):
        monkeypatch.setattr(import_module(module), "read_batches", reader)
    one_shard = recipe.replace("shard_bytes: 40kB", "shard_bytes: 1GB").replace("mix: {weights", "#")
    loaded = load_recipe(str(write_recipe(tmp_path, one_shard)))
    planned = plan(loaded)
    assert tuple(planned.text_reads(source) for source in ("best", "middle", "last")) == expected
    result = run(loaded, str(tmp_path / "out"))
    for source, reads in zip(("best", "middle", "last"), expected, strict=True):
        documents = result.stats["sources"][source]["documents"]
        assert (reads - 1) * documents * 0.5 < reader.documents[source] <= reads * documents, source
        assert reader.documents[source] > documents, "the first pass reads all, the last what is kept"
