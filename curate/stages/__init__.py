"""The stages a recipe can name: one file a stage, one line in a registry."""

from __future__ import annotations

from curate.stages.base import DocumentStage
from curate.stages.blocklist import Blocklist
from curate.stages.boilerplate import Boilerplate
from curate.stages.corpus import CorpusStage
from curate.stages.decontaminate import Decontaminate
from curate.stages.exact_dedup import ExactDedup
from curate.stages.fuzzy_dedup import FuzzyDedup
from curate.stages.heuristics import Heuristics
from curate.stages.language import Language
from curate.stages.quality import Quality
from curate.stages.redact import Redact
from curate.stages.where import Where

DOCUMENT_STAGES: dict[str, type[DocumentStage]] = {
    "where": Where,
    "blocklist": Blocklist,
    "decontaminate": Decontaminate,
    "redact": Redact,
    "boilerplate": Boilerplate,
    "language": Language,
    "heuristics": Heuristics,
    "quality": Quality,
}

CORPUS_STAGES: dict[str, type[CorpusStage]] = {
    "exact_dedup": ExactDedup,
    "fuzzy_dedup": FuzzyDedup,
}
