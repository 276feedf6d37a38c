"""Writes small fastText model files with random weights, of every kind there is, from the format's description."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

LOSSES = {"hs": 1, "ns": 2, "softmax": 3, "ova": 4}


@dataclass(frozen=True)
class Spec:
    """What a model file should hold; the defaults make a small dense softmax model."""

    words: tuple[str, ...] = ("</s>", "the", "house", "Straße", "кот", "日本")
    labels: tuple[str, ...] = ("__label__a", "__label__b", "__label__c")
    loss: str = "softmax"
    dim: int = 8
    word_ngrams: int = 1
    min_n: int = 0
    max_n: int = 0
    bucket: int = 0
    pruned: int | None = None
    quantised: bool = False
    norms: bool = False
    quantised_output: bool = False
    part: int = 2
    seed: int = 0
    scale: float = 1.0
    version: int = 12


def model_bytes(spec: Spec) -> bytes:
    """The bytes of a model file."""
    random = np.random.default_rng(spec.seed)
    counts = np.sort(random.integers(1, 1000, len(spec.labels)))[::-1]
    arguments = (
        spec.dim,
        5,
        5,
        1,
        5,
        spec.word_ngrams,
        LOSSES[spec.loss],
        3,
        spec.bucket,
        spec.min_n,
        spec.max_n,
        100,
    )
    parts = [struct.pack("<2i", 793712314, spec.version), struct.pack("<12id", *arguments, 1e-4)]
    size = (len(spec.words) + len(spec.labels), len(spec.words), len(spec.labels))
    parts.append(struct.pack("<3i2q", *size, 1000, -1 if spec.pruned is None else spec.pruned))
    for word in spec.words:
        parts.append(word.encode() + b"\0" + struct.pack("<qb", 10, 0))
    for label, count in zip(spec.labels, counts.tolist(), strict=True):
        parts.append(label.encode() + b"\0" + struct.pack("<qb", count, 1))
    rows = len(spec.words) + spec.bucket
    if spec.pruned is not None:
        kept = random.permutation(spec.bucket)[: spec.pruned]
        for row, bucket in enumerate(random.permutation(kept).tolist()):
            parts.append(struct.pack("<2i", bucket, row))
        rows = len(spec.words) + spec.pruned
    parts.append(struct.pack("<B", spec.quantised))
    parts.append(_matrix(random, rows, spec, spec.quantised))
    parts.append(struct.pack("<B", spec.quantised_output))
    parts.append(_matrix(random, len(spec.labels), spec, spec.quantised and spec.quantised_output))
    return b"".join(parts)


def _matrix(random: np.random.Generator, rows: int, spec: Spec, quantised: bool) -> bytes:
    if not quantised:
        values = random.normal(size=(rows, spec.dim)) * spec.scale
        with np.errstate(over="ignore"):
            return struct.pack("<2q", rows, spec.dim) + values.astype("<f4").tobytes()
    parts = -(-spec.dim // spec.part)
    codes = random.integers(0, 256, rows * parts).astype(np.uint8)
    last = spec.dim - (parts - 1) * spec.part
    written = [struct.pack("<B2qi", spec.norms, rows, spec.dim, len(codes)), codes.tobytes()]
    centroids = random.normal(size=256 * spec.dim) * spec.scale
    written += [struct.pack("<4i", spec.dim, parts, spec.part, last), centroids.astype("<f4").tobytes()]
    if spec.norms:
        written.append(random.integers(0, 256, rows).astype(np.uint8).tobytes())
        written.append(struct.pack("<4i", 1, 1, 1, 1))
        written.append(random.uniform(0.1, 2.0, 256).astype("<f4").tobytes())
    return b"".join(written)


#: One of each kind: losses, n-grams, quantisation, pruning, the oldest format.
KINDS = {
    "dense-softmax": Spec(word_ngrams=2, bucket=100),
    "dense-subwords": Spec(min_n=2, max_n=4, bucket=50, dim=21),
    "dense-single-letters": Spec(min_n=1, max_n=3, bucket=7, dim=5),
    "hierarchical": Spec(
        loss="hs", labels=tuple(f"__label__{i}" for i in range(37)), min_n=2, max_n=3, bucket=99
    ),
    "one-vs-all": Spec(loss="ova", word_ngrams=3, bucket=64, scale=3.0),
    "negative-sampling": Spec(loss="ns"),
    "quantised": Spec(quantised=True, min_n=3, max_n=6, bucket=200, dim=16),
    "quantised-norms": Spec(quantised=True, norms=True, word_ngrams=2, bucket=150, dim=7, part=3),
    "quantised-output": Spec(
        quantised=True,
        norms=True,
        quantised_output=True,
        loss="hs",
        labels=("__label__x", "__label__y"),
        dim=10,
    ),
    "pruned": Spec(
        quantised=True, norms=True, min_n=2, max_n=4, word_ngrams=2, bucket=300, pruned=60, dim=18
    ),
    "pruned-all": Spec(quantised=True, min_n=2, max_n=4, bucket=300, pruned=0),
    "version-11": Spec(min_n=2, max_n=4, bucket=40, version=11),
    "one-label": Spec(loss="hs", labels=("__label__only",)),
    "no-end-of-sentence": Spec(words=("one", "two"), labels=("__label__0", "__label__1")),
    "no-words": Spec(words=(), min_n=1, max_n=2, bucket=10),
}
