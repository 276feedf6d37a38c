"""Peers of near-duplicate detection, each behind the same two functions; needs no curate.

    python benchmarks/dedup_peers.py PEER SETTING TEXTS.parquet OUT.npz

is run with the Python that has the peer. It writes the pairs of rows (first < second) that the peer takes for
candidates or duplicates, and prints wall and processor seconds: of signatures, and from Parquet to pairs.
SETTING is `common` (word 5-grams, 112 hashes, 14 bands of 8), `fastest` (the same with the fastest of the hash
functions that the peer offers), `characters` (25-grams of characters) or
`default`, what the peer does when it is not told otherwise; peers without a default get word 5-grams of
text.split(). Where a peer's own index returns
candidates, that index is used; where it writes bands to be grouped, rows of equal band are paired here.

    python benchmarks/dedup_peers.py Daft keep FOLDER OUT.npz

goes on with `fastest` to the rows that stay, by the peer's own reader and its own connected components.
"""

from __future__ import annotations

import itertools
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

WORDS, CHARACTERS, HASHES, BANDS = 5, 25, 112, 14
ROWS = HASHES // BANDS
Pairs = set[tuple[int, int]]


def shingles(text: str, setting: str) -> list[str]:
    if setting == "characters":
        return [text[i : i + CHARACTERS] for i in range(max(1, len(text) - CHARACTERS + 1))]
    words = text.split()
    return [" ".join(words[i : i + WORDS]) for i in range(max(1, len(words) - WORDS + 1))]


def pairs_of_buckets(buckets: Iterable[Sequence[int]]) -> Pairs:
    found: Pairs = set()
    for rows in buckets:
        found.update(itertools.combinations(sorted(set(rows)), 2))
    return found


def pairs_of_bands(bands: list[Sequence[Any] | None]) -> Pairs:
    """bands: for each document the key of each band, or None."""
    tables: dict[tuple[int, Any], list[int]] = defaultdict(list)
    for row, keys in enumerate(bands):
        for band, key in enumerate(keys or ()):
            tables[band, key].append(row)
    return pairs_of_buckets(rows for rows in tables.values() if len(rows) > 1)


def pairs_of_queries(queries: Iterable[Iterable[int]]) -> Pairs:
    return {(min(a, b), max(a, b)) for a, found in enumerate(queries) for b in found if a != b}


# Each peer: (texts, setting) -> signatures; (signatures, setting) -> pairs.


def datasketch_sign(texts: list[str], setting: str) -> Any:
    from datasketch import MinHash

    hashes = HASHES if setting != "default" else 128
    return MinHash.bulk([[s.encode() for s in shingles(text, setting)] for text in texts], num_perm=hashes)


def datasketch_pair(signed: Any, setting: str) -> Pairs:
    from datasketch import MinHashLSH

    # Its own default threshold is 0.9: five bands of 25. At 0.8, what is asked for here, it chooses 9 of 13.
    index = (
        MinHashLSH(num_perm=HASHES, params=(BANDS, ROWS))
        if setting != "default"
        else MinHashLSH(threshold=0.8, num_perm=128)
    )
    with index.insertion_session() as session:
        for row, signature in enumerate(signed):
            session.insert(row, signature)
    return pairs_of_queries(index.query(signature) for signature in signed)


def rensa_sign(texts: list[str], setting: str) -> Any:
    from rensa import RMinHash

    return RMinHash.from_token_sets(
        (shingles(text, setting) for text in texts), HASHES if setting != "default" else 128, 42
    )


def rensa_pair(signed: Any, setting: str) -> Pairs:
    from rensa import RMinHashLSH

    index = RMinHashLSH(
        threshold=0.8,
        num_perm=HASHES if setting != "default" else 128,
        num_bands=BANDS if setting != "default" else 16,
    )
    index.insert_many(signed)
    return pairs_of_queries(index.query_all(signed))


def gaoya_sign(texts: list[str], setting: str) -> Any:
    import gaoya

    unit, length = ("char", CHARACTERS) if setting == "characters" else ("word", WORDS)
    sizes = {"num_bands": BANDS, "band_size": ROWS} if setting != "default" else {}
    index = gaoya.minhash.MinHashStringIndex(
        jaccard_threshold=0.8, analyzer=unit, ngram_range=(length, length), id_container="vec", **sizes
    )
    for row, text in enumerate(texts):
        index.insert_document(row, text)
    return index, texts


def gaoya_pair(signed: Any, setting: str) -> Pairs:
    # The index verifies by signature similarity. A query signs its text once more: there is no other way to ask.
    index, texts = signed
    return pairs_of_queries(index.query(text) for text in texts)


def text_dedup_sign(texts: list[str], setting: str) -> Any:
    from text_dedup.minhash import RNG, embed_func
    from text_dedup.utils import optimal_param, xxh3_32hash

    hashes, (bands, rows) = (
        (HASHES, (BANDS, ROWS)) if setting != "default" else (250, optimal_param(0.7, 250))
    )
    prime = np.uint64((1 << 61) - 1)
    permutations = tuple(RNG.randint(low, prime, size=(hashes,), dtype=np.uint64) for low in (1, 0))
    ranges = [(band * rows, (band + 1) * rows) for band in range(bands)]
    return [
        embed_func(
            text,
            row,
            num_perm=hashes,
            ngram_size=WORDS,
            min_length=5,
            hashranges=ranges,
            permutations=permutations,
            hash_func=lambda token: xxh3_32hash(token),
            dtype=np.uint64,
            max_hash=np.uint32((1 << 32) - 1),
            modulo_prime=prime,
        )["__signatures__"]
        for row, text in enumerate(texts)
    ]


def bands_pair(signed: Any, setting: str) -> Pairs:
    return pairs_of_bands(signed)


def datatrove_sign(texts: list[str], setting: str) -> Any:
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature

    # The defaults are the common setting.
    step = MinhashDedupSignature(
        "/tmp", MinhashConfig(n_grams=WORDS, num_buckets=BANDS, hashes_per_bucket=ROWS)
    )
    signed: list[Any] = []
    for text in texts:
        found = step.get_shingles(text)
        signed.append([tuple(band) for band in step.get_signature(found)] if found.size else None)
    return signed


def data_juicer_sign(texts: list[str], setting: str) -> Any:
    from data_juicer.ops.deduplicator.document_minhash_deduplicator import DocumentMinhashDeduplicator
    from data_juicer.utils.constant import HashKeys

    sizes = (
        {"num_permutations": HASHES, "num_bands": BANDS, "num_rows_per_band": ROWS}
        if setting != "default"
        else {}
    )
    unit, length = ("character", CHARACTERS) if setting == "characters" else ("space", WORDS)
    operator = DocumentMinhashDeduplicator(tokenization=unit, window_size=length, **sizes)
    return [operator.compute_hash({"text": text})[HashKeys.minhash] for text in texts]


def daft_sign(texts: Any, setting: str) -> Any:
    import daft
    import pyarrow as pa

    hashes = HASHES if setting != "default" else 64
    table = daft.from_arrow(pa.table({"text": texts, "row": np.arange(len(texts))}))
    hashing = "xxhash" if setting == "fastest" else "murmurhash3"
    signature = daft.col("text").minhash(num_hashes=hashes, ngram_size=WORDS, seed=1, hash_function=hashing)
    return table.select("row", signature.chunk(ROWS).alias("bands")).collect()


def daft_pair(signed: Any, setting: str) -> Pairs:
    import daft

    # As its guide goes on, but for the connected components over data frames: pairs are taken from the groups here.
    bands = BANDS if setting != "default" else 8
    table = signed.with_column("band", daft.lit(list(range(bands)))).explode("bands", "band")
    groups = table.groupby("band", "bands").agg(daft.col("row").list_agg().alias("rows"))
    return pairs_of_buckets(groups.where(daft.col("rows").list_count() > 1).to_pydict()["rows"])


def daft_star(edges: Any) -> Any:
    """Each neighbour of u, and v the least of u and its neighbours."""
    from daft import col
    from daft.functions import when

    near = edges.groupby("u").agg(col("v").list_agg().alias("near"))
    near = near.with_column("v", col("near").list_min())
    least = when(col("u") < col("v"), col("u")).otherwise(col("v"))
    return near.with_column("v", least).explode("near")


def daft_keep(source: str) -> int:
    """The rows that stay, by alternating large and small stars until the edges stay the same, as its guide has it.

    Without the guide's normalisation of texts, which the other side does not do either, and with signatures computed
    once where the guide's lazy frames compute them again for each use.
    """
    import daft
    from daft import col
    from daft.functions import monotonically_increasing_id, when

    table = daft.read_parquet(source).select("text").with_column("row", monotonically_increasing_id())
    signature = col("text").minhash(num_hashes=HASHES, ngram_size=WORDS, seed=1, hash_function="xxhash")
    signed = table.select("row", signature.chunk(ROWS).alias("bands")).collect()
    bands = signed.with_column("band", daft.lit(list(range(BANDS)))).explode("bands", "band")
    groups = bands.groupby("band", "bands").agg(col("row").list_agg().alias("rows"))
    pairs = (
        groups.where(col("rows").list_count() > 1).with_column("v", col("rows").list_min()).explode("rows")
    )
    edges = pairs.select(col("rows").alias("u"), "v").where(col("u") != col("v")).distinct().collect()
    before: set[tuple[int, int]] | None = None
    now: set[tuple[int, int]] = set()
    while now != before:
        both = edges.union_all(edges.select(col("v").alias("u"), col("u").alias("v"))).collect()
        large = daft_star(both).where(col("near") > col("u")).select(col("near").alias("u"), "v").distinct()
        swap = col("u") < col("v")
        down = large.select(
            when(swap, col("v")).otherwise(col("u")).alias("u"),
            when(swap, col("u")).otherwise(col("v")).alias("v"),
        )
        star = daft_star(down.distinct()).collect()
        small = star.select(col("near").alias("u"), "v").union_all(star.select("u", "v"))
        edges = small.where(col("u") != col("v")).distinct().collect()
        rows = edges.to_pydict()
        before, now = now, set(zip(rows["u"], rows["v"], strict=True))
    return len(
        signed.select("row")
        .join(edges.select(col("u").alias("row")).distinct(), on="row", how="anti")
        .collect()
    )


Sign = Callable[[Any, str], Any]
PEERS: dict[str, tuple[str, Sign, Callable[[Any, str], Pairs]]] = {
    "datasketch": ("datasketch", datasketch_sign, datasketch_pair),
    "rensa": ("rensa", rensa_sign, rensa_pair),
    "gaoya": ("gaoya", gaoya_sign, gaoya_pair),
    "text-dedup": ("text-dedup", text_dedup_sign, bands_pair),
    "datatrove": ("datatrove", datatrove_sign, bands_pair),
    "data-juicer": ("py-data-juicer", data_juicer_sign, bands_pair),
    "Daft": ("daft", daft_sign, daft_pair),
}


def keep(folder: str, target: str) -> None:
    daft_sign(["one two three four five six seven"], "common")  # imports are not measured
    wall, used = time.perf_counter(), time.process_time()
    kept = daft_keep(f"{folder}/*.parquet")
    whole = time.perf_counter() - wall, time.process_time() - used
    np.savez(target, kept=kept, whole=whole)
    print(
        f"Daft: {kept:,} stay, {whole[1]:.1f} s of processor time ({whole[0]:.1f} s of wall time)", flush=True
    )


def main() -> None:
    name, setting, source, target = sys.argv[1:]
    from importlib.metadata import version

    import pyarrow.parquet as pq

    package, sign, pair = PEERS[name]
    if setting == "keep":
        keep(source, target)
        return
    sign(["one two three four five six seven"], setting)  # imports and tables are not measured
    wall, used = time.perf_counter(), time.process_time()
    column = pq.read_table(source, columns=["text"])["text"]
    texts = column if name == "Daft" else column.to_pylist()  # Daft takes Arrow, the others Python strings
    read = time.perf_counter(), time.process_time()
    signed = sign(texts, setting)
    signing = time.perf_counter() - read[0], time.process_time() - read[1]
    pairs = pair(signed, setting)
    whole = time.perf_counter() - wall, time.process_time() - used
    found = np.array(sorted(pairs), np.int64).reshape(-1, 2)
    np.savez(target, pairs=found, signing=signing, whole=whole, version=version(package))
    print(
        f"{name} {version(package)} {setting}: {len(texts):,} documents, {len(found):,} pairs, "
        f"signatures {signing[1]:.1f} s, all {whole[1]:.1f} s of processor time ({whole[0]:.1f} s of wall time), "
        f"{Path(source).name}, {len(os.sched_getaffinity(0))} cores",
        flush=True,
    )


if __name__ == "__main__":
    main()
