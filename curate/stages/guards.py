"""The guards of `fuzzy_dedup`: what they object to, and the evidence that is written when they stop a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from curate.engines.task import Facts, Pass, Receipt, Task, fingerprint, outputs_fingerprint
from curate.errors import Problem
from curate.io.exchange import ExchangeFile
from curate.io.files import join, write_json
from curate.io.sources import SourceColumns, SourceFile, read_batches
from curate.stages.corpus import Collected
from curate.stages.fuzzy_config import GuardsConfig
from curate.stages.ranking import THIS_RUN, Ranking

EVIDENCE = "report/guard.json"
_SAMPLES = 5
_EXCERPT = 400
_SEE = "read the evidence in report/guard.html"


def cluster_problems(name: str, guards: GuardsConfig, largest: Sequence[tuple[str, int]]) -> list[Problem]:
    """What `max_cluster` objects to; largest: a document and the size of the largest clusters, largest first."""
    limit = guards.max_cluster
    if limit is None or not largest or largest[0][1] <= limit:
        return []
    shown = ", ".join(f"{size:,} documents around {document}" for document, size in largest)
    return [
        Problem(
            f"{name}.guards.max_cluster",
            f"the largest clusters hold {shown}",
            f"at most {limit:,} documents a cluster",
            f"{_SEE}; remove the boilerplate that unites the cluster, ask for more rows a band, or raise max_cluster",
        )
    ]


def loss_problems(
    name: str, guards: GuardsConfig, documents: Mapping[str, int], lost: Mapping[str, int]
) -> list[Problem]:
    """What `max_source_loss` objects to; documents, lost: of each source."""
    limit = guards.max_source_loss
    return [
        Problem(
            f"{name}.guards.max_source_loss",
            f"source {source} would lose {lost[source]:,} of {there:,} documents ({lost[source] / there:.1%})",
            f"at most {limit:.1%} of a source",
            f"{_SEE}; check that the source is not a copy of a better ranked one; if it is meant to go, raise "
            "max_source_loss",
        )
        for source, there in documents.items()
        if limit is not None and lost[source] > limit * there
    ]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the task needs that writes the evidence.

    against: paths of the earlier runs. largest: root and size of the largest clusters. clusters, members: files of the
    `clusters` pass. lost: documents that each source would lose, None where a guard stopped the run before that was
    known.
    """

    stage: str
    problems: tuple[Problem, ...]
    collected: Collected
    ranking: Ranking
    against: tuple[str, ...]
    largest: tuple[tuple[int, int], ...]
    clusters: str
    members: str
    lost: dict[str, int] | None


def evidence_pass(evidence: Evidence, clustered: Receipt) -> Pass:
    """The task that writes OUT/report/guard.json."""
    inputs = {
        "what the guards found": fingerprint([str(problem) for problem in evidence.problems]),
        "losses": fingerprint(evidence.lost),
        "clusters": outputs_fingerprint([clustered]),
        "texts": evidence.collected.fingerprint,
    }
    task = Task(f"{evidence.stage}/evidence", write_evidence, evidence, inputs, (EVIDENCE,))
    return Pass(f"{evidence.stage}: evidence", (task,))


def write_evidence(out: str, evidence: Evidence) -> Facts:
    """Write the largest clusters with a sample of their documents, and what becomes of each source."""
    ranks = ExchangeFile(join(out, evidence.members), whole=True).read(0)["rank"]
    here = ranks[evidence.ranking.runs_of(ranks) == THIS_RUN]
    sources = np.bincount((evidence.ranking.docs(here) >> np.uint64(56)).astype(np.int64), minlength=256)
    names = evidence.collected.source_names
    content = {
        "format": 1,
        "stage": evidence.stage,
        "problems": [asdict(problem) for problem in evidence.problems],
        "clusters": [_cluster(out, evidence, root, size) for root, size in evidence.largest],
        "sources": {
            name: {
                "documents": documents,
                "in_clusters": int(sources[names.index(name)]),
                "lost": None if evidence.lost is None else evidence.lost[name],
            }
            for name, documents in evidence.collected.documents.items()
        },
    }
    write_json(join(out, EVIDENCE), content)
    return {"clusters": len(evidence.largest)}


def _cluster(out: str, evidence: Evidence, root: int, size: int) -> dict[str, Any]:
    """One cluster: documents, sources, and samples at even distances in the order of ranks."""
    file = ExchangeFile(join(out, evidence.clusters))
    for batch in range(len(file)):
        columns = file.read(batch)
        low, high = np.searchsorted(columns["cluster"], np.array([root, root + 1], np.uint64))
        if low < high:
            break
    ranks = columns["rank"][low:high].astype(np.uint64)
    runs = evidence.ranking.runs_of(ranks)
    sources = evidence.ranking.docs(ranks[runs == THIS_RUN]) >> np.uint64(56)
    found, counts = np.unique(sources, return_counts=True)
    chosen = ranks[np.unique(np.linspace(0, len(ranks) - 1, _SAMPLES).round().astype(np.int64))]
    names = evidence.collected.source_names
    return {
        "documents": size,
        "sources": {
            names[source]: count for source, count in zip(found.tolist(), counts.tolist(), strict=True)
        },
        "earlier_runs": int(np.count_nonzero(runs != THIS_RUN)),
        "sample": [_sample(evidence, int(rank)) for rank in chosen],
    }


def name_of(collected: Collected, ranking: Ranking, against: Sequence[str], rank: int) -> str:
    """`source:file:row`; of an earlier run its path and the packed doc."""
    doc = int(ranking.docs(np.array([rank], np.uint64))[0])
    run = ranking.files[rank >> 32].run
    if run != THIS_RUN:
        return f"doc {doc} of {against[run]}"
    return f"{collected.source_names[doc >> 56]}:{doc >> 32 & 0xFFFFFF}:{doc & 0xFFFFFFFF}"


def _sample(evidence: Evidence, rank: int) -> dict[str, Any]:
    name = name_of(evidence.collected, evidence.ranking, evidence.against, rank)
    ranked = evidence.ranking.files[rank >> 32]
    if ranked.run != THIS_RUN:
        return {"document": name, "text": None}
    files = {file.base: file for file in evidence.collected.files}
    file = files[ranked.base]
    return {"document": name, "text": _excerpt(file.file, file.columns, rank & 0xFFFFFFFF)}


def _excerpt(file: SourceFile, columns: SourceColumns, row: int) -> str | None:
    """The beginning of a document's text."""
    for batch in read_batches(
        file, columns, text=True, max_documents=1, max_bytes=1 << 30, rows=[(row, row + 1)]
    ):
        if len(batch) and batch.texts is not None:
            text = batch.texts.cast(pa.large_string())[0].as_py()
            return None if text is None else str(text)[:_EXCERPT]
    return None
