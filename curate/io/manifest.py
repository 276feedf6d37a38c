"""The manifest of a finished run (OUT/manifest.json): what went in, what came out, and by which recipe."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from curate.errors import OutputError, Problem
from curate.io.files import read_json
from curate.io.shard_formats import SHARD_FORMATS, ShardFormat


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Totals(_Part):
    """Counts of a source or of the whole run. Bytes are UTF-8 bytes of text, tokens counted as `Manifest.tokens`
    says; what ends in `_out` counts a document as often as it stands in the output."""

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


class FileEntry(_Part):
    """An output file; `bytes` is its size, `path` is relative to the output."""

    path: str
    bytes: int = Field(ge=0)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class TokensEntry(_Part):
    """How tokens were counted: exactly, by the tokenizer of that name and checksum, or as bytes of text over
    `bytes_a_token`, that of the document's language where it is known, rounded up."""

    method: Literal["tokenizer", "estimate"]
    tokenizer: str | None = None
    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")
    bytes_a_token: float | None = None
    bytes_a_token_by_language: dict[str, float] = Field(default_factory=dict)

    @property
    def how(self) -> str:
        """In words, after "tokens are"."""
        if self.method == "tokenizer":
            return f"counted by {self.tokenizer}"
        by_language = ", and by language where it is known" if self.bytes_a_token_by_language else ""
        return f"estimated from bytes ({self.bytes_a_token:g} a token{by_language})"


class ShardEntry(FileEntry):
    """A shard by its own file; `companions` are files that belong to it, such as Megatron's index. Tokens are those
    of the texts, without what ends documents."""

    rows: int = Field(ge=0)
    tokens: int = Field(ge=0)
    rows_by_source: dict[str, int]
    companions: tuple[FileEntry, ...] = ()


class Manifest(_Part):
    """OUT/manifest.json, checked. The same recipe and inputs give the same bytes: it holds no times. `shard_index` is
    the file that lists the shards, where their format has one."""

    format: Literal[1]
    name: str
    versions: dict[str, str]
    recipe: dict[str, Any]
    recipe_sha256: str
    stages: tuple[StageEntry, ...]
    sources: tuple[SourceEntry, ...]
    totals: Totals
    tokens: TokensEntry = TokensEntry(method="estimate", bytes_a_token=4)
    shards: tuple[ShardEntry, ...]
    shard_index: FileEntry | None = None

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

    @property
    def shard_format(self) -> ShardFormat:
        """The format of the shards."""
        return SHARD_FORMATS[self.recipe.get("output", {}).get("format", "parquet")]

    @property
    def ends_documents(self) -> bool:
        """Whether a token stands after each document of shards that hold tokens."""
        return self.recipe.get("output", {}).get("end_of_document") is not None

    def source(self, name: str) -> SourceEntry:
        """The source of that name; KeyError where there is none."""
        return {source.name: source for source in self.sources}[name]

    def source_names(self) -> dict[int, str]:
        """Names of the sources by their index, in the recipe's order."""
        return {source.index: source.name for source in sorted(self.sources, key=lambda entry: entry.index)}


def _problem(path: str, detail: Any) -> Problem:
    where = ".".join(str(part) for part in detail["loc"])
    return Problem(f"{path}: {where}", f"{detail['input']!r:.80}", str(detail["msg"]))
