"""Another threshold is decided from kept statistics: the bytes of a fresh run, and no text but that of what returns."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.io.ledger import Ledger
from curate.io.sources import RawBatch, SourceFile, read_batches
from curate.recipe import load_recipe
from curate.run import run
from tests.run.corpora import document, write_recipe
from tests.run.outputs import output_bytes

HEAD = """
name: again
sources:
  - {name: first, path: "DATA/first/*.parquet", id: id}
  - {name: second, path: "DATA/second/*.parquet", id: id}
stages:
"""
LEAST = "keep_stats: all, thresholds: {word_count: {min: LEAST}}}"
RULES = f"- heuristics: {{profile: gopher, rules: [word_count, ellipsis_lines], {LEAST}\n"
LANGUAGE = "by_language: {en: {thresholds: {word_count: {min: LEAST}}}}}"
FUZZY = "- fuzzy_dedup: {bands: 16, verify: {min_similarity: 0.7"
STAGES = {
    "last": f"""
  - redact: {{}}
  {RULES}""",
    "then sketches": f"""
  - language: {{}}
  {RULES}
  - exact_dedup: {{key: text, prefer: longest}}
  {FUZZY}}}, prefer: -lang_score}}
""",
    "between": f"""
  {RULES}
  - language: {{keep: [en], min_score: 0.2}}
  - redact: {{}}
  - heuristics: {{name: lines, profile: nemo, rules: [mean_word_length], keep_stats: [mean_word_length]}}
  - where: {{keep: 'bytes > 200'}}
  {FUZZY}}}}}
  - heuristics: {{name: after, profile: gopher, rules: [mean_word_length]}}
""",
    "edits": f"""
  - heuristics: {{profile: [dolma.c4, gopher], rules: [removed, word_count], {LEAST}
  {FUZZY}, exact: true}}}}
""",
    "by language": f"""
  - language: {{}}
  - heuristics: {{profile: gopher, rules: [word_count], keep_stats: all, {LANGUAGE}
  - exact_dedup: {{key: text}}
""",
    "keep fraction": f"""
  {RULES}
  - quality: {{label: High, keep_fraction: 0.5}}
""",
    "second pass": f"""
  - exact_dedup: {{key: text}}
  {RULES}
  - language: {{}}
""",
}
OUTPUT = "output: {shard_bytes: 8kB}\n"


class Reads:
    """The documents whose text the document passes read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ids: list[str] = []
        monkeypatch.setattr(import_module("curate.run.documents"), "read_batches", self)
        monkeypatch.setattr(import_module("curate.io.row_ranges"), "GAP", 0)

    def __call__(self, file: SourceFile, columns: Any, *, text: bool, **how: Any) -> Iterator[RawBatch]:
        for batch in read_batches(file, columns, text=text, **how):
            wanted = pa.array(batch.texts).is_valid().to_pylist() if text else []
            self.ids += [name for name, read in zip(batch.ids.to_pylist(), wanted, strict=False) if read]
            yield batch


@pytest.fixture
def corpora(tmp_path: Path) -> Path:
    """Documents of 2 to 11 sentences; some are near or exact copies, one is empty, some are not English."""
    texts = [document(number, sentences=2 + number % 10) for number in range(60)]
    texts[7] = texts[17] + " And some more of it."
    texts[8] = texts[18]
    texts[9] = ""
    texts[10] = "Der Hund lief \u00fcber die Stra\u00dfe und bellte die Katze an. " * 6
    texts[11] += "\n\nA line without an end\n\nWrite to jane@example.org."
    for name, part in (("first/a", texts[:25]), ("first/b", texts[25:30]), ("second/a", texts[20:60])):
        path = tmp_path / f"{name}.parquet"
        path.parent.mkdir(exist_ok=True)
        ids = [f"{name}-{row}" for row in range(len(part))]
        pq.write_table(pa.table({"text": part, "id": ids}), path, row_group_size=4)
    return tmp_path


def _run(folder: Path, stages: str, least: int, out: Path) -> None:
    recipe = HEAD + STAGES[stages].replace("LEAST", str(least)) + OUTPUT
    run(load_recipe(write_recipe(folder, recipe)), str(out), workers=1)


def _fresh(folder: Path, stages: str, least: int) -> dict[str, str]:
    _run(folder, stages, least, folder / f"fresh-{least}")
    return output_bytes(folder / f"fresh-{least}")


@pytest.mark.parametrize("stages", STAGES)
def test_the_bytes_of_a_fresh_run(corpora: Path, stages: str) -> None:
    out = corpora / "out"
    for least in (60, 100, 30, 200, 60):
        _run(corpora, stages, least, out)
        assert output_bytes(out) == _fresh(corpora, stages, least), least


def _kept(out: Path) -> dict[str, bool]:
    rows = Ledger(str(out)).arrow().to_pylist()
    return {row["id"]: row["dropped_by"] != "heuristics" for row in rows}


@pytest.mark.parametrize(("stages", "sees_more"), [("last", False), ("then sketches", True), ("edits", True)])
def test_only_texts_that_come_back_are_read(
    corpora: Path, monkeypatch: pytest.MonkeyPatch, stages: str, sees_more: bool
) -> None:
    out = corpora / "out"
    _run(corpora, stages, 60, out)
    before = _kept(out)
    reads = Reads(monkeypatch)
    _run(corpora, stages, 90, out)
    assert reads.ids == [], "a tighter bound drops documents, whose texts nobody needs"
    tight = _kept(out)
    assert sum(before.values()) - sum(tight.values()) > 5
    _run(corpora, stages, 30, out)
    back = sorted(name for name, kept in _kept(out).items() if kept and not tight[name])
    assert 10 < len(back) < len(tight) / 2
    assert sorted(reads.ids) == (back if sees_more else [])


def test_another_language_or_score_is_decided_from_the_ledger(
    corpora: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the text of documents that come back is read, and only where a stage after this one looks at it."""

    def outcome(out: Path, language: str, after: str) -> dict[str, str | None]:
        recipe = f"{HEAD}  - language: {{{language}}}\n{after}{OUTPUT}"
        run(load_recipe(write_recipe(corpora, recipe)), str(out), workers=1)
        return {row["id"]: row["dropped_by"] for row in Ledger(str(out)).arrow().to_pylist()}

    settings = (
        "keep: [en]",
        "keep: [en], min_score: 0.97",
        "keep: [de], min_score: 0.1",
        "keep: [en, de]",
        "",
    )
    for number, after in enumerate(("", "  - exact_dedup: {key: text}\n")):
        out, before = corpora / f"out-{number}", None
        for place, setting in enumerate(settings):
            reads = Reads(monkeypatch)
            found = outcome(out, setting, after)
            monkeypatch.undo()
            fresh = corpora / f"fresh-{number}-{place}"
            assert outcome(fresh, setting, after) == found
            assert output_bytes(out) == output_bytes(fresh)
            if before is not None:
                back = sorted(
                    name for name in found if before[name] == "language" and found[name] != "language"
                )
                assert sorted(reads.ids) == (back if after else [])
                assert len(back) < len(found)
            before = found
        assert len({*map(str, before.values())}) == 1 + number


def test_without_the_statistics_texts_are_read_again(corpora: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (HEAD + STAGES["last"] + OUTPUT).replace("keep_stats: all", "keep_stats: [word_count]")
    out = str(corpora / "out")
    run(load_recipe(write_recipe(corpora, text.replace("LEAST", "60"))), out, workers=1)
    reads = Reads(monkeypatch)
    run(load_recipe(write_recipe(corpora, text.replace("LEAST", "90"))), out, workers=1)
    assert len(reads.ids) == 70


def test_outputs_that_a_killed_run_changed_are_made_again(corpora: Path) -> None:
    """A kill between layer and exchange files leaves a receipt that no longer holds, though sizes may be equal."""
    out = corpora / "out"
    _run(corpora, "then sketches", 60, out)
    layer = out / "run/layers/documents-1/first/000000.parquet"
    content = bytearray(layer.read_bytes())
    content[len(content) // 3] ^= 1
    layer.write_bytes(bytes(content))
    _run(corpora, "then sketches", 90, out)
    assert output_bytes(out) == _fresh(corpora, "then sketches", 90)
