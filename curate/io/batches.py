"""What reading a source gives: files, batches of raw documents, and rows that could not be read."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.kernels.texts import Texts

Format = Literal["parquet", "jsonl"]

#: Why a row could not be read.
REASONS = (
    "text_null",
    "text_not_string",
    "text_missing",
    "text_too_long",
    "invalid_utf8",
    "bad_json",
    "not_an_object",
    "corrupt_row_group",
    "corrupt_file",
    "truncated_file",
)

#: Bytes of the longest text that is read: a page of Parquet, in which shards have to write it, holds 2^31 bytes.
LONGEST_TEXT = 2_000_000_000

#: Of a row that could not be read, at most this much of its raw content is kept.
CONTENT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of a source.

    index: its place among the source's files, which are sorted by path.
    bytes: its size as stored.
    modified: when it last changed, as the file system tells: nanoseconds, or an entity tag.
    fingerprint: sha256 in hex, of a Parquet file's footer and size; of another file's size and its first and
        last 64 KiB, or, where a remote one has an entity tag or time, its size and that.
    rows: rows by the Parquet footer; None where only reading can tell.
    text_bytes_estimate: uncompressed bytes of the text column, or of the whole lines of JSONL; None: unknown.
    defect: why nothing of the file can be read; it has 0 rows then.
    types: of the metadata columns that were asked for, as batches give them; empty where there is a defect.
    """

    source: str
    index: int
    path: str
    format: Format
    bytes: int
    modified: str
    fingerprint: str
    rows: int | None
    text_bytes_estimate: int | None
    defect: str | None = None
    types: Mapping[str, pa.DataType] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class SourceColumns:
    """The columns a recipe names: text, id and metadata. `a.b` is the field b of column a, unless a column is
    called just that."""

    text: str
    id: str | None = None
    columns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BadRow:
    """What could not be read.

    row: its row; None: the file as a whole, or from the batch's `start` on.
    rows: how many rows it stands for, 0 when unknown.
    reason: one of REASONS.
    content, content_base64: the first CONTENT_BYTES of the raw row, where there is one: as text if it is
        UTF-8, else as base64.
    """

    row: int | None
    rows: int
    reason: str
    detail: str
    content: str | None = None
    content_base64: str | None = None

    @classmethod
    def of_content(cls, row: int, reason: str, detail: str, content: bytes | memoryview) -> BadRow:
        """A single bad row with its raw content."""
        head = bytes(content[:CONTENT_BYTES])
        if len(head) < len(content):
            detail = f"{detail} (content: the first {CONTENT_BYTES} of {len(content)} bytes)"
        try:
            return cls(row, 1, reason, detail, content=head.decode())
        except UnicodeDecodeError:
            return cls(row, 1, reason, detail, content_base64=base64.b64encode(head).decode())


@dataclass(frozen=True, slots=True)
class RawBatch:
    """Consecutive rows of a source file, as read.

    start: row of the first. rows: how many; also the length of every array.
    texts: string or large_string, null where the row is bad; None where text was not asked for.
    device_texts: instead of `texts`, where they were read into a device's memory; none of these rows is bad.
    ids: string; None where the source has no ids.
    columns: the metadata columns asked for.
    bad: the bad rows of this batch, in row order.
    """

    start: int
    rows: int
    texts: pa.Array | None
    ids: pa.Array | None
    columns: Mapping[str, pa.Array] = field(default_factory=dict)
    bad: tuple[BadRow, ...] = ()
    device_texts: Texts | None = None

    def __len__(self) -> int:
        return self.rows

    def slice(self, begin: int, end: int) -> RawBatch:
        """The rows `begin` to `end` (not included), counted from the batch's first row; copies nothing."""
        first, stop = self.start + begin, self.start + end
        return replace(
            self,
            start=first,
            rows=end - begin,
            texts=None if self.texts is None else self.texts.slice(begin, end - begin),
            ids=None if self.ids is None else self.ids.slice(begin, end - begin),
            columns={name: column.slice(begin, end - begin) for name, column in self.columns.items()},
            device_texts=None if self.device_texts is None else self.device_texts.part(begin, end),
            bad=tuple(bad for bad in self.bad if bad.row is not None and first <= bad.row < stop),
        )


def split(batch: RawBatch, max_documents: int, max_bytes: int) -> Iterator[RawBatch]:
    """The batch in parts of at most `max_documents` rows and `max_bytes` bytes of text (or one row)."""
    offsets = None if batch.texts is None else text_offsets(batch.texts)
    begin = 0
    while begin < len(batch):
        end = min(begin + max_documents, len(batch))
        if offsets is not None:
            fits = int(np.searchsorted(offsets, offsets[begin] + max_bytes, side="right")) - 1
            end = min(end, max(fits, begin + 1))
        yield batch.slice(begin, end)
        begin = end


def joined(batches: Iterable[RawBatch], max_documents: int, max_bytes: int) -> Iterator[RawBatch]:
    """The batches, those that follow each other as one, up to `max_documents` rows and `max_bytes` bytes of text.

    Rows are not moved between batches: one that is larger already stays as it is.
    """
    held: list[RawBatch] = []
    documents = size = 0
    for batch in batches:
        own = 0 if batch.texts is None else int(np.ptp(text_offsets(batch.texts)[[0, -1]]))
        full = documents + len(batch) > max_documents or size + own > max_bytes
        if held and (full or not len(batch) or batch.start != held[-1].start + len(held[-1])):
            yield _as_one(held)
            held, documents, size = [], 0, 0
        held.append(batch)
        documents, size = documents + len(batch), size + own
    if held:
        yield _as_one(held)


def _as_one(batches: Sequence[RawBatch]) -> RawBatch:
    first = batches[0]
    if len(batches) == 1:
        return first
    return RawBatch(
        first.start,
        sum(len(batch) for batch in batches),
        None if first.texts is None else pa.concat_arrays([batch.texts for batch in batches]),
        None if first.ids is None else pa.concat_arrays([batch.ids for batch in batches]),
        {name: pa.concat_arrays([batch.columns[name] for batch in batches]) for name in first.columns},
        tuple(bad for batch in batches for bad in batch.bad),
    )


def overlaps(ranges: Sequence[tuple[int, int]] | None, start: int, stop: int) -> list[tuple[int, int]]:
    """The parts of the rows `start` to `stop` (not included) that lie in `ranges`; all of them for None."""
    if ranges is None:
        return [(start, stop)] if start < stop else []
    cut = ((max(start, first), min(stop, last)) for first, last in ranges)
    return [(first, last) for first, last in cut if first < last]


def text_offsets(texts: pa.Array) -> NDArray[np.int64]:
    """Where each text of a string or binary array begins in its data buffer; int64, shape (rows + 1,)."""
    large = pa.types.is_large_string(texts.type) or pa.types.is_large_binary(texts.type)
    buffer = texts.buffers()[1]
    if buffer is None or len(texts) == 0:
        return np.zeros(len(texts) + 1, np.int64)
    offsets = np.frombuffer(buffer, np.int64 if large else np.int32)
    return offsets[texts.offset : texts.offset + len(texts) + 1].astype(np.int64, copy=False)
