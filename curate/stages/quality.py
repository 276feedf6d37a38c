"""Scores the quality of a document with a fastText classifier, and keeps the labels or scores asked for."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field, model_validator

from curate.models.fasttext import FastText, Scores
from curate.models.registry import fasttext, located
from curate.stages.base import Batch, DocumentStage, StageConfig, Verdicts
from curate.stages.labels import indices_of, names_of

LABEL_NOT_KEPT, LOW_SCORE = 0, 1


class QualityConfig(StageConfig):
    """Keys of `quality`."""

    model: str = Field(
        "quality-default", description="a name of the model registry, or the path of a fastText model"
    )
    keep: tuple[str, ...] = Field((), description="best labels to keep (High, Medium, ...); empty keeps all")
    label: str | None = Field(
        None, description="the label whose probability is the score; without it, `keep`'s labels together"
    )
    min_score: float | None = Field(None, description="least score to keep; null keeps every score")

    @model_validator(mode="after")
    def _score_means_something(self) -> QualityConfig:
        if self.min_score is not None and self.label is None and not self.keep:
            raise ValueError("min_score needs `label` or `keep` to say of which label it is the score")
        return self


class Quality(DocumentStage):
    """The document stage `quality`, with a fastText model.

    `quality_label` is the model's best label. `quality` is the probability of `label`; without it, that of the
    labels in `keep` together; without both, that of the best label. A document goes by `quality.label_not_kept` if
    its best label is not in `keep`, else by `quality.low_score` if `quality` is below `min_score`; the value of both
    is `quality`. The whole text is judged, line ends as spaces.
    """

    Config = QualityConfig
    rules: tuple[str, ...] = ("quality.label_not_kept", "quality.low_score")
    columns = pa.schema([("quality", pa.float32()), ("quality_label", pa.string())])

    def __init__(self, config: QualityConfig) -> None:
        self.config = config
        self._model = located(config.model)
        if config.min_score is None:
            self.rules = Quality.rules[:1] if config.keep else ()

    def definition(self) -> dict[str, object]:
        """Raises ModelError if the model cannot be loaded or lacks a label of `keep` or `label`."""
        model = fasttext(self._model)
        self._scored(model)
        return {
            "model": self.config.model,
            "sha256": model.sha256,
            "keep": list(self.config.keep),
            "label": self.config.label,
            "min_score": self.config.min_score,
        }

    def decide(self, batch: Batch, rows: NDArray[np.int64]) -> Verdicts:
        model = fasttext(self._model)
        kept, scored = self._scored(model)
        scores = model.score(batch.texts, rows, k=len(model.labels) if len(scored) else 1)
        quality = _probability(scores, scored)
        measured = quality.astype(np.float64)
        rule = np.full(len(rows), -1, np.int16)
        if self.config.min_score is not None:
            rule[measured < self.config.min_score] = LOW_SCORE
        if self.config.keep:
            rule[~np.isin(scores.labels[:, 0], kept)] = LABEL_NOT_KEPT
        value = np.where(rule >= 0, measured, np.nan)
        names = names_of(model, scores.labels[:, 0])
        return Verdicts(rule, value, {"quality": pa.array(quality), "quality_label": names})

    def _scored(self, model: FastText) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Indices of the labels kept, and of those whose probabilities add up to the score (none: the best's)."""
        kept = indices_of(model, self.config.keep, "quality: keep")
        if self.config.label is None:
            return kept, kept
        return kept, indices_of(model, (self.config.label,), "quality: label")


def _probability(scores: Scores, scored: NDArray[np.int32]) -> NDArray[np.float32]:
    """The probability of the labels `scored` together, float32, shape (texts,), added in order of the labels."""
    if not len(scored):
        return scores.probabilities[:, 0]
    total = np.zeros(len(scores.labels), np.float32)
    for label in np.unique(scored):
        total += np.where(scores.labels == label, scores.probabilities, np.float32(0)).max(axis=1, initial=0)
    return total
