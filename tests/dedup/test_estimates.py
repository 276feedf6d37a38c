"""What sketches estimate: similarity without bias or more error than MinHash, and candidates as promised.

Texts are sets of distinct random words, shingled one word at a time, so that similarities are known exactly.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from curate.dedup import Shingles, Sketcher, Sketches, candidate_probability, similarity
from curate.kernels import Texts

PAIRS = 3_000


def pairs_of(words: int, common: int, seed: int) -> tuple[Texts, float]:
    """Texts of `words` words, 2i and 2i + 1 sharing `common` of them, and the Jaccard of these pairs."""
    own = words - common
    numbers = np.random.default_rng(seed).integers(0, 1 << 62, (PAIRS, common + 2 * own))
    texts = []
    for row in numbers.tolist():
        named = [f"{n:x}" for n in row]
        texts += [" ".join(named[: common + own]), " ".join(named[:common] + named[common + own :])]
    return Texts.from_arrow(pa.array(texts)), common / (common + 2 * own)


def sketched(sketcher: Sketcher, texts: Texts) -> tuple[Sketches, Sketches]:
    return (
        sketcher.sketch(texts, np.arange(0, len(texts), 2)),
        sketcher.sketch(texts, np.arange(1, len(texts), 2)),
    )


@pytest.mark.parametrize("method", ["fss", "minhash"])
@pytest.mark.parametrize(("words", "common"), [(12, 6), (12, 11), (90, 40), (90, 70), (90, 87)])
def test_similarity_has_no_bias_and_bounded_error(method: str, words: int, common: int) -> None:
    texts, jaccard = pairs_of(words, common, seed=words + common)
    k = 128
    sketcher = Sketcher(Shingles("word", 1), k, k, seed=1, method=method)  # type: ignore[arg-type]
    left, right = sketched(sketcher, texts)
    from_slots = (left.keys == right.keys).mean(axis=0)  # a band of one slot: its key is the slot
    from_bytes = similarity(left.signatures, right.signatures)
    variance = jaccard * (1 - jaccard) / k
    for estimate in (from_slots, from_bytes):
        assert abs(estimate.mean() - jaccard) < 4 * np.sqrt(variance / PAIRS)
        # Bytes add the variance of slots that differ and collide: 2^-8 of them.
        assert ((estimate - jaccard) ** 2).mean() <= 1.1 * variance


def test_unrelated_texts_have_no_similarity() -> None:
    texts, _ = pairs_of(90, 0, seed=9)
    left, right = sketched(Sketcher(Shingles("word", 1), 128, 128, seed=1), texts)
    assert not (left.keys == right.keys).any()
    equal = (left.signatures == right.signatures).mean()
    assert abs(equal - 1 / 256) < 4 * np.sqrt(1 / 256 / left.signatures.size)
    assert similarity(left.signatures, right.signatures).mean() < 0.005


@pytest.mark.parametrize(
    ("hashes", "bands", "commons"),
    [(128, 8, (260, 280, 292)), (112, 14, (200, 235, 265)), (260, 20, (260, 280))],
)
def test_pairs_become_candidates_as_often_as_the_curve_says(
    hashes: int, bands: int, commons: tuple[int, ...]
) -> None:
    sketcher = Sketcher(Shingles("word", 1), hashes, bands, seed=2)
    for common in commons:
        texts, jaccard = pairs_of(300, common, seed=common)
        left, right = sketched(sketcher, texts)
        found = (left.keys == right.keys).any(axis=0).mean()
        promised = float(candidate_probability(np.float64(jaccard), bands, hashes // bands))
        # Four standard errors, and 0.02 as the slots of a Fast Similarity Sketch are not quite independent.
        assert abs(found - promised) < 4 * np.sqrt(promised * (1 - promised) / PAIRS) + 0.02
