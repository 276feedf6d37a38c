"""What a run warns of at its end, and what a plan says about rules."""

from __future__ import annotations

import html
import json
from pathlib import Path

from curate.estimate import estimate
from curate.plan import plan
from curate.plan_view import describe, rule_lines
from curate.progress import Silent
from curate.recipe import load_recipe
from curate.run import run
from tests.run.corpora import RECIPE, write_corpora, write_recipe

STAGES = """
  - where: {name: halves, sources: [best, middle], keep: "id < 'best-4'"}
  - heuristics: {profile: nemo, rules: [word_count, mean_word_length], thresholds: {word_count: {min: 20}}}
  - redact: {}
  - blocklist: {words: {en: DATA/en.txt}, name: never}
"""


class Notes(Silent):
    def __init__(self) -> None:
        self.messages: list[str] = []

    def note(self, message: str) -> None:
        self.messages.append(message)


def _recipe(folder: Path) -> Path:
    write_corpora(folder)
    (folder / "en.txt").write_text("unheard\n")
    head, _, tail = RECIPE.partition("  - where")
    mix = tail[tail.index("mix:") :]
    return write_recipe(folder, f"{head}  - language: {{keep: [en], min_score: 0.2}}{STAGES}{mix}")


def test_a_run_warns_of_rules_that_do_nothing_or_too_much(tmp_path: Path) -> None:
    notes = Notes()
    done = run(load_recipe(_recipe(tmp_path)), str(tmp_path / "out"), workers=1, progress=notes)
    expected = [
        "language: 2 of 2 rules fired for no document: language.not_kept, language.low_score",
        "halves: where.not_kept dropped 57% of source best (46 of 80 documents)",
        "halves: where.not_kept dropped 100% of source middle (40 of 40 documents)",
        "heuristics: 2 of 2 rules fired for no document: nemo.word_count, nemo.mean_word_length",
        "never: 1 of 1 rules fired for no document: blocklist.bad_word",
    ]
    stats = json.loads((tmp_path / "out/report/stats.json").read_text())
    assert stats["warnings"] == done.stats["warnings"] == expected
    assert [note for note in notes.messages if note in expected] == expected
    page = (tmp_path / "out/report/index.html").read_text()
    assert all(html.escape(warning) in page for warning in expected)
    assert "redacted_emails" in page
    assert stats["redacted"]["last"] == {"redacted_emails": 0, "redacted_ips": 0}


EDITS = """
  - language: {keep: [en], min_score: 0.2}
  - boilerplate: {name: listed, known: false, patterns: DATA/pattern.txt}
  - heuristics:
      name: edited
      profile: [datatrove.c4_quality_keep_unpunctuated, dclm.refinedweb_lines]
      rules: [datatrove.c4_quality_keep_unpunctuated.removed, word_removal_ratio]
      thresholds: {word_removal_ratio: {max: 0}}
  - heuristics:
      name: any
      profile: multilingual.quality
      rules: [word_count]
      thresholds: {word_count: {min: 1000}}
      by_language: {en: {thresholds: {word_count: {min: 1}}}, de: {skip: [word_count]}}
"""


def test_a_run_warns_of_stages_that_remove_no_line_and_of_languages_of_no_document(tmp_path: Path) -> None:
    recipe = _recipe(tmp_path)
    (tmp_path / "pattern.txt").write_text("unheard of\n")
    head, _, tail = recipe.read_text().partition("  - language")
    edits = EDITS.replace("DATA", str(tmp_path))
    recipe.write_text(head + edits.lstrip("\n") + tail[tail.index("mix:") :])
    found = run(load_recipe(recipe), str(tmp_path / "out"), workers=1).stats["warnings"]
    assert found == [
        "language: 2 of 2 rules fired for no document: language.not_kept, language.low_score",
        "listed: boilerplate_removed is 0 for every document: no line was removed",
        "edited: 1 of 1 rules fired for no document: dclm.refinedweb_lines.word_removal_ratio",
        "edited: dclm.refinedweb_lines.removed is 0 for every document: no line was removed",
        "any: 1 of 1 rules fired for no document: multilingual.quality.word_count",
        "any: by_language has rules for de, the language of no document",
    ]


def test_a_plan_lists_rules_in_order_with_thresholds(tmp_path: Path) -> None:
    made = plan(load_recipe(_recipe(tmp_path)))
    lines = {step.name: rule_lines(step) for step in made.steps}
    assert lines["halves"] == ["where.not_kept (keep id < 'best-4')"]
    assert lines["heuristics"] == [
        "nemo.word_count: words at least 20 and at most 100000",
        "nemo.mean_word_length: word_chars / words at least 3 and at most 10",
    ]
    assert lines["language"][0].startswith("language.not_kept, language.low_score (model lid.176, keep en, ")
    assert lines["redact"][0].startswith("drops nothing (emails True, ips public")
    assert describe(made, estimate(made), 1), (
        "the sample goes through every stage, those that need a column included"
    )
