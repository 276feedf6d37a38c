"""Small corpora in several formats with duplicates planted at known places."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

_COMMON = (
    "the of and to in that it is was for on with as his they be at one have this from or had by not but what"
)
_CONTENT = [
    "river",
    "mountain",
    "engine",
    "teacher",
    "market",
    "garden",
    "history",
    "science",
    "window",
    "letter",
    "morning",
    "village",
    "family",
    "harvest",
    "winter",
    "summer",
    "bridge",
    "kitchen",
    "library",
    "painter",
    "doctor",
    "journey",
    "island",
    "forest",
    "machine",
    "station",
    "captain",
    "language",
    "music",
    "number",
    "question",
    "answer",
    "picture",
    "weather",
    "planet",
    "metal",
    "stone",
    "water",
    "paper",
    "animal",
    "people",
    "country",
    "government",
    "building",
    "company",
    "problem",
    "system",
    "program",
    "children",
    "student",
    "evidence",
    "research",
    "method",
    "result",
    "energy",
    "surface",
    "pressure",
    "temperature",
    "measure",
    "distance",
    "velocity",
    "harbour",
    "merchant",
    "railway",
    "factory",
    "telegraph",
    "printing",
    "discovery",
    "experiment",
    "theory",
    "argument",
    "chapter",
    "paragraph",
    "sentence",
    "meaning",
    "translation",
    "grammar",
    "dictionary",
]
_VERBS = [
    "carried",
    "followed",
    "opened",
    "described",
    "measured",
    "crossed",
    "built",
    "explained",
    "painted",
    "repaired",
    "studied",
    "changed",
]


def document(number: int, sentences: int = 12) -> str:
    """An English-looking text; texts of different numbers share no long passage."""
    draw = random.Random(number)
    common = _COMMON.split()
    lines = []
    for _ in range(sentences):
        words = ["The", draw.choice(_CONTENT), draw.choice(_VERBS), "the"]
        for _ in range(draw.randint(6, 14)):
            words.append(draw.choice(_CONTENT if draw.random() < 0.55 else common))
        lines.append(" ".join(words) + ".")
    return " ".join(lines[: sentences // 2]) + "\n\n" + " ".join(lines[sentences // 2 :])


def edited(text: str) -> str:
    """A near-duplicate: one word in the middle replaced, a sentence put at the end."""
    words = text.split(" ")
    words[len(words) // 2] = "notwithstanding"
    return " ".join(words) + " All rights remain with the author."


def write_corpora(folder: Path) -> None:
    """Sources `best` (2 Parquet files), `middle` (1 Parquet file) and `last` (json.gz and jsonl).

    best: documents 0..79, of which 79 is row 9's text again (exact, same source).
    middle: 100..139; row 0 equals best 0 (exact), rows 1-5 are edited best 1-5 (near).
    last: 200..239; row 0 of the first file is edited middle 10 (near), the other rows unrelated.
    """
    best = [document(number) for number in range(79)] + [document(9)]
    _parquet(folder / "best/a.parquet", best[:50], 0)
    _parquet(folder / "best/b.parquet", best[50:], 50)
    middle = [document(number) for number in range(100, 140)]
    middle[0] = best[0]
    middle[1:6] = [edited(best[number]) for number in range(1, 6)]
    _parquet(folder / "middle/part.parquet", middle, 100)
    last = [document(number) for number in range(200, 240)]
    last[0] = edited(middle[10])
    lines = [
        json.dumps({"id": f"last-{i}", "text": text, "meta": {"n": i}}) + "\n" for i, text in enumerate(last)
    ]
    (folder / "last").mkdir(parents=True)
    (folder / "last/a.json.gz").write_bytes(gzip.compress("".join(lines[:25]).encode(), mtime=0))
    (folder / "last/b.jsonl").write_text("".join(lines[25:]))


def _parquet(path: Path, texts: list[str], first: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    numbers = list(range(first, first + len(texts)))
    table = pa.table(
        {
            "text": texts,
            "id": [f"{path.parent.name}-{number}" for number in numbers],
            "url": [f"https://example.org/{number}" for number in numbers],
            "score": [number % 5 for number in numbers],
        }
    )
    pq.write_table(table, path, row_group_size=17)


RECIPE = """
name: small
sources:
  - {name: best, path: "DATA/best/*.parquet", id: id, keep: [url, score]}
  - {name: middle, path: "DATA/middle/*.parquet", id: id, keep: [url]}
  - {name: last, path: "DATA/last/*", id: id, keep: [meta]}
stages:
  - where: {sources: [best], keep: "score < 4"}
  - language: {keep: [en], min_score: 0.5}
  - heuristics: {profile: nemo}
  - exact_dedup: {key: text}
  - fuzzy_dedup: {verify: {min_similarity: 0.7}, bands: 16, guards: {max_source_loss: 0.9}}
mix: {weights: {best: 5, middle: 3, last: 2}, seed: 1}
output: {shard_bytes: 40kB}
"""


def write_recipe(folder: Path, text: str = RECIPE) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(text.replace("DATA", str(folder)))
    return path
