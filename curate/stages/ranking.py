"""Documents in order of preference, over the files of this run and of earlier runs.

A *rank* names a document inside a corpus stage: the number of its file in the order of preference, 32 bits, then its
row, 32 bits. Files of earlier runs come first, then those of this run by their source's priority; so smaller is better,
ties are impossible, and ranks are known without looking at any other document. A recipe's `prefer` comes between
priority and rank, and only where clusters are decided: joins and clusters do not depend on who is best.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.dedup.survivors import STAYS
from curate.io.exchange import ExchangeFile
from curate.io.files import join
from curate.io.prefix_exchange import Columns, read_prefix
from curate.stages.against import EarlierRun
from curate.stages.corpus import Collected, Decisions, drops_in_file, not_in, read_decisions

_FILE_SHIFT = np.uint64(32)
_ROW_MASK = np.uint64(0xFFFFFFFF)
#: In place of the number of an earlier run.
THIS_RUN = -1


@dataclass(frozen=True, slots=True)
class RankedFile:
    """The exchange files of one source file.

    base: `doc` of its row 0, in its own run. paths: of this run relative to OUT. sha256: of each, empty where it is not
    known. run: the number of its earlier run, or THIS_RUN. place: 0 in an earlier run, else 1 + the place of its source
    in the order of priority.
    """

    base: int
    paths: tuple[str, ...]
    sha256: tuple[str, ...]
    run: int
    place: int

    def exchange(self, out: str, which: int, *, whole: bool = False) -> ExchangeFile:
        path = self.paths[which]
        whole_path = join(out, path) if self.run == THIS_RUN else path
        return ExchangeFile(whole_path, whole=whole, sha256=self.sha256[which])


@dataclass(frozen=True, slots=True)
class Ranking:
    """All files in the order of preference; `bases`, `runs` and `places` are those of the files, as arrays."""

    files: tuple[RankedFile, ...]
    bases: NDArray[np.uint64]
    runs: NDArray[np.int16]
    places: NDArray[np.int64]

    @classmethod
    def of(
        cls, collected: Collected, priority: Sequence[str] | None, earlier: Sequence[EarlierRun] = ()
    ) -> Ranking:
        """Sources named in `priority` come first, in that order; the others follow in the recipe's order."""
        named = list(priority or ())
        order = [*named, *(name for name in collected.source_names if name not in named)]
        place_of = {collected.source_names.index(name): place for place, name in enumerate(order, start=1)}
        files = [
            RankedFile(file.base, file.paths, ("",) * len(file.paths), run, 0)
            for run, found in enumerate(earlier)
            for file in found.files
        ]
        mine = [
            RankedFile(file.base, file.paths, file.sha256, THIS_RUN, place_of[file.base >> 56])
            for file in collected.files
        ]
        files += sorted(mine, key=lambda file: (file.place, file.base))
        return cls(
            tuple(files),
            np.array([file.base for file in files], np.uint64),
            np.array([file.run for file in files], np.int16),
            np.array([file.place for file in files], np.int64),
        )

    def docs(self, ranks: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """The documents' positions, each in its own run."""
        found: NDArray[np.uint64] = self.bases[ranks >> _FILE_SHIFT] | (ranks & _ROW_MASK)
        return found

    def runs_of(self, ranks: NDArray[np.uint64]) -> NDArray[np.int16]:
        found: NDArray[np.int16] = self.runs[ranks >> _FILE_SHIFT]
        return found

    def places_of(self, ranks: NDArray[np.uint64]) -> NDArray[np.int64]:
        found: NDArray[np.int64] = self.places[ranks >> _FILE_SHIFT]
        return found

    def order(
        self, roots: NDArray[np.uint64], ranks: NDArray[np.uint64], values: NDArray[np.float64] | None
    ) -> NDArray[np.int64]:
        """Sorts documents by cluster, and in it by preference: priority, `values` (smaller is better), rank."""
        keys = (ranks, *(() if values is None else (values,)), self.places_of(ranks), roots)
        found: NDArray[np.int64] = np.lexsort(keys)
        return found


@dataclass(frozen=True, slots=True)
class Candidates:
    """The documents that a corpus stage compares.

    dropped: decision files of this run whose drops no longer count. gone: of each earlier run the file that lists the
    documents it did not keep.
    """

    ranking: Ranking
    dropped: tuple[str, ...]
    gone: tuple[str, ...]

    def part(
        self, out: str, band: int, part: int, parts: int
    ) -> Iterator[tuple[Columns, NDArray[np.uint64]]]:
        """The columns, keys first, and the ranks of the documents whose key of that band falls in `part`, a file at
        a time; their first exchange file holds `slices` record batches a band."""
        gone = [ExchangeFile(join(out, path), whole=True).read(0)["doc"] for path in self.gone]
        decisions = [read_decisions(join(out, path)) for path in self.dropped]
        for number, file in enumerate(self.ranking.files):
            exchange = file.exchange(out, 0)
            slices = int(exchange.metadata["slices"])
            found = read_prefix(exchange, band * slices, slices, part, parts)
            rows = found["row"].astype(np.uint64)
            absent = drops_in_file(decisions, file.base) if file.run == THIS_RUN else gone[file.run]
            alive = not_in(rows | np.uint64(file.base), absent)
            ranks = rows[alive] | np.uint64(number) << _FILE_SHIFT
            yield {name: column[alive] for name, column in found.items()}, ranks


def gather(
    out: str, ranking: Ranking, ranks: NDArray[np.uint64], which: int, column: str, empty: NDArray[Any]
) -> NDArray[Any]:
    """`column` of the documents' exchange file number `which`, in the order of `ranks`.

    empty: what the column is without documents, for its type and shape. Each exchange file holds its rows in order.
    """
    order = np.argsort(ranks, kind="stable")
    ordered = ranks[order]
    numbers, starts = np.unique(ordered >> _FILE_SHIFT, return_index=True)
    stops = np.append(starts, len(ordered))[1:].tolist()
    gathered = np.empty((len(ranks), *empty.shape[1:]), empty.dtype)
    for number, start, stop in zip(numbers.tolist(), starts.tolist(), stops, strict=True):
        exchange = ranking.files[number].exchange(out, which, whole=True)
        rows = (ordered[start:stop] & _ROW_MASK).astype(np.uint32)
        begin = 0
        for batch in range(len(exchange)):
            columns = exchange.read(batch)
            end = int(np.searchsorted(rows, columns["row"][-1:].max(initial=0), side="right"))
            at = np.searchsorted(columns["row"], rows[begin:end])
            gathered[order[start + begin : start + end]] = columns[column][at]
            begin = end
    return gathered


def preferences(out: str, ranking: Ranking, ranks: NDArray[np.uint64]) -> NDArray[np.float64]:
    """What `prefer` collected of these documents, in their last exchange file; 0 of those of earlier runs."""
    values = np.zeros(len(ranks))
    here = ranking.runs_of(ranks) == THIS_RUN
    values[here] = gather(out, ranking, ranks[here], -1, "value", np.zeros(0))
    return values


def starts_of(roots: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Where each cluster begins among sorted roots, and where the last ends; int64, shape (clusters + 1,)."""
    changes = np.flatnonzero(roots[1:] != roots[:-1]) + 1
    begins = [0] if len(roots) else []
    return np.concatenate([begins, changes, [len(roots)]]).astype(np.int64)


def decisions_of(
    ranking: Ranking,
    offsets: NDArray[np.int64],
    ranks: NDArray[np.uint64],
    witness: NDArray[np.uint64],
    similarity: NDArray[np.float32],
) -> Decisions:
    """The decisions about this run's documents, given clusters in the order of preference and witnesses as ranks.

    A cluster is named after its best document of this run.
    """
    here = ranking.runs_of(ranks) == THIS_RUN
    sizes = np.diff(offsets)
    best = np.zeros(len(sizes), np.int64)
    if len(ranks):
        best = offsets[:-1] + np.add.reduceat((~here).astype(np.int64), offsets[:-1])
    docs = ranking.docs(ranks)
    cluster = np.repeat(docs[np.minimum(best, offsets[1:] - 1)], sizes)
    stays = witness == STAYS
    named = np.where(stays, ranks, witness)
    return Decisions(
        docs[here],
        cluster[here],
        np.repeat(sizes, sizes)[here],
        np.where(stays, STAYS, ranking.docs(named))[here],
        similarity[here],
        np.where(stays, np.int16(THIS_RUN), ranking.runs_of(named))[here],
    )


def losses(source_names: Sequence[str], made: Decisions) -> Mapping[str, int]:
    """How many documents each source loses, of those that lose any."""
    lost = np.bincount((made.drops() >> np.uint64(56)).astype(np.int64), minlength=256)
    return {source_names[source]: int(lost[source]) for source in np.flatnonzero(lost).tolist()}
