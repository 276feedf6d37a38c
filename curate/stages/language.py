"""Says which language a document is written in, and keeps the languages asked for."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from curate.kernels.choice import kernels_on
from curate.models.fasttext import PREFIX, FastText
from curate.models.iso639 import TWO_LETTERS
from curate.models.registry import card_of, fasttext, located, unpinned_warning
from curate.stages.base import Batch, DocumentStage, StageConfig, Verdicts
from curate.stages.labels import check_labels, names_of

NOT_KEPT, LOW_SCORE = 0, 1
#: A language of ISO 639-3 and its script, as GlotLID, OpenLID and NLLB have it.
_LANGUAGE_AND_SCRIPT = re.compile(r"([a-z]{3})_[A-Z][a-z]{3}")


class LanguageConfig(StageConfig):
    """Keys of `language`."""

    model: str = Field(
        "lid.176",
        description="a name of `curate models list`; the path of a fastText model or of a card; or "
        "owner/name@revision of the Hugging Face hub, which is its file model.bin",
    )
    keep: tuple[str, ...] = Field(
        (),
        description="languages to keep (en, de, zh, ...), as the ledger or as the model calls them; empty keeps all "
        "and only annotates",
    )
    min_score: float = Field(
        0.65,
        ge=0,
        description="least probability of the language, where `keep` is given (0.65: RefinedWeb, DCLM, FineWeb)",
    )
    max_chars: int | None = Field(
        2000, ge=1, description="how many characters (code points) from the start to judge by; null for all"
    )
    labels: dict[str, str] = Field(
        {},
        description="what the ledger calls a label of the model ({srp_Latn: sr-Latn}); others that are a language and "
        "its script (eng_Latn) become the language's code (en)",
    )
    top_k: int = Field(
        1,
        ge=1,
        le=10,
        description="how many of the likeliest languages become ledger columns: lang, lang_2, ... and their scores",
    )


class Language(DocumentStage):
    """The document stage `language`, with a fastText model.

    `lang` is the model's best label; line ends count as spaces. Labels such as `eng_Latn` become the code of ISO 639-1,
    or of ISO 639-3 where there is none, without the script; `labels` says otherwise. Probabilities of labels that get
    the same name are not added. With `top_k`, `lang_2` and `lang_score_2` (and so on) are the next likeliest, null
    where the model has no more.

    `max_chars` trades cost for likeness to whole texts: over 15,013 English web pages, books and manuals of 9,300
    bytes, judging by 2,000 characters took 0.23 of the time, gave 0.03 % another label, and 0.7 % another verdict for
    `keep: [en]` at 0.65 (1,000: 0.12, 0.08 %, 1.0 %; 500: 0.07, 0.14 %, 2.6 %). Published pipelines judge whole texts:
    `max_chars: null`.

    A document goes by `language.not_kept` if its language is not one of `keep`, else by `language.low_score` if the
    probability is below `min_score`; the value of both is the probability. Texts for which the model has no label at
    all have none, and score 0.
    """

    Config = LanguageConfig
    rules: tuple[str, ...] = ("language.not_kept", "language.low_score")

    def __init__(self, config: LanguageConfig) -> None:
        self.config = config
        self._model = located(config.model)
        self._kept = {label.removeprefix(PREFIX) for label in config.keep}
        self._asked = {label.removeprefix(PREFIX): name for label, name in config.labels.items()}
        if not config.keep:
            self.rules = ()
        places = ["", *(f"_{place}" for place in range(2, config.top_k + 1))]
        self._columns = [(f"lang{place}", f"lang_score{place}") for place in places]
        self.columns = pa.schema(
            [
                field
                for label, score in self._columns
                for field in ((label, pa.string()), (score, pa.float32()))
            ]
        )

    def definition(self) -> dict[str, object]:
        """Raises ModelError if the model cannot be loaded or lacks a label of `keep` or `labels`."""
        model = fasttext(self._model)
        check_labels(self._asked, model.labels, "language: labels")
        check_labels(self._kept, (*model.labels, *self._names(model)), "language: keep")
        return {
            **self.config.model_dump(mode="json", exclude={"name", "sources"}),
            "sha256": model.sha256,
        }

    def warnings(self) -> tuple[str, ...]:
        warning = unpinned_warning(card_of(self._model, "fasttext"))
        return (warning,) if warning else ()

    def on_gpu(self) -> str | None:
        return "scores"

    @property
    def reads_text_on_gpu(self) -> bool:
        return True

    def decide(self, batch: Batch, rows: NDArray[np.int64]) -> Verdicts:
        model = fasttext(self._model)
        names = self._names(model)
        scores = model.score(
            batch.texts,
            rows,
            k=self.config.top_k,
            max_chars=self.config.max_chars,
            kernels=kernels_on(self.device),
        )
        labels, measured = scores.labels[:, 0], scores.probabilities[:, 0].astype(np.float64)
        rule = np.full(len(rows), -1, np.int16)
        if self.config.keep:
            rule[measured < self.config.min_score] = LOW_SCORE
            both = zip(model.labels, names, strict=True)
            kept = [place for place, either in enumerate(both) if self._kept.intersection(either)]
            rule[~np.isin(labels, kept)] = NOT_KEPT
        columns = {}
        for place, (label, score) in enumerate(self._columns):
            found, probabilities = scores.labels[:, place], scores.probabilities[:, place]
            columns[label] = names_of(names, found)
            columns[score] = pa.array(probabilities, mask=found < 0 if place else None)
        return Verdicts(rule, np.where(rule >= 0, measured, np.nan), columns)

    def _names(self, model: FastText) -> tuple[str, ...]:
        """What the ledger calls each label of the model."""
        return tuple(_named(label, self._asked) for label in model.labels)


def _named(label: str, asked: Mapping[str, str]) -> str:
    if label in asked:
        return asked[label]
    parts = _LANGUAGE_AND_SCRIPT.fullmatch(label)
    return TWO_LETTERS.get(parts[1], parts[1]) if parts else label
