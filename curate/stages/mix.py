"""How often each source's documents stand in the result."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class MixConfig(BaseModel):
    """Keys of `mix`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    weights: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(
        min_length=1, description="Shares of the result, one a source; only their proportions matter."
    )
    unit: Literal["tokens", "documents", "bytes"] = Field(
        default="tokens", description="What the shares are shares of."
    )
    total: int | None = Field(
        default=None, ge=1, description="Size of the result, in `unit`. Default: as much as the sources kept."
    )
    seed: int = Field(default=0, ge=0, lt=2**63, description="Decides which documents get the odd copy.")
