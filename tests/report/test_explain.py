"""A document's journey, its witnesses and the difference between their words."""

from __future__ import annotations

import re
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from curate.errors import OutputError
from curate.io.manifest import StageEntry
from curate.report import Explanation, explain
from curate.report.explain import threshold, word_diff


def rendered(explanation: Explanation) -> str:
    console = Console(file=StringIO(), width=120)
    console.print(explanation.render())
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def outcomes(explanation: Explanation) -> list[str]:
    return [step.outcome for step in explanation.steps]


def test_a_kept_document_passed_every_stage_of_its_source(out: Path) -> None:
    explanation = explain(str(out), "forum:0:4")
    assert outcomes(explanation) == ["passed", "not shown", "passed", "passed", "passed", "passed"]
    assert (explanation.fate, list(explanation.witnesses)) == ("kept", [])
    assert explanation.text.text == "a question on tides".ljust(80, ".")
    assert explain(str(out), "web:0:0").fate == "kept, 2 copies in the output"


def test_a_stage_that_was_passed_shows_what_it_judged_by(out: Path) -> None:
    explanation = explain(str(out), "web:0:1")
    (step,) = [step for step in explanation.steps if step.kind == "quality"]
    assert (step.outcome, step.value, step.threshold) == ("passed", "High", ["High"])
    assert "0.75" in rendered(explanation)


def test_a_drop_names_rule_value_and_threshold(out: Path) -> None:
    explanation = explain(str(out), "books-0-1")
    assert outcomes(explanation) == ["passed", "passed", "passed", "dropped", "not shown", "not shown"]
    step = explanation.steps[3]
    assert (step.stage, step.rule, step.value, step.threshold) == ("fuzzy", "fuzzy.duplicate", 0.9375, 0.8)


def test_a_duplicate_shows_its_witness_and_their_difference(out: Path) -> None:
    explanation = explain(str(out), "books:0:1")
    (witness,) = explanation.witnesses
    assert (witness.name, witness.fate) == ("web:0:0", "kept, 2 copies in the output")
    assert ("document", "red") in explanation.diff
    assert ("witness", "brown") in explanation.diff
    text = rendered(explanation)
    assert "duplicate of web:0:0 at similarity 0.938, which was kept, 2 copies in the output" in text
    assert "the quick brown fox jumps" in text


def test_witnesses_are_followed_to_the_end(out: Path) -> None:
    explanation = explain(str(out), "forum:0:0")
    fates = {witness.name: witness.fate for witness in explanation.witnesses}
    assert fates == {
        "books:0:2": "dropped by fuzzy: a duplicate",
        "web:1:0": "dropped by quality: quality.label",
    }
    assert "The words of the two are the same." in rendered(explanation)


def test_a_quarantined_document_has_no_text(out: Path) -> None:
    explanation = explain(str(out), "web:0:3")
    assert outcomes(explanation) == ["dropped", *["not shown"] * 6]
    assert explanation.text.text is None
    assert "text_null" in explanation.text.missing


def test_texts_of_sources_that_changed_or_went_are_not_shown(out: Path) -> None:
    (out.parent / "in" / "books.jsonl").write_text('{"text": "something else"}\n' * 6)
    (out.parent / "in" / "web-a.parquet").unlink()
    explanation = explain(str(out), "books:0:1")
    assert explanation.text.text is None
    assert "has changed since the run" in rendered(explanation)
    assert explanation.witnesses[0].text.text is None
    assert explanation.diff == []


def test_escape_sequences_do_not_reach_the_terminal(out: Path) -> None:
    path = out.parent / "in" / "books.jsonl"
    explanation = explain(str(out), "books:0:0")
    hostile = type(explanation.text)("\x1b[2J[bold]x[/bold]")
    text = rendered(replace(explanation, text=hostile, diff=[]))
    assert "\x1b" not in text
    assert "[bold]x[/bold]" in text
    assert str(path) in text.replace("\n", "")


def test_an_unknown_document(out: Path) -> None:
    with pytest.raises(OutputError, match="no document"):
        explain(str(out), "nobody")


def test_thresholds_are_found_where_the_definition_has_them() -> None:
    stage = StageEntry(name="h", kind="heuristics", definition={"rules": {"p": {"p.top": 0.2, "short": 50}}})
    assert threshold(stage, "p.top") == 0.2
    assert threshold(stage, "gopher.short") == 50
    assert threshold(stage, "p.unknown") is None
    rules = [
        {"rule": "q.words", "measure": "words", "min": 50, "max": 100000},
        {"rule": "q.symbols", "measure": "symbols", "min": None, "max": 0.1},
        {"rule": "q.stops", "measure": "stops", "min": 2, "max": None},
    ]
    listed = StageEntry(name="h", kind="heuristics", definition={"rules": rules})
    found = [threshold(listed, name) for name in ("q.words", "q.symbols", "q.stops")]
    assert found == ["50 to 100000", "at most 0.1", "at least 2"]
    assert threshold(StageEntry(name="l", kind="language", definition={"min_score": 0.65}), "l.low") == 0.65


def test_word_diff() -> None:
    assert word_diff("a b c", "a  b\nc") == []
    assert word_diff("a b c", "a x c d") == [
        ("same", "a"),
        ("document", "b"),
        ("witness", "x"),
        ("same", "c"),
        ("witness", "d"),
    ]


def test_word_diff_is_cut_to_what_differs() -> None:
    common = [f"w{number}" for number in range(1000)]
    runs = word_diff(" ".join([*common, "old", *common]), " ".join([*common, "new", *common]))
    assert [kind for kind, _ in runs] == ["same", "same", "document", "witness", "same"]
    assert runs[1][1].split() == common[-8:]
    assert runs[2:4] == [("document", "old"), ("witness", "new")]
    assert len(runs[4][1].split()) == 17


def test_the_cluster_and_the_similarity_are_told(out: Path) -> None:
    """books 0:1 went as a duplicate of web 0:0, the best of three, at 0.9375."""
    shown = rendered(explain(str(out), "books:0:1"))
    assert re.search(r"cluster +3 documents, the best is web:0:0 ", shown)
    assert "duplicate of web:0:0 at similarity 0.938, which" in shown
    assert explain(str(out), "web:0:0").cluster == "3 documents, the best is this one"
    assert explain(str(out), "web:0:1").cluster == ""
