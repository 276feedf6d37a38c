"""What a run will cost, from a sample: the first batch of each source goes through the first document pass."""

from __future__ import annotations

import time
from dataclasses import dataclass

from curate.io.compressed import expansion
from curate.io.files import open_binary, source_errors
from curate.io.sources import SourceColumns, SourceFile, read_batches
from curate.kernels import Texts
from curate.plan import DocumentPass, Plan, PlannedSource
from curate.run.documents import BatchLimits, DecideArguments, FilePass
from curate.run.standing import Decided
from curate.stages.base import DocumentStage
from curate.stages.corpus import CorpusStage
from curate.stages.fuzzy_dedup import FuzzyDedup

SAMPLE_DOCUMENTS = 2_000
SAMPLE_BYTES = 8 << 20
#: Bytes of layers and ledger a document, measured on 28,679 real documents; ids weigh most.
LEDGER_BYTES = 71
#: Shards over UTF-8 text, zstd: measured on the same documents.
COMPRESSION = 0.40


@dataclass(frozen=True, slots=True)
class SourceEstimate:
    """documents, text_bytes: of the whole source, extrapolated. kept: share of the sample that document stages keep.
    seconds: of one processor, for the first document pass over the whole source."""

    documents: int
    text_bytes: int
    kept: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Estimate:
    sources: dict[str, SourceEstimate]
    journal_bytes: int
    output_bytes: int

    def seconds(self, workers: int) -> float:
        """Wall seconds of the document pass on that many workers."""
        return sum(source.seconds for source in self.sources.values()) / workers


def estimate(plan: Plan) -> Estimate:
    """Extrapolate from the first documents of each source's first readable file. Writes nothing."""
    first = plan.passes[0]
    assert isinstance(first, DocumentPass)
    sources = {source.source.name: _source(plan, source, first) for source in plan.sources}
    documents = sum(found.documents for found in sources.values())
    exchange = sum(
        12 * step.stage.config.bands + step.stage.config.hashes + 4
        if isinstance(step.stage, FuzzyDedup)
        else 20
        for step in plan.steps
        if isinstance(step.stage, CorpusStage)
    )
    kept_bytes = sum(found.text_bytes * found.kept for found in sources.values())
    return Estimate(sources, documents * (exchange + LEDGER_BYTES), round(kept_bytes * COMPRESSION))


def _source(plan: Plan, source: PlannedSource, first: DocumentPass) -> SourceEstimate:
    name = source.source.name
    columns = SourceColumns(source.source.text, source.source.id, first.columns[name])
    total = round(sum(_text_bytes(each) for each in source.files))
    stages = [step.stage for step in first.steps_of(name)]
    asked = (stage.sample_documents for stage in stages if isinstance(stage, DocumentStage))
    limits = BatchLimits(min([SAMPLE_DOCUMENTS, *asked]), SAMPLE_BYTES)
    for file in source.files:
        arguments = DecideArguments(
            file, columns, True, (), first.steps_of(name), Decided(0), "", (), None, limits, plan.tokens
        )
        started = time.perf_counter()
        for raw in read_batches(
            file, columns, text=True, max_documents=limits.documents, max_bytes=limits.bytes
        ):
            if raw.texts is None or raw.texts.null_count == len(raw):
                continue
            kept = FilePass("", arguments).decide(raw) / len(raw)
            seconds = time.perf_counter() - started
            sampled = max(1, int(Texts.from_arrow(raw.texts).sizes.sum()))
            documents = sum(each.rows or 0 for each in source.files) or round(len(raw) * total / sampled)
            return SourceEstimate(documents, total, kept, seconds * total / sampled)
    return SourceEstimate(0, 0, 0.0, 0.0)


def _text_bytes(file: SourceFile) -> float:
    """About how many bytes of text the file holds."""
    if file.text_bytes_estimate is not None:
        return file.text_bytes_estimate
    with source_errors(file.path), open_binary(file.path) as opened:
        return file.bytes * expansion(opened, file.path)
