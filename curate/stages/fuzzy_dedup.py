"""`fuzzy_dedup`: near-duplicates by MinHash-LSH; a document goes only if it is similar enough to one that stays.

A document pass sketches each text once: band keys for finding candidates, one byte a slot for verifying them. Then
three passes over those columns: `join` makes edges of equal band keys, `clusters` unites edges, `resolve` walks each
cluster in rank order and decides. Documents are handled as ranks (see `Ranking`): smaller is better.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from curate.dedup.clusters import UnionFind
from curate.dedup.join import bucket_edges
from curate.dedup.sketch import Sketcher
from curate.dedup.survivors import resolve
from curate.engines.task import Facts, Pass, Receipt, Task, fingerprint, outputs_fingerprint
from curate.errors import GuardError, Problem
from curate.io.exchange import ExchangeFile, write_arrays
from curate.io.files import join
from curate.io.prefix_exchange import cut_by_prefix, parts_for, read_prefix, slices_for
from curate.stages.base import Batch, StageConfig
from curate.stages.corpus import (
    SOURCE_SHIFT,
    STAYS,
    Collected,
    CorpusStage,
    Decisions,
    Ranking,
    dropped_docs,
    not_in,
)
from curate.stages.fuzzy_config import FuzzyDedupConfig

#: 16 bytes a document and twice that to sort: about 400 MB a task.
DOCUMENTS_A_JOIN = 8_000_000
#: 128 signature bytes a document with 128 hashes: about 130 MB a task.
DOCUMENTS_A_RESOLVE = 1_000_000
#: How many of the largest clusters a guard shows as evidence.
CLUSTERS_SHOWN = 5


class SketchCollector:
    """Collects band keys and signatures of the documents that have a shingle."""

    def __init__(self, sketcher: Sketcher) -> None:
        self._sketcher = sketcher
        self._keys: list[NDArray[np.uint64]] = [np.zeros((sketcher.bands, 0), np.uint64)]
        self._signatures: list[NDArray[np.uint8]] = [np.zeros((0, sketcher.hashes), np.uint8)]
        self._rows: list[NDArray[np.uint32]] = [np.zeros(0, np.uint32)]

    def add(self, batch: Batch, rows: NDArray[np.int64], first_row: int) -> None:
        sketches = self._sketcher.sketch(batch.texts, rows)
        found = sketches.sketched
        self._keys.append(sketches.keys[:, found])
        self._signatures.append(sketches.signatures[found])
        self._rows.append((rows[found] + first_row).astype(np.uint32))

    def write(self, paths: Sequence[str]) -> None:
        keys, rows = np.concatenate(self._keys, axis=1), np.concatenate(self._rows)
        slices = slices_for(len(rows))
        batches = []
        for band in keys:
            order = np.argsort(band, kind="stable")
            batches += cut_by_prefix({"key": band[order], "row": rows[order]}, slices)
        write_arrays(paths[0], batches, {"slices": str(slices)})
        write_arrays(paths[1], [{"row": rows, "signature": np.concatenate(self._signatures)}], {})


class FuzzyDedup(CorpusStage):
    Config: ClassVar[type[StageConfig]] = FuzzyDedupConfig
    exchange_suffixes: ClassVar[tuple[str, ...]] = ("bands.arrow", "signatures.arrow")
    rule: ClassVar[str] = "fuzzy_dedup.duplicate"

    def __init__(self, config: FuzzyDedupConfig) -> None:
        self.config = config

    def definition(self) -> dict[str, object]:
        settings = self.config.model_dump(mode="json", exclude={"name", "sources"})
        return {**settings, **self.collection()}

    def collection(self) -> dict[str, object]:
        chosen = self.config
        return {
            "sketch": chosen.sketch,
            "shingles": chosen.shingles.model_dump(mode="json"),
            "normalize": sorted(chosen.normalize),
            "hashes": chosen.hashes,
            "bands": chosen.bands,
            "seed": chosen.seed,
        }

    def collector(self) -> SketchCollector:
        return SketchCollector(self.config.sketcher())

    def passes(self, name: str, collected: Collected) -> Generator[Pass, list[Receipt], tuple[str, ...]]:
        shared = {"texts": collected.fingerprint, "earlier stages": collected.dropped_fingerprint}
        joined = yield self._join_pass(name, collected, shared)
        clustered = yield self._clusters_pass(name, joined)
        self._guard_clusters(name, collected, clustered[0].facts)
        resolving = self._resolve_pass(name, collected, clustered[0])
        resolved = yield resolving
        self._guard_sources(name, collected, resolved)
        return tuple(path for task in resolving.tasks for path in task.outputs)

    def _join_pass(self, name: str, collected: Collected, shared: dict[str, str]) -> Pass:
        parts = parts_for(sum(collected.documents.values()), DOCUMENTS_A_JOIN)
        inputs = {f"priority of {name}": fingerprint(self.config.priority), **shared}
        tasks = []
        for band in range(self.config.bands):
            for part in range(parts):
                key = f"{name}/join/{band:03d}-{part:04d}-of-{parts:04d}"
                edges = f"run/exchange/{key}.arrow"
                arguments = JoinArguments(collected, self.config.priority, band, part, parts, edges)
                tasks.append(Task(key, join_band, arguments, inputs, (edges,)))
        return Pass(f"{name}: join", tuple(tasks))

    def _clusters_pass(self, name: str, joined: list[Receipt]) -> Pass:
        edges = tuple(path for receipt in joined for path in receipt.outputs)
        clusters = f"run/exchange/{name}/clusters.arrow"
        inputs = {"edges": outputs_fingerprint(joined)}
        task = Task(f"{name}/clusters", unite, UniteArguments(edges, clusters), inputs, (clusters,))
        return Pass(f"{name}: clusters", (task,))

    def _resolve_pass(self, name: str, collected: Collected, clustered: Receipt) -> Pass:
        (clusters,) = clustered.outputs
        verify = self.config.verify
        inputs = {
            f"verification of {name}": fingerprint([self.config.scope, verify and verify.min_similarity]),
            "clusters": outputs_fingerprint([clustered]),
            "texts": collected.fingerprint,
        }
        tasks = []
        for part in range(clustered.facts["parts"]):
            decisions = f"run/decisions/{name}/{part:04d}.arrow"
            arguments = ResolveArguments(
                collected,
                self.config.priority,
                self.config.scope == "across",
                verify.min_similarity if verify else None,
                clusters,
                part,
                decisions,
            )
            key = f"{name}/resolve/{part:04d}"
            tasks.append(Task(key, resolve_part, arguments, inputs, (decisions,)))
        return Pass(f"{name}: resolve", tuple(tasks))

    def _guard_clusters(self, name: str, collected: Collected, facts: Facts) -> None:
        limit = self.config.guards.max_cluster
        largest = facts["largest"]
        if limit is None or not largest or largest[0][1] <= limit:
            return
        ranking = Ranking.of(collected.source_names, self.config.priority)
        shown = ", ".join(
            f"{size:,} documents around {_name_doc(collected, ranking, rank)}"
            for rank, size in largest[:CLUSTERS_SHOWN]
        )
        raise GuardError(
            Problem(
                f"{name}.guards.max_cluster",
                f"the largest clusters hold {shown}",
                f"at most {limit:,} documents a cluster",
                "look at that document (curate explain), remove the boilerplate that unites the cluster, ask for more "
                "rows a band, or raise max_cluster",
            )
        )

    def _guard_sources(self, name: str, collected: Collected, resolved: list[Receipt]) -> None:
        limit = self.config.guards.max_source_loss
        if limit is None:
            return
        problems = []
        for source, documents in collected.documents.items():
            lost = sum(receipt.facts["dropped"].get(source, 0) for receipt in resolved)
            if lost > limit * documents:
                problems.append(
                    Problem(
                        f"{name}.guards.max_source_loss",
                        f"source {source} would lose {lost:,} of {documents:,} documents ({lost / documents:.1%})",
                        f"at most {limit:.1%} of a source",
                        "check that the source is not a copy of a better ranked one; if it is meant to go, raise "
                        "max_source_loss",
                    )
                )
        if problems:
            raise GuardError(*problems)


def _name_doc(collected: Collected, ranking: Ranking, rank: int) -> str:
    doc = int(ranking.docs(np.array([rank], np.uint64))[0])
    return f"{collected.source_names[doc >> 56]}:{doc >> 32 & 0xFFFFFF}:{doc & 0xFFFFFFFF}"


@dataclass(frozen=True, slots=True)
class JoinArguments:
    collected: Collected
    priority: tuple[str, ...] | None
    band: int
    part: int
    parts: int
    edges: str


def join_band(out: str, arguments: JoinArguments) -> Facts:
    """Edges from each document to the best ranked of its bucket, for one part of one band's keys."""
    ranking = Ranking.of(arguments.collected.source_names, arguments.priority)
    dropped = dropped_docs(out, arguments.collected.dropped)
    keys, ranks = [np.zeros(0, np.uint64)], [np.zeros(0, np.uint64)]
    for file in arguments.collected.files:
        exchange = ExchangeFile(join(out, file.paths[0]))
        slices = int(exchange.metadata["slices"])
        found = read_prefix(exchange, arguments.band * slices, slices, arguments.part, arguments.parts)
        doc = found["row"].astype(np.uint64) | np.uint64(file.base)
        alive = not_in(doc, dropped)
        keys.append(found["key"][alive].astype(np.uint64, copy=False))
        ranks.append(ranking.ranks(doc[alive]))
    a, b = bucket_edges(np.concatenate(keys), np.concatenate(ranks))
    write_arrays(join(out, arguments.edges), [{"a": a, "b": b}], {})
    return {"documents": int(sum(len(part) for part in ranks)), "edges": len(a)}


@dataclass(frozen=True, slots=True)
class UniteArguments:
    edges: tuple[str, ...]
    clusters: str


def unite(out: str, arguments: UniteArguments) -> Facts:
    """Connected components of all edges, cut into record batches that hold whole clusters."""
    union = UnionFind()
    for path in arguments.edges:
        edges = ExchangeFile(join(out, path)).read(0)
        union.add(edges["a"], edges["b"])
    clusters = union.clusters()
    sizes = np.diff(clusters.offsets)
    wanted = np.arange(DOCUMENTS_A_RESOLVE, len(clusters.docs), DOCUMENTS_A_RESOLVE)
    cuts = np.unique(clusters.offsets[np.searchsorted(clusters.offsets, wanted)])
    bounds = [0, *cuts.tolist(), len(clusters.docs)]
    batches = [
        {"rank": clusters.docs[start:stop], "cluster": clusters.roots[start:stop]}
        for start, stop in pairwise(bounds)
        if stop > start
    ]
    write_arrays(join(out, arguments.clusters), batches, {})
    order = np.argsort(-sizes, kind="stable")[:CLUSTERS_SHOWN]
    largest = [[int(clusters.docs[clusters.offsets[i]]), int(sizes[i])] for i in order]
    return {
        "documents": len(clusters.docs),
        "clusters": len(sizes),
        "largest": largest,
        "parts": len(batches),
    }


@dataclass(frozen=True, slots=True)
class ResolveArguments:
    collected: Collected
    priority: tuple[str, ...] | None
    across: bool
    min_similarity: float | None
    clusters: str
    part: int
    decisions: str


def resolve_part(out: str, arguments: ResolveArguments) -> Facts:
    """Decide who stays in some clusters."""
    ranking = Ranking.of(arguments.collected.source_names, arguments.priority)
    members = ExchangeFile(join(out, arguments.clusters)).read(arguments.part)
    ranks, roots = members["rank"].astype(np.uint64), members["cluster"].astype(np.uint64)
    docs = ranking.docs(ranks)
    signatures = _signatures(out, arguments.collected, docs)
    starts = np.flatnonzero(np.concatenate([[True], roots[1:] != roots[:-1]]))
    offsets = np.concatenate([starts, [len(ranks)]]).astype(np.int64)
    witness, similarity = resolve(offsets, ranks, signatures, arguments.min_similarity, arguments.across)
    stays = witness == STAYS
    Decisions(
        docs,
        ranking.docs(roots),
        np.repeat(np.diff(offsets), np.diff(offsets)),
        np.where(stays, STAYS, ranking.docs(np.where(stays, ranks, witness))),
        similarity,
    ).write(join(out, arguments.decisions))
    lost = np.bincount((docs[~stays] >> SOURCE_SHIFT).astype(np.int64), minlength=256)
    names = arguments.collected.source_names
    return {"dropped": {names[source]: int(lost[source]) for source in np.flatnonzero(lost)}}


def _signatures(out: str, collected: Collected, docs: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Signatures of `docs`, uint8, shape (docs, hashes), gathered file by file."""
    order = np.argsort(docs, kind="stable")
    ordered = docs[order]
    gathered: NDArray[np.uint8] | None = None
    for file in collected.files:
        low, high = np.searchsorted(ordered, np.array([file.base, file.base + (1 << 32)], np.uint64))
        if low == high:
            continue
        columns = ExchangeFile(join(out, file.paths[1])).read(0)
        places = np.searchsorted(
            columns["row"], (ordered[low:high] & np.uint64(0xFFFFFFFF)).astype(np.uint32)
        )
        found = columns["signature"][places]
        if gathered is None:
            gathered = np.empty((len(docs), found.shape[1]), np.uint8)
        gathered[order[low:high]] = found
    assert gathered is not None, "a cluster has documents, and every document comes from a collected file"
    return gathered
