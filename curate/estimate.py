"""What a run will cost, from a sample: a few batches of each source go through the document stages.

Batches come from the beginnings of files spread over the source. Standard errors are those of ratios between batches
(Cochran, Sampling Techniques, section 6.3: a batch is a cluster); what all beginnings of files have in common they do
not show.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from curate.engines.task import noting
from curate.io.batches import RawBatch
from curate.io.compressed import expansion
from curate.io.files import open_binary, source_errors
from curate.io.ledger import LEDGER_FIELDS
from curate.io.sources import SourceColumns, SourceFile, read_batches
from curate.kernels import Texts
from curate.kernels.choice import ensure_known
from curate.plan import DocumentPass, Plan, PlannedSource, Step
from curate.run.documents import BatchLimits, DecideArguments, FilePass
from curate.run.standing import Decided
from curate.stages.base import DocumentStage
from curate.stages.corpus import CorpusStage, ledger_columns
from curate.stages.fuzzy_dedup import FuzzyDedup

#: Of each source: so much at most, cut into so many batches, from so many files.
SAMPLE_DOCUMENTS = 2_000
SAMPLE_BYTES = 8 << 20
SAMPLE_BATCHES, SAMPLE_FILES = 8, 4
#: Documents that load what the stages need (models) before anything is timed.
_WARM_UP = 8
#: Bytes of layers and ledger a document, measured on 28,679 real documents; ids weigh most.
LEDGER_BYTES = 71
#: Shards over UTF-8 text, zstd: measured on the same documents.
COMPRESSION = 0.40


@dataclass(frozen=True, slots=True)
class Shown:
    """What a stage was shown of a source's sample, and how many documents of that it dropped."""

    shown: int
    dropped: int


@dataclass(frozen=True, slots=True)
class SourceEstimate:
    """A source, extrapolated from its sample. Errors are one standard error, None with fewer than two batches.

    documents, text_bytes: of the whole source; documents_error is 0 where footers tell the number.
    kept: share of the sample that document stages keep.
    seconds: by document pass, of one processor over the whole source. seconds_error: relative to them.
    sampled: documents of the sample. stages: by name.
    """

    documents: int
    text_bytes: int
    kept: float
    seconds: Mapping[str, float]
    documents_error: float | None = None
    kept_error: float | None = None
    seconds_error: float | None = None
    sampled: int = 0
    stages: Mapping[str, Shown] | None = None


@dataclass(frozen=True, slots=True)
class Estimate:
    sources: dict[str, SourceEstimate]
    journal_bytes: int
    output_bytes: int
    warnings: tuple[str, ...]

    def seconds(self, pass_name: str) -> float:
        """Processor seconds of a document pass."""
        return sum(source.seconds.get(pass_name, 0.0) for source in self.sources.values())

    def seconds_error(self, pass_name: str) -> float | None:
        """One standard error of `seconds`; None where a source has none."""
        errors = [
            None if source.seconds_error is None else source.seconds_error * source.seconds[pass_name]
            for source in self.sources.values()
            if source.seconds.get(pass_name)
        ]
        known = [error for error in errors if error is not None]
        return math.hypot(*known) if known and len(known) == len(errors) else None


@dataclass(frozen=True, slots=True)
class _Sample:
    """One batch: documents, bytes of text, documents kept, processor seconds by pass."""

    documents: int
    bytes: int
    kept: int
    seconds: Mapping[str, float]
    stages: Mapping[str, Shown]


def estimate(plan: Plan, device: str = "auto") -> Estimate:
    """Extrapolate from a sample of each source. Writes nothing.

    device: as of a run; for "gpu" without one here the CPU is measured. Raises EngineError for any other.
    """
    ensure_known(device)
    for step in plan.steps:
        step.stage.device = "cpu" if device == "cpu" else "auto"
    sources = {source.source.name: _source(plan, source) for source in plan.sources}
    journal = sum(
        found.documents * (LEDGER_BYTES + exchange_bytes(plan, name)) for name, found in sources.items()
    )
    kept_bytes = sum(found.text_bytes * found.kept for found in sources.values())
    return Estimate(sources, journal, round(kept_bytes * COMPRESSION), tuple(_warnings(plan, sources)))


def exchange_bytes(plan: Plan, source: str) -> int:
    """Bytes of exchange files a document of the source that reaches the corpus stages."""
    return sum(
        12 * step.stage.config.bands + step.stage.config.hashes + 4
        if isinstance(step.stage, FuzzyDedup)
        else 20
        for step in plan.steps
        if isinstance(step.stage, CorpusStage) and source in step.sources
    )


def ratio_error(amounts: Sequence[float], sizes: Sequence[float]) -> float | None:
    """One standard error of sum(amounts) / sum(sizes) over batches; None with fewer than two."""
    number, total = len(amounts), sum(sizes)
    if number < 2 or not total:
        return None
    ratio = sum(amounts) / total
    squares = sum((amount - ratio * size) ** 2 for amount, size in zip(amounts, sizes, strict=True))
    return math.sqrt(number / (number - 1) * squares) / total


def _source(plan: Plan, source: PlannedSource) -> SourceEstimate:
    samples = list(_samples(plan, source))
    total = round(sum(_text_bytes(each) for each in source.files))
    documents, size = sum(each.documents for each in samples), sum(each.bytes for each in samples)
    if not documents or not size:
        return SourceEstimate(0, total, 0.0, {})
    sizes = [each.bytes for each in samples]
    rows = sum(each.rows or 0 for each in source.files)
    per_byte = ratio_error([each.documents for each in samples], sizes)
    spent = [sum(each.seconds.values()) for each in samples]
    error = ratio_error(spent, sizes)
    return SourceEstimate(
        documents=rows or round(documents * total / size),
        text_bytes=total,
        kept=sum(each.kept for each in samples) / documents,
        seconds={
            name: sum(each.seconds[name] for each in samples) * total / size for name in samples[0].seconds
        },
        documents_error=0.0 if rows else per_byte and per_byte * total,
        kept_error=ratio_error([each.kept for each in samples], [each.documents for each in samples]),
        seconds_error=None if error is None or not sum(spent) else error * size / sum(spent),
        sampled=documents,
        stages=_added([each.stages for each in samples]),
    )


def _added(stages: Sequence[Mapping[str, Shown]]) -> dict[str, Shown]:
    return {
        name: Shown(
            sum(each[name].shown for each in stages if name in each),
            sum(each[name].dropped for each in stages if name in each),
        )
        for name in dict.fromkeys(name for each in stages for name in each)
    }


def _samples(plan: Plan, source: PlannedSource) -> Iterator[_Sample]:
    """Batches from files spread over the source."""
    name = source.source.name
    steps = {
        each.name: [step for step in each.steps_of(name) if number == 0 or _can_be_sampled(step)]
        for number, each in enumerate(_document_passes(plan))
    }
    known = {column for each in _document_passes(plan) for column in each.columns[name]}
    columns = SourceColumns(source.source.text, source.source.id, tuple(sorted(known)))
    flat = tuple(step for each in steps.values() for step in each)
    asked = (step.stage.sample_documents for step in flat if isinstance(step.stage, DocumentStage))
    documents = min([SAMPLE_DOCUMENTS, *asked])
    limits = BatchLimits(max(1, documents // SAMPLE_BATCHES), SAMPLE_BYTES // SAMPLE_BATCHES)
    spread = _spread(source.files)
    a_file = -(-SAMPLE_BATCHES // len(spread)) if spread else 0
    for place, file in enumerate(spread):
        arguments = DecideArguments(
            file, columns, True, (), flat, Decided(0), "", (), None, limits, plan.tokens
        )
        if place == 0:
            for raw in islice(_readable(file, columns, limits), 1):
                FilePass("", arguments).decide(raw.slice(0, min(_WARM_UP, len(raw))))
        file_pass = FilePass("", arguments)
        batches = _readable(file, columns, limits)
        for _ in range(a_file):
            sample = _timed_sample(batches, file_pass, steps)
            if sample is None:
                break
            yield sample


def _timed_sample(
    batches: Iterator[RawBatch], file_pass: FilePass, steps: Mapping[str, Sequence[Step]]
) -> _Sample | None:
    """The next batch, read and decided; None where the file has no more."""
    started, processor = time.monotonic(), time.process_time()
    raw = next(batches, None)
    if raw is None:
        return None
    with noting() as noted:
        kept = file_pass.decide(raw)
    wall, spent = time.monotonic() - started, time.process_time() - processor
    names = list(steps)
    later = {
        name: sum(noted[step.name][1] for step in steps[name] if step.name in noted) for name in names[1:]
    }
    # Stages are timed by the clock; processor time is shared out in proportion to that.
    seconds = {name: spent * share / wall for name, share in later.items()}
    seconds = {names[0]: spent - sum(seconds.values()), **seconds}
    reached = [step.name for each in steps.values() for step in each if step.name in noted]
    left = [*(noted[name][0] for name in reached[1:]), kept]
    stages = {
        name: Shown(noted[name][0], noted[name][0] - after) for name, after in zip(reached, left, strict=True)
    }
    assert raw.texts is not None
    size = max(1, int(Texts.from_arrow(raw.texts).sizes.sum()))
    return _Sample(len(raw), size, kept, seconds, stages)


def _document_passes(plan: Plan) -> list[DocumentPass]:
    return [each for each in plan.passes if isinstance(each, DocumentPass)]


def _can_be_sampled(step: Step) -> bool:
    """Whether a stage of a later pass can look at a sample: not what corpus stages decide, or decide by."""
    decided = set(ledger_columns(earlier=True).names) & set(LEDGER_FIELDS)
    return isinstance(step.stage, DocumentStage) and not decided & set(step.stage.requires)


def _spread(files: Sequence[SourceFile]) -> list[SourceFile]:
    """Up to SAMPLE_FILES readable files, the first and the last among them."""
    sound = [file for file in files if file.defect is None]
    number = min(SAMPLE_FILES, len(sound))
    places = [round(each * (len(sound) - 1) / max(1, number - 1)) for each in range(number)]
    return [sound[place] for place in places]


def _readable(file: SourceFile, columns: SourceColumns, limits: BatchLimits) -> Iterator[RawBatch]:
    """The file's batches that hold a text."""
    batches = read_batches(file, columns, text=True, max_documents=limits.documents, max_bytes=limits.bytes)
    return (raw for raw in batches if raw.texts is not None and raw.texts.null_count < len(raw))


def _warnings(plan: Plan, sources: Mapping[str, SourceEstimate]) -> Iterator[str]:
    """What the sample shows that nobody can have wanted."""
    kinds = {step.name: step.kind for step in plan.steps}
    for name, found in sources.items():
        if not found.sampled:
            yield f"source {name}: nothing of the sample could be read"
        for stage, seen in (found.stages or {}).items():
            if seen.shown and seen.dropped == seen.shown:
                did = "matches none" if kinds[stage] == "where" else "drops all"
                yield f"{stage}: {did} of the {seen.shown:,} documents of {name} that the sample shows it"


def _text_bytes(file: SourceFile) -> float:
    """About how many bytes of text the file holds."""
    if file.text_bytes_estimate is not None:
        return file.text_bytes_estimate
    with source_errors(file.path), open_binary(file.path) as opened:
        return file.bytes * expansion(opened, file.path)
