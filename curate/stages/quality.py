"""Scores documents with a classifier, and keeps the labels or scores asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import Field, model_validator

from curate.errors import ModelError, Problem
from curate.models.classifier import Classifier, Predictions, classifier
from curate.models.registry import card_of, located, unpinned_warning
from curate.stages.base import Batch, DocumentStage, StageConfig, Verdicts
from curate.stages.keep_fraction import KeepFraction, KeepFractionConfig
from curate.stages.labels import indices_of, names_of

RULES = ("quality.label_not_kept", "quality.low_score", "quality.high_score")
LABEL_NOT_KEPT, LOW_SCORE, HIGH_SCORE = range(3)


class QualityConfig(StageConfig):
    """Keys of `quality`."""

    model: str = Field(
        "quality-default",
        description="a name of `curate models list`; the path of a fastText model, of a folder with a transformer or "
        "of a card; or owner/name@revision of the Hugging Face hub",
    )
    keep: tuple[str, ...] = Field((), description="best labels to keep (High, Medium, ...); empty keeps all")
    label: str | None = Field(
        None,
        description="the label whose probability is the score; without it, `keep`'s labels together, or the label that "
        "the model's card names",
    )
    min_score: float | None = Field(None, description="least score to keep; null keeps every score")
    max_score: float | None = Field(
        None, description="greatest score to keep (toxicity, ...); null keeps every score"
    )
    keep_fraction: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="share of the documents left, over all sources of the stage, to keep: those of the best scores",
    )
    column: str = Field(
        "quality",
        pattern=r"^[a-z][a-z0-9_]{0,50}$",
        description="ledger column of the score; `<column>_label` holds the best label",
    )
    keep_scores: tuple[str, ...] = Field(
        (), description="labels whose probability becomes a ledger column too, `<column>_<label>`"
    )

    @model_validator(mode="after")
    def _score_means_something(self) -> QualityConfig:
        asked = [key for key in ("min_score", "max_score", "keep_fraction") if getattr(self, key) is not None]
        if asked and self.label is None and not self.keep and card_names_no_score(self.model):
            raise ValueError(f"{asked[0]} needs `label` or `keep` to say of which label it is the score")
        return self


def card_names_no_score(model: str) -> bool:
    """Whether the model's card leaves open what the score is. Raises ModelError where there is no such model."""
    card = card_of(model)
    return card.score is None and card.output != "regression"


class Quality(DocumentStage):
    """The document stage `quality`, with a fastText model or a transformer.

    `quality_label` is the model's best label. `quality` is the probability of `label`; without it, that of the
    labels in `keep` together, or of the label that the model's card names; without all of these, that of the best
    label. Of a regression `quality` is its number and `quality_label` that number rounded to the range of the card. A
    document goes by `quality.label_not_kept` if its best label is not in `keep`, else by `quality.low_score` if
    `quality` is below `min_score`, else by `quality.high_score` if it is above `max_score`; the value of all is
    `quality`. fastText judges the whole text, line ends as spaces; a transformer what its card says.

    What `keep_fraction` drops is decided when all scores are known, by a corpus stage of its own (`KeepFraction`): a
    changed fraction reads no text and computes no score again.
    """

    Config = QualityConfig
    rules: tuple[str, ...] = RULES

    def __init__(self, config: QualityConfig) -> None:
        self.config = config
        self._model = located(config.model)
        asked = (bool(config.keep), config.min_score is not None, config.max_score is not None)
        self.rules = tuple(rule for rule, does in zip(RULES, asked, strict=True) if does)
        self._places = np.cumsum(asked) - 1
        self._kept_scores = {label: f"{config.column}_{_plain(label)}" for label in config.keep_scores}
        self.columns = pa.schema(
            [
                (config.column, pa.float32()),
                (f"{config.column}_label", pa.string()),
                *((column, pa.float32()) for column in self._kept_scores.values()),
            ]
        )
        kind = card_of(self._model).kind
        # A transformer on a processor takes a second for some tens of documents.
        self.sample_documents = 2_000 if kind == "fasttext" else 64

    def definition(self) -> dict[str, object]:
        """Raises ModelError if the model cannot be loaded or lacks a label of `keep`, `label` or `keep_scores`."""
        model = self._described()
        self._kept_and_scored(model)
        indices_of(model, self.config.keep_scores, "quality: keep_scores")
        settings = self.config.model_dump(mode="json", exclude={"name", "sources", "keep_fraction"})
        return {**settings, "sha256": model.sha256}

    def warnings(self) -> tuple[str, ...]:
        warning = unpinned_warning(card_of(self._model))
        return (warning,) if warning else ()

    def corpus_part(self) -> KeepFraction | None:
        if self.config.keep_fraction is None:
            return None
        return KeepFraction(KeepFractionConfig(column=self.config.column, fraction=self.config.keep_fraction))

    def measurement(self) -> dict[str, object]:
        model = self._described()
        _, scored = self._kept_and_scored(model)
        return {
            "model": model.sha256,
            "card": card_of(self._model).model_dump(mode="json", include={"output", "range", "text"}),
            "scored": sorted({model.labels[place] for place in scored}),
            "columns": self.columns.names,
        }

    def on_gpu(self) -> str | None:
        return "scores"

    def on_cpu_beside_gpu(self) -> str | None:
        return None if self.reads_text_on_gpu else "tokens of the transformer"

    @property
    def reads_text_on_gpu(self) -> bool:
        return card_of(self._model).kind == "fasttext"

    def decide(self, batch: Batch, rows: NDArray[np.int64]) -> Verdicts:
        model = classifier(self._model, self.device)
        _, scored = self._kept_and_scored(model)
        found = model.predict(batch.texts, rows)
        columns = {
            self.config.column: pa.array(_score(found, scored)),
            f"{self.config.column}_label": names_of(model.labels, found.best),
        }
        for label, column in self._kept_scores.items():
            place = indices_of(model, (label,), "quality: keep_scores")[0]
            columns[column] = pa.array(found.probabilities[:, place])
        return self.redecide(columns)

    def redecide(self, columns: Mapping[str, pa.Array]) -> Verdicts:
        measured = columns[self.config.column].cast(pa.float64()).to_numpy(zero_copy_only=False)
        rule = np.full(len(measured), -1, np.int16)
        if self.config.max_score is not None:
            rule[measured > self.config.max_score] = self._places[HIGH_SCORE]
        if self.config.min_score is not None:
            rule[measured < self.config.min_score] = self._places[LOW_SCORE]
        if self.config.keep:
            kept = pa.array([label.removeprefix("__label__") for label in self.config.keep])
            is_kept = pc.is_in(columns[f"{self.config.column}_label"], kept)
            rule[~is_kept.to_numpy(zero_copy_only=False)] = self._places[LABEL_NOT_KEPT]
        return Verdicts(rule, np.where(rule >= 0, measured, np.nan), columns)

    def _described(self) -> Classifier:
        """The model for its labels and checksums, which are the same on any device: who asks may have no GPU."""
        return classifier(self._model, "cpu" if self.device == "cpu" else "auto")

    def _kept_and_scored(self, model: Classifier) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Indices of the labels kept, and of those whose probabilities add up to the score (none: the best's)."""
        kept = indices_of(model, self.config.keep, "quality: keep")
        asked = "label" if self.config.label is not None else "keep_scores"
        if card_of(self._model).output == "regression" and getattr(self.config, asked):
            found = f"model {self.config.model} gives one number, and no probability of a label"
            raise ModelError(Problem(f"quality: {asked}", found, fix="leave it out"))
        if self.config.label is not None:
            return kept, indices_of(model, (self.config.label,), "quality: label")
        named = card_of(self._model).score
        if self.config.keep or named is None:
            return kept, kept
        return kept, indices_of(model, (named,), f"model {self.config.model}: score of its card")


def _score(found: Predictions, scored: NDArray[np.int32]) -> NDArray[np.float32]:
    """The number of a regression, or the probability of the labels `scored` together (none: that of the best),
    float32, shape (texts,), added in order of the labels."""
    if found.value is not None:
        return found.value
    if not len(scored):
        best: NDArray[np.float32] = found.probabilities.max(axis=1, initial=0)
        return best
    total = np.zeros(len(found.best), np.float32)
    for label in np.unique(scored):
        total += found.probabilities[:, label]
    return total


def _plain(label: str) -> str:
    """The label as a part of a column's name."""
    return re.sub(r"[^a-z0-9]+", "_", label.removeprefix("__label__").lower()).strip("_")
