"""A small finished run, written by hand: 18 documents of three sources, to be counted on paper.

web: texts of 40 bytes (10 tokens), two Parquet files. Books and forum: 80 bytes (20 tokens).
Order of the stages: language, heuristics, exact (exact_dedup), fuzzy (fuzzy_dedup), quality, mix.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curate.io.ledger import LEDGER_FIELDS, pack_doc
from curate.io.sources import SourceColumns, list_files

SOURCES = ("web", "books", "forum")
SIZES = {"web": 40, "books": 80, "forum": 80}
FILES = {("web", 0): "web-a.parquet", ("web", 1): "web-b.parquet"}
FILES |= {("books", 0): "books.jsonl", ("forum", 0): "forum.parquet"}


def at(source: str, file: int, row: int) -> int:
    return pack_doc(SOURCES.index(source), file, row)


@dataclass
class Row:
    place: tuple[str, int, int]
    text: str | None
    columns: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.text is not None:
            self.text = self.text.ljust(SIZES[self.place[0]], ".")

    def ledger(self) -> dict[str, Any]:
        size = len((self.text or "").encode())
        row: dict[str, Any] = dict.fromkeys(LEDGER_FIELDS)
        row |= {
            "doc": at(*self.place),
            "id": "-".join(map(str, self.place)),
            "bytes": size,
            "tokens": -(-size // 4),
        }
        row |= {"lang": "en" if self.text else None, "copies": 0 if "dropped_by" in self.columns else 1}
        return row | self.columns


def dropped(stage: str, reason: str, value: float | None = None, **columns: Any) -> dict[str, Any]:
    return {"dropped_by": stage, "reason": reason, "value": value, **columns}


def clustered(root: int, size: int, **columns: Any) -> dict[str, Any]:
    return {"cluster": root, "cluster_size": size, **columns}


def duplicate(stage: str, of: int, root: int, size: int, similarity: float) -> dict[str, Any]:
    found = clustered(root, size, duplicate_of=of, similarity=similarity)
    return dropped(stage, f"{stage}.duplicate", similarity, **found)


def documents() -> list[Row]:
    """Clusters: A = web 0:0 and its two twins; B = web 1:0, which quality drops, so its twin and the twin of
    its twin are orphans; C = web 1:1, mixed out; D = books 0:5, dropped by quality, but books 0:4 stays."""
    a, b, c, d, e = at("web", 0, 0), at("web", 1, 0), at("web", 1, 1), at("books", 0, 4), at("books", 0, 2)
    gone = dropped("quality", "quality.label", 0.25, quality=0.25, quality_label="Low")
    return [
        Row(("web", 0, 0), "the quick brown fox jumps", clustered(a, 3, copies=2)),
        Row(("web", 0, 1), "a page on tides", {"quality": 0.75, "quality_label": "High"}),
        Row(("web", 0, 2), "der schnelle Fuchs", dropped("language", "language.other", 0.99, lang="de")),
        Row(("web", 0, 3), None, dropped("read", "read.invalid_utf8", id=None)),
        Row(("web", 1, 0), "a weak page that went", gone | clustered(b, 2)),
        Row(("web", 1, 1), "a page mixed out", dropped("mix", "mix.weight") | clustered(c, 2)),
        Row(("web", 1, 2), "short", dropped("heuristics", "gopher_quality.short", 3.0)),
        Row(("books", 0, 0), "a book of tides and of the moon", {"copies": 3}),
        Row(("books", 0, 1), "the quick red fox jumps", duplicate("fuzzy", a, a, 3, 0.9375)),
        Row(("books", 0, 2), "a weak page that went away", duplicate("fuzzy", b, b, 2, 0.85)),
        Row(("books", 0, 3), "la la la la", dropped("heuristics", "gopher_repetition.top_2_gram", 0.5)),
        Row(("books", 0, 4), "a chapter, third edition", clustered(d, 3)),
        Row(("books", 0, 5), "a chapter, second edition", gone | clustered(d, 3)),
        Row(("forum", 0, 0), "a weak page that went away", duplicate("exact", e, e, 2, 1.0)),
        Row(("forum", 0, 1), "the quick brown fox jumps", duplicate("fuzzy", a, a, 3, 1.0)),
        Row(("forum", 0, 2), "a page mixed in", duplicate("fuzzy", c, c, 2, 0.8)),
        Row(("forum", 0, 3), "a chapter, 2nd edition", duplicate("fuzzy", at("books", 0, 5), d, 3, 0.9)),
        Row(("forum", 0, 4), "a question on tides"),
    ]


def write_sources(folder: Path, rows: list[Row]) -> None:
    folder.mkdir()
    for (source, file), name in FILES.items():
        texts = [row.text for row in rows if row.place[:2] == (source, file)]
        if name.endswith(".parquet"):
            pq.write_table(pa.table({"text": pa.array(texts, pa.string())}), folder / name)
        else:
            (folder / name).write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))


def write_ledger(out: Path, rows: list[Row]) -> None:
    """Each source's ledger has only the columns it uses, as after a run whose stages name their sources."""
    for source in SOURCES:
        (out / "ledger" / source).mkdir(parents=True)
        used = [row.ledger() for row in rows if row.place[0] == source]
        names = [name for name in LEDGER_FIELDS if name == "id" or any(row[name] is not None for row in used)]
        schema = pa.schema([(name, LEDGER_FIELDS[name]) for name in names])
        for (owner, file), name in FILES.items():
            if owner == source:
                mine = [row.ledger() for row in rows if row.place[:2] == (source, file)]
                table = pa.Table.from_pylist(mine, schema=schema)
                pq.write_table(table, out / "ledger" / source / f"{Path(name).stem}.parquet")


def write_shards(out: Path, rows: list[Row], split: int = 5) -> list[dict[str, Any]]:
    (out / "data").mkdir()
    lines = [
        {"text": row.text, "source": row.place[0], "tokens": row.ledger()["tokens"]}
        for row in rows
        for _ in range(row.ledger()["copies"])
    ]
    entries = []
    for index, part in enumerate((lines[:split], lines[split:])):
        path = out / "data" / f"train-{index:05}-of-00002.parquet"
        pq.write_table(pa.Table.from_pylist(part).select(["text", "source"]), path)
        entries.append(
            {
                "path": f"data/{path.name}",
                "rows": len(part),
                "bytes": path.stat().st_size,
                "tokens": sum(line["tokens"] for line in part),
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
                "rows_by_source": dict(Counter(line["source"] for line in part)),
            }
        )
    return entries


def totals(rows: list[Row]) -> dict[str, int]:
    ledger = [row.ledger() for row in rows]
    return {
        "documents": len(ledger),
        "kept": sum(row["dropped_by"] is None for row in ledger),
        "bytes_in": sum(row["bytes"] for row in ledger),
        "bytes_out": sum(row["bytes"] * row["copies"] for row in ledger),
        "tokens_in": sum(row["tokens"] for row in ledger),
        "tokens_out": sum(row["tokens"] * row["copies"] for row in ledger),
        "rows_out": sum(row["copies"] for row in ledger),
        "quarantined": sum(row["dropped_by"] == "read" for row in ledger),
    }


def source_entry(folder: Path, rows: list[Row], source: str) -> dict[str, Any]:
    files = [
        {
            "index": file,
            "path": str(folder / name),
            "ledger": f"ledger/{source}/{Path(name).stem}.parquet",
            "ledger_sha256": hashlib.sha256(
                (folder.parent / "out" / f"ledger/{source}/{Path(name).stem}.parquet").read_bytes()
            ).hexdigest(),
            "bytes": (folder / name).stat().st_size,
            "rows": sum(row.place[:2] == (source, file) for row in rows),
            "fingerprint": list_files(source, [str(folder / name)], None, SourceColumns("text"))[
                0
            ].fingerprint,
        }
        for (owner, file), name in FILES.items()
        if owner == source
    ]
    own = [row for row in rows if row.place[0] == source]
    return {"name": source, "index": SOURCES.index(source), "files": files, **totals(own)}


STAGES: list[dict[str, Any]] = [
    {
        "name": "language",
        "kind": "language",
        "sources": None,
        "definition": {"keep": ["en"], "min_score": 0.65},
    },
    {
        "name": "heuristics",
        "kind": "heuristics",
        "sources": ["web", "books"],
        "definition": {"profile": "gopher"},
    },
    {"name": "exact", "kind": "exact_dedup", "sources": None, "definition": {"key": "text"}},
    {
        "name": "fuzzy",
        "kind": "fuzzy_dedup",
        "sources": None,
        "definition": {
            "verify": {"min_similarity": 0.8},
            "shingles": {"unit": "char", "length": 5},
            "normalize": [],
            "hashes": 128,
            "bands": 8,
            "seed": 10,
            "sketch": "fss",
        },
    },
    {"name": "quality", "kind": "quality", "sources": None, "definition": {"keep": ["High"]}},
    {"name": "mix", "kind": "mix", "sources": None, "definition": {"unit": "tokens"}},
]


def write_output(folder: Path) -> Path:
    """Writes sources to `folder`/in and a finished run to `folder`/out; returns the latter."""
    rows, out = documents(), folder / "out"
    out.mkdir()
    write_sources(folder / "in", rows)
    write_ledger(out, rows)
    shards = write_shards(out, rows)
    (out / "quarantine").mkdir()
    record = {"source": "web", "path": str(folder / "in" / "web-a.parquet"), "row": 3, "rows": 1}
    record |= {"reason": "invalid_utf8", "detail": "byte 7", "content": None}
    (out / "quarantine" / "web.jsonl").write_text(json.dumps(record) + "\n")
    recipe_sources = [
        {"name": name, "path": str(folder / "in" / f"{name}*"), "text": "text"} for name in SOURCES
    ]
    manifest = {
        "format": 1,
        "name": "small",
        "versions": {"curate": "0.1.0", "pyarrow": "1", "numpy": "1"},
        "recipe": {
            "name": "small",
            "sources": recipe_sources,
            "mix": {"weights": {"web": 2.0, "books": 1.0, "forum": 1.0}, "unit": "tokens", "seed": 0},
        },
        "recipe_sha256": "0" * 64,
        "stages": STAGES,
        "sources": [source_entry(folder / "in", rows, source) for source in SOURCES],
        "totals": totals(rows),
        "shards": shards,
    }
    (out / "manifest.json").write_text(json.dumps(manifest, indent=2, sort_keys=True) + "\n")
    return out
