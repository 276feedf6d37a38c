"""How the shards of the result are written."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from curate.io.shard_formats import SHARD_FORMATS, ShardOptions
from curate.memory import size_in_bytes
from curate.models.tokens import TokenCount, TokenEstimate, Tokenizer


class OutputConfig(BaseModel):
    """Keys of `output`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal["parquet", "jsonl", "mds", "megatron"] = Field(
        default="parquet", description="What shards are: see docs/outputs.md. `megatron` needs a tokenizer."
    )
    shard_bytes: int = Field(
        default=512_000_000,
        ge=1,
        description="Text bytes a shard is planned to hold: a whole number, or with a unit, such as 512MB "
        "(MB is 10^6 bytes, MiB 2^20). With `mds` at most 1GiB.",
    )
    compression: Literal["zstd", "snappy", "gzip", "none"] | None = Field(
        default=None,
        description="Compression of the shards: any for `parquet`; `zstd`, `gzip` or `none` for `jsonl`; `zstd` or "
        "`none` for `mds`; `none` for `megatron`. Default: `zstd` for `parquet` and `jsonl`, `none` for the others.",
    )
    seed: int = Field(default=0, ge=0, lt=2**63, description="Seed of the shuffle inside a shard.")
    tokenizer: str | None = Field(
        default=None,
        min_length=1,
        description="Path of a tokenizers JSON, or the name of a tiktoken encoding: tokens are counted with it, and "
        "written by `mds` and `megatron`. Default: tokens are estimated from bytes.",
    )
    end_of_document: str | None = Field(
        default=None,
        min_length=1,
        description="Special token of the tokenizer that `mds` and `megatron` put after each document, such as "
        "`<|endoftext|>`. It is in no count. Default: none.",
    )

    @field_validator("shard_bytes", mode="before")
    @classmethod
    def _size_in_words(cls, size: Any) -> Any:
        if not isinstance(size, str):
            return size
        return size_in_bytes(size)

    @model_validator(mode="before")
    @classmethod
    def _compression_of_the_format(cls, keys: Any) -> Any:
        if not isinstance(keys, dict) or keys.get("compression") is not None:
            return keys
        chosen = keys.get("format", "parquet")
        known = SHARD_FORMATS.get(chosen) if isinstance(chosen, str) else None
        return keys if known is None else {**keys, "compression": known.default_compression}

    @model_validator(mode="after")
    def _keys_fit_the_format(self) -> OutputConfig:
        chosen = SHARD_FORMATS[self.format]
        if self.compression not in chosen.suffixes:
            known = ", ".join(chosen.suffixes)
            raise ValueError(f"compression {self.compression} is not for format {self.format}: {known}")
        if chosen.needs_tokenizer and self.tokenizer is None:
            raise ValueError(f"format {self.format} holds tokens: give the tokenizer that makes them")
        if self.end_of_document is not None and not (chosen.writes_tokens and self.tokenizer):
            raise ValueError(
                f"end_of_document is for shards with tokens: format {self.format}"
                f"{' without a tokenizer' if chosen.writes_tokens else ''} writes none"
            )
        if chosen.max_shard_bytes is not None and self.shard_bytes > chosen.max_shard_bytes:
            raise ValueError(f"shard_bytes is at most {chosen.max_shard_bytes} for format {self.format}")
        return self


def token_count(config: OutputConfig) -> TokenCount:
    """How the run counts tokens. Raises ModelError where the tokenizer, or its end of documents, is not to be had."""
    if config.tokenizer is None:
        return TokenEstimate()
    tokenizer = Tokenizer.load(config.tokenizer)
    if config.end_of_document is not None:
        tokenizer.special_token(config.end_of_document)
    return tokenizer


def shard_options(config: OutputConfig, tokens: TokenCount) -> ShardOptions:
    """How shards are written, with what `token_count` gave for the same configuration."""
    assert config.compression is not None, "the configuration fills in that of the format"
    if not (SHARD_FORMATS[config.format].writes_tokens and isinstance(tokens, Tokenizer)):
        return ShardOptions(config.compression)
    end = config.end_of_document
    return ShardOptions(config.compression, tokens, None if end is None else tokens.special_token(end))
