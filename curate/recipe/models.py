"""The recipe as it stands after reading: immutable, every default filled in."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from curate.stages.base import StageConfig
from curate.stages.mix import MixConfig
from curate.stages.write import OutputConfig

#: Names become file names and ledger values.
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"
Name = Annotated[str, Field(pattern=NAME_PATTERN)]

#: A doc number has 8 bits for its source.
MAX_SOURCES = 256


def _one_or_many(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


class Source(BaseModel):
    """A named corpus."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name = Field(description="Stands in the ledger, the manifest and the names of folders.")
    path: Annotated[tuple[str, ...], BeforeValidator(_one_or_many)] = Field(
        min_length=1, description="Paths or URLs of files, with * and ** as wildcards: one or a list."
    )
    format: Literal["parquet", "jsonl"] | None = Field(
        default=None, description="Default: by the files' extension."
    )
    text: str = Field(default="text", min_length=1, description="Column that holds the text.")
    id: str | None = Field(default=None, description="Column that holds the document's id. Default: none.")
    keep: tuple[str, ...] = Field(default=(), description="Further columns that the output carries.")


class RecipeBody(BaseModel):
    """The top keys of the YAML, except `stages`, whose entries are checked against the stages they name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Name = Field(description="Names the run; the default output folder is out/<name>.")
    vars: dict[str, str | int | float | bool | None] = Field(
        default={}, description="Values that ${name} stands for; null must be given with --set."
    )
    sources: tuple[Source, ...] = Field(
        min_length=1,
        max_length=MAX_SOURCES,
        description="Corpora; a document's priority is its source's place.",
    )
    stages: tuple[Any, ...] = Field(default=(), description="Stages, in order, each `kind: {its keys}`.")
    mix: MixConfig | None = Field(default=None, description="Shares of the sources. Default: what is kept.")
    output: OutputConfig = Field(default=OutputConfig(), description="How shards are written.")
    max_bad: int = Field(
        default=0, ge=0, description="Documents that may be unreadable before the run counts as failed."
    )


@dataclass(frozen=True, slots=True)
class Stage:
    """One entry of `stages`: `config.name` equals `name`."""

    name: str
    kind: str
    config: StageConfig


@dataclass(frozen=True, slots=True)
class Recipe:
    """What a run is to do, with variables and presets replaced by what they stand for."""

    name: str
    sources: tuple[Source, ...]
    stages: tuple[Stage, ...]
    mix: MixConfig | None
    output: OutputConfig
    max_bad: int

    def resolved(self) -> dict[str, Any]:
        """JSON values with every default filled in; itself a recipe that reads back as an equal one."""
        return {
            "name": self.name,
            "sources": [source.model_dump(mode="json") for source in self.sources],
            "stages": [{stage.kind: stage.config.model_dump(mode="json")} for stage in self.stages],
            "mix": None if self.mix is None else self.mix.model_dump(mode="json"),
            "output": self.output.model_dump(mode="json"),
            "max_bad": self.max_bad,
        }

    def hash(self) -> str:
        """SHA-256, in hexadecimal, of the resolved recipe as canonical JSON."""
        text = json.dumps(self.resolved(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()
