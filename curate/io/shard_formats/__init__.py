"""The formats that shards can be written in: one module each, one line here."""

from __future__ import annotations

from curate.io.shard_formats.base import (
    SHARD_INDEX,
    Encoder,
    ShardCounts,
    ShardFormat,
    ShardOptions,
    UnreadableShardError,
    WrittenShard,
)
from curate.io.shard_formats.jsonl import JsonLines
from curate.io.shard_formats.mds import Mds
from curate.io.shard_formats.megatron import Megatron
from curate.io.shard_formats.parquet import Parquet

#: `output.format` of a recipe.
SHARD_FORMATS: dict[str, ShardFormat] = {
    "parquet": Parquet(),
    "jsonl": JsonLines(),
    "mds": Mds(),
    "megatron": Megatron(),
}

__all__ = [
    "SHARD_FORMATS",
    "SHARD_INDEX",
    "Encoder",
    "ShardCounts",
    "ShardFormat",
    "ShardOptions",
    "UnreadableShardError",
    "WrittenShard",
]
