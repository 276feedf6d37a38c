"""How the shards of the result are written."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

_UNITS = {"": 1, "b": 1} | {
    prefix + suffix: base**power
    for power, prefix in enumerate("kmgt", start=1)
    for suffix, base in (("b", 1000), ("ib", 1024))
}


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
        match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)", size.strip())
        if match is None or match[2].lower() not in _UNITS:
            raise ValueError(f"{size!r} is not a size: write bytes, or a number with KB, MB, GB, MiB or GiB")
        return int(float(match[1]) * _UNITS[match[2].lower()])
