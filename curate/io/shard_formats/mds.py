"""MosaicML Streaming shards (MDS, version 2), which StreamingDataset reads with the `index.json` beside them.

The form is that of `streaming.base.format.mds` (mosaicml-streaming 0.13): the number of samples and their bounds as
uint32, a JSON header, then each sample: the sizes of its columns as uint32, then the columns, sorted by name. `text`,
`id` and `source` are `str`. Columns that sources keep are `json`, the one encoding that has a null. `tokens`, where
there is a tokenizer, is `ndarray:int32`, which LLM Foundry reads.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO, Any, BinaryIO, ClassVar, cast

import numpy as np
import pyarrow as pa
import zstandard

from curate.errors import OutputError, Problem
from curate.io.files import atomic_write, open_whole, output_errors
from curate.io.shard_formats.base import (
    ShardCounts,
    ShardFormat,
    ShardOptions,
    UnreadableShardError,
    WrittenShard,
)
from curate.io.shard_formats.json_values import json_bytes

_TEXTS = ("text", "id", "source")
_TOKENS, _TOKENS_ENCODING = "tokens", "ndarray:int32"
_ZSTD_LEVEL = 3
_COPIED_AT_ONCE = 1 << 20
#: Bounds of samples are uint32.
_MAX_BYTES = 2**32 - 1


class Mds(ShardFormat):
    title = "MDS"
    snippet = (
        "from streaming import StreamingDataset\n\n"
        'dataset = StreamingDataset(local="path/of/this/folder/data", batch_size=1)'
    )
    suffixes: ClassVar[Mapping[str, tuple[str, ...]]] = {"none": (".mds",), "zstd": (".mds.zstd",)}
    default_compression = "none"
    writes_tokens = True
    # With int32 tokens a shard takes about twice its text, and must stay below 4 GiB.
    max_shard_bytes = 1 << 30

    def write(
        self, paths: Sequence[str], schema: pa.Schema, groups: Iterable[pa.Table], options: ShardOptions
    ) -> dict[str, Any]:
        encodings = _encodings(schema, options)
        sizes: list[int] = []
        with output_errors(tempfile.gettempdir()), tempfile.TemporaryFile(prefix="curate.") as samples:
            for group in groups:
                for sample in _samples(group, encodings, options):
                    samples.write(sample)
                    sizes.append(len(sample))
            head = _head(_config(encodings, options.compression), sizes, paths[0])
            samples.seek(0)
            with atomic_write(paths[0]) as file:
                _copy(head, samples, len(head) + sum(sizes), file, options.compression)
        return {
            "config": _config(encodings, options.compression),
            "raw_bytes": len(head) + sum(sizes),
        }

    def count(self, paths: Sequence[str]) -> ShardCounts:
        with open_whole(paths[0]) as file:
            content = file.read()
        try:
            if paths[0].endswith(".zstd"):
                content = zstandard.ZstdDecompressor().decompressobj().decompress(content)
            found = Counter(_sources(content))
        except (zstandard.ZstdError, ValueError, KeyError, IndexError) as error:
            raise UnreadableShardError(str(error)) from error
        return ShardCounts(found.total(), dict(found))

    def index(self, shards: Sequence[WrittenShard]) -> bytes:
        entries = [_entry(shard) for shard in shards]
        return json.dumps({"version": 2, "shards": entries}, sort_keys=True).encode()


def _encodings(schema: pa.Schema, options: ShardOptions) -> dict[str, str]:
    """The encoding of each column, sorted by name."""
    found = {name: "str" if name in _TEXTS else "json" for name in schema.names}
    if options.encoder is not None:
        if _TOKENS in found:
            raise OutputError(
                Problem(
                    "output: format mds",
                    "sources keep a column tokens, and the tokenizer makes one",
                    fix="take tokens out of `keep`, or leave the tokenizer out",
                )
            )
        found[_TOKENS] = _TOKENS_ENCODING
    return dict(sorted(found.items()))


def _config(encodings: dict[str, str], compression: str) -> dict[str, Any]:
    return {
        "version": 2,
        "format": "mds",
        "compression": f"zstd:{_ZSTD_LEVEL}" if compression == "zstd" else None,
        "hashes": ["sha256"],
        "size_limit": None,
        "column_names": list(encodings),
        "column_encodings": list(encodings.values()),
        "column_sizes": [None] * len(encodings),
    }


def _samples(group: pa.Table, encodings: dict[str, str], options: ShardOptions) -> Iterator[bytes]:
    for batch in group.to_batches(max_chunksize=1_024):
        columns = {
            name: _encoded(batch["text" if name == _TOKENS else name], encoding, options)
            for name, encoding in encodings.items()
        }
        for row in zip(*columns.values(), strict=True):
            yield np.array([len(value) for value in row], "<u4").tobytes() + b"".join(row)


def _encoded(column: pa.Array, encoding: str, options: ShardOptions) -> Iterator[bytes]:
    if encoding == _TOKENS_ENCODING:
        assert options.encoder is not None, "tokens are a column only where there is a tokenizer"
        end = [] if options.end_of_document is None else [options.end_of_document]
        return (_array(np.append(tokens, end)) for tokens in options.encoder.encode(column))
    if encoding == "str":
        return (value.encode() for value in column.to_pylist())
    return (json_bytes(value) for value in column.to_pylist())


def _array(tokens: np.ndarray[Any, Any]) -> bytes:
    """A vector of dynamic length: number of axes and type of the length in one byte, the length, the values."""
    kind = next(
        kind for kind, dtype in enumerate(("<u1", "<u2", "<u4")) if len(tokens) <= np.iinfo(dtype).max
    )
    length = np.array([len(tokens)], ("<u1", "<u2", "<u4")[kind]).tobytes()
    return bytes([1 << 2 | kind]) + length + tokens.astype("<i4").tobytes()


def _head(config: dict[str, Any], sizes: Sequence[int], path: str) -> bytes:
    text = json.dumps(config, sort_keys=True).encode()
    begin = 4 + 4 * (len(sizes) + 1) + len(text)
    bounds = begin + np.cumsum([0, *sizes])
    if bounds[-1] > _MAX_BYTES:
        raise OutputError(
            Problem(
                path, f"{bounds[-1]} bytes", "less than 4 GiB, the most of an MDS shard", "lower shard_bytes"
            )
        )
    return np.uint32(len(sizes)).tobytes() + bounds.astype("<u4").tobytes() + text


def _copy(head: bytes, samples: IO[bytes], size: int, to: BinaryIO, compression: str) -> None:
    if compression == "zstd":
        compressor = zstandard.ZstdCompressor(level=_ZSTD_LEVEL, write_checksum=True)
        # Streaming's decompressor does not read a frame of more than 128 KiB that is silent about its size.
        with compressor.stream_writer(to, size=size, closefd=False) as writer:
            writer.write(head)
            shutil.copyfileobj(samples, cast(BinaryIO, writer), _COPIED_AT_ONCE)
    else:
        to.write(head)
        shutil.copyfileobj(samples, to, _COPIED_AT_ONCE)


def _sources(content: bytes) -> Iterator[str]:
    """The source of each sample."""
    samples = int(np.frombuffer(content, "<u4", 1)[0])
    bounds = np.frombuffer(content, "<u4", samples + 1, 4)
    config = json.loads(content[4 + 4 * (samples + 1) : int(bounds[0])])
    at, columns = config["column_names"].index("source"), len(config["column_names"])
    if int(bounds[-1]) != len(content):
        raise ValueError(f"{len(content)} bytes, of which the header knows {bounds[-1]}")
    for begin in bounds[:-1].tolist():
        sizes = np.frombuffer(content, "<u4", columns, begin)
        start = begin + 4 * columns + int(sizes[:at].sum())
        yield content[start : start + int(sizes[at])].decode()


def _entry(shard: WrittenShard) -> dict[str, Any]:
    """What index.json says of a shard. Its checksum is of the file as it lies there."""
    ((name, size, digest),) = shard.files
    raw = {"basename": name.removesuffix(".zstd"), "bytes": shard.facts["raw_bytes"], "hashes": {}}
    lies = {"basename": name, "bytes": size, "hashes": {"sha256": digest}}
    config = shard.facts["config"]
    zipped = config["compression"] is not None
    return {
        **config,
        "samples": shard.rows,
        "raw_data": raw if zipped else lies,
        "zip_data": lies if zipped else None,
    }
