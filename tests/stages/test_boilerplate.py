"""The stage `boilerplate`: whole lines go that are known, listed or matched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.errors import SourceError
from curate.io.ledger import Ledger
from curate.kernels import Texts
from curate.recipe import load_recipe
from curate.run import run
from curate.stages import boilerplate
from curate.stages.base import Batch
from curate.stages.boilerplate import Boilerplate, BoilerplateConfig
from tests.run.corpora import write_recipe

PROSE = "She said that the site would share on Facebook what we use cookies for, and nobody minded."


def _left(texts: list[str], **config: Any) -> list[str]:
    stage = Boilerplate(BoilerplateConfig(**config))
    made = stage.edit(Texts.from_arrow(pa.array(texts)), np.arange(len(texts)))
    left: list[str] = made.to_arrow().to_pylist()
    return left


@pytest.mark.parametrize(
    "line",
    [
        "Share on Facebook",
        "  TWEET THIS  ",
        "We use cookies to give you the best experience.",
        "By continuing to browse this site you agree to our use of cookies.",
        "Accept all cookies",
        "Skip to main content",
        "Sign up for our newsletter",
        "Read more",
        "Leave a comment",
        "12 comments",
        "\u00a9 2024 Example Ltd. All rights reserved.",
        "Privacy Policy",
    ],
)
def test_known_lines_go_and_prose_stays(line: str) -> None:
    text = f"{PROSE}\n{line}\nComments are a thing people read more of."
    assert _left([text, line]) == [f"{PROSE}\nComments are a thing people read more of.", ""]


def test_lists_of_the_user(tmp_path: Path) -> None:
    (tmp_path / "lines.txt").write_text("\ufeffWeiterlesen \u2026\n\n\u00dcBER UNS\n", encoding="utf-8")
    (tmp_path / "patterns.txt").write_text("^teile[nr]? .*auf\\b\nWerbung$\n")
    text = "\u00fcber uns\nWEITERLESEN \u2026\nTeilen Sie das auf X\nHier ist Werbung\nWerbung ist hier\nRead more"
    lists = {"lines": str(tmp_path / "lines.txt"), "patterns": str(tmp_path / "patterns.txt")}
    assert _left([text], **lists) == ["Werbung ist hier"]
    assert _left([text], **lists, known=False) == ["Werbung ist hier\nRead more"]
    assert _left([text], lines=lists["lines"], known=False, max_line_chars=8) == [text.partition("\n")[2]]
    long = "Werbung " * 30
    assert _left([long.strip()], **lists) == [long.strip()]


def test_too_much_removed_drops_the_document() -> None:
    texts = ["Menu\nHome", "Menu\nabcde", "", PROSE]
    batch, rows = Batch("s", Texts.from_arrow(pa.array(texts))), np.arange(4)
    verdicts = Boilerplate(BoilerplateConfig()).decide(batch, rows)
    assert verdicts.rule.tolist() == [0, -1, -1, -1]
    assert verdicts.columns["boilerplate_removed"].to_pylist() == [1.0, 0.5, 0.0, 0.0]
    assert Boilerplate(BoilerplateConfig(max_removed=0.4)).decide(batch, rows).rule.tolist() == [0, 0, -1, -1]
    assert Boilerplate(BoilerplateConfig(max_removed=0.5)).decide(batch, rows).rule.tolist() == [
        0,
        -1,
        -1,
        -1,
    ]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.sampled_from(["Menu", "menu ", "a\u0130b", "", "x", "Read More...", "\u00e9"]), max_size=8)
)
def test_the_rest_is_left_as_it_is(lines: list[str]) -> None:
    expected = [line for line in lines if line.strip().lower().rstrip(".") not in ("menu", "read more")]
    assert _left(["before", "\n".join(lines), "after"])[1] == "\n".join(expected)


def test_bad_lists_are_named(tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_text("fine\n(open\n")
    with pytest.raises(SourceError, match=r"bad.txt.*\(open.*is not a regular expression"):
        Boilerplate(BoilerplateConfig(patterns=str(tmp_path / "bad.txt")))
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(SourceError, match="empty"):
        Boilerplate(BoilerplateConfig(lines=str(tmp_path / "empty.txt")))
    with pytest.raises(ValueError, match="nothing is left to remove"):
        BoilerplateConfig(known=False)


def test_the_output_is_without_them(tmp_path: Path) -> None:
    texts = [f"{PROSE}\nShare on Facebook\n", "Home\nMenu", PROSE]
    pq.write_table(pa.table({"text": texts, "id": ["a", "b", "c"]}), tmp_path / "a.parquet")
    recipe = "name: lines\nsources: [{name: web, path: DATA/a.parquet, id: id}]\n"
    recipe += "stages:\n  - boilerplate: {}\n  - exact_dedup: {key: text, normalize: [lowercase]}\n"
    out = tmp_path / "out"
    run(load_recipe(write_recipe(tmp_path, recipe)), str(out), workers=1)
    rows = Ledger(str(out)).arrow().to_pylist()
    reasons = [row["reason"] for row in rows]
    assert reasons[:2] == [None, "boilerplate.removed"]
    written = pq.read_table(next((out / "data").glob("*.parquet")))["text"].to_pylist()
    assert set(written) <= {f"{PROSE}\n", PROSE}


@settings(max_examples=400, deadline=None)
@given(
    line=st.sampled_from(boilerplate.KNOWN).flatmap(
        lambda pattern: st.from_regex(rf"(?:{pattern})[.!:\s]*", fullmatch=True)
    ),
    before=st.sampled_from(["", " ", "\u3000\t"]),
    change=st.sampled_from(
        [str, str.upper, lambda line: line.replace("k", "\u212a"), lambda line: line + "x"]
    ),
)
def test_texts_that_are_not_looked_at_have_no_known_line(line, before, change) -> None:
    texts = Texts.from_arrow(pa.array([f"Some prose.\n{before}{change(line)}\nMore.", "Some prose."]))
    stage = Boilerplate(BoilerplateConfig())
    may, rows = stage._candidates(texts, np.arange(2)), np.arange(2)
    assert not may[1]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Boilerplate, "_candidates", lambda stage, texts, rows: np.ones(len(rows), np.bool_))
        every = stage.edit(texts, rows)
    assert stage.edit(texts, rows).to_arrow().to_pylist() == every.to_arrow().to_pylist()


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.text(st.sampled_from("aK\u212a\u0130i\u00c9 \u00a0\u2003\r\t1"), max_size=6),
        min_size=1,
        max_size=5,
    )
)
def test_texts_that_are_not_looked_at_have_no_listed_line(tmp_path_factory, lines) -> None:
    path = tmp_path_factory.mktemp("lists") / "lines.txt"
    path.write_text("a k\n\u00e9\nki\n\u0130\n1\n")
    stage = Boilerplate(BoilerplateConfig(known=False, lines=(str(path),), max_line_chars=4))
    texts, rows = Texts.from_arrow(pa.array(lines)), np.arange(len(lines))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Boilerplate, "_candidates", lambda stage, texts, rows: np.ones(len(rows), np.bool_))
        every = stage.edit(texts, rows)
    assert stage.edit(texts, rows).to_arrow().to_pylist() == every.to_arrow().to_pylist()
