"""What a document stage is: a batch of texts in, decision columns out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from curate.kernels import Texts

if TYPE_CHECKING:
    from curate.stages.corpus import CorpusStage


class StageConfig(BaseModel):
    """The keys every stage of a recipe may carry; each stage adds its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str | None = Field(
        default=None,
        description="Stands in the ledger and the report. Default: the kind; its second stage is `kind-2`.",
    )
    sources: tuple[str, ...] | None = Field(
        default=None, description="The sources whose documents it is shown. Default: all."
    )


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive documents of one source file.

    texts: the documents' texts; empty where a stage does not read text or a row is quarantined.
    columns: metadata columns of the source and ledger columns of earlier stages that the stage `requires`,
        each as long as the batch.
    """

    source: str
    texts: Texts
    columns: Mapping[str, pa.Array] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What a stage decided about the rows it was shown, all arrays aligned with those rows.

    rule: int16, index into the stage's `rules`, -1 where the document stays.
    value: float64, the measured value behind the drop, NaN where the document stays.
    columns: the stage's ledger columns.
    """

    rule: NDArray[np.int16]
    value: NDArray[np.float64]
    columns: Mapping[str, pa.Array] = field(default_factory=dict)


def scatter(values: pa.Array, rows: NDArray[np.int64], length: int) -> pa.Array:
    """`values` at `rows` of an array of `length`, null elsewhere."""
    places = np.full(length, -1, np.int64)
    places[rows] = np.arange(len(rows))
    return values.take(pa.array(places, mask=places < 0))


class DocumentStage(ABC):
    """A stage that decides about each document on its own.

    Instances are made once a run, travel to workers by pickle, and are called from several threads at once:
    whatever is expensive (a model) is loaded on first use and shared inside a process.
    """

    Config: ClassVar[type[StageConfig]]
    reads_text: bool = True

    #: Reasons a document can be dropped for, as they stand in the ledger: `rule` or `profile.rule`.
    rules: tuple[str, ...]
    #: Ledger columns the stage writes; null where a document was not shown to it.
    columns: pa.Schema
    #: Metadata columns of the source, or ledger columns of earlier stages, that `decide` reads.
    requires: tuple[str, ...] = ()
    #: Whether `edit` changes texts: then later stages, and the output, have what it returns.
    edits: bool = False
    #: Where it computes: cpu, gpu, or auto, a GPU if the worker has one. The run says; it is no part of
    #: `definition`.
    device: str = "auto"
    #: How many documents of each source an estimate may have it decide about.
    sample_documents: int = 2_000

    @abstractmethod
    def __init__(self, config: Any) -> None:
        """config: an instance of `Config`."""

    @abstractmethod
    def definition(self) -> dict[str, object]:
        """Everything its decisions depend on, as JSON values: resolved parameters, checksums of models."""

    @abstractmethod
    def decide(self, batch: Batch, rows: NDArray[np.int64]) -> Verdicts:
        """Verdicts for the batch's `rows` (int64, increasing, never empty): the documents still alive."""

    def measurement(self) -> dict[str, object] | None:
        """What its columns depend on, as JSON values, where `redecide` can decide from them alone; None otherwise."""
        return None

    def redecide(self, columns: Mapping[str, pa.Array]) -> Verdicts:
        """What `decide` said about some documents, from the columns that it wrote and those it `requires`.

        Asked only of stages that have a `measurement`. What `edit` does must not depend on anything else either.
        """
        raise NotImplementedError

    def corpus_part(self) -> CorpusStage | None:
        """What remains to be decided when every document has been looked at; None where nothing does."""
        return None

    def on_gpu(self) -> str | None:
        """What of its work has kernels for a GPU; None where all of it is the CPU's."""
        return None

    def on_cpu_beside_gpu(self) -> str | None:
        """Where `on_gpu` says something: what the CPU does all the same, long texts aside; None for nothing."""
        return None

    @property
    def reads_text_on_gpu(self) -> bool:
        """Whether on a GPU kernels alone read its texts, so that they need not be in the host's memory."""
        return False

    def warnings(self) -> tuple[str, ...]:
        """What a plan should say about the stage before it runs."""
        return ()

    def edit(self, texts: Texts, rows: NDArray[np.int64]) -> Texts:
        """All of `texts`, of which those at `rows` (the documents that `decide` left alive) are edited.

        What becomes of a text depends on that text and on `definition` alone: the run edits again, in the order of
        the stages, wherever the text is read again, and when the shards are written.
        """
        return texts


def edited(texts: Texts, rows: NDArray[np.int64], stages: Iterable[DocumentStage]) -> Texts:
    """All of `texts`, those at `rows` as the stages leave them, one after the other."""
    for stage in stages:
        if len(rows):
            texts = stage.edit(texts, rows)
    return texts
