"""The S-curve of a banding, and how often pairs of the run's own texts become candidates.

The pairs of a run say nothing about that by themselves: only those that became candidates are known. So they are
sketched again with other seeds. Whether a pair shares a band then does not depend on how it was found, and the share
of the seeds under which it does is an unbiased measurement at the exact similarity of its texts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from curate.dedup.bands import candidate_probability
from curate.dedup.normalize import normalize
from curate.dedup.sketch import Shingles, Sketcher
from curate.kernels import Texts, _cpu

SEEDS = 16
_STEP = 0.05
#: Longer texts are left out: what they cost is not worth a point.
LONGEST_TEXT = 200_000


def expected(bands: int, rows: int) -> tuple[list[float], list[float]]:
    """Similarities from 0 to 1 and the probability of a candidate at each."""
    similarity = np.arange(101) / 100
    return similarity.tolist(), candidate_probability(similarity, bands, rows).tolist()


def measured(definition: Mapping[str, Any], pairs: Sequence[tuple[str, str]]) -> list[dict[str, float]]:
    """By steps of 0.05 of the exact similarity: mean `similarity`, `pairs`, mean `expected` and measured `rate`.

    definition: of a fuzzy_dedup stage. pairs: texts.
    """
    chosen = [pair for pair in pairs if max(map(len, pair)) <= LONGEST_TEXT]
    if not chosen:
        return []
    shingles = Shingles(
        definition["shingles"]["unit"], definition["shingles"]["length"], tuple(definition["normalize"])
    )
    a, b = (_prepared([pair[side] for pair in chosen], shingles) for side in (0, 1))
    similarity = _cpu.jaccard(a.data, a.offsets, b.data, b.offsets, shingles.unit, shingles.length)
    rows = np.arange(len(chosen))
    rate = np.zeros(len(chosen))
    plain = Shingles(shingles.unit, shingles.length)
    for seed in range(definition["seed"] + 1, definition["seed"] + 1 + SEEDS):
        sketcher = Sketcher(plain, definition["hashes"], definition["bands"], seed, definition["sketch"])
        first, second = sketcher.sketch(a, rows), sketcher.sketch(b, rows)
        both = first.sketched & second.sketched
        rate += ((first.keys == second.keys).any(axis=0) & both) / SEEDS
    steps = np.minimum(np.floor(similarity / _STEP + 1e-9), round(1 / _STEP) - 1)
    theory = candidate_probability(
        similarity, definition["bands"], definition["hashes"] // definition["bands"]
    )
    return [
        {
            "similarity": float(similarity[steps == step].mean()),
            "pairs": int(np.count_nonzero(steps == step)),
            "expected": float(theory[steps == step].mean()),
            "rate": float(rate[steps == step].mean()),
        }
        for step in np.unique(steps)
    ]


def _prepared(texts: Sequence[str], shingles: Shingles) -> Texts:
    found = Texts.from_arrow(pa.array(texts, pa.large_string()))
    return normalize(found, np.arange(len(found)), shingles.normalize) if shingles.normalize else found
