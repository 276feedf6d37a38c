"""What a shard format is: rows of Arrow tables in, files that a trainer reads out, and back to counts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

#: Where formats that have one list all shards, relative to the output.
SHARD_INDEX = "data/index.json"


class Encoder(Protocol):
    """Texts to token ids, as shard formats need it."""

    @property
    def vocabulary(self) -> int:
        """How many ids there are: each is below it."""

    def encode(self, texts: pa.Array) -> Iterator[NDArray[np.uint32]]:
        """The ids of each text, in order."""


@dataclass(frozen=True, slots=True)
class ShardOptions:
    """How a shard is written. end_of_document: id put after each document's tokens; None for nothing."""

    compression: str
    encoder: Encoder | None = None
    end_of_document: int | None = None


@dataclass(frozen=True, slots=True)
class ShardCounts:
    """What a shard tells about itself; None for what its format does not hold.

    tokens: with those that end documents.
    """

    rows: int
    rows_by_source: dict[str, int] | None = None
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class WrittenShard:
    """A shard that is finished. files: name inside the folder, bytes and sha256 of each, the first the shard's own.
    facts: what `write` returned about it."""

    files: tuple[tuple[str, int, str], ...]
    rows: int
    facts: Mapping[str, Any]


class UnreadableShardError(Exception):
    """A shard is not of its format; the message says what was found."""


class ShardFormat(ABC):
    """A way to put the rows of a shard into files. The same rows and options give the same bytes."""

    #: Endings of a shard's files, by compression; the first file is the shard's own, others stand beside it.
    suffixes: ClassVar[Mapping[str, tuple[str, ...]]]
    #: The compression that stands where the recipe gives none.
    default_compression: ClassVar[str]
    #: What people call it, and how its own library opens a dataset, for the dataset card.
    title: ClassVar[str]
    snippet: ClassVar[str]
    #: Glob, relative to the output, by which Hugging Face datasets loads the shards; None where it cannot.
    data_files: ClassVar[str | None] = None
    needs_tokenizer: ClassVar[bool] = False
    #: Whether a shard holds tokens wherever there is a tokenizer.
    writes_tokens: ClassVar[bool] = False
    #: The most bytes of text a shard may be planned for; None for no limit.
    max_shard_bytes: ClassVar[int | None] = None

    @abstractmethod
    def write(
        self, paths: Sequence[str], schema: pa.Schema, groups: Iterable[pa.Table], options: ShardOptions
    ) -> dict[str, Any]:
        """Write one shard, atomically, to the paths of its files. Returns facts for `index`, as JSON values."""

    @abstractmethod
    def count(self, paths: Sequence[str]) -> ShardCounts:
        """Read a shard's counts from its files. Raises UnreadableShardError, FileNotFoundError, OSError."""

    def index(self, shards: Sequence[WrittenShard]) -> bytes | None:
        """Content of the file `SHARD_INDEX`, which lists all shards; None for formats without."""
        return None


def rows_by_source(column: Iterable[pa.Array]) -> dict[str, int]:
    """How often each value stands in the batches of the column `source`."""
    found: Counter[str] = Counter()
    for batch in column:
        for entry in pc.value_counts(batch):
            found[entry["values"].as_py()] += entry["counts"].as_py()
    return dict(found)
