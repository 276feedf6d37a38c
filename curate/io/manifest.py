"""The manifest of a finished run (OUT/manifest.json): what went in, what came out, and by which recipe."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from curate.errors import OutputError, Problem
from curate.io.files import read_json


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Totals(_Part):
    """Counts of a source or of the whole run. Bytes are UTF-8 bytes of text; tokens are ceil(bytes / 4), an
    estimate; what ends in `_out` counts a document as often as it stands in the output."""

    documents: int = Field(ge=0)
    kept: int = Field(ge=0)
    bytes_in: int = Field(ge=0)
    bytes_out: int = Field(ge=0)
    tokens_in: int = Field(ge=0)
    tokens_out: int = Field(ge=0)
    rows_out: int = Field(ge=0)
    quarantined: int = Field(ge=0)


class SourceFileEntry(_Part):
    """A source file: `index` is its place by sorted path, `ledger` its ledger's path in the output."""

    index: int = Field(ge=0)
    path: str
    ledger: str
    ledger_sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)
    rows: int = Field(ge=0)
    fingerprint: str


class SourceEntry(Totals):
    """A source: `index` is its place in the recipe."""

    name: str
    index: int = Field(ge=0, lt=256)
    files: tuple[SourceFileEntry, ...]


class StageEntry(_Part):
    """A stage as it ran; `sources` is None where it saw all of them, `rules` are the reasons it can drop for."""

    name: str
    kind: str
    sources: tuple[str, ...] | None = None
    rules: tuple[str, ...] = ()
    definition: dict[str, Any] = Field(default_factory=dict)


class ShardEntry(_Part):
    """An output file; `bytes` is its size, `path` is relative to the output."""

    path: str
    rows: int = Field(ge=0)
    bytes: int = Field(ge=0)
    tokens: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    rows_by_source: dict[str, int]


class Manifest(_Part):
    """OUT/manifest.json, checked. The same recipe and inputs give the same bytes: it holds no times."""

    format: Literal[1]
    name: str
    versions: dict[str, str]
    recipe: dict[str, Any]
    recipe_sha256: str
    stages: tuple[StageEntry, ...]
    sources: tuple[SourceEntry, ...]
    totals: Totals
    shards: tuple[ShardEntry, ...]

    @classmethod
    def load(cls, out: str) -> Manifest:
        """The manifest under `out` (a local folder or a URL). Raises OutputError where it is missing or
        not of the form above."""
        path = f"{str(out).rstrip('/')}/manifest.json"
        try:
            return cls.model_validate(read_json(path))
        except FileNotFoundError as error:
            fix = "run the recipe to its end: the manifest is written last"
            raise OutputError(Problem(path, "no manifest", "the output of a finished run", fix)) from error
        except ValidationError as error:
            raise OutputError(*(_problem(path, detail) for detail in error.errors())) from error
        except ValueError as error:
            raise OutputError(Problem(path, f"not JSON: {error}")) from error

    def source(self, name: str) -> SourceEntry:
        """The source of that name; KeyError where there is none."""
        return {source.name: source for source in self.sources}[name]

    def source_names(self) -> dict[int, str]:
        """Names of the sources by their index, in the recipe's order."""
        return {source.index: source.name for source in sorted(self.sources, key=lambda entry: entry.index)}


def _problem(path: str, detail: Any) -> Problem:
    where = ".".join(str(part) for part in detail["loc"])
    return Problem(f"{path}: {where}", f"{detail['input']!r:.80}", str(detail["msg"]))
