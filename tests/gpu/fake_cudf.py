"""pylibcudf as far as curate asks it, over Arrow and the host's memory: what it promises and no more.

It verifies no checksums, decodes no dictionaries twice, and takes bytes for strings whatever they are, as cudf does.
"""

from __future__ import annotations

import enum
import importlib.machinery
import sys
import types

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq


class TypeId(enum.Enum):
    INT32, INT64, STRING, STRUCT = 3, 4, 23, 28


class Span:
    """Memory with room on both sides, as of a device's allocations."""

    def __init__(self, content: np.ndarray) -> None:
        self.size = content.nbytes
        self._memory = np.full(content.nbytes + 16, 0xA5, np.uint8)
        self._memory[8 : 8 + content.nbytes] = content.view(np.uint8)
        self.ptr = self._memory.ctypes.data + 8


class DataType:
    def __init__(self, kind: TypeId) -> None:
        self._kind = kind

    def id(self) -> TypeId:
        return self._kind


class Column:
    def __init__(self, kind, size, data, mask=None, null_count=0, offset=0, children=()) -> None:
        self._kind, self._size, self._data, self._mask = kind, size, data, mask
        self._null_count, self._offset, self._children = null_count, offset, children

    def type(self) -> DataType:
        return DataType(self._kind)

    def size(self) -> int:
        return self._size

    def data(self) -> Span | None:
        return self._data

    def null_mask(self) -> Span | None:
        return self._mask

    def null_count(self) -> int:
        return self._null_count

    def offset(self) -> int:
        return self._offset

    def child(self, index: int) -> Column:
        return self._children[index]


def strings(texts: list[bytes | None], width: type, skipped: int) -> Column:
    """A column of texts whose first `skipped` rows are sliced away."""
    whole = [b"gone"] * skipped + [text or b"" for text in texts]
    offsets = np.concatenate([[0], np.cumsum([len(text) for text in whole])]).astype(width)
    chars = np.frombuffer(b"".join(whole), np.uint8)
    kind = TypeId.INT32 if width is np.int32 else TypeId.INT64
    children = [Column(kind, len(offsets), Span(offsets))]
    data = Span(chars) if len(chars) else None
    nulls = texts.count(None)
    bits = np.packbits([True] * skipped + [text is not None for text in texts], bitorder="little")
    return Column(TypeId.STRING, len(texts), data, Span(bits) if nulls else None, nulls, skipped, children)


class Options:
    def __init__(self, path: str) -> None:
        self.path, self.names, self.groups = path, [], []

    def set_column_names(self, names: list[str]) -> None:
        self.names = names

    def set_row_groups(self, groups: list[list[int]]) -> None:
        self.groups = groups


class Cudf(types.ModuleType):
    """width: of offsets. skipped: rows that columns are sliced by. read: row groups so far, by path.
    fails: whether reading raises, as that of a column chunk that is damaged does."""

    TypeId = TypeId

    def __init__(self, width: type = np.int32, skipped: int = 0, fails: bool = False) -> None:
        super().__init__("pylibcudf")
        self.__spec__ = importlib.machinery.ModuleSpec("pylibcudf", None)
        self.width, self.skipped, self.fails = width, skipped, fails
        self.read: dict[str, list[int]] = {}
        builder = types.SimpleNamespace(
            builder=lambda source: types.SimpleNamespace(build=lambda: Options(source))
        )
        parquet = types.SimpleNamespace(
            ParquetReaderOptions=builder, ChunkedParquetReader=self._chunked_reader
        )
        self.io = types.SimpleNamespace(SourceInfo=lambda paths: paths[0], parquet=parquet)

    def _chunked_reader(self, options: Options, stream: None, chunk_read_limit: int):
        if self.fails:
            raise RuntimeError("CUDF failure: Error(s) in the decoder")
        (groups,) = options.groups
        table = pq.ParquetFile(options.path).read_row_groups(groups, options.names)
        column = table.column(0).combine_chunks()
        if pa.types.is_dictionary(column.type):
            column = column.dictionary_decode()
        texts = column.cast(pa.large_binary()).to_pylist()
        fits = sum(len(text or b"") + 8 for text in texts) <= chunk_read_limit
        if fits:
            self.read.setdefault(options.path, []).extend(groups)
        found = texts if fits else texts[:1]
        table = types.SimpleNamespace(columns=lambda: [strings(found, self.width, self.skipped)])
        chunk = types.SimpleNamespace(tbl=table)
        return types.SimpleNamespace(read_chunk=lambda: chunk, has_next=lambda: not fits)


def install(monkeypatch, cudf: Cudf) -> Cudf:
    monkeypatch.setitem(sys.modules, "pylibcudf", cudf)
    return cudf
