"""A fastText model of random weights in the shape of lid.176.ftz, whose words are those of the corpus."""

from __future__ import annotations

import numpy as np

from curate.kernels import _cpu

LABELS, DIMENSIONS, BUCKETS, KEPT = 176, 16, 2_000_000, 50_000
HIERARCHICAL = 1


def language_model(random: np.random.Generator, words: list[bytes]) -> _cpu.FastText:
    """Hierarchical softmax over 176 labels, 16 dimensions, n-grams of 2 to 4 characters, pruned to 50,000."""
    entries = [b"</s>", *sorted(set(words[:7000]))]
    spellings = [*entries, *(b"__label__%d" % label for label in range(LABELS))]
    sizes = np.array([len(spelling) for spelling in spellings], np.int64)
    ends = np.cumsum(sizes)
    no_floats = np.zeros(0, np.float32)
    rows = random.standard_normal((len(entries) + KEPT, DIMENSIONS)).astype(np.float32)
    return _cpu.FastText(
        words=len(entries),
        labels=LABELS,
        min_n=2,
        max_n=4,
        word_ngrams=1,
        bucket=BUCKETS,
        dim=DIMENSIONS,
        loss=HIERARCHICAL,
        spelling=np.frombuffer(b"".join(spellings), np.uint8),
        begin=ends - sizes,
        end=ends,
        label_counts=np.sort(random.integers(1, 100_000, LABELS))[::-1].astype(np.int64),
        kept_buckets=random.choice(BUCKETS, KEPT, replace=False).astype(np.int32),
        kept_rows=np.arange(KEPT, dtype=np.int32),
        rows=rows.view(np.uint8).reshape(-1),
        codes=np.zeros(0, np.uint8),
        centroids=no_floats,
        norms=no_floats,
        part=0,
        output=random.standard_normal((LABELS, DIMENSIONS)).astype(np.float32),
        output_norms=no_floats,
    )
