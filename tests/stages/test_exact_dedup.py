"""`exact_dedup` by text, normal text, URL and other columns; what it prefers."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from curate.errors import SourceError
from tests.run.corpora import document
from tests.run.pages import kept, rows, run_stages, witnesses, write_pages


def test_texts_that_differ_in_case_and_punctuation(tmp_path: Path) -> None:
    texts = ["Chapter 1: Rivers.", "chapter 2  rivers", "chapter two rivers", "...", "!!", "", ""]
    write_pages(tmp_path / "a/a.parquet", [{"id": f"a{i}", "text": text} for i, text in enumerate(texts)])
    out = run_stages(tmp_path, ["a"], "  - exact_dedup: {normalize: [lowercase, digits, punctuation]}")
    assert witnesses(out) == {"a1": "a0"}
    assert rows(out)["a1"]["reason"] == "exact_dedup.duplicate"
    assert rows(out)["a1"]["similarity"] is None, "the texts were not found to be the same"
    plain = run_stages(tmp_path, ["a"], "  - exact_dedup", "plain")
    assert witnesses(plain) == {}, "empty texts are duplicates of nothing"


URLS = {
    "p0": "https://www.Example.org/a/?utm_source=feed",
    "p1": "http://example.org:80/a#top",
    "p2": "example.org/A",
    "p3": "https://example.org/a?page=2&fbclid=x",
    "p4": "//example.org/a/?page=2",
    "p5": None,
    "p6": None,
    "p7": "",
    "p8": "  ",
}


def test_pages_of_the_same_url(tmp_path: Path) -> None:
    pages = [{"id": name, "text": document(i), "url": url} for i, (name, url) in enumerate(URLS.items())]
    write_pages(tmp_path / "a/a.parquet", pages)
    out = run_stages(tmp_path, ["a"], "  - exact_dedup: {key: url}")
    assert witnesses(out) == {"p1": "p0", "p4": "p3"}
    row = rows(out)["p4"]
    assert (row["dropped_by"], row["reason"], row["value"]) == ("exact_dedup", "exact_dedup.same_url", None)
    assert (row["similarity"], row["cluster_size"]) == (None, 2)


def test_any_column_is_a_key(tmp_path: Path) -> None:
    numbers = [7, 8, 7, None, None, 8]
    pages = [{"id": f"n{i}", "text": document(i), "issue": number} for i, number in enumerate(numbers)]
    write_pages(tmp_path / "a/a.parquet", pages)
    out = run_stages(tmp_path, ["a"], "  - exact_dedup: {key: issue, name: issues}")
    assert witnesses(out) == {"n2": "n0", "n5": "n1"}
    assert rows(out)["n5"]["reason"] == "exact_dedup.same_issue"


def test_a_key_must_be_there_and_be_text(tmp_path: Path) -> None:
    write_pages(tmp_path / "a/a.parquet", [{"id": "x", "text": "text", "tags": ["b"]}])
    with pytest.raises(SourceError, match="url"):
        run_stages(tmp_path, ["a"], "  - exact_dedup: {key: url}")
    with pytest.raises(SourceError, match="cannot be compared as text"):
        run_stages(tmp_path, ["a"], "  - exact_dedup: {key: tags}")


@pytest.mark.parametrize("prefer", ["-score", "score", "-day", "-bytes"])
def test_preference_does_not_depend_on_the_order_of_files(tmp_path: Path, prefer: str) -> None:
    """Each URL has eight pages whose values differ; they are dealt to files in three different orders."""
    draw = random.Random(5)
    pages = [
        {
            "id": f"{url}-{copy}",
            "text": "x" * (8 * url + copy + 1),
            "url": f"example.org/{url}",
            "score": (copy * 5 + url) % 8 / 8,
            "day": f"2026-0{1 + (copy * 3 + url) % 8}-11",
        }
        for url in range(6)
        for copy in range(8)
    ]
    survivors = []
    for order in range(3):
        for name, part in (("a", pages[:24]), ("b", pages[24:])):
            mine = [page for page in pages if page["id"] in {other["id"] for other in part}]
            draw.shuffle(mine)
            for file in range(3):
                write_pages(tmp_path / f"{order}/{name}/{file}.parquet", mine[file * 8 : file * 8 + 8])
        survivors.append(kept(run_stages(tmp_path / str(order), ["a", "b"], stage(prefer), workers=2)))
    column = prefer.removeprefix("-")
    best = set()
    for url in range(6):
        group = [
            page | {"bytes": len(str(page["text"]))} for page in pages if page["id"].startswith(f"{url}-")
        ]
        choose = max if prefer.startswith("-") else min
        best.add(choose(group, key=lambda page: page[column])["id"])
    assert survivors == [best] * 3


def stage(prefer: str) -> str:
    return f"  - exact_dedup: {{key: url, prefer: {prefer}}}"


def test_priority_goes_before_preference_and_position_breaks_ties(tmp_path: Path) -> None:
    page = {"text": "the same", "score": 1.0}
    write_pages(tmp_path / "a/a.parquet", [{"id": "a0", **page}, {"id": "a1", **page}])
    write_pages(tmp_path / "b/b.parquet", [{"id": "b0", "text": "the same", "score": 9.0}])
    out = run_stages(tmp_path, ["a", "b"], "  - exact_dedup: {prefer: -score}")
    assert witnesses(out) == {"a1": "a0", "b0": "a0"}
    turned = run_stages(tmp_path, ["a", "b"], "  - exact_dedup: {prefer: -score, priority: [b]}", "turned")
    assert witnesses(turned) == {"a0": "b0", "a1": "b0"}
    across = run_stages(tmp_path, ["a", "b"], "  - exact_dedup: {prefer: -score, scope: across}", "across")
    assert witnesses(across) == {"b0": "a0"}


def test_documents_without_a_value_come_last(tmp_path: Path) -> None:
    scores = [None, "n/a", " 2.5 ", "3", "1e1"]
    pages = [{"id": f"v{i}", "text": "same", "score": score} for i, score in enumerate(scores)]
    write_pages(tmp_path / "a/a.parquet", pages)
    assert kept(run_stages(tmp_path, ["a"], "  - exact_dedup: {prefer: score}")) == {"v2"}
    assert kept(run_stages(tmp_path, ["a"], "  - exact_dedup: {prefer: -score}", "down")) == {"v4"}


def test_a_column_that_cannot_be_ordered(tmp_path: Path) -> None:
    write_pages(tmp_path / "a/a.parquet", [{"id": "x", "text": "text", "grade": "good", "tags": ["b"]}])
    with pytest.raises(SourceError, match="'good'"):
        run_stages(tmp_path, ["a"], "  - exact_dedup: {prefer: -grade}")
    with pytest.raises(SourceError, match="tags"):
        run_stages(tmp_path, ["a"], "  - exact_dedup: {prefer: tags}")
