"""The candidate curve and the choice of bands."""

from __future__ import annotations

import numpy as np
import pytest

from curate.dedup import PRESETS, Sketcher, candidate_probability, choose_bands


def test_the_curve_at_published_points() -> None:
    # Computed with decimal arithmetic from 1 - (1 - s^r)^b.
    at = np.array([0.7, 0.8, 0.9])
    assert candidate_probability(at, 14, 8).round(3).tolist() == [0.565, 0.924, 1.0]
    assert candidate_probability(at, 20, 13).round(3).tolist() == [0.177, 0.677, 0.997]
    assert candidate_probability(at, 8, 16).round(3).tolist() == [0.026, 0.204, 0.806]
    assert candidate_probability(np.array([0.0, 1.0]), 8, 16).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("hashes", [1, 17, 64, 112])
@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.8, 0.95])
def test_no_other_choice_errs_less(threshold: float, hashes: int) -> None:
    chosen = choose_bands(threshold, hashes)

    def errors(bands: int, rows: int) -> float:
        def area(low: float, high: float) -> float:
            middles = low + (np.arange(4_000) + 0.5) / 4_000 * (high - low)
            return float(candidate_probability(middles, bands, rows).mean() * (high - low))

        return area(0, threshold) + (1 - threshold) - area(threshold, 1)

    least = min(errors(bands, hashes // bands) for bands in range(1, hashes + 1))
    assert chosen[1] == hashes // chosen[0]
    assert errors(*chosen) == pytest.approx(least, abs=1e-4)


@pytest.mark.parametrize(("threshold", "hashes"), [(0.0, 128), (1.0, 128), (0.8, 0)])
def test_nonsense_is_refused(threshold: float, hashes: int) -> None:
    with pytest.raises(ValueError, match="must"):
        choose_bands(threshold, hashes)


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_presets_use_all_their_hashes(name: str) -> None:
    preset = PRESETS[name]
    Sketcher(preset.shingles, preset.hashes, preset.bands, seed=0)
    assert preset.hashes % preset.bands == 0
