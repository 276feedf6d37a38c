"""Which pairs of documents a banding makes candidates, and bandings that published corpora used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.dedup.sketch import Shingles


@dataclass(frozen=True, slots=True)
class Preset:
    """A published setting: shingles, slots, bands."""

    shingles: Shingles
    hashes: int
    bands: int


PRESETS = {
    # Zyda-2 dataset card and its NeMo Curator recipe: 128 hashes, 8 bands, 25 characters.
    "zyda2": Preset(Shingles("char", 25), hashes=128, bands=8),
    # FineWeb, arXiv 2406.17557, section 3.4, and the defaults of datatrove: 112 hashes, 14 bands, 5 words.
    "fineweb": Preset(Shingles("word", 5), hashes=112, bands=14),
    # Defaults of NeMo Curator's FuzzyDeduplicationWorkflow: 20 bands of 13, 24 characters.
    "nemo": Preset(Shingles("char", 24), hashes=260, bands=20),
    # Defaults of marin's fuzzy deduplication: 286 hashes, 26 bands, 5 characters.
    "marin": Preset(Shingles("char", 5), hashes=286, bands=26),
}


def candidate_probability(similarity: NDArray[np.float64], bands: int, rows: int) -> NDArray[np.float64]:
    """The probability that texts of this Jaccard similarity share a band key: 1 - (1 - s^rows)^bands.

    similarity: float64 in [0, 1], any shape; the result has the same. Leskovec, Rajaraman, Ullman, Mining of
    Massive Datasets, section 3.4.2.
    """
    return 1.0 - (1.0 - np.asarray(similarity, np.float64) ** rows) ** bands


def choose_bands(threshold: float, hashes: int) -> tuple[int, int]:
    """The (bands, rows) with rows = hashes // bands that err least about `threshold`.

    The error is the area of false positives (candidates below the threshold) plus that of false negatives,
    both under a uniform similarity. On a tie, fewer bands. Raises ValueError unless 0 < threshold < 1 and
    hashes >= 1.
    """
    if not 0 < threshold < 1:
        raise ValueError(f"threshold must lie between 0 and 1, found {threshold}")
    if hashes < 1:
        raise ValueError(f"hashes must be at least 1, found {hashes}")
    middles = (np.arange(2048) + 0.5) / 2048
    wanted = middles >= threshold
    errors = {}
    for bands in range(1, hashes + 1):
        found = candidate_probability(middles, bands, hashes // bands)
        errors[bands] = float(np.where(wanted, 1.0 - found, found).sum())
    best = min(errors, key=lambda bands: (errors[bands], bands))
    return best, hashes // best
