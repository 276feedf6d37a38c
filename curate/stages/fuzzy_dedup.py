"""Documents whose texts are nearly the same: the best-ranked of each group of similar ones stays."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from curate.stages.base import StageConfig

#: Longest shingle of each unit.
MAX_LENGTH = {"char": 64, "word": 16}

#: The shingles, hashes and bands of published corpora.
PRESETS: dict[str, dict[str, Any]] = {
    # Zyda-2, arXiv 2411.06068, section 3.1: 8 bands of 16 rows over character 25-grams.
    "zyda2": {"shingles": {"unit": "char", "length": 25}, "hashes": 128, "bands": 8},
    # FineWeb, arXiv 2406.17557, section 3.4, and the defaults of datatrove: 14 bands of 8 over word 5-grams.
    "fineweb": {"shingles": {"unit": "word", "length": 5}, "hashes": 112, "bands": 14},
    # NeMo Curator's fuzzy deduplication: 20 bands of 13 over character 24-grams.
    "nemo": {"shingles": {"unit": "char", "length": 24}, "hashes": 260, "bands": 20},
    # marin's fuzzy deduplication: 26 bands of 11 over character 5-grams.
    "marin": {"shingles": {"unit": "char", "length": 5}, "hashes": 286, "bands": 26},
}


class ShinglesConfig(BaseModel):
    """What a text is cut into before it is sketched."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    unit: Literal["char", "word"] = Field(default="char", description="Characters or words.")
    length: int = Field(
        default=25, ge=1, description="Units in a shingle: 1 to 64 characters, 1 to 16 words."
    )

    @model_validator(mode="after")
    def _length_fits_unit(self) -> ShinglesConfig:
        if self.length > MAX_LENGTH[self.unit]:
            raise ValueError(
                f"length is {self.length}: {self.unit} shingles have 1 to {MAX_LENGTH[self.unit]}"
            )
        return self


class VerifyConfig(BaseModel):
    """When a candidate is a duplicate."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_similarity: float = Field(
        default=0.8,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="A document goes only if its Jaccard similarity to one that stays is at least this.",
    )


class GuardsConfig(BaseModel):
    """Limits that stop the run before anything is written; null is no limit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_cluster: int | None = Field(default=None, ge=2, description="Documents in the largest cluster.")
    max_source_loss: float | None = Field(
        default=None, ge=0, le=1, allow_inf_nan=False, description="Share of a source's documents dropped."
    )


class FuzzyDedupConfig(StageConfig):
    """Keys of `fuzzy_dedup`.

    A preset is expanded on reading: `preset` is null afterwards, and the other keys hold its values, except
    where the recipe gives its own.
    """

    preset: Literal["zyda2", "fineweb", "nemo", "marin"] | None = Field(
        default=None, description="Sets shingles, hashes and bands as a published corpus did; keys given win."
    )
    shingles: ShinglesConfig = Field(
        default=ShinglesConfig(), description="Default: Zyda-2, arXiv 2411.06068."
    )
    hashes: int = Field(default=128, ge=1, le=1024, description="Slots of a sketch. Default: Zyda-2.")
    bands: int = Field(default=8, ge=1, description="Groups the slots are cut into. Default: Zyda-2.")
    seed: int = Field(default=10, ge=0, lt=2**63, description="Seed of the sketch. Default: Zyda-2.")
    sketch: Literal["fss", "minhash"] = Field(
        default="fss",
        description="fss: Fast Similarity Sketch (Dahlgaard, Knudsen, Thorup, FOCS 2017); "
        "minhash: as many permutations as hashes (Broder 1997).",
    )
    scope: Literal["all", "across"] = Field(
        default="all", description="all: duplicates anywhere; across: only duplicates between sources."
    )
    verify: VerifyConfig | None = Field(
        default=VerifyConfig(), description="false: every document of a cluster counts as a duplicate."
    )
    priority: tuple[str, ...] | None = Field(
        default=None,
        description="Sources, best first; those left out follow in the order of the recipe, the default.",
    )
    guards: GuardsConfig = Field(default=GuardsConfig(), description="Limits that stop the run.")

    @property
    def rows(self) -> int:
        """Slots in a band."""
        return self.hashes // self.bands

    @field_validator("verify", mode="before")
    @classmethod
    def _false_is_null(cls, verify: Any) -> Any:
        return None if verify is False else verify

    @model_validator(mode="after")
    def _expand_preset(self) -> FuzzyDedupConfig:
        if self.preset is None:
            return self
        values = PRESETS[self.preset] | {key: getattr(self, key) for key in self.model_fields_set}
        if "shingles" in self.model_fields_set:
            given = self.shingles.model_dump(include=self.shingles.model_fields_set)
            values["shingles"] = PRESETS[self.preset]["shingles"] | given
        values["shingles"] = ShinglesConfig.model_validate(values["shingles"])
        for key, value in (values | {"preset": None}).items():
            object.__setattr__(self, key, value)  # the model is frozen for everyone else
        return self

    @model_validator(mode="after")
    def _bands_are_whole(self) -> FuzzyDedupConfig:
        if self.hashes % self.bands:
            divisors = [bands for bands in range(1, self.hashes + 1) if self.hashes % bands == 0]
            near = sorted(sorted(divisors, key=lambda bands: abs(bands - self.bands))[:4])
            raise ValueError(
                f"{self.hashes} hashes cannot be cut into {self.bands} bands of equal size: "
                f"bands that fit are {', '.join(map(str, near))}"
            )
        return self


class FuzzyDedup:
    """The corpus stage `fuzzy_dedup`."""

    Config: ClassVar[type[StageConfig]] = FuzzyDedupConfig
