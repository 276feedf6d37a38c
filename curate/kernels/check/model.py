"""fastText models of random weights whose words are those of the corpus: one of each kind that kernels treat apart."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.kernels import _cpu

LABELS, DIMENSIONS, BUCKETS, KEPT = 176, 16, 2_000_000, 50_000
WORDS, SMALL_BUCKETS = 7000, 20_000
HIERARCHICAL, SOFTMAX, ONE_VS_ALL = 1, 3, 4
#: Weights below float32's least normal number, and output weights that bring their sums back among normal ones.
SUBNORMAL, ITS_OUTPUT = 1e-39, 1e38


def models(random: np.random.Generator, words: list[bytes]) -> dict[str, _cpu.FastText]:
    """By name: a language model, a softmax folded into the rows with word n-grams, a quantised one-vs-all model."""
    return {
        "fastText": language_model(random, words),
        "fastText (softmax, folded)": folded_model(random, words),
        "fastText (one-vs-all, quantised)": quantised_model(random, words),
    }


def language_model(random: np.random.Generator, words: list[bytes]) -> _cpu.FastText:
    """In the shape of lid.176.ftz: hierarchical softmax over 176 labels, 16 dimensions, n-grams of 2 to 4 characters,
    pruned to 50,000."""
    dictionary = _dictionary(words, LABELS)
    return _cpu.FastText(
        **dictionary,
        **_hashed(n_grams=(2, 4), word_ngrams=1, bucket=BUCKETS),
        **_dense(_normal(random, dictionary["words"] + KEPT, DIMENSIONS)),
        **_output(random, HIERARCHICAL, LABELS, DIMENSIONS),
        kept_buckets=random.choice(BUCKETS, KEPT, replace=False).astype(np.int32),
        kept_rows=np.arange(KEPT, dtype=np.int32),
    )


def folded_model(random: np.random.Generator, words: list[bytes]) -> _cpu.FastText:
    """Softmax over 3 labels, few enough that the output layer is folded into the rows; pairs and triples of words."""
    labels, dictionary = 3, _dictionary(words, 3)
    return _cpu.FastText(
        **dictionary,
        **_hashed(n_grams=(0, 0), word_ngrams=3, bucket=SMALL_BUCKETS),
        **_dense(_normal(random, dictionary["words"] + SMALL_BUCKETS, DIMENSIONS)),
        **_output(random, SOFTMAX, labels, DIMENSIONS),
        kept_buckets=None,
        kept_rows=None,
    )


def quantised_model(random: np.random.Generator, words: list[bytes]) -> _cpu.FastText:
    """One-vs-all over 20 labels; rows of 15 dimensions by a product quantiser with norms; n-grams of 1 to 5 characters
    and pairs of words."""
    dim, part, labels, dictionary = 15, 2, 20, _dictionary(words, 20)
    rows = dictionary["words"] + SMALL_BUCKETS
    return _cpu.FastText(
        **dictionary,
        **_hashed(n_grams=(1, 5), word_ngrams=2, bucket=SMALL_BUCKETS),
        rows=np.zeros(0, np.uint8),
        codes=random.integers(0, 256, rows * -(-dim // part)).astype(np.uint8),
        centroids=_normal(random, 256, dim).reshape(-1),
        norms=random.uniform(0.1, 2.0, rows).astype(np.float32),
        part=part,
        **_output(random, ONE_VS_ALL, labels, dim),
        kept_buckets=None,
        kept_rows=None,
    )


def subnormal_model(random: np.random.Generator, words: list[bytes]) -> _cpu.FastText:
    """Softmax over 20 labels, of subnormal rows: all scores are alike where those count as 0."""
    labels, dictionary = 20, _dictionary(words, 20)
    return _cpu.FastText(
        **dictionary,
        **_hashed(n_grams=(0, 0), word_ngrams=2, bucket=SMALL_BUCKETS),
        **_dense(SUBNORMAL * _normal(random, dictionary["words"] + SMALL_BUCKETS, DIMENSIONS)),
        **_output(random, SOFTMAX, labels, DIMENSIONS, ITS_OUTPUT),
        kept_buckets=None,
        kept_rows=None,
    )


def _dictionary(words: list[bytes], labels: int) -> dict[str, Any]:
    entries = [b"</s>", *sorted(set(words[:WORDS]))]
    spellings = [*entries, *(b"__label__%d" % label for label in range(labels))]
    sizes = np.array([len(spelling) for spelling in spellings], np.int64)
    ends = np.cumsum(sizes)
    return {
        "words": len(entries),
        "labels": labels,
        "spelling": np.frombuffer(b"".join(spellings), np.uint8),
        "begin": ends - sizes,
        "end": ends,
        "label_counts": 1000 * np.arange(labels, 0, -1, dtype=np.int64) ** 2,
    }


def _hashed(n_grams: tuple[int, int], word_ngrams: int, bucket: int) -> dict[str, Any]:
    return {"min_n": n_grams[0], "max_n": n_grams[1], "word_ngrams": word_ngrams, "bucket": bucket}


def _dense(rows: NDArray[np.float32]) -> dict[str, Any]:
    no_floats = np.zeros(0, np.float32)
    matrix = {"rows": rows.astype(np.float32).view(np.uint8).reshape(-1), "codes": np.zeros(0, np.uint8)}
    return {**matrix, "centroids": no_floats, "norms": no_floats, "part": 0}


def _output(
    random: np.random.Generator, loss: int, labels: int, dim: int, scale: float = 1.0
) -> dict[str, Any]:
    output = (scale * _normal(random, labels, dim).clip(-3, 3)).astype(np.float32)
    return {"dim": dim, "loss": loss, "output": output, "output_norms": np.zeros(0, np.float32)}


def _normal(random: np.random.Generator, rows: int, columns: int) -> NDArray[np.float32]:
    return random.standard_normal((rows, columns)).astype(np.float32)
