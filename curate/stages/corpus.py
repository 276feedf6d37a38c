"""What a corpus stage is: it collects columns while texts pass by, then decides over the whole corpus.

The text part runs inside a document pass (`collector`); what it collects goes to exchange files, one set a source
file. The corpus part (`passes`) yields passes of tasks over those exchange files and ends with decision files.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.dedup.survivors import STAYS
from curate.engines.task import Pass, Receipt
from curate.io.exchange import ExchangeFile, write_arrays
from curate.io.sources import SourceColumns, SourceFile
from curate.memory import DEFAULT, Memory
from curate.stages.against import EarlierRun
from curate.stages.base import Batch, DocumentStage, StageConfig


class Collector(Protocol):
    """Gathers a corpus stage's exchange columns from the batches of one source file."""

    def add(self, batch: Batch, rows: NDArray[np.int64], first_row: int) -> None:
        """Take the batch's `rows` that are alive; the batch begins at row `first_row` of its file."""

    def adopt(self, paths: Sequence[str], stays: NDArray[np.bool_]) -> None:
        """Take what a collector of this file wrote there, of the rows that stay; bool, shape (rows in the file,)."""

    def write(self, paths: Sequence[str]) -> None:
        """Write the exchange files, sorted, independent of how the file was cut into batches."""


@dataclass(frozen=True, slots=True)
class CollectedFile:
    """What one source file gave to a corpus stage.

    base: `doc` of the file's row 0. paths: exchange files relative to OUT, in the order of `exchange_suffixes`.
    sha256: of each of them. file, columns, edits: the source file, its columns, and the stages that edit its texts, for
    a stage that reads texts again.
    """

    base: int
    paths: tuple[str, ...]
    sha256: tuple[str, ...]
    file: SourceFile
    columns: SourceColumns
    edits: tuple[DocumentStage, ...]


@dataclass(frozen=True, slots=True)
class Collected:
    """What a corpus stage works on.

    source_names: all sources of the recipe, in order; `doc >> 56` indexes it.
    documents: how many documents were collected from each source.
    fingerprint: of the contents of all exchange files.
    dropped: decision files of corpus stages since the texts were read; what they dropped no longer counts.
    dropped_fingerprint: of their contents.
    memory: what a task of the stage may take.
    """

    source_names: tuple[str, ...]
    files: tuple[CollectedFile, ...]
    documents: dict[str, int]
    fingerprint: str
    dropped: tuple[str, ...] = ()
    dropped_fingerprint: str = ""
    memory: Memory = DEFAULT


class CorpusStage(ABC):
    """A stage that decides about documents by looking at all of them."""

    Config: ClassVar[type[StageConfig]]

    #: Whether `collector` reads the text.
    reads_text: bool = True
    #: Whether `passes` reads the text of documents of clusters again.
    rereads_text: bool = False
    #: Ending of each exchange file the collector writes for a source file.
    exchange_suffixes: tuple[str, ...]
    #: The reason a document is dropped for.
    rule: str
    #: Metadata columns of the source, or ledger columns, that `collector` reads.
    requires: tuple[str, ...] = ()
    #: Paths of the earlier runs whose documents count.
    against: tuple[str, ...] = ()
    #: Where its kernels run, as `DocumentStage.device`.
    device: str = "auto"

    @property
    def columns(self) -> pa.Schema:
        """The ledger columns the stage writes."""
        return ledger_columns(earlier=bool(self.against))

    @abstractmethod
    def __init__(self, config: Any) -> None:
        """config: an instance of `Config`."""

    @abstractmethod
    def definition(self) -> dict[str, object]:
        """Everything its decisions depend on, as JSON values."""

    @abstractmethod
    def collection(self) -> dict[str, object]:
        """The part of `definition` that the exchange files depend on."""

    @abstractmethod
    def collector(self, memory: Memory) -> Collector:
        """What gathers from one source file, and moves what does not fit into `memory` to a temporary file."""

    def on_gpu(self) -> str | None:
        """As `DocumentStage.on_gpu`."""
        return None

    def on_cpu_beside_gpu(self) -> str | None:
        """As `DocumentStage.on_cpu_beside_gpu`."""
        return None

    @property
    def reads_text_on_gpu(self) -> bool:
        """As `DocumentStage.reads_text_on_gpu`, of what `collector` makes."""
        return False

    @abstractmethod
    def earlier_runs(self) -> tuple[EarlierRun, ...]:
        """What the runs of `against` collected. Raises SourceError where one cannot be compared with."""

    @abstractmethod
    def passes(self, name: str, collected: Collected) -> Generator[Pass, list[Receipt], tuple[str, ...]]:
        """Yield passes, receive their receipts, return the paths of the decision files relative to OUT."""


@dataclass(frozen=True, slots=True)
class Decisions:
    """A corpus stage's decisions, sorted by `doc`; documents without a row stay.

    doc, cluster: uint64. cluster_size: int64. duplicate_of: uint64, `STAYS` where the document stays.
    similarity: float32, NaN where the document stays or nothing was measured. duplicate_in: int16, the number of the
    earlier run that `duplicate_of` is of, -1 for this run.
    """

    doc: NDArray[np.uint64]
    cluster: NDArray[np.uint64]
    cluster_size: NDArray[np.int64]
    duplicate_of: NDArray[np.uint64]
    similarity: NDArray[np.float32]
    duplicate_in: NDArray[np.int16]

    def write(self, path: str) -> None:
        order = np.argsort(self.doc, kind="stable")
        columns = {field: getattr(self, field)[order] for field in self.__slots__}
        write_arrays(path, [columns], {})

    def between(self, low: int, high: int) -> Decisions:
        """The rows with low <= doc < high."""
        start, stop = np.searchsorted(self.doc, np.array([low, min(high, (1 << 64) - 1)], np.uint64))
        return Decisions(*(getattr(self, field)[start:stop] for field in self.__slots__))

    def drops(self) -> NDArray[np.uint64]:
        dropped: NDArray[np.uint64] = self.doc[self.duplicate_of != STAYS]
        return dropped


@dataclass(frozen=True, slots=True)
class Cuts:
    """Documents that a corpus stage drops by a value of their own, with no witness, sorted by `doc`.

    doc: uint64. value: float64, what they were dropped for.
    """

    doc: NDArray[np.uint64]
    value: NDArray[np.float64]

    def write(self, path: str) -> None:
        write_arrays(path, [{"doc": self.doc, "value": self.value}], {})

    def between(self, low: int, high: int) -> Cuts:
        """The rows with low <= doc < high."""
        start, stop = np.searchsorted(self.doc, np.array([low, min(high, (1 << 64) - 1)], np.uint64))
        return Cuts(self.doc[start:stop], self.value[start:stop])

    def drops(self) -> NDArray[np.uint64]:
        return self.doc


def read_decisions(path: str, sha256: str = "") -> Decisions | Cuts:
    """A decision file of either kind. sha256: of the file, where it is known."""
    columns = ExchangeFile(path, whole=True, sha256=sha256).read(0)
    return Cuts(**columns) if set(columns) == set(Cuts.__slots__) else Decisions(**columns)


def drops_in_file(decisions: Sequence[Decisions | Cuts], base: int) -> NDArray[np.uint64]:
    """The documents of one source file that the decisions drop, sorted. base: `doc` of its row 0."""
    parts = [part.between(base, base + (1 << 32)).drops() for part in decisions]
    return np.sort(np.concatenate(parts)) if parts else np.zeros(0, np.uint64)


def not_in(docs: NDArray[np.uint64], dropped: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which of `docs` are not in the sorted array `dropped`."""
    if not len(dropped):
        return np.ones(len(docs), np.bool_)
    places = np.minimum(np.searchsorted(dropped, docs), len(dropped) - 1)
    absent: NDArray[np.bool_] = dropped[places] != docs
    return absent


def ledger_columns(earlier: bool) -> pa.Schema:
    """The ledger columns that a corpus stage writes; `earlier`: one that looks at earlier runs."""
    return pa.schema(
        [
            ("cluster", pa.uint64()),
            ("cluster_size", pa.int64()),
            ("duplicate_of", pa.uint64()),
            *([("duplicate_in", pa.string())] if earlier else []),
            ("similarity", pa.float32()),
        ]
    )
