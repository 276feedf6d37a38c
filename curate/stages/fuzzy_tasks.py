"""What the passes of `fuzzy_dedup` do: join, unite, resolve. Documents are handled as ranks (`ranking.py`)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.dedup.clusters import UnionFind
from curate.dedup.join import bucket_edges
from curate.dedup.survivors import STAYS, resolve, resolve_exactly
from curate.engines.task import Facts
from curate.errors import OutputError, Problem
from curate.io.exchange import ExchangeFile, write_arrays
from curate.io.files import join
from curate.kernels.choice import kernels_on
from curate.memory import Memory
from curate.stages.cluster_texts import text_places
from curate.stages.fuzzy_config import FuzzyDedupConfig
from curate.stages.ranking import (
    THIS_RUN,
    Candidates,
    Ranking,
    decisions_of,
    gather,
    losses,
    preferences,
    starts_of,
)

#: A task that resolves so many documents takes this much of each beside its signature; most of it is an index of those
#: that stay in a cluster of many.
DOCUMENTS_A_RESOLVE, BYTES_OF_A_RESOLVE = 1_000_000, 400
#: What uniting and writing takes of each document with an edge.
BYTES_OF_A_MEMBER = 110
#: How many of the largest clusters a guard shows as evidence.
CLUSTERS_SHOWN = 5


@dataclass(frozen=True, slots=True)
class JoinArguments:
    candidates: Candidates
    band: int
    part: int
    parts: int
    edges: str
    device: str


def join_band(out: str, arguments: JoinArguments) -> Facts:
    """Edges from each document to the best ranked of its bucket, for one part of one band's keys."""
    keys, ranks = [np.zeros(0, np.uint64)], [np.zeros(0, np.uint64)]
    for columns, found in arguments.candidates.part(out, arguments.band, arguments.part, arguments.parts):
        keys.append(columns["key"].astype(np.uint64, copy=False))
        ranks.append(found)
    a, b = bucket_edges(np.concatenate(keys), np.concatenate(ranks), kernels_on(arguments.device))
    chosen = _of_this_run(arguments.candidates.ranking, a, b)
    write_arrays(join(out, arguments.edges), [{"a": a[chosen], "b": b[chosen]}], {})
    return {"documents": int(sum(len(part) for part in ranks)), "edges": int(np.count_nonzero(chosen))}


def _of_this_run(ranking: Ranking, a: NDArray[np.uint64], b: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which edges are of a bucket with a document of this run; the edges of a bucket share b and stand together."""
    if not len(b):
        return np.zeros(0, np.bool_)
    bounds = starts_of(b)
    here = (ranking.runs_of(a) == THIS_RUN) | (ranking.runs_of(b) == THIS_RUN)
    return np.repeat(np.logical_or.reduceat(here, bounds[:-1]), np.diff(bounds))


@dataclass(frozen=True, slots=True)
class UniteArguments:
    """part: documents that a task is to resolve. members: where the sorted ranks of all documents in clusters go."""

    stage: str
    edges: tuple[str, ...]
    part: int
    memory: Memory
    clusters: str
    members: str


def unite(out: str, arguments: UniteArguments) -> Facts:
    """Connected components of all edges, cut into record batches that hold whole clusters."""
    union = UnionFind()
    for path in arguments.edges:
        edges = ExchangeFile(join(out, path)).read(0)
        union.add(edges["a"], edges["b"])
        if len(union) * BYTES_OF_A_MEMBER > arguments.memory.bytes:
            raise OutputError(_too_many(arguments, len(union)))
    clusters = union.clusters()
    sizes = np.diff(clusters.offsets)
    wanted = np.arange(arguments.part, len(clusters.docs), arguments.part)
    cuts = np.unique(clusters.offsets[np.searchsorted(clusters.offsets, wanted)])
    bounds = [0, *cuts.tolist(), len(clusters.docs)]
    batches = [
        {"rank": clusters.docs[start:stop], "cluster": clusters.roots[start:stop]}
        for start, stop in itertools.pairwise(bounds)
        if stop > start
    ]
    write_arrays(join(out, arguments.clusters), batches, {})
    members = np.sort(clusters.docs)
    write_arrays(join(out, arguments.members), [{"rank": members}], {})
    order = np.argsort(-sizes, kind="stable")[:CLUSTERS_SHOWN]
    largest = [[int(clusters.docs[clusters.offsets[i]]), int(sizes[i])] for i in order]
    return {
        "documents": len(clusters.docs),
        "clusters": len(sizes),
        "largest": largest,
        "parts": len(batches),
        "files": np.unique(members >> np.uint64(32)).tolist(),
    }


def _too_many(arguments: UniteArguments, documents: int) -> Problem:
    return Problem(
        f"{arguments.stage}: clusters",
        f"more than {documents:,} documents have a candidate: to unite them takes {BYTES_OF_A_MEMBER} bytes each",
        f"at most {arguments.memory.bytes:,} bytes (--memory)",
        "give --memory that much: the run goes on where it stopped. Or ask for more rows a band",
    )


@dataclass(frozen=True, slots=True)
class ResolveArguments:
    """texts: of each file of the ranking that was read again its number, texts and places; for exact verification."""

    ranking: Ranking
    source_names: tuple[str, ...]
    config: FuzzyDedupConfig
    clusters: str
    part: int
    texts: tuple[tuple[int, str, str], ...]
    decisions: str


def resolve_part(out: str, arguments: ResolveArguments) -> Facts:
    """Decide who stays in some clusters."""
    ranking, config = arguments.ranking, arguments.config
    members = ExchangeFile(join(out, arguments.clusters)).read(arguments.part)
    ranks, roots = members["rank"].astype(np.uint64), members["cluster"].astype(np.uint64)
    values = preferences(out, ranking, ranks) if config.prefer else None
    order = ranking.order(roots, ranks, values)
    ranks, offsets = ranks[order], starts_of(roots[order])
    names = _names(ranking, ranks)
    empty = np.zeros((0, config.hashes), np.uint8)
    signatures = gather(out, ranking, ranks, 1, "signature", empty)
    across = config.scope == "across"
    pinned = ranking.runs_of(ranks) != THIS_RUN
    if config.verify and config.verify.exact:
        places = text_places(out, arguments.texts, ranks)
        witness, similarity = resolve_exactly(
            offsets, names, signatures, places, config.cut(), config.verify.min_similarity, across, pinned
        )
    else:
        least = config.verify.min_similarity if config.verify else None
        witness, similarity = resolve(offsets, names, signatures, least, across, pinned)
    stays = witness == STAYS
    at = np.where(stays, np.uint64(0), witness & _PLACE_MASK)
    made = decisions_of(ranking, offsets, ranks, np.where(stays, STAYS, ranks[at]), similarity)
    made.write(join(out, arguments.decisions))
    return {"documents": len(ranks), "dropped": losses(arguments.source_names, made)}


_PLACE_MASK = np.uint64((1 << 56) - 1)


def _names(ranking: Ranking, ranks: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Names for documents in the order of preference: the priority of their source, 8 bits, then their place."""
    places = np.maximum(ranking.places_of(ranks) - 1, 0).astype(np.uint64)
    named: NDArray[np.uint64] = places << np.uint64(56) | np.arange(len(ranks), dtype=np.uint64)
    return named
