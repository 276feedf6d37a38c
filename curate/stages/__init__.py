"""The stages a recipe can name: one file a stage, one registry for each of the two kinds."""

from __future__ import annotations

from typing import ClassVar, Protocol

from curate.stages.base import DocumentStage, StageConfig
from curate.stages.exact_dedup import ExactDedup
from curate.stages.fuzzy_dedup import FuzzyDedup
from curate.stages.where import Where


class CorpusStage(Protocol):
    """A stage that decides about the corpus as a whole, from ledger columns and exchange files."""

    Config: ClassVar[type[StageConfig]]


DOCUMENT_STAGES: dict[str, type[DocumentStage]] = {
    "where": Where,
}

CORPUS_STAGES: dict[str, type[CorpusStage]] = {
    "exact_dedup": ExactDedup,
    "fuzzy_dedup": FuzzyDedup,
}
