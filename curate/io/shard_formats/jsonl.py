"""JSON lines shards, `{"text": ..., "id": ..., "source": ..., ...}` a line: what DCLM, Dolma and WebDataset-style
loaders read. Keys stand in the shards' column order; a column that a source does not keep is null."""

from __future__ import annotations

import gzip
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, BinaryIO, ClassVar, cast

import orjson
import pyarrow as pa
import zstandard

from curate.io.files import atomic_write, open_whole
from curate.io.shard_formats.base import ShardCounts, ShardFormat, ShardOptions, UnreadableShardError
from curate.io.shard_formats.json_values import json_bytes

#: Levels are part of what makes the bytes: 3 is zstd's own default, 6 gzip's.
_ZSTD_LEVEL, _GZIP_LEVEL = 3, 6


class JsonLines(ShardFormat):
    title = "JSON lines"
    snippet = (
        "from datasets import load_dataset\n\n"
        'dataset = load_dataset("path/of/this/folder", split="train", streaming=True)'
    )
    data_files = "data/train-*.jsonl*"
    suffixes: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "zstd": (".jsonl.zst",),
        "gzip": (".jsonl.gz",),
        "none": (".jsonl",),
    }
    default_compression = "zstd"

    def write(
        self, paths: Sequence[str], schema: pa.Schema, groups: Iterable[pa.Table], options: ShardOptions
    ) -> dict[str, Any]:
        with atomic_write(paths[0]) as file, _compressed(file, options.compression) as lines:
            for group in groups:
                for batch in group.to_batches(max_chunksize=1_024):
                    lines.write(b"".join(json_bytes(row) + b"\n" for row in batch.to_pylist()))
        return {}

    def count(self, paths: Sequence[str]) -> ShardCounts:
        found: Counter[str] = Counter()
        try:
            with open_whole(paths[0]) as file, _decompressed(file, paths[0]) as lines:
                for line in lines:
                    found[orjson.loads(line)["source"]] += 1
        except (zstandard.ZstdError, gzip.BadGzipFile, EOFError, ValueError, KeyError, TypeError) as error:
            raise UnreadableShardError(str(error)) from error
        return ShardCounts(found.total(), dict(found))


@contextmanager
def _compressed(file: BinaryIO, compression: str) -> Iterator[BinaryIO]:
    if compression == "zstd":
        # One frame, on one thread: more of them would cut the stream elsewhere.
        compressor = zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True)
        with compressor.stream_writer(file, closefd=False) as writer:
            yield cast(BinaryIO, writer)
    elif compression == "gzip":
        with gzip.GzipFile("", "wb", _GZIP_LEVEL, file, mtime=0) as zipped:
            yield cast(BinaryIO, zipped)
    else:
        yield file


@contextmanager
def _decompressed(file: BinaryIO, path: str) -> Iterator[BinaryIO]:
    if path.endswith(".zst"):
        with zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True) as reader:
            yield cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, reader)))
    elif path.endswith(".gz"):
        with gzip.GzipFile(fileobj=file) as zipped:
            yield cast(BinaryIO, zipped)
    else:
        yield file
