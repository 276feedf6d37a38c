"""The keys of `fuzzy_dedup` in a recipe."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from curate.dedup.bands import PRESETS, choose_bands
from curate.dedup.normalize import NormalizeStep
from curate.dedup.sketch import Shingles, Sketcher
from curate.stages.against import each_once
from curate.stages.base import StageConfig
from curate.stages.prefer import DESCRIPTION as PREFER

#: Longest shingle of each unit.
MAX_LENGTH = {"char": 64, "word": 16}
MAX_HASHES = 1024


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
    exact: bool = Field(
        default=False,
        description="true: measured on the texts, which are read again where they are in a cluster; false: on "
        "signatures of one byte a slot (standard error 0.035 at 0.8 with 128 hashes), as always against documents of "
        "earlier runs (`against`), whose texts are not read.",
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

    A preset is expanded when the recipe is read: `preset` is null afterwards, and the other keys hold its values
    except where the recipe gives its own.
    """

    preset: Literal["zyda2", "fineweb", "nemo", "marin"] | None = Field(
        default=None, description="Sets shingles, hashes and bands as a published corpus did; keys given win."
    )
    shingles: ShinglesConfig = Field(
        default=ShinglesConfig(), description="Default: Zyda-2, arXiv 2411.06068."
    )
    normalize: tuple[NormalizeStep, ...] = Field(
        default=(),
        description="What texts go through before they are cut into shingles: any of lowercase, digits, "
        "punctuation (docs/sketch.md). Default: nothing.",
    )
    hashes: int = Field(default=128, ge=1, le=MAX_HASHES, description="Slots of a sketch. Default: Zyda-2.")
    bands: int = Field(default=8, ge=1, description="Groups the slots are cut into. Default: Zyda-2.")
    threshold: float | None = Field(
        default=None,
        gt=0,
        lt=1,
        allow_inf_nan=False,
        description="Chooses the bands that err least about this similarity; slots left over serve verification.",
    )
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
    prefer: str | None = Field(default=None, min_length=1, description=PREFER)
    against: tuple[str, ...] = Field(
        default=(),
        description="Output folders of earlier runs, whose documents stay and whose duplicates go; each ran "
        "fuzzy_dedup with the same sketch, and still has its journal.",
    )
    guards: GuardsConfig = Field(default=GuardsConfig(), description="Limits that stop the run.")

    def cut(self) -> Shingles:
        """What texts are cut into."""
        return Shingles(self.shingles.unit, self.shingles.length, self.normalize)

    def sketcher(self) -> Sketcher:
        """What makes the sketches this configuration asks for."""
        return Sketcher(self.cut(), self.hashes, self.bands, self.seed, self.sketch)

    @property
    def rows(self) -> int:
        """Slots in a band."""
        return self.hashes // self.bands

    @model_validator(mode="before")
    @classmethod
    def _expand_preset(cls, given: Any) -> Any:
        if not isinstance(given, dict) or given.get("preset") not in PRESETS:
            return given
        chosen = PRESETS[given["preset"]]
        shingles = {"unit": chosen.shingles.unit, "length": chosen.shingles.length}
        preset = {"shingles": shingles, "hashes": chosen.hashes, "bands": chosen.bands}
        merged = preset | {key: value for key, value in given.items() if key != "preset"}
        if isinstance(given.get("shingles"), dict):
            merged["shingles"] = preset["shingles"] | given["shingles"]
        return merged

    @model_validator(mode="before")
    @classmethod
    def _choose_bands(cls, given: Any) -> Any:
        """A resolved recipe shows the bands that were chosen, so those may stand beside `threshold`."""
        if not isinstance(given, dict) or given.get("threshold") is None:
            return given
        threshold, hashes = given["threshold"], given.get("hashes", cls.model_fields["hashes"].default)
        if not isinstance(threshold, float) or not 0 < threshold < 1 or type(hashes) is not int:
            return given
        if not 1 <= hashes <= MAX_HASHES:
            return given
        if given.get("preset") is not None:
            raise ValueError(f"preset {given['preset']} sets bands, and so does threshold: give one of them")
        bands, rows = choose_bands(threshold, hashes)
        if given.get("bands", bands) != bands:
            raise ValueError(
                f"bands and threshold exclude each other: threshold {threshold} with {hashes} hashes chooses "
                f"{bands} bands of {rows} rows, bands says {given['bands']}"
            )
        return given | {"bands": bands}

    @field_validator("verify", mode="before")
    @classmethod
    def _false_is_null(cls, verify: Any) -> Any:
        return None if verify is False else verify

    @field_validator("against")
    @classmethod
    def _no_run_twice(cls, against: tuple[str, ...]) -> tuple[str, ...]:
        return each_once(against)

    @model_validator(mode="after")
    def _bands_are_whole(self) -> FuzzyDedupConfig:
        if self.threshold is None and self.hashes % self.bands:
            divisors = [bands for bands in range(1, self.hashes + 1) if self.hashes % bands == 0]
            near = sorted(sorted(divisors, key=lambda bands: abs(bands - self.bands))[:4])
            raise ValueError(
                f"{self.hashes} hashes cannot be cut into {self.bands} bands of equal size: "
                f"bands that fit are {', '.join(map(str, near))}"
            )
        return self
