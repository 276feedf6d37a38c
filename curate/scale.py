"""What a run costs at a size that nobody has at hand: on paper, from measured slopes.

docs/scale.md explains the formulas, and holds what `python -m curate.scale_page` prints: the slopes with where they
were measured, and the costs of Zyda-2. `curate plan --documents N --bytes B` does the same for a recipe's own stages,
with the document passes measured on a sample.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from curate.estimate import COMPRESSION, LEDGER_BYTES, Estimate
from curate.io.prefix_exchange import parts_for
from curate.memory import DEFAULT, Memory
from curate.plan import DocumentPass, Plan
from curate.report.numbers import compact, size
from curate.stages.corpus import CorpusStage
from curate.stages.exact_dedup import BYTES_A_DOCUMENT, DOCUMENTS_A_PART, ExactDedup
from curate.stages.fuzzy_dedup import BYTES_OF_A_JOIN, DOCUMENTS_A_JOIN, FuzzyDedup
from curate.stages.fuzzy_tasks import BYTES_OF_A_MEMBER, BYTES_OF_A_RESOLVE, DOCUMENTS_A_RESOLVE


@dataclass(frozen=True, slots=True)
class Slope:
    """A constant of the formulas. value: in `unit`. where: what it was measured by, or what it is assumed from."""

    value: float
    unit: str
    where: str


_SCALE = "benchmarks/results/dedup_scale.md, 20,000,000 documents, skew: none"

SLOPES = {
    "candidates": Slope(0.3, "of documents have a candidate", "dedup_scale.md: planted; real corpora differ"),
    "key": Slope(13.2 / (20e6 * 14), "s a document and band", f"{_SCALE}, join"),
    "edge": Slope(26_627_312 / 6e6, "edges a document with a candidate", f"{_SCALE}, join"),
    "member": Slope(4.3 / 6e6, "s a document with a candidate", f"{_SCALE}, clusters"),
    "resolve": Slope(4.6 / 6e6, "s a document with a candidate", f"{_SCALE}, resolve"),
    "open": Slope(1e-4, "s a file that a task opens", "docs/architecture.md"),
    "pages": Slope(32_768, "bytes at least of a file that a task opens", "eight pages; assumed"),
    "page": Slope(4_096, "bytes at most to gather a signature", "one page; assumed"),
    "write": Slope((3.06 - 1.43) / 400e6, "s a byte of text written", "dedup_speed.md, whole run"),
    "reread": Slope(1 / 574e6, "s a byte of text read again", "dedup_speed.md, reading Parquet"),
    "ledger": Slope(2.94e-6, "s a document", "sample corpora, below"),
    "ledger_bytes": Slope(
        LEDGER_BYTES / 2, "bytes a document, of a layer and of the ledger", "curate/estimate.py"
    ),
    "member_bytes": Slope(
        BYTES_OF_A_MEMBER, "bytes a document with a candidate, in one worker", "docs/memory.md"
    ),
    "interpreter": Slope(180e6, "bytes a process", "docs/memory.md"),
    "coordinator": Slope(10e3, "bytes a source file", "docs/memory.md"),
    "file": Slope(1e9, "bytes of a source file as stored", "assumed"),
}


def _slope(name: str) -> float:
    return SLOPES[name].value


@dataclass(frozen=True, slots=True)
class DocumentWork:
    """A document pass. stored, seconds: bytes of source files that it reads, processor seconds."""

    name: str
    stored: float
    seconds: float


@dataclass(frozen=True, slots=True)
class CorpusWork:
    """A corpus stage. documents: that reach it. bands: 0 where documents have one key (exact duplicates). signature:
    bytes of it. texts: bytes of source files that it reads again, 0 where signatures decide."""

    name: str
    documents: float
    bands: int
    signature: int
    texts: float


@dataclass(frozen=True, slots=True)
class Workload:
    """What a recipe has to do. passes: in order. kept_bytes: of text left by document stages, which shards hold less
    duplicates. mixes: whether the recipe has a mix."""

    documents: float
    text_bytes: float
    stored: float
    passes: tuple[DocumentWork | CorpusWork, ...]
    kept_bytes: float
    shard_bytes: int
    mixes: bool


@dataclass(frozen=True, slots=True)
class PassCost:
    """One pass: tasks, bytes read and written, processor seconds, memory of one task."""

    name: str
    tasks: int
    read: float
    written: float
    seconds: float
    memory: float

    def hours(self, workers: int) -> float:
        """Wall hours where that many workers compute and nothing else holds them up."""
        return self.seconds / min(workers, max(1, self.tasks)) / 3600


@dataclass(frozen=True, slots=True)
class Costs:
    """What a workload costs. exchange, journal: bytes of exchange files, and of all that OUT/run holds."""

    load: Workload
    workers: int
    memory: int
    files: int
    passes: tuple[PassCost, ...]
    exchange: float
    journal: float

    @property
    def coordinator(self) -> float:
        """Bytes of the process that runs the command, where tasks run elsewhere."""
        return _slope("interpreter") + self.files * _slope("coordinator")

    @property
    def largest(self) -> PassCost:
        """The pass whose tasks need the most memory."""
        return max(self.passes, key=lambda each: each.memory)


def workload(
    plan: Plan, estimate: Estimate, documents: float | None = None, text_bytes: float | None = None
) -> Workload:
    """The recipe's work on a corpus like its sample, of so many documents and bytes of text.

    One of the two follows from the other by the sample's mean. Sources keep their shares.
    """
    now_documents = sum(source.documents for source in estimate.sources.values())
    now_bytes = sum(source.text_bytes for source in estimate.sources.values())
    more_bytes = (text_bytes or 0) / max(1, now_bytes) or (documents or 0) / max(1, now_documents)
    more_documents = (documents or 0) / max(1, now_documents) or more_bytes
    stored = {
        source.source.name: more_bytes * sum(file.bytes for file in source.files) for source in plan.sources
    }
    passes: list[DocumentWork | CorpusWork] = []
    for each in plan.passes:
        if isinstance(each, DocumentPass):
            read = sum(stored[name] for name in each.texts)
            passes.append(DocumentWork(each.name, read, more_bytes * estimate.seconds(each.name)))
        elif isinstance(each.step.stage, FuzzyDedup | ExactDedup):
            reached = more_documents * sum(
                _reached(estimate, name, each.step.name) for name in each.step.sources
            )
            texts = sum(stored[name] for name in each.texts)
            passes.append(_corpus_work(each.step.name, each.step.stage, reached, texts))
    return Workload(
        documents=more_documents * now_documents,
        text_bytes=more_bytes * now_bytes,
        stored=sum(stored.values()),
        passes=tuple(passes),
        kept_bytes=more_bytes * sum(each.text_bytes * each.kept for each in estimate.sources.values()),
        shard_bytes=plan.recipe.output.shard_bytes,
        mixes=plan.recipe.mix is not None,
    )


def _reached(estimate: Estimate, source: str, stage: str) -> float:
    """Documents of a source that reach a stage, by the sample; by what all stages keep where it was not sampled."""
    found = estimate.sources[source]
    seen = (found.stages or {}).get(stage)
    return found.documents * (seen.shown / found.sampled if seen and found.sampled else found.kept)


def _corpus_work(name: str, stage: CorpusStage, documents: float, texts: float) -> CorpusWork:
    if isinstance(stage, FuzzyDedup):
        return CorpusWork(name, documents, stage.config.bands, stage.config.hashes, texts)
    return CorpusWork(name, documents, 0, 0, texts)


def costs(load: Workload, workers: int, memory: int = DEFAULT.bytes) -> Costs:
    """What the workload costs by the slopes of SLOPES. memory: bytes a worker may take."""
    files = max(1, math.ceil(load.stored / _slope("file")))
    bound = Memory(memory)
    passes: list[PassCost] = []
    exchange = decisions = 0.0
    decision_files = 0
    following = list(load.passes)
    while following:
        each = following.pop(0)
        if isinstance(each, DocumentWork):
            collected = 0.0
            for other in following:
                if isinstance(other, DocumentWork):
                    break
                collected += other.documents * (12 * other.bands + other.signature + 4 if other.bands else 20)
            exchange += collected
            tasks = max(1, math.ceil(each.stored / _slope("file")))
            opened = tasks * decision_files
            layers = load.documents * _slope("ledger_bytes") * min(1.0, each.stored / max(1.0, load.stored))
            passes.append(
                PassCost(
                    each.name,
                    tasks,
                    each.stored + opened * _slope("pages"),
                    layers + collected,
                    each.seconds + opened * _slope("open"),
                    memory,
                )
            )
            continue
        made = list(_fuzzy(each, files, decision_files, bound) if each.bands else _exact(each, files, bound))
        passes += made
        decision_files += made[-1].tasks
        decisions += made[-1].written
    passes += _ending(load, files, decision_files, memory)
    layers = sum(each.written for each in passes if each.name.startswith("documents-")) - exchange
    edges = sum(each.written for each in passes if each.name.endswith((": join", ": clusters")))
    return Costs(load, workers, memory, files, tuple(passes), exchange, layers + exchange + edges + decisions)


def _fuzzy(each: CorpusWork, files: int, earlier: int, bound: Memory) -> Iterator[PassCost]:
    parts = parts_for(round(each.documents), bound.documents(BYTES_OF_A_JOIN, DOCUMENTS_A_JOIN))
    tasks = each.bands * parts
    opened = tasks * (files + earlier)
    keys = each.documents * each.bands
    members = each.documents * _slope("candidates")
    edges = 16 * members * _slope("edge")
    yield PassCost(
        f"{each.name}: join",
        tasks,
        max(12 * keys, opened * _slope("pages")),
        edges,
        keys * _slope("key") + opened * _slope("open"),
        BYTES_OF_A_JOIN * each.documents / parts,
    )
    united = members * _slope("member")
    yield PassCost(f"{each.name}: clusters", 1, edges, 24 * members, united, members * _slope("member_bytes"))
    if each.texts:
        # Texts weigh more than files as stored; by the compression of the shards.
        spent = each.texts / COMPRESSION * _slope("reread")
        clusters_texts = each.texts / COMPRESSION * _slope("candidates")
        yield PassCost(f"{each.name}: texts", files, each.texts, clusters_texts, spent, bound.bytes)
    a_task = bound.documents(BYTES_OF_A_RESOLVE + each.signature, DOCUMENTS_A_RESOLVE)
    tasks = max(1, math.ceil(members / a_task))
    opened = tasks * files
    yield PassCost(
        f"{each.name}: resolve",
        tasks,
        min(members * _slope("page"), tasks * each.documents * (each.signature + 4)),
        38 * members,
        members * _slope("resolve") + opened * _slope("open"),
        min(members, a_task) * (BYTES_OF_A_RESOLVE + each.signature),
    )


def _exact(each: CorpusWork, files: int, bound: Memory) -> Iterator[PassCost]:
    parts = parts_for(round(each.documents), bound.documents(BYTES_A_DOCUMENT, DOCUMENTS_A_PART))
    opened = parts * files
    yield PassCost(
        each.name,
        parts,
        max(20 * each.documents, opened * _slope("pages")),
        38 * each.documents * _slope("candidates"),
        each.documents * _slope("key") + opened * _slope("open"),
        BYTES_A_DOCUMENT * each.documents / parts,
    )


def _ending(load: Workload, files: int, decision_files: int, memory: int) -> Iterator[PassCost]:
    """Tally, ledger and shards."""
    opened = files * decision_files
    layers = load.documents * _slope("ledger_bytes")
    merging = load.documents * _slope("ledger") + opened * _slope("open")
    held = memory / 4
    if load.mixes:
        yield PassCost("tally", files, layers + opened * _slope("pages"), 0, merging / 2, held)
    yield PassCost("ledger", files, layers + opened * _slope("pages"), layers, merging, held)
    shards = max(1, math.ceil(load.kept_bytes / load.shard_bytes))
    spent = load.kept_bytes * _slope("write")
    yield PassCost("write", shards, load.stored, load.kept_bytes * COMPRESSION, spent, held)


#: Columns of the table of passes.
HEADINGS = ("pass", "tasks", "reads", "writes", "processor h", "wall h", "memory a task")


def rows(found: Costs) -> Iterator[tuple[str, ...]]:
    """The table of passes, a row each and one for all of them."""
    for each in found.passes:
        yield _row(each.name, each, each.hours(found.workers))
    total = PassCost(
        "all",
        sum(each.tasks for each in found.passes),
        sum(each.read for each in found.passes),
        sum(each.written for each in found.passes),
        sum(each.seconds for each in found.passes),
        found.largest.memory,
    )
    yield _row("all", total, sum(each.hours(found.workers) for each in found.passes))


def _row(name: str, each: PassCost, hours: float) -> tuple[str, ...]:
    amounts = (size(round(each.read)), size(round(each.written)))
    spent = (each.seconds / 3600, hours)
    return (
        name,
        compact(each.tasks),
        *amounts,
        *(hours_shown(one) for one in spent),
        size(round(each.memory)),
    )


def hours_shown(hours: float) -> str:
    """Hours to two digits that say something."""
    return f"{hours:,.0f}" if hours >= 10 else f"{hours:.2g}"


def remarks(found: Costs) -> list[str]:
    """What the table does not say: the bottleneck, what storage has to give, what holds the rest."""
    largest = found.largest
    wall = sum(each.hours(found.workers) for each in found.passes) * 3600
    read = sum(each.read for each in found.passes)
    said = [
        f"exchange files {size(round(found.exchange))}, all of OUT/run {size(round(found.journal))}",
        f"coordinator {size(round(found.coordinator))} for {found.files:,} source files",
        f"storage has to give {size(round(read / max(wall, 1)))}/s on average, or it sets the pace",
    ]
    if largest.memory > found.memory:
        said.append(
            f"bottleneck: {largest.name} is one task and needs {size(round(largest.memory))} on one machine "
            f"(110 bytes a document with a candidate, of which {_slope('candidates'):.0%} are assumed): give "
            "--memory as much, or the run stops there and asks for it"
        )
    return said
