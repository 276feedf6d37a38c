"""Documents whose key is the same, byte for byte: one of them stays."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from curate.stages.base import StageConfig


class ExactDedupConfig(StageConfig):
    """Keys of `exact_dedup`."""

    key: Literal["text"] = Field(default="text", description="What is compared: the whole text, as bytes.")
    scope: Literal["all", "across"] = Field(
        default="all",
        description="all: duplicates anywhere; across: only duplicates between sources, so that those inside "
        "one source stay (as Zyda-2 does for near-duplicates, arXiv 2411.06068).",
    )
    priority: tuple[str, ...] | None = Field(
        default=None,
        description="Sources, best first: a document stays rather than its duplicate in a later source. "
        "Sources left out follow in the order of the recipe, which is also the default.",
    )

    @field_validator("key", mode="before")
    @classmethod
    def _key_is_supported(cls, key: Any) -> Any:
        if isinstance(key, str) and key != "text":
            raise ValueError(f"exact_dedup cannot compare {key!r}: the only key supported is text")
        return key


class ExactDedup:
    """The corpus stage `exact_dedup`."""

    Config: ClassVar[type[StageConfig]] = ExactDedupConfig
