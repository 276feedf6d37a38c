"""The texts of documents in clusters, read again so that their similarity can be measured exactly.

Each source file's task reads the rows that are in a cluster and writes their texts, normalised, to a file that the
tasks that decide map into memory. So memory is bounded by a batch here and by the system's page cache there, and disk
holds the texts of documents in clusters once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.dedup.normalize import NormalizeStep, normalize
from curate.dedup.survivors import TextPlaces
from curate.engines.task import Facts
from curate.io.changes import ensure_unchanged
from curate.io.exchange import ExchangeFile, write_arrays
from curate.io.files import join
from curate.io.row_ranges import row_ranges
from curate.io.sources import SourceColumns, SourceFile, read_batches
from curate.kernels import Texts
from curate.memory import Memory
from curate.stages.base import DocumentStage, edited

_DOCUMENTS_A_BATCH = 16_384
_COPIED_BYTES = 16 << 10


@dataclass(frozen=True, slots=True)
class TextArguments:
    """members: the file that holds the sorted ranks of all documents in clusters. number: of the file in the ranking.
    texts, places: what is written."""

    file: SourceFile
    columns: SourceColumns
    edits: tuple[DocumentStage, ...]
    steps: tuple[NormalizeStep, ...]
    members: str
    number: int
    memory: Memory
    texts: str
    places: str


def read_texts(out: str, arguments: TextArguments) -> Facts:
    """Write the texts of one source file's documents that are in a cluster, and where each is."""
    ensure_unchanged(arguments.file)
    rows = member_rows(out, arguments.members, arguments.number)
    places = _Places()
    write_arrays(join(out, arguments.texts), places.gathered(_texts(arguments, rows)), {})
    write_arrays(join(out, arguments.places), [places.arrays()], {})
    return {"documents": len(rows), "bytes": places.bytes}


def member_rows(out: str, members: str, number: int) -> NDArray[np.int64]:
    """Rows of the ranking's file `number` that are in a cluster, increasing."""
    ranks = ExchangeFile(join(out, members), whole=True).read(0)["rank"]
    low, high = np.searchsorted(ranks, np.array([number << 32, number + 1 << 32], np.uint64))
    found: NDArray[np.int64] = (ranks[low:high] & np.uint64(0xFFFFFFFF)).astype(np.int64)
    return found


def _texts(arguments: TextArguments, rows: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], Texts]]:
    """Rows and their texts, a batch at a time."""
    batches = read_batches(
        arguments.file,
        arguments.columns,
        text=True,
        max_documents=_DOCUMENTS_A_BATCH,
        max_bytes=arguments.memory.batch,
        rows=row_ranges(rows),
    )
    for batch in batches:
        low, high = np.searchsorted(rows, [batch.start, batch.start + len(batch)])
        wanted = rows[low:high]
        if batch.texts is not None and len(wanted):
            texts = Texts.from_arrow(batch.texts.take(pa.array(wanted - batch.start)))
            every = np.arange(len(texts))
            yield wanted, normalize(edited(texts, every, arguments.edits), every, arguments.steps)


class _Places:
    """Where each text stands in the record batches that are written."""

    def __init__(self) -> None:
        self.bytes = 0
        self._buffers = 0
        self._rows: list[NDArray[np.uint32]] = [np.zeros(0, np.uint32)]
        self._columns: list[tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.int64]]] = []

    def gathered(
        self, batches: Iterator[tuple[NDArray[np.int64], Texts]]
    ) -> Iterator[dict[str, NDArray[np.uint8]]]:
        for rows, texts in batches:
            self._rows.append(rows.astype(np.uint32))
            buffer = np.full(len(rows), self._buffers, np.uint32)
            self._columns.append((buffer, texts.offsets[:-1], texts.offsets[1:]))
            self._buffers += 1
            self.bytes += int(texts.offsets[-1])
            yield {"byte": texts.data[: texts.offsets[-1]]}

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        empty = (np.zeros(0, np.uint32), np.zeros(0, np.int64), np.zeros(0, np.int64))
        parts = zip(empty, *self._columns, strict=True)
        buffer, start, stop = (np.concatenate(arrays) for arrays in parts)
        return {"row": np.concatenate(self._rows), "buffer": buffer, "start": start, "stop": stop}


def text_places(out: str, files: Sequence[tuple[int, str, str]], ranks: NDArray[np.uint64]) -> TextPlaces:
    """The places of the texts of `ranks`; files: number in the ranking, texts, places. Only mapped, not read, but for
    small texts: a process may have 65,530 maps."""
    buffers: list[NDArray[np.uint8]] = []
    buffer = np.zeros(len(ranks), np.uint32)
    start, stop = np.zeros(len(ranks), np.int64), np.zeros(len(ranks), np.int64)
    paths = {number: (texts, places) for number, texts, places in files}
    order = np.argsort(ranks)
    numbers, begins = np.unique(ranks[order] >> np.uint64(32), return_index=True)
    for number, mine in zip(numbers.tolist(), np.split(order, begins)[1:], strict=True):
        if number not in paths:
            continue
        texts, places = paths[number]
        found = ExchangeFile(join(out, places), whole=True).read(0)
        at = np.searchsorted(found["row"], (ranks[mine] & np.uint64(0xFFFFFFFF)).astype(np.uint32))
        buffer[mine] = found["buffer"][at] + np.uint32(len(buffers))
        start[mine], stop[mine] = found["start"][at], found["stop"][at]
        held = ExchangeFile(join(out, texts), whole=True)
        parts = [held.read(batch)["byte"] for batch in range(len(held))]
        small = sum(part.nbytes for part in parts) < _COPIED_BYTES
        buffers += [part.copy() for part in parts] if small else parts
    return TextPlaces(buffers, buffer, start, stop)
