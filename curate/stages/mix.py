"""How often each source's documents stand in the result."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from curate.errors import Problem, RecipeError

#: More repetitions of a source are taken for a mistake.
MOST_COPIES = 1000


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


def expected_copies(
    weights: Mapping[str, float], kept: Mapping[str, int], total: int | None
) -> dict[str, float]:
    """How often a document of each source should stand in the output.

    weights: shares of the result, any positive scale. kept: what is left of each source, in the mix's unit.
    total: size of the result in the same unit; None: as much as the weighted sources have left.
    Sources without a weight get 0 copies. Raises RecipeError beyond `MOST_COPIES` of a source.
    """
    weighed = {source: weight for source, weight in weights.items() if kept.get(source, 0)}
    share = sum(weighed.values())
    size = sum(kept[source] for source in weighed) if total is None else total
    copies = {
        source: size * weighed[source] / share / kept[source] if source in weighed else 0.0 for source in kept
    }
    for source, expected in copies.items():
        if expected > MOST_COPIES:
            raise RecipeError(
                Problem(
                    "mix",
                    f"source {source} has {kept[source]:,} left, and would have to be repeated {expected:,.0f} times",
                    f"at most {MOST_COPIES} times",
                    "lower `total` or the source's weight, or add documents",
                )
            )
    return copies


def copies_of(docs: NDArray[np.uint64], copies: float, seed: int) -> NDArray[np.int32]:
    """Whole copies of each document: the whole part, and one more with the fractional part's probability.

    Decided by a hash of (seed, doc) compared with the fraction in units of 2^-53, so any cut of the work agrees.
    """
    whole = math.floor(copies)
    threshold = np.uint64(round((copies - whole) * (1 << 53)))
    return (whole + ((_hash(docs, seed, 0) >> np.uint64(11)) < threshold)).astype(np.int32)


def shuffle_keys(docs: NDArray[np.uint64], copy: int, seed: int) -> NDArray[np.uint64]:
    """Where each document stands in the order of its shard: uint64, to be sorted."""
    return _hash(docs, seed, copy + 1)


def _hash(docs: NDArray[np.uint64], seed: int, salt: int) -> NDArray[np.uint64]:
    """fmix64 (MurmurHash3's finaliser) twice, over the document and a mix of seed and salt."""
    stream = np.uint64((seed * 0x9E3779B97F4A7C15 + salt * 0xD1342543DE82EF95) & 0xFFFF_FFFF_FFFF_FFFF)
    return _fmix64(_fmix64(docs ^ stream) + stream)


def _fmix64(h: NDArray[np.uint64]) -> NDArray[np.uint64]:
    h = (h ^ (h >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
    h = (h ^ (h >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
    mixed: NDArray[np.uint64] = h ^ (h >> np.uint64(33))
    return mixed
