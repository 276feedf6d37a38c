"""Parquet files as documents.

A row group is read whole, only its needed columns; one whose needed columns take more than WHOLE_GROUP_BYTES
uncompressed, or eight batches, is streamed, after a first pass over it that only checks it, so that a row group is
read, or bad, as a whole, whatever the batch size. Streaming holds a few pages of each column and what was decoded since
the last batch; a page is at least a text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curate.io.batches import BadRow, RawBatch, SourceColumns, SourceFile, overlaps, split
from curate.io.files import source_errors
from curate.io.filesystems import Stat, local_path
from curate.io.footers import Footer, read_footer
from curate.io.parquet_columns import Selection, select
from curate.io.remote import RangedFile

WHOLE_GROUP_BYTES = 256 << 20
#: A row group below this is not streamed even where batches are small: that would decode it twice for nothing.
_WORTH_STREAMING = 8 << 20
#: Rows of a streamed row group decoded at once: about this many bytes, if they are of like length. Texts hundreds of
#: times as long as others stand together in some files, so this is a small part of a batch.
_PIECE_BYTES = 32 << 10
#: What is read of a column chunk at a time.
_BUFFER_BYTES = 1 << 20


def inspect(source: str, index: int, path: str, stat: Stat, columns: SourceColumns) -> SourceFile:
    """What the footer tells of the file at `path`; SourceError as `list_files` says."""
    with source_errors(path):
        footer = read_footer(path, stat.bytes)
    rows, text_bytes, types = 0, 0, {}
    if footer.metadata is not None:
        types = select(path, footer.schema, columns, text=True).types
        rows = footer.metadata.num_rows
        text_bytes = sum(
            _group_bytes(footer.metadata, group, [columns.text])
            for group in range(footer.metadata.num_row_groups)
        )
    return SourceFile(
        source,
        index,
        path,
        "parquet",
        footer.file_bytes,
        stat.modified,
        footer.fingerprint,
        rows,
        text_bytes,
        footer.defect,
        types,
    )


def read(
    file: SourceFile,
    columns: SourceColumns,
    text: bool,
    max_documents: int,
    max_bytes: int,
    rows: Sequence[tuple[int, int]] | None,
) -> Iterator[RawBatch]:
    """See `curate.io.sources.read_batches`."""
    with source_errors(file.path):
        footer = read_footer(file.path, file.bytes)
    if footer.metadata is None:
        if rows is None or rows:
            bad = BadRow(None, 0, footer.defect_reason, footer.defect or "")
            yield RawBatch(0, 0, None, None, bad=(bad,))
        return
    selection = select(file.path, footer.schema, columns, text)
    with _Groups(file.path, footer, selection) as groups:
        start = 0
        metadata: pq.FileMetaData = footer.metadata
        for group in range(metadata.num_row_groups):
            stop = start + metadata.row_group(group).num_rows
            wanted = overlaps(rows, start, stop)
            if wanted:
                for batch in groups.read(group, start, wanted, max_bytes):
                    yield from split(batch, max_documents, max_bytes)
            start = stop


class _Groups:
    """The row groups of an open file."""

    def __init__(self, path: str, footer: Footer, selection: Selection) -> None:
        self._path = path
        self._metadata: pq.FileMetaData = footer.metadata
        self._selection = selection
        self._local = local_path(path)
        self._file = self._opened(pre_buffer=self._local is None, buffer_size=0)
        self._streaming: pq.ParquetFile | None = None

    def _opened(self, **how: Any) -> pq.ParquetFile:
        with source_errors(self._path):
            local = self._local
            source = pa.OSFile(str(local)) if local else pa.PythonFile(RangedFile(self._path), mode="r")
            return pq.ParquetFile(source, metadata=self._metadata, page_checksum_verification=True, **how)

    def __enter__(self) -> _Groups:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close(force=True)
        if self._streaming is not None:
            self._streaming.close(force=True)

    def read(
        self, group: int, start: int, wanted: Sequence[tuple[int, int]], max_bytes: int
    ) -> Iterator[RawBatch]:
        """Batches of the rows `wanted` (row ranges of the file) of a row group whose first row is `start`."""
        if not self._selection.names:
            yield from (RawBatch(first, last - first, None, None) for first, last in wanted)
            return
        try:
            pieces = self._pieces(group, max_bytes)
        except (OSError, pa.ArrowException) as error:
            # The disk or the connection failed, not the data: of the latter Arrow complains without a number.
            if isinstance(error, OSError) and error.errno:
                with source_errors(self._path):
                    raise
            detail = f"row group {group} cannot be read: {error}"
            for first, last in wanted:
                bad = BadRow(first, last - first, "corrupt_row_group", detail)
                yield self._selection.unreadable(first, last - first, bad)
            return
        for piece in pieces:
            stop = start + piece.num_rows
            for first, last in overlaps(wanted, start, stop):
                yield self._selection.batch(first, piece.slice(first - start, last - first))
            start = stop

    def _pieces(self, group: int, max_bytes: int) -> Iterator[pa.RecordBatch]:
        rows = self._metadata.row_group(group).num_rows
        size = _group_bytes(self._metadata, group, self._selection.names)
        if size <= min(WHOLE_GROUP_BYTES, max(_WORTH_STREAMING, 8 * max_bytes)):
            table = self._file.read_row_group(group, columns=self._selection.names, use_threads=False)
            _check_rows(rows, table.num_rows)
            return iter(table.to_batches())
        _check_rows(rows, sum(piece.num_rows for piece in self._stream(group, rows, size)))
        return _gathered(self._stream(group, rows, size), min(max_bytes, WHOLE_GROUP_BYTES))

    def _stream(self, group: int, rows: int, size: int) -> Iterator[pa.RecordBatch]:
        piece_rows = max(1, rows * _PIECE_BYTES // size)
        if self._streaming is None:
            # Without buffers Arrow reads the whole column chunk first.
            self._streaming = self._opened(pre_buffer=False, buffer_size=_BUFFER_BYTES)
        return iter(
            self._streaming.iter_batches(
                piece_rows, row_groups=[group], columns=self._selection.names, use_threads=False
            )
        )


def _gathered(pieces: Iterable[pa.RecordBatch], least: int) -> Iterator[pa.RecordBatch]:
    """The pieces, joined until they have `least` bytes."""
    held: list[pa.RecordBatch] = []
    size = 0
    for piece in pieces:
        if held and size + piece.nbytes > least:
            yield _joined(held)
            held, size = [], 0
        held.append(piece)
        size += piece.nbytes
    if held:
        yield _joined(held)


def _joined(pieces: Sequence[pa.RecordBatch]) -> pa.RecordBatch:
    return pieces[0] if len(pieces) == 1 else pa.concat_batches(pieces)


def _check_rows(expected: int, found: int) -> None:
    if found != expected:
        raise pa.ArrowInvalid(f"{found} rows where the footer says {expected}")


def _group_bytes(metadata: pq.FileMetaData, group: int, names: Sequence[str]) -> int:
    """Uncompressed bytes of the columns `names` of a row group."""
    row_group = metadata.row_group(group)
    chunks = (row_group.column(i) for i in range(row_group.num_columns))
    prefixes = tuple(f"{name}." for name in names)
    return sum(
        chunk.total_uncompressed_size
        for chunk in chunks
        if chunk.path_in_schema in names or chunk.path_in_schema.startswith(prefixes)
    )
