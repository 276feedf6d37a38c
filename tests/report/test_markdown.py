"""The figures as Markdown: tables that a reader of GitHub's dialect would draw."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from curate.cli import app
from curate.report import compute_stats, markdown


def tables(text: str) -> dict[str, list[list[str]]]:
    """Title -> rows of cells, the line of dashes left out; every row is as long as its head."""
    found: dict[str, list[list[str]]] = {}
    title = ""
    for line in text.splitlines():
        if line.startswith("## "):
            title = line[3:]
        if line.startswith("|") and "---" not in line:
            found.setdefault(title, []).append([cell.strip() for cell in line.strip("|").split("|")])
    for rows in found.values():
        assert {len(row) for row in rows} == {len(rows[0])}
    return found


def test_the_command_prints_the_figures_and_writes_nothing(out: Path) -> None:
    before = sorted(out.rglob("*"))
    result = CliRunner().invoke(app, ["report", str(out), "--format", "markdown"])
    assert result.exit_code == 0
    found = tables(result.stdout)
    assert found["What came in and went out"][1:][1][:4] == ["books", "6", "2", "33.3 %"]
    assert found["What each stage dropped"][1] == ["read", "18", "1", "5.6 %", "1", "0", "0"]
    assert found["Duplicates: fuzzy"][2] == ["books", "5", "2", "40.0 %", "1"]
    assert found["fuzzy: who lost to whom"] == [
        ["Lost by", "to web", "to books"],
        ["books", "2", "0"],
        ["forum", "2", "1"],
    ]
    assert found["The mix, in tokens"][1] == ["web", "50.0 %", "23.1 %", "1.000"]
    assert found["Quarantine"][1] == ["web", "invalid_utf8", "1"]
    assert sorted(out.rglob("*")) == before


def test_another_format_is_refused(out: Path) -> None:
    result = CliRunner().invoke(app, ["report", str(out), "--format", "pdf"])
    assert result.exit_code != 0
    assert "give html or markdown" in result.output


def test_names_cannot_break_a_table(out: Path) -> None:
    stats = compute_stats(str(out))
    stats["quarantine"] = {"web": {"a | b\n<b>": 1}}
    assert "| web | a \\| b \\<b> | 1 |" in markdown(stats)


def test_it_says_how_tokens_were_counted(out: Path) -> None:
    assert "Tokens are estimated from bytes (4 a token).\n" in markdown(compute_stats(str(out)))
    path = out / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["tokens"] = {"method": "tokenizer", "tokenizer": "o200k_base", "sha256": "0a" * 32}
    path.write_text(json.dumps(manifest))
    found = markdown(compute_stats(str(out)))
    assert f"Tokens are counted by o200k_base (sha256 `{'0a' * 32}`).\n" in found
