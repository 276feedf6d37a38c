"""Parquet shards: what Hugging Face datasets, DuckDB and Polars read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from curate.io.files import atomic_write, open_whole
from curate.io.shard_formats.base import (
    ShardCounts,
    ShardFormat,
    ShardOptions,
    UnreadableShardError,
    rows_by_source,
)


class Parquet(ShardFormat):
    title = "Parquet"
    snippet = (
        "from datasets import load_dataset\n\n"
        'dataset = load_dataset("path/of/this/folder", split="train", streaming=True)'
    )
    data_files = "data/train-*.parquet"
    suffixes = dict.fromkeys(("zstd", "snappy", "gzip", "none"), (".parquet",))
    default_compression = "zstd"

    def write(
        self, paths: Sequence[str], schema: pa.Schema, groups: Iterable[pa.Table], options: ShardOptions
    ) -> dict[str, Any]:
        # Texts are hardly ever equal, so a dictionary of them only costs; so do statistics, for which Arrow copies the
        # least and the greatest text several times.
        words = [name for name in schema.names if name != "text"]
        with (
            atomic_write(paths[0]) as file,
            pq.ParquetWriter(
                file, schema, compression=options.compression, use_dictionary=words, write_statistics=words
            ) as writer,
        ):
            for group in groups:
                writer.write_table(group, row_group_size=len(group))
        return {}

    def count(self, paths: Sequence[str]) -> ShardCounts:
        with open_whole(paths[0]) as file:
            try:
                batches = pq.ParquetFile(file).iter_batches(columns=["source"])
                found = rows_by_source(batch["source"] for batch in batches)
            except (pa.ArrowException, KeyError) as error:
                raise UnreadableShardError(str(error)) from error
        return ShardCounts(sum(found.values()), found)
