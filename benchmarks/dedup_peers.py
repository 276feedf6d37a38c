"""Peers of near-duplicate detection, each behind the same two functions; needs no curate.

    python benchmarks/dedup_peers.py PEER SETTING TEXTS.parquet OUT.npz

is run with the Python that has the peer. It writes the pairs of rows (first < second) that the peer takes for
candidates or duplicates, and prints wall and processor seconds: of reading and signatures, and from Parquet to pairs.
SETTING is `common` (word 5-grams, 112 hashes, 14 bands of 8), `characters` (the same with 25-grams of characters) or
`default`, what the peer does when it is not told otherwise; peers without a default get word 5-grams of
text.split(). Where a peer's own index returns
candidates, that index is used; where it writes bands to be grouped, rows of equal band are paired here.
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


def daft_sign(texts: list[str], setting: str) -> Any:
    import daft

    hashes = HASHES if setting != "default" else 64
    table = daft.from_pydict({"text": texts})
    signed = table.select(daft.col("text").minhash(num_hashes=hashes, ngram_size=WORDS, seed=1))
    return signed.to_arrow()["text"]


def daft_pair(signed: Any, setting: str) -> Pairs:
    # Its notebook cuts 64 hashes into 8 bands of 8; rows of equal band are grouped here, which favours it.
    values = np.stack([np.asarray(row, np.uint32) for row in signed.to_numpy(zero_copy_only=False)])
    return pairs_of_bands([[row[i : i + ROWS].tobytes() for i in range(0, len(row), ROWS)] for row in values])


Sign = Callable[[list[str], str], Any]
PEERS: dict[str, tuple[str, Sign, Callable[[Any, str], Pairs]]] = {
    "datasketch": ("datasketch", datasketch_sign, datasketch_pair),
    "rensa": ("rensa", rensa_sign, rensa_pair),
    "gaoya": ("gaoya", gaoya_sign, gaoya_pair),
    "text-dedup": ("text-dedup", text_dedup_sign, bands_pair),
    "datatrove": ("datatrove", datatrove_sign, bands_pair),
    "data-juicer": ("py-data-juicer", data_juicer_sign, bands_pair),
    "Daft": ("daft", daft_sign, daft_pair),
}


def main() -> None:
    name, setting, source, target = sys.argv[1:]
    from importlib.metadata import version

    import pyarrow.parquet as pq

    package, sign, pair = PEERS[name]
    sign(["one two three four five six seven"], setting)  # imports and tables are not measured
    wall, used = time.perf_counter(), time.process_time()
    texts = pq.read_table(source, columns=["text"])["text"].to_pylist()
    signed = sign(texts, setting)
    signing = time.perf_counter() - wall, time.process_time() - used
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
