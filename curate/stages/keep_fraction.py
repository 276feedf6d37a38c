"""The corpus part of `quality` with `keep_fraction`: the documents of the best scores stay, as many as asked, exactly.

The document part writes the scores into the pass's layer; here they are collected as (row, rank of the score) of 8
bytes a document. One task finds the least score that stays by two counts over all of them: of the upper 16 bits of the
rank, then of the lower ones within the place found (1 MB of memory, whatever the corpus). Of documents with that very
score those at the front of the corpus stay. So the number that stays is exact, and nothing depends on files, batches
or workers.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from curate.engines.task import Facts, Pass, Receipt, Task, fingerprint
from curate.io.exchange import ExchangeFile, write_arrays
from curate.io.files import join
from curate.memory import Memory
from curate.stages.against import EarlierRun
from curate.stages.base import Batch, StageConfig
from curate.stages.corpus import Collected, CorpusStage, Cuts

#: A task that compares scores with the cut takes so many documents, and this much of each.
DOCUMENTS_A_TASK, BYTES_A_DOCUMENT = 16_000_000, 50


class KeepFractionConfig(StageConfig):
    """What the stage `quality` passes on."""

    column: str = Field(description="ledger column that holds the score")
    fraction: float = Field(gt=0, lt=1, description="share of the documents to keep")


def ranks_of(scores: NDArray[np.float32]) -> NDArray[np.uint32]:
    """Whole numbers in the order of the scores (no NaN among them); -0 and 0 are one."""
    bits = (scores + np.float32(0)).view(np.uint32)
    ranks: NDArray[np.uint32] = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))
    return ranks


def scores_of(ranks: NDArray[np.uint32]) -> NDArray[np.float32]:
    """The inverse of `ranks_of`."""
    bits = np.where(ranks >> 31, ranks & np.uint32(0x7FFFFFFF), ~ranks)
    return bits.view(np.float32)


class ScoreCollector:
    """Collects (row, rank of the score)."""

    def __init__(self, column: str) -> None:
        self._column = column
        self._rows: list[NDArray[np.uint32]] = []
        self._ranks: list[NDArray[np.uint32]] = []

    def add(self, batch: Batch, rows: NDArray[np.int64], first_row: int) -> None:
        scores = batch.columns[self._column].take(pa.array(rows)).to_numpy(zero_copy_only=False)
        self._rows.append((rows + first_row).astype(np.uint32))
        self._ranks.append(ranks_of(scores.astype(np.float32)))

    def adopt(self, paths: Sequence[str], stays: NDArray[np.bool_]) -> None:
        with ExchangeFile(paths[0]) as file:
            earlier = file.read(0)
        kept = stays[earlier["row"]]
        self._rows.append(earlier["row"][kept])
        self._ranks.append(earlier["rank"][kept])

    def write(self, paths: Sequence[str]) -> None:
        nothing = np.zeros(0, np.uint32)
        rows = np.concatenate([nothing, *self._rows])
        order = np.argsort(rows, kind="stable")
        ranks = np.concatenate([nothing, *self._ranks])
        write_arrays(paths[0], [{"row": rows[order], "rank": ranks[order]}], {})


class KeepFraction(CorpusStage):
    """Drops by `quality.keep_fraction` all but the best scored; the value is the score."""

    Config: ClassVar[type[StageConfig]] = KeepFractionConfig
    reads_text = False
    exchange_suffixes = ("scores.arrow",)
    rule = "quality.keep_fraction"

    def __init__(self, config: KeepFractionConfig) -> None:
        self.config = config
        self.requires = (config.column,)

    @property
    def columns(self) -> pa.Schema:
        return pa.schema([])

    def definition(self) -> dict[str, object]:
        return {"column": self.config.column, "keep_fraction": self.config.fraction}

    def collection(self) -> dict[str, object]:
        return {"column": self.config.column}

    def collector(self, memory: Memory) -> ScoreCollector:
        return ScoreCollector(self.config.column)

    def earlier_runs(self) -> tuple[EarlierRun, ...]:
        return ()

    def passes(self, name: str, collected: Collected) -> Generator[Pass, list[Receipt], tuple[str, ...]]:
        files = tuple(sorted((file.base, file.paths[0]) for file in collected.files))
        inputs = {f"stage {name}": fingerprint(self.definition()), "scores": collected.fingerprint}
        path = f"run/decisions/{name}/cut.arrow"
        arguments = FindCut(files, self.config.fraction, path)
        yield Pass(f"{name}-cut", (Task(f"{name}/cut", find_cut, arguments, inputs, (path,)),))
        documents = sum(collected.documents.values())
        tasks, paths = [], []
        for number, part in enumerate(_parts(files, documents, collected.memory)):
            decisions = f"run/decisions/{name}/{number:04d}.arrow"
            apply = ApplyCut(part, path, decisions)
            tasks.append(Task(f"{name}/{number:04d}", apply_cut, apply, inputs, (decisions,)))
            paths.append(decisions)
        yield Pass(name, tuple(tasks))
        return tuple(paths)


Files = tuple[tuple[int, str], ...]


@dataclass(frozen=True, slots=True)
class FindCut:
    """files: base and scores of each source file, in the order of the corpus. cut: where the result goes."""

    files: Files
    fraction: float
    cut: str


def find_cut(out: str, arguments: FindCut) -> Facts:
    """Find the last document that stays, by score and then by place."""
    upper = _counts(out, arguments.files, lambda ranks: ranks >> 16)
    documents = int(upper.sum())
    stay = int(documents * arguments.fraction + 0.5)
    place, above = _place(upper, stay)
    lower = _counts(out, arguments.files, lambda ranks: ranks[ranks >> 16 == place] & 0xFFFF)
    low, more = _place(lower, stay - above)
    rank = np.uint32(place << 16 | low)
    last = _last_tie(out, arguments.files, rank, stay - above - more)
    write_arrays(
        join(out, arguments.cut),
        [{"rank": np.array([rank], np.uint32), "last": np.array([last], np.uint64)}],
        {},
    )
    least = float(scores_of(np.array([rank]))[0]) if stay else None
    return {"documents": documents, "kept": stay, "least_score": least}


@dataclass(frozen=True, slots=True)
class ApplyCut:
    files: Files
    cut: str
    decisions: str


def apply_cut(out: str, arguments: ApplyCut) -> Facts:
    """Write which documents of some files are beyond the cut."""
    with ExchangeFile(join(out, arguments.cut)) as file:
        cut = file.read(0)
    rank, last = cut["rank"][0], cut["last"][0]
    docs, values = [np.zeros(0, np.uint64)], [np.zeros(0, np.float64)]
    for base, path in arguments.files:
        found = _read(out, path)
        doc = np.uint64(base) + found["row"].astype(np.uint64)
        goes = (found["rank"] < rank) | ((found["rank"] == rank) & (doc > last))
        docs.append(doc[goes])
        values.append(scores_of(found["rank"][goes]).astype(np.float64))
    made = Cuts(np.concatenate(docs), np.concatenate(values))
    made.write(join(out, arguments.decisions))
    return {"dropped": len(made.doc)}


def _counts(out: str, files: Files, of: Callable[[NDArray[np.uint32]], NDArray[Any]]) -> NDArray[np.int64]:
    """How often each of 65,536 values occurs among what `of` makes of the ranks."""
    total = np.zeros(1 << 16, np.int64)
    for _, path in files:
        total += np.bincount(of(_read(out, path)["rank"]), minlength=1 << 16)
    return total


def _place(counts: NDArray[np.int64], stay: int) -> tuple[int, int]:
    """The place of the last one that stays, counted from the greatest, and how many stand above that place.

    Where none stays, the place above all others that is counted.
    """
    from_above = np.cumsum(counts[::-1])
    found = min(int(np.searchsorted(from_above, stay)), len(counts) - 1)
    place = len(counts) - 1 - found
    return place, int(from_above[found] - counts[place])


def _last_tie(out: str, files: Files, rank: np.uint32, ties: int) -> int:
    """`doc` of the last of the documents of that rank that stays, when `ties` of them do; 0 where none does."""
    for base, path in files:
        found = _read(out, path)
        rows = found["row"][found["rank"] == rank]
        if 0 < ties <= len(rows):
            return base + int(rows[ties - 1])
        ties -= len(rows)
    return 0


def _read(out: str, path: str) -> dict[str, NDArray[np.uint32]]:
    with ExchangeFile(join(out, path), whole=True) as file:
        return file.read(0)


def _parts(files: Files, documents: int, memory: Memory) -> list[Files]:
    """The files in runs of as many documents as a task takes, if files are of a size; at least one run."""
    a_task = memory.documents(BYTES_A_DOCUMENT, DOCUMENTS_A_TASK)
    count = max(1, min(len(files), -(-documents // a_task)))
    edges = [len(files) * part // count for part in range(count + 1)]
    return [files[start:stop] for start, stop in itertools.pairwise(edges)]
