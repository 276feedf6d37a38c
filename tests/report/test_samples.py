"""What a report shows of duplicates: clusters, pairs, URLs, and how often pairs become candidates."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.dedup.bands import candidate_probability
from curate.io.manifest import Manifest
from curate.report import compute_stats, curve
from curate.report.texts import TextReader


def test_largest_clusters_and_their_members(out: Path) -> None:
    fuzzy = compute_stats(str(out))["dedup"][1]
    assert [(each["best"], each["documents"], each["dropped"]) for each in fuzzy["largest"]] == [
        ("web:0:0", 3, 2),
        ("books:0:4", 3, 1),
        ("web:1:0", 2, 1),
        ("web:1:1", 2, 1),
    ]
    assert fuzzy["largest"][0]["members"] == ["books:0:1", "forum:0:1"]
    assert fuzzy["largest"][0]["sources"] == {"books": 1, "forum": 1}


def test_pairs_by_tenths_of_similarity(out: Path) -> None:
    fuzzy = compute_stats(str(out))["dedup"][1]
    assert fuzzy["bands"] == {"bands": 8, "rows": 16}
    assert fuzzy["similarity"]["threshold"] == 0.8
    found = {(tenth["from"], tenth["to"]): tenth["pairs"] for tenth in fuzzy["pairs"] if tenth["pairs"]}
    assert found == {
        (0.8, 0.82): [["forum:0:2", "web:1:1", 0.8]],
        (0.84, 0.86): [["books:0:2", "web:1:0", 0.85]],
        (0.9, 0.92): [["forum:0:3", "books:0:5", 0.9]],
        (0.92, 0.94): [["books:0:1", "web:0:0", 0.9375]],
        (0.98, 1.0): [["forum:0:1", "web:0:0", 1.0]],
    }
    assert fuzzy["apart"] == [["books:0:5", "books:0:4"]]


def test_texts_are_read_for_as_long_as_there_is_time(out: Path) -> None:
    manifest = Manifest.load(str(out))
    reader = TextReader(manifest, 60)
    reader.read(["web:0:0", "web:0:3", "books:0:1", "web:0:1"])
    assert (reader.text("web:0:0") or "").startswith("the quick brown fox")
    assert (reader.text("books:0:1") or "").startswith("the quick red fox")
    assert (reader.text("web:0:1") or "").startswith("a page on tides")
    assert reader.text("web:0:3") is None
    late = TextReader(manifest, -1)
    late.read(["web:0:0"])
    assert late.text("web:0:0") is None
    assert "time" in late.missing("web:0:0")


def test_measured_candidate_rates_are_those_of_the_similarity() -> None:
    """Texts of known overlap: the mean over seeds lies within four standard errors of the S-curve."""
    chance = random.Random(3)
    pairs = []
    for place in range(300):
        words = [f"{chance.randrange(10**9):09}" for _ in range(120)]
        other = list(words)
        for at in chance.sample(range(120), 1 + place % 8):
            other[at] = f"{chance.randrange(10**9):09}"
        pairs.append((" ".join(words), " ".join(other)))
    definition = {"shingles": {"unit": "word", "length": 1}, "normalize": [], "hashes": 128, "bands": 8}
    points = curve.measured({**definition, "seed": 10, "sketch": "fss"}, pairs)
    assert sum(point["pairs"] for point in points) == 300
    assert len(points) >= 3
    for point in points:
        error = np.sqrt(0.25 / (point["pairs"] * curve.SEEDS))
        assert abs(point["rate"] - point["expected"]) < 4 * error
        at = candidate_probability(np.array(point["similarity"]), 8, 16)
        assert abs(point["expected"] - float(at)) < 0.05


def write_shard(out: Path, rows: list[tuple[str, str | None, str | None]]) -> None:
    """One shard of (source, id, url) in place of those of the run."""
    manifest = json.loads((out / "manifest.json").read_text())
    sources, ids, urls = zip(*rows, strict=True)
    columns = {"text": ["x"] * len(rows), "source": sources, "id": pa.array(ids, pa.string())}
    path = out / manifest["shards"][0]["path"]
    pq.write_table(pa.table({**columns, "url": pa.array(urls, pa.string())}), path)
    manifest["shards"] = manifest["shards"][:1]
    (out / "manifest.json").write_text(json.dumps(manifest))


def test_documents_of_one_url(out: Path) -> None:
    assert compute_stats(str(out))["same_url"] is None
    write_shard(
        out,
        [
            ("web", "a", "http://www.example.com/page"),
            ("books", "b", "https://example.com/page/"),
            ("forum", "c", "http://example.com/other"),
            ("web", "d", "http://example.com/twice"),
            ("web", "d", "http://example.com/twice"),
            ("web", "e", "http://example.com/two"),
            ("web", "f", "http://example.com/two"),
            ("web", "g", None),
            ("forum", None, "http://example.com/bare"),
            ("forum", None, "http://example.com/bare"),
        ],
    )
    found = compute_stats(str(out))["same_url"]
    # d is two copies of one document; the bare ones are two of a source that is not repeated.
    assert (found["rows"], found["documents"], found["urls"]) == (9, 6, 3)
    assert found["between"] == {"books": {"web": 1}, "forum": {"forum": 1}, "web": {"web": 1}}
    assert len(found["examples"]) == 3


@pytest.mark.parametrize("kind", [pa.int64(), pa.list_(pa.string())])
def test_a_url_column_that_holds_no_text_is_none(out: Path, kind: pa.DataType) -> None:
    manifest = json.loads((out / "manifest.json").read_text())
    for shard in manifest["shards"]:
        path = out / shard["path"]
        table = pq.read_table(path)
        pq.write_table(table.append_column("url", pa.nulls(len(table), kind)), path)
    assert compute_stats(str(out))["same_url"] is None
