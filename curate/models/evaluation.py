"""How good a classifier's scores are: area under the ROC curve, precision and recall, reliability."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Documents whose score lies between `low` and `high`: how many, their mean score, the share of good ones."""

    low: float
    high: float
    documents: int
    mean_score: float
    share: float


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Figures over labelled documents. At `threshold` and above a document is taken for a good one.

    auc: the chance that a good document scores higher than a bad one, ties as a half. calibration_error: mean distance
    of the mean score and the share of good documents over the bins of `reliability`, weighted by documents.
    """

    documents: int
    positive: int
    auc: float
    threshold: float
    precision: float
    recall: float
    calibration_error: float
    reliability: tuple[Bin, ...]

    def figures(self) -> dict[str, Any]:
        """As plain values, rounded to what is worth reading."""
        found = asdict(self)
        bins = [{key: round(value, 4) for key, value in each.items()} for each in found.pop("reliability")]
        return {key: round(value, 4) for key, value in found.items()} | {"reliability": bins}


def evaluate(
    scores: NDArray[np.float64], good: NDArray[np.bool_], threshold: float | None = None
) -> Evaluation:
    """Figures of `scores` (float64, shape (n,)) where `good` (bool, shape (n,)) is the truth.

    threshold: by default the one of the best F1. Raises ValueError unless there are good and bad documents.
    """
    if good.all() or not good.any():
        raise ValueError("an evaluation needs good and bad documents")
    least = best_threshold(scores, good) if threshold is None else threshold
    taken = scores >= least
    right = int((taken & good).sum())
    bins = reliability(scores, good)
    error = sum(each.documents * abs(each.mean_score - each.share) for each in bins) / len(good)
    return Evaluation(
        len(good),
        int(good.sum()),
        auc(scores, good),
        least,
        right / int(taken.sum()) if taken.any() else 0.0,
        right / int(good.sum()),
        error,
        bins,
    )


def auc(scores: NDArray[np.float64], good: NDArray[np.bool_]) -> float:
    """Area under the ROC curve by ranks (Mann-Whitney), ties as a half."""
    values, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    del values
    below = np.cumsum(counts) - counts
    ranks = (below + (counts + 1) / 2)[place]
    positive, negative = int(good.sum()), int((~good).sum())
    return float((ranks[good].sum() - positive * (positive + 1) / 2) / (positive * negative))


def best_threshold(scores: NDArray[np.float64], good: NDArray[np.bool_]) -> float:
    """The score that as a threshold has the best F1; of several, the highest."""
    order = np.argsort(-scores, kind="stable")
    right = np.cumsum(good[order])
    f1 = 2 * right / (np.arange(1, len(good) + 1) + good.sum())
    last_of_ties = np.append(np.diff(scores[order]) != 0, True)
    return float(scores[order][np.argmax(np.where(last_of_ties, f1, -1.0))])


def reliability(scores: NDArray[np.float64], good: NDArray[np.bool_]) -> tuple[Bin, ...]:
    """The bins of equal width between the least and the greatest score (0 and 1 if all lie there); none empty."""
    low, high = min(0.0, float(scores.min())), max(1.0, float(scores.max()))
    edges = np.linspace(low, high, BINS + 1)
    place = np.clip(np.searchsorted(edges, scores, side="right") - 1, 0, BINS - 1)
    found = []
    for each in range(BINS):
        inside = place == each
        if inside.any():
            mean, share = float(scores[inside].mean()), float(good[inside].mean())
            found.append(Bin(float(edges[each]), float(edges[each + 1]), int(inside.sum()), mean, share))
    return tuple(found)


_SIDE, _MARGIN = 400, 60


def reliability_plot(evaluation: Evaluation, title: str) -> str:
    """An SVG: the share of good documents over their mean score, circles by area as many as there are documents."""
    bins = evaluation.reliability
    low, high = bins[0].low, bins[-1].high
    most = max(each.documents for each in bins)

    def across(score: float) -> float:
        return _MARGIN + (score - low) / (high - low) * _SIDE

    def up(share: float) -> float:
        return 20 + (1 - share) * _SIDE

    marks = [
        f'<circle cx="{across(each.mean_score):.1f}" cy="{up(each.share):.1f}" '
        f'r="{3 + 15 * (each.documents / most) ** 0.5:.1f}" fill="#3b6fb6" fill-opacity="0.6">'
        f"<title>{each.documents} documents, mean score {each.mean_score:.3f}, {each.share:.1%} good</title></circle>"
        for each in bins
    ]
    ticks = [
        f'<text x="{_MARGIN - 8}" y="{up(share) + 4:.1f}" text-anchor="end">{share:.0%}</text>'
        for share in (0, 0.25, 0.5, 0.75, 1)
    ]
    ticks += [
        f'<text x="{across(score):.1f}" y="{_SIDE + 38}" text-anchor="middle">{score:.2g}</text>'
        for score in np.linspace(low, high, 5)
    ]
    size = _SIDE + _MARGIN + 20
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{size}" height="{size}" '
            'font-family="sans-serif" font-size="12">',
            f'<rect width="{size}" height="{size}" fill="white"/>',
            f'<rect x="{_MARGIN}" y="20" width="{_SIDE}" height="{_SIDE}" fill="none" stroke="#999"/>',
            f'<line x1="{across(max(low, 0)):.1f}" y1="{up(0)}" x2="{across(min(high, 1)):.1f}" y2="{up(1)}" '
            'stroke="#999" stroke-dasharray="4 4"/>',
            *marks,
            *ticks,
            f'<text x="{_MARGIN + _SIDE / 2}" y="{_SIDE + 60}" text-anchor="middle">mean score</text>',
            f'<text x="{_MARGIN}" y="14">{title}: AUC {evaluation.auc:.3f}, share of good documents by score</text>',
            "</svg>",
            "",
        ]
    )
