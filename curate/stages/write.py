"""How the shards of the result are written."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from curate.memory import size_in_bytes


class OutputConfig(BaseModel):
    """Keys of `output`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shard_bytes: int = Field(
        default=512_000_000,
        ge=1,
        description="Text bytes a shard is planned to hold: a whole number, or with a unit, such as 512MB "
        "(MB is 10^6 bytes, MiB 2^20).",
    )
    compression: Literal["zstd", "snappy", "gzip", "none"] = Field(
        default="zstd", description="Compression of the Parquet shards."
    )
    seed: int = Field(default=0, ge=0, lt=2**63, description="Seed of the shuffle inside a shard.")

    @field_validator("shard_bytes", mode="before")
    @classmethod
    def _size_in_words(cls, size: Any) -> Any:
        if not isinstance(size, str):
            return size
        return size_in_bytes(size)
