"""Says which language a document is written in, and keeps the languages asked for."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from curate.kernels.choice import kernels_on
from curate.models.registry import fasttext, located
from curate.stages.base import Batch, DocumentStage, StageConfig, Verdicts
from curate.stages.labels import indices_of, names_of

NOT_KEPT, LOW_SCORE = 0, 1


class LanguageConfig(StageConfig):
    """Keys of `language`."""

    model: str = Field("lid.176", description="a name of the model registry, or the path of a fastText model")
    keep: tuple[str, ...] = Field(
        (),
        description="labels of the languages to keep (en, de, zh, ...); empty keeps all and only annotates",
    )
    min_score: float = Field(
        0.65,
        ge=0,
        description="least probability of the language, where `keep` is given (0.65: RefinedWeb, DCLM, FineWeb)",
    )
    max_chars: int | None = Field(
        2000, ge=1, description="how many characters (code points) from the start to judge by; null for all"
    )


class Language(DocumentStage):
    """The document stage `language`, with a fastText model.

    The label is the model's best; line ends count as spaces. `max_chars` trades cost for likeness to whole texts: over
    15,013 English web pages, books and manuals of 9,300 bytes, judging by 2,000 characters took 0.23 of the time,
    gave 0.03 % another label, and 0.7 % another verdict for `keep: [en]` at 0.65 (1,000: 0.12, 0.08 %, 1.0 %; 500:
    0.07, 0.14 %, 2.6 %). Published pipelines judge whole texts: `max_chars: null`.

    A document goes by `language.not_kept` if its language
    is not one of `keep`, else by `language.low_score` if the probability is below `min_score`; the value of both is
    the probability. Texts for which the model has no label at all have none, and score 0.
    """

    Config = LanguageConfig
    rules: tuple[str, ...] = ("language.not_kept", "language.low_score")
    columns = pa.schema([("lang", pa.string()), ("lang_score", pa.float32())])

    def __init__(self, config: LanguageConfig) -> None:
        self.config = config
        self._model = located(config.model)
        if not config.keep:
            self.rules = ()

    def definition(self) -> dict[str, object]:
        """Raises ModelError if the model cannot be loaded or lacks a label of `keep`."""
        model = fasttext(self._model)
        indices_of(model, self.config.keep, "language: keep")
        return {
            "model": self.config.model,
            "sha256": model.sha256,
            "keep": list(self.config.keep),
            "min_score": self.config.min_score,
            "max_chars": self.config.max_chars,
        }

    def on_gpu(self) -> str | None:
        return "scores"

    def decide(self, batch: Batch, rows: NDArray[np.int64]) -> Verdicts:
        model = fasttext(self._model)
        scores = model.score(
            batch.texts, rows, max_chars=self.config.max_chars, kernels=kernels_on(self.device)
        )
        labels, probabilities = scores.labels[:, 0], scores.probabilities[:, 0]
        measured = probabilities.astype(np.float64)
        rule = np.full(len(rows), -1, np.int16)
        if self.config.keep:
            rule[measured < self.config.min_score] = LOW_SCORE
            rule[~np.isin(labels, indices_of(model, self.config.keep, "language: keep"))] = NOT_KEPT
        value = np.where(rule >= 0, measured, np.nan)
        return Verdicts(rule, value, {"lang": names_of(model, labels), "lang_score": pa.array(probabilities)})
