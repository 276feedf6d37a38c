"""The stage `decontaminate` against a plain Python definition of its rule."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from curate.errors import SourceError
from curate.kernels import Texts
from curate.kernels.ngrams import NgramIndex
from curate.stages.base import Batch, Verdicts
from curate.stages.decontaminate import Decontaminate, DecontaminateConfig
from tests.shared_data import shared_data

UNSPACED = re.compile("[\u0e01-\u0e5b\u3041-\u30ff\u4e00-\u9fff]")


def words_of(text: str, split: bool = False) -> list[str]:
    """Lower-cased words of letters, marks and numbers, one a character in scripts without spaces."""
    found = [""]
    for char in text:
        if unicodedata.category(char)[0] in "LMN":
            found += ["", char, ""] if UNSPACED.match(char) else []
            if not UNSPACED.match(char):
                found[-1] += char.lower()[0]
        elif split or char.isspace():
            found.append("")
    return [word for word in found if word]


def grams_of(text: str, n: int, split: bool = False) -> set[tuple[str, ...]]:
    words = words_of(text, split)
    return {tuple(words[at : at + n]) for at in range(len(words) - n + 1)}


def item_grams(texts: list[str], n: int, shortest: int, split: bool = False) -> set[tuple[str, ...]]:
    found = set().union(*(grams_of(text, n, split) for text in texts))
    whole = max((words_of(text, split) for text in texts), key=len)
    if not found and len(whole) >= shortest:
        return {tuple(whole)}
    return found


def expected(items: list[list[str]], document: str, n: int, shortest: int, split: bool = False) -> list[int]:
    """Item, found, total, covered, words, matches."""
    grams = [item_grams(texts, n, shortest, split) for texts in items]
    words = words_of(document, split)
    covered, matches = set(), 0
    there = set()
    for size in {len(gram) for each in grams for gram in each}:
        for at in range(len(words) - size + 1):
            if any(tuple(words[at : at + size]) in each for each in grams):
                covered |= set(range(at, at + size))
                there.add(tuple(words[at : at + size]))
                matches += 1
    shares = [
        (len(each & there) / len(each), len(each & there), -place)
        for place, each in enumerate(grams)
        if each & there
    ]
    if not shares:
        return [-1, 0, 0, 0, len(words), 0]
    _, found, place = max(shares)
    return [-place, found, len(grams[-place]), len(covered), len(words), matches]


TEXT = st.lists(
    st.sampled_from(
        [
            "a",
            "B",
            "b",
            "ß",
            "Éa",
            "д",
            "Д",
            "a-b",
            "don't",
            "...",
            "\u4e2d\u6587",
            "b\u3002",
            "1",
            "İ",
            "e\u0301",
        ]
    ),
    max_size=30,
).flatmap(lambda words: st.sampled_from([" ", "\n", "\u00a0 ", ", "]).map(lambda space: space.join(words)))


@settings(max_examples=150, deadline=None)
@given(
    items=st.lists(st.lists(TEXT, min_size=2, max_size=2), min_size=1, max_size=4),
    documents=st.lists(TEXT, min_size=1, max_size=4),
    n=st.integers(1, 5),
    split=st.booleans(),
)
def test_overlaps_are_those_of_the_definition(
    items: list[list[str]], documents: list[str], n: int, split: bool
) -> None:
    shortest = max(1, n - 2)
    texts = Texts.from_arrow(pa.array([text for item in items for text in item]))
    index = NgramIndex(texts, np.arange(len(items)).repeat(2), n, shortest, split)
    got = index.overlaps(Texts.from_arrow(pa.array(documents)), np.arange(len(documents)))
    table = np.stack([got.item, got.found, got.total, got.covered, got.words, got.matches], axis=1)
    assert table.tolist() == [expected(items, each, n, shortest, split) for each in documents]
    assert index.grams == len(set().union(*(item_grams(item, n, shortest, split) for item in items)))
    counts = [len(item_grams(item, n, shortest, split)) for item in items]
    assert index.grams_of_items().tolist() == counts


QUESTION = "A farmer keeps eleven hens, and every hen lays four eggs a week; how many eggs are there after three weeks?"
ANSWER = "Eleven hens lay forty-four eggs a week. In three weeks that makes one hundred and thirty-two eggs."
SHORT = "Which planet of the solar system has most moons?"
FILLER = "Nothing here has to do with any of that. " * 12


@pytest.fixture
def evaluation(tmp_path: Path) -> Path:
    path = tmp_path / "sums.jsonl"
    rows = [
        {"question": QUESTION, "answer": ANSWER, "name": "hens"},
        {"question": SHORT, "answer": "Saturn", "name": "moons"},
        {"question": "How many?", "answer": "Two", "name": "none"},
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def decide(stage: Decontaminate, texts: list[str]) -> Verdicts:
    return stage.decide(Batch("web", Texts.from_arrow(pa.array(texts))), np.arange(len(texts)))


def stage_of(path: Path, **keys: object) -> Decontaminate:
    return Decontaminate(
        DecontaminateConfig.model_validate({"against": str(path), "columns": ["question", "answer"], **keys})
    )


def test_a_document_with_an_item_goes_and_names_it(evaluation: Path) -> None:
    stage = stage_of(evaluation)
    shouted = QUESTION.upper().replace(" ", "\n").replace(";", " -- ")
    texts = [FILLER, FILLER + QUESTION + " " + FILLER, shouted, FILLER + SHORT, "How many? Two"]
    verdicts = decide(stage, texts)
    assert stage.rules == ("decontaminate.sums",)
    assert verdicts.rule.tolist() == [-1, 0, 0, 0, -1]
    assert verdicts.columns["contaminated_by"].to_pylist() == [None, "sums:0", "sums:0", "sums:1", None]
    share = len(grams_of(QUESTION, 13)) / len(item_grams([QUESTION, ANSWER], 13, 8))
    np.testing.assert_allclose(verdicts.value, [np.nan, share, share, 1, np.nan])
    assert stage.definition()["benchmarks"] == {"sums": {"items": 3, "too_short": 1}}


def test_words_are_compared_whole(evaluation: Path) -> None:
    twelve = " ".join(QUESTION.split()[:12])
    assert QUESTION.split()[12] == "week;"
    texts = [twelve, "x" + twelve + " week", twelve + " weeks", twelve + " we ek", "a" + twelve[1:] + "week"]
    texts += [twelve + " WEEK", twelve + " we-ek!", twelve + " \u2014 \u00a0week"]
    assert decide(stage_of(evaluation), texts).rule.tolist() == [-1, -1, -1, -1, -1, 0, 0, 0]


def test_a_greater_overlap_may_be_allowed(evaluation: Path) -> None:
    half = " ".join(QUESTION.split()[:15])
    texts = [half, QUESTION + " " + ANSWER, FILLER + half]
    strict, loose = stage_of(evaluation), stage_of(evaluation, max_overlap=0.5)
    assert decide(strict, texts).rule.tolist() == [0, 0, 0]
    verdicts = decide(loose, texts)
    assert verdicts.rule.tolist() == [-1, 0, -1]
    assert (
        verdicts.columns["contamination"].to_pylist()
        == decide(strict, texts).columns["contamination"].to_pylist()
    )
    of_document = decide(stage_of(evaluation, max_overlap=0.5, overlap="document"), texts)
    assert of_document.rule.tolist() == [0, 0, -1]
    words = len(words_of(FILLER + half))
    assert of_document.columns["contamination"].to_pylist() == [1.0, 1.0, pytest.approx(15 / words)]


def test_columns_name_benchmark_and_item(evaluation: Path, tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": [QUESTION, SHORT, None],
            "set": ["hens", "moons", "hens"],
            "id": pa.array([7, None, 9], pa.int64()),
        }
    )
    pq.write_table(table, tmp_path / "both.parquet")
    keys = {"against": str(tmp_path / "both.parquet"), "benchmark": "set", "id": "id"}
    stage = Decontaminate(DecontaminateConfig.model_validate(keys))
    verdicts = decide(stage, [SHORT, QUESTION])
    assert [stage.rules[rule] for rule in verdicts.rule] == ["decontaminate.moons", "decontaminate.hens"]
    assert verdicts.columns["contaminated_by"].to_pylist() == ["moons:1", "hens:7"]


def test_masking_cuts_out_what_is_shared(evaluation: Path) -> None:
    stage = stage_of(evaluation, action="mask", window=20, min_piece=30, max_pieces=3)
    before, between, after = "Beforé. " * 12, "Between. " * 12, "Behind. " * 12
    texts = [
        FILLER,
        before + QUESTION + " " + between + QUESTION + " " + after,
        QUESTION + " short",
        (QUESTION + " " + between) * 4,
    ]
    verdicts = decide(stage, texts)
    assert verdicts.rule.tolist() == [-1, -1, 0, 0]
    rows = np.flatnonzero(verdicts.rule < 0)
    got = stage.edit(Texts.from_arrow(pa.array(texts)), rows).to_arrow().to_pylist()
    assert got[0] == FILLER
    assert got[1] == "\n\n".join(
        [before[:-20], between[18:-20], after[18:]]
    )  # the window has the question mark


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([QUESTION, SHORT, "Ünd so weiter. ", "字 字。", FILLER]), max_size=8),
    st.integers(0, 60),
)
def test_masked_texts_are_pieces_without_any_item(parts: list[str], window: int) -> None:
    texts = Texts.from_arrow(pa.array([QUESTION, SHORT]))
    index = NgramIndex(texts, np.arange(2), 13, 8)
    document = " ".join(parts)
    cut, pieces = index.cut(Texts.from_arrow(pa.array([document])), np.arange(1), window, 1)
    (left,) = cut.to_arrow().to_pylist()
    kept = left.split("\n\n") if left else []
    assert pieces.tolist() == [[len(kept), len(kept)]]
    at = 0
    for piece in kept:
        at = document.index(piece, at) + len(piece)
        assert index.overlaps(Texts.from_arrow(pa.array([piece])), np.arange(1)).item.tolist() == [-1]


def test_definition_changes_with_the_items(evaluation: Path) -> None:
    before = stage_of(evaluation).definition()
    evaluation.write_text(evaluation.read_text().replace("hens", "ducks"))
    after = stage_of(evaluation).definition()
    assert before["against"] != after["against"]
    assert {**before, "against": None} == {**after, "against": None}


def test_what_is_wrong_with_evaluation_files_is_said(evaluation: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nowhere"):
        stage_of(tmp_path / "nowhere.parquet")
    pq.write_table(pa.table({"text": ["a"], "choices": [["b", "c"]]}), tmp_path / "lists.parquet")
    keys = {"against": str(tmp_path / "lists.parquet"), "columns": ["text", "choices"]}
    with pytest.raises(SourceError, match="choices: it is list"):
        Decontaminate(DecontaminateConfig.model_validate(keys)).definition()
    evaluation.write_text(evaluation.read_text() + "{broken\n")
    with pytest.raises(SourceError, match="row 3: bad_json"):
        stage_of(evaluation).definition()
    with pytest.raises(ValidationError, match="window are for action: mask"):
        stage_of(evaluation, window=10)


def test_planted_items_of_real_benchmarks_are_found() -> None:
    path = shared_data("eval/eval_sets.parquet")
    keys = {"against": str(path), "columns": ["text", "answer"], "benchmark": "source", "id": "id"}
    stage = Decontaminate(DecontaminateConfig.model_validate(keys))
    table = pq.read_table(path).take(pa.array(np.arange(0, 45_618, 311)))
    long_enough = [len(words_of(text)) >= 13 for text in table["text"].to_pylist()]
    items = table.filter(pa.array(long_enough)).to_pylist()
    filler = " ".join(f"w{number}" for number in range(50))
    texts = [f"{filler} \u201c{item['text'].upper()}\u201d\n{filler}" for item in items]
    verdicts = decide(stage, texts)
    assert (verdicts.rule >= 0).all()
    named = verdicts.columns["contaminated_by"].to_pylist()
    same = [name == f"{item['source']}:{item['id']}" for name, item in zip(named, items, strict=True)]
    assert np.mean(same) > 0.85, "an item named instead is one with the same text"
    assert not (decide(stage, [filler, " ".join(filler.split()[::-1])]).rule >= 0).any()
