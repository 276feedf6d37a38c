"""Recall and precision of near-duplicate detection against exact Jaccard similarity, curate beside its peers.

    python benchmarks/dedup_quality.py FOLDER [--labelled FOLDER] [--peer NAME=PYTHON ...] [--documents 20000]

FOLDER holds Parquet files and JSON lines with a column `text`; a sample of it is drawn, the texts cut to their first
CHARACTERS characters. Truth: sets of five consecutive words (runs of letters and digits, lowercased), all pairs with
Jaccard similarity of at least 0.8, found by brute force through an inverted index of each document's rarest
shingles, enough of them that no pair can be missed. It shares no code with curate.

In the common setting every tool gets the text as those words with single spaces, so that all cut it alike, and
14 bands of 8; in the default setting the text as it is. Two measures. Pairs: those a tool calls candidates or
duplicates. Drops: the documents it removes. A drop is right if it is similar to a document that stays; there to be
found is what a walk with exact similarity drops, earlier documents staying. --labelled names Parquet files with
`text` and `label`: there a pair is right where labels are equal, whatever the similarity.

--peer gives the Python of an environment that holds that peer (`dedup_peers.py` says which there are).
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
import subprocess
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from dedup_peers import PEERS, Pairs, pairs_of_bands, pairs_of_buckets
from numpy.typing import NDArray

from curate.dedup import PRESETS, STAYS, Preset, UnionFind, bucket_edges, resolve, similarity
from curate.dedup.sketch import Sketcher
from curate.kernels import Texts, _cpu

CHARACTERS = 2_000
LEAST = 0.8
WORD = re.compile(r"[^\W_]+")
#: Peers that remove a document only if it was matched to one that stays; the others keep one of each component.
ONE_BY_ONE = ("datasketch", "rensa", "gaoya")


def texts_under(folder: Path) -> list[str]:
    texts: list[str] = []
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".parquet" and "text" in pq.read_schema(path).names:
            texts += pq.read_table(path, columns=["text"])["text"].to_pylist()
        elif path.name.endswith(".json.gz"):
            with gzip.open(path, "rt") as lines:
                texts += [json.loads(line)["text"] for line in lines]
    return [text[:CHARACTERS] for text in texts if text]


def plain_words(text: str) -> list[str]:
    return WORD.findall(text.lower())


def shingle_sets(documents: list[list[str]]) -> list[list[int]]:
    """Numbers of the distinct 5-grams of each document, the rarest first."""
    numbers: dict[tuple[str, ...], int] = {}
    sets = [
        {numbers.setdefault(tuple(words[i : i + 5]), len(numbers)) for i in range(len(words) - 4)}
        for words in documents
    ]
    counts = np.bincount(np.fromiter((n for found in sets for n in found), np.int64))
    return [sorted(found, key=lambda n: (counts[n], n)) for found in sets]


def exact_pairs(sets: list[list[int]]) -> dict[tuple[int, int], float]:
    """All pairs of similarity LEAST or more. Such a pair shares one of the first n - ceil(LEAST n) + 1 of each."""
    index: dict[int, list[int]] = defaultdict(list)
    whole = [frozenset(found) for found in sets]
    similar: dict[tuple[int, int], float] = {}
    for b, found in enumerate(sets):
        prefix = found[: len(found) - int(np.ceil(LEAST * len(found) - 1e-9)) + 1]
        for a in {a for shingle in prefix for a in index[shingle]}:
            small, large = sorted((len(sets[a]), len(found)))
            if small < LEAST * large:
                continue
            shared = len(whole[a] & whole[b])
            if shared / (small + large - shared) >= LEAST:
                similar[a, b] = shared / (small + large - shared)
        for shingle in prefix:
            index[shingle].append(b)
    return similar


@dataclass(frozen=True)
class Found:
    """What a tool says: pairs, and the rows it drops."""

    pairs: Pairs
    drops: set[int]


def drops_of(pairs: Pairs, one_by_one: bool) -> set[int]:
    if one_by_one:
        earlier: dict[int, list[int]] = defaultdict(list)
        for a, b in pairs:
            earlier[b].append(a)
        drops: set[int] = set()
        for b in sorted(earlier):
            if any(a not in drops for a in earlier[b]):
                drops.add(b)
        return drops
    edges = np.array(sorted(pairs), np.uint64).reshape(-1, 2)
    union = UnionFind()
    union.add(edges[:, 1].copy(), edges[:, 0].copy())
    clusters = union.clusters()
    return set(clusters.docs[clusters.docs != clusters.roots].tolist())


def curate_finds(texts: list[str], preset: Preset) -> dict[str, Found]:
    """curate without verification, with it from signatures, and from the texts."""
    packed = Texts.from_arrow(pa.array(texts, pa.large_string()))
    sketcher = Sketcher(preset.shingles, preset.hashes, preset.bands, seed=10)
    made = sketcher.sketch(packed, np.arange(len(texts)))
    bands = [list(row) if ok else None for row, ok in zip(made.keys.T.tolist(), made.sketched, strict=True)]
    candidates = sorted(pairs_of_bands(bands))
    first, second = np.array(candidates, np.int64).reshape(-1, 2).T
    estimated = similarity(made.signatures[first], made.signatures[second])
    exact = jaccard(texts, first, second, preset)
    union, rows = UnionFind(), np.arange(len(texts), dtype=np.uint64)
    for keys in made.keys:
        union.add(*bucket_edges(keys[made.sketched], rows[made.sketched]))
    clusters = union.clusters()
    members = made.signatures[clusters.docs.astype(np.int64)]
    witness, _ = resolve(clusters.offsets, clusters.docs, members, LEAST, False)
    verified = {pair for pair, value in zip(candidates, estimated, strict=True) if value >= LEAST}
    certain = {pair for pair, value in zip(candidates, exact, strict=True) if value >= LEAST}
    return {
        "curate, not verified": Found(set(candidates), drops_of(set(candidates), False)),
        "curate, verified by signature": Found(verified, set(clusters.docs[witness != STAYS].tolist())),
        "curate, candidates verified by text": Found(certain, drops_of(certain, True)),
    }


def jaccard(
    texts: list[str], first: NDArray[np.int64], second: NDArray[np.int64], preset: Preset
) -> NDArray[np.float64]:
    sides = [
        Texts.from_arrow(pa.array([texts[i] for i in side], pa.large_string())) for side in (first, second)
    ]
    shingles = preset.shingles
    measured: NDArray[np.float64] = _cpu.jaccard(
        sides[0].data, sides[0].offsets, sides[1].data, sides[1].offsets, shingles.unit, shingles.length
    )
    return measured


def peer_finds(name: str, python: str, setting: str, texts: Path, folder: Path) -> tuple[str, Found]:
    target = folder / "found.npz"
    command = [python, "-W", "ignore", str(Path(__file__).with_name("dedup_peers.py"))]
    subprocess.run([*command, name, setting, str(texts), str(target)], check=True)
    with np.load(target) as found:
        pairs = {(a, b) for a, b in found["pairs"].tolist()}
        return f"{name} {found['version']}", Found(pairs, drops_of(pairs, name in ONE_BY_ONE))


def scores(right: int, said: int, there: int) -> str:
    precision, recall = right / max(said, 1), right / max(there, 1)
    return f"{recall:.3f} | {precision:.3f} | {2 * right / max(said + there, 1):.3f}"


def row_of(name: str, found: Found, similar: Pairs) -> str:
    neighbours: dict[int, set[int]] = defaultdict(set)
    for a, b in similar:
        neighbours[a].add(b)
        neighbours[b].add(a)
    wanted = drops_of(similar, True)
    right = sum(any(other not in found.drops for other in neighbours[row]) for row in found.drops)
    recall, precision = len(found.drops & wanted) / max(len(wanted), 1), right / max(len(found.drops), 1)
    both = 2 * recall * precision / max(recall + precision, 1e-9)
    pairs = scores(len(found.pairs & similar), len(found.pairs), len(similar))
    return f"| {name} | {pairs} | {recall:.3f} | {precision:.3f} | {both:.3f} |"


def table(title: str, results: dict[str, Found], similar: Pairs) -> None:
    print(f"\n### {title}\n")
    print(
        "| tool | pairs: recall | precision | F1 | drops: recall | precision | F1 |\n|---|---|---|---|---|---|---|"
    )
    for name, found in results.items():
        print(row_of(name, found, similar), flush=True)


def compare(
    title: str, texts: list[str], similar: Pairs, settings: list[str], peers: dict[str, str], folder: Path
) -> None:
    for setting in settings:
        given = [" ".join(plain_words(text)) for text in texts] if setting == "common" else texts
        path = folder / f"{setting}.parquet"
        pq.write_table(pa.table({"text": given}), path)
        results = curate_finds(given, PRESETS["fineweb" if setting == "common" else "zyda2"])
        for name, python in peers.items():
            versioned, found = peer_finds(name, python, setting, path, folder)
            results[versioned] = found
        table(f"{title}, {setting} setting", results, similar)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--labelled", type=Path)
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument(
        "--peer", action="append", default=[], help=f"one of {', '.join(PEERS)}, = its Python"
    )
    arguments = parser.parse_args()
    peers = dict(given.split("=", 1) for given in arguments.peer)
    with tempfile.TemporaryDirectory() as folder:
        if arguments.folder:
            compare_sample(arguments.folder, arguments.documents, peers, Path(folder))
        if arguments.labelled:
            compare_labelled(arguments.labelled, peers, Path(folder))


def compare_sample(source: Path, documents: int, peers: dict[str, str], folder: Path) -> None:
    all_texts = texts_under(source)
    order = np.random.default_rng(0).permutation(len(all_texts))
    texts = [all_texts[i] for i in order if len(plain_words(all_texts[i])) >= 5][:documents]
    similar = exact_pairs(shingle_sets([plain_words(text) for text in texts]))
    megabytes = sum(len(text.encode()) for text in texts) / 1e6
    close = sum(value < LEAST + 0.05 for value in similar.values())
    print(
        f"{len(texts):,} documents, {megabytes:.1f} MB; {len(similar):,} pairs of Jaccard {LEAST} or more, "
        f"{close:,} of them under {LEAST + 0.05:.2f}",
        flush=True,
    )
    compare("Sample", texts, set(similar), ["common", "default"], peers, folder)


def compare_labelled(source: Path, peers: dict[str, str], folder: Path) -> None:
    for path in sorted(source.glob("*.parquet")):
        rows = pq.read_table(path, columns=["text", "label"]).to_pylist()
        groups: dict[str, list[int]] = defaultdict(list)
        for i, row in enumerate(rows):
            groups[row["label"]].append(i)
        texts = [row["text"][:CHARACTERS] for row in rows]
        compare(f"{path.stem}, by label", texts, pairs_of_buckets(groups.values()), ["common"], peers, folder)


if __name__ == "__main__":
    main()
