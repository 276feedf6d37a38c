"""Megatron-LM shards: token ids in `.bin`, where each document lies in `.idx`.

The form is that of `megatron.core.datasets.indexed_dataset` (megatron-core 0.16): the index is the magic `MMIDIDX`, the
version 1, the type of the ids, then for each document its length in tokens (int32) and the byte at which it begins
(int64), then the documents' bounds (int64). A document is one sequence.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, BinaryIO, ClassVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.io.files import atomic_write, open_whole, size_of
from curate.io.shard_formats.base import ShardCounts, ShardFormat, ShardOptions, UnreadableShardError

_MAGIC, _VERSION = b"MMIDIDX\x00\x00", 1
_HEAD = struct.Struct("<9sQBQQ")
#: Codes of the types of ids that are written here.
_CODES: dict[str, int] = {"uint16": 8, "int32": 4}
#: Vocabularies below it are written as uint16: the bound of Megatron's own `DType.optimal_dtype`.
_SMALL_VOCABULARY = 65_500


class Megatron(ShardFormat):
    title = "Megatron"
    snippet = (
        "from megatron.core.datasets.indexed_dataset import IndexedDataset\n\n"
        'dataset = IndexedDataset("path/of/this/folder/data/train-00000-of-00001")'
    )
    suffixes: ClassVar[Mapping[str, tuple[str, ...]]] = {"none": (".bin", ".idx")}
    default_compression = "none"
    needs_tokenizer = True
    writes_tokens = True

    def write(
        self, paths: Sequence[str], schema: pa.Schema, groups: Iterable[pa.Table], options: ShardOptions
    ) -> dict[str, Any]:
        ids, index = paths
        assert options.encoder is not None, "the recipe is refused without a tokenizer"
        dtype = np.dtype("uint16" if options.encoder.vocabulary < _SMALL_VOCABULARY else "int32")
        end = [] if options.end_of_document is None else [options.end_of_document]
        lengths: list[int] = []
        with atomic_write(ids) as file:
            for group in groups:
                for chunk in group["text"].chunks:
                    for tokens in options.encoder.encode(chunk):
                        file.write(np.append(tokens, end).astype(dtype.newbyteorder("<")).tobytes())
                        lengths.append(len(tokens) + len(end))
        with atomic_write(index) as file:
            _write_index(file, np.array(lengths, np.int64), dtype)
        return {}

    def count(self, paths: Sequence[str]) -> ShardCounts:
        ids, index = paths
        with open_whole(index) as file:
            content = file.read()
        lengths, itemsize = _read_index(content)
        tokens = int(lengths.sum())
        if size_of(ids) != tokens * itemsize:
            raise UnreadableShardError(
                f"{size_of(ids)} bytes beside an index of {tokens} tokens of {itemsize} bytes"
            )
        return ShardCounts(len(lengths), None, tokens)


def _write_index(file: BinaryIO, lengths: NDArray[np.int64], dtype: np.dtype[Any]) -> None:
    documents = len(lengths)
    file.write(_HEAD.pack(_MAGIC, _VERSION, _CODES[dtype.name], documents, documents + 1))
    file.write(lengths.astype("<i4").tobytes())
    starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])[:-1] * dtype.itemsize
    file.write(starts.astype("<i8").tobytes())
    file.write(np.arange(documents + 1, dtype="<i8").tobytes())


def _read_index(content: bytes) -> tuple[NDArray[np.int32], int]:
    """Tokens a document, and bytes a token."""
    if len(content) < _HEAD.size:
        raise UnreadableShardError("the index is cut short")
    magic, version, code, documents, bounds = _HEAD.unpack_from(content)
    names = {code: name for name, code in _CODES.items()}
    if magic != _MAGIC or version != _VERSION or code not in names or bounds != documents + 1:
        raise UnreadableShardError("the index is none of version 1")
    if len(content) != _HEAD.size + 4 * documents + 8 * documents + 8 * bounds:
        raise UnreadableShardError("the index is cut short")
    lengths = np.frombuffer(content, "<i4", documents, _HEAD.size)
    return lengths, np.dtype(names[code]).itemsize
