"""Texts of local Parquet files, read and unpacked by cudf in a GPU's memory, where kernels find them.

Ids and metadata are read by Arrow as ever, and so is the text wherever anything is unusual about it: `curate.io` says
what is wrong with a row in one way only. What a reader of batches sees of bad rows, and the rows it sees, are the same.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curate.errors import EngineError, Problem
from curate.io import parquet_source
from curate.io.batches import LONGEST_TEXT, RawBatch, SourceColumns, SourceFile, joined, overlaps
from curate.io.files import source_errors
from curate.io.filesystems import local_path
from curate.io.footers import read_footer
from curate.io.page_headers import has_checksum
from curate.io.sources import read_batches
from curate.kernels.interface import TextMemory

_UNBOUNDED = 1 << 62
#: Rows of a column of cudf's, whose sizes are 32-bit.
_MOST_ROWS = (1 << 31) - 2


def installed() -> bool:
    """Whether cudf can be asked: pylibcudf, its lower part, is what is used of it."""
    return importlib.util.find_spec("pylibcudf") is not None


@dataclass(frozen=True, slots=True)
class Groups:
    """Row groups that follow each other: the first, the one after the last, and their rows in the file."""

    first: int
    end: int
    start: int
    stop: int


def read(
    file: SourceFile,
    columns: SourceColumns,
    memory: TextMemory,
    max_documents: int,
    max_bytes: int,
    rows: Sequence[tuple[int, int]] | None,
) -> Iterator[RawBatch]:
    """The documents of a file as `curate.io.sources.read_batches` has them, but whole row groups: those of which none
    of `rows` is wanted are left out, and batches may hold other rows beside the wanted ones.

    A batch has its texts as `device_texts`, or, where the host reads them, as `texts`. The host reads a file that is
    remote, not Parquet, without a valid footer or with checksums of its pages (which cudf does not verify), or whose
    text is a field of a struct; and row groups whose text takes more than a batch, that have a bad row, that
    cudf cannot read, or beside which the GPU has no memory left.
    """
    bounds = (max_documents, max_bytes)
    with source_errors(file.path):
        reader = _Reader.of(file, columns, memory)
    if reader is None:
        yield from _on_host(file, columns, bounds, rows)
        return
    for groups, fits in _runs(reader.metadata, reader.column, rows, max_documents, max_bytes):
        found = reader.read(groups, max_bytes) if fits else None
        for part in [groups] if found is None else _stretches(reader.metadata, groups, found.broken):
            begin, end = part.start - groups.start, part.stop - groups.start
            if found is None or found.broken[begin:end].any():
                yield from _on_host(file, columns, bounds, overlaps(rows, part.start, part.stop))
            else:
                yield found.batch.slice(begin, end)


def _on_host(
    file: SourceFile, columns: SourceColumns, bounds: tuple[int, int], rows: Sequence[tuple[int, int]] | None
) -> Iterator[RawBatch]:
    most, size = bounds
    batches = read_batches(file, columns, text=True, max_documents=most, max_bytes=size, rows=rows)
    yield from joined(batches, most, size)


def _runs(
    metadata: pq.FileMetaData,
    column: int,
    rows: Sequence[tuple[int, int]] | None,
    max_documents: int,
    max_bytes: int,
) -> Iterator[tuple[Groups, bool]]:
    """Row groups with wanted rows, as many together as fit a batch, and whether they fit."""
    start = 0
    held: Groups | None = None
    size = 0
    for group in range(metadata.num_row_groups):
        part = metadata.row_group(group)
        stop = start + part.num_rows
        own = part.column(column).total_uncompressed_size
        if overlaps(rows, start, stop):
            most = size + own <= max_bytes and stop - (held.start if held else start) <= max_documents
            if held and (held.end != group or not most):
                yield held, True
                held, size = None, 0
            if own > max_bytes or part.num_rows > min(max_documents, _MOST_ROWS):
                yield Groups(group, group + 1, start, stop), False
            else:
                held = Groups(held.first if held else group, group + 1, held.start if held else start, stop)
                size += own
        start = stop
    if held:
        yield held, True


def _stretches(metadata: pq.FileMetaData, groups: Groups, broken: NDArray[np.bool_]) -> Iterator[Groups]:
    """The row groups, those without a broken row together, and those with one."""
    start, held = groups.start, None
    for group in range(groups.first, groups.end):
        stop = start + metadata.row_group(group).num_rows
        own = Groups(group, group + 1, start, stop)
        is_broken = bool(broken[start - groups.start : stop - groups.start].any())
        if held and is_broken == held[1]:
            own = Groups(held[0].first, own.end, held[0].start, own.stop)
        elif held:
            yield held[0]
        held, start = (own, is_broken), stop
    if held:
        yield held[0]


@dataclass(frozen=True, slots=True)
class _Found:
    """Documents with their texts on the device, and which of them the host has to look at; bool, shape (rows,)."""

    batch: RawBatch
    broken: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads row groups of one file. column: the place of the text among the file's columns."""

    file: SourceFile
    columns: SourceColumns
    memory: TextMemory
    metadata: pq.FileMetaData
    column: int
    path: str
    cudf: Any
    stream: Any

    @classmethod
    def of(cls, file: SourceFile, columns: SourceColumns, memory: TextMemory) -> _Reader | None:
        """None where the host reads the file."""
        path = local_path(file.path)
        if file.format != "parquet" or path is None:
            return None
        footer = read_footer(file.path, file.bytes)
        if footer.metadata is None or footer.metadata.num_row_groups == 0:
            return None
        place = _place(footer.metadata, columns.text)
        if place is None or has_checksum(path, footer.metadata.row_group(0).column(place)):
            return None
        cudf = _imported("pylibcudf")
        stream = memory.reading_stream
        if stream is not None:
            stream = _imported("rmm.pylibrmm.stream").Stream(stream)
        return cls(file, columns, memory, footer.metadata, place, str(path), cudf, stream)

    def read(self, groups: Groups, max_bytes: int) -> _Found | None:
        """The documents of these row groups; None where the host has to read them all."""
        beside = self._beside(groups)
        column = self._text_column(groups, max_bytes)
        if beside is None or column is None or column.size() != len(beside):
            return None
        kinds: dict[Any, type[np.signedinteger[Any]]] = {
            self.cudf.TypeId.INT32: np.int32,
            self.cudf.TypeId.INT64: np.int64,
        }
        offsets = column.child(0)
        width = kinds[offsets.type().id()]
        first = offsets.data().ptr + (offsets.offset() + column.offset()) * np.dtype(width).itemsize
        chars = column.data()
        try:
            texts = self.memory.adopted(chars.ptr if chars else 0, first, width, column.size(), column)
            broken = self._nulls(column) | (texts.sizes > LONGEST_TEXT) | ~self.memory.utf8_valid(texts)
        except MemoryError:  # the column took what there was
            return None
        return _Found(replace(beside, device_texts=texts), broken)

    def _nulls(self, column: Any) -> NDArray[np.bool_]:
        """Which rows of the column are null: their bits are not set, the first of a byte being its lowest."""
        count, first = column.size(), column.offset()
        if not column.null_count():
            return np.zeros(count, np.bool_)
        bits = self.memory.fetched(column.null_mask().ptr, -(-(first + count) // 8), column)
        valid = np.unpackbits(bits, bitorder="little")[first : first + count].astype(np.bool_)
        return ~valid

    def _text_column(self, groups: Groups, max_bytes: int) -> Any:
        """The texts as a column of cudf's, strings; None where they are more than a batch, as those of a
        dictionary can be, or cannot be read."""
        parquet = self.cudf.io.parquet
        options = parquet.ParquetReaderOptions.builder(self.cudf.io.SourceInfo([self.path])).build()
        # cudf 26 renamed it.
        named = getattr(options, "set_column_names", None) or options.set_columns
        named([self.columns.text])
        options.set_row_groups([list(range(groups.first, groups.end))])
        # Offsets and validity count too.
        limit = max_bytes + 16 * (groups.stop - groups.start) + (1 << 20)
        try:
            chunks = parquet.ChunkedParquetReader(options, stream=self.stream, chunk_read_limit=limit)
            columns = chunks.read_chunk().tbl.columns()
            whole = not chunks.has_next()
            if self.stream is not None:
                self.stream.synchronize()
        except (RuntimeError, ValueError, OverflowError, MemoryError):
            return None
        is_text = len(columns) == 1 and columns[0].type().id() == self.cudf.TypeId.STRING
        return columns[0] if whole and is_text else None

    def _beside(self, groups: Groups) -> RawBatch | None:
        """Ids and metadata, by Arrow; None where they cannot be read."""
        rows = [(groups.start, groups.stop)]
        read = parquet_source.read(self.file, self.columns, False, _UNBOUNDED, _UNBOUNDED, rows)
        batches = list(joined(read, _UNBOUNDED, _UNBOUNDED))
        whole = len(batches) == 1 and len(batches[0]) == groups.stop - groups.start
        return batches[0] if whole and not batches[0].bad else None


def _place(metadata: pq.FileMetaData, name: str) -> int | None:
    """Of the text among the columns, if it is one of its own that holds strings or bytes."""
    names = [metadata.row_group(0).column(place).path_in_schema for place in range(metadata.num_columns)]
    if "." in name or names.count(name) != 1:
        return None
    place = names.index(name)
    return place if metadata.row_group(0).column(place).physical_type == "BYTE_ARRAY" else None


def _imported(module: str) -> Any:
    """Raises EngineError where it is installed and does not work."""
    try:
        return importlib.import_module(module)
    except Exception as error:  # its libraries raise errors of their own kinds
        fix = "pip install 'curate[rapids]' again, or uninstall pylibcudf: then Arrow reads Parquet"
        found = f"{module} cannot be imported: {error}"
        raise EngineError(Problem("--device gpu", found, fix=fix)) from error
