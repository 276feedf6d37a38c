"""The card of a model: what it is, where its files are, how texts are prepared for it, what its scores mean.

Cards are YAML. Those of `cards/` are the models that recipes can call by name; a recipe may name a card file of its own
instead. A checksum that is not pinned is null: the run then warns, and its manifest records the checksum it saw.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from curate.errors import ModelError, Problem

CARDS = Path(__file__).with_name("cards")
#: A repository of the Hugging Face hub, with or without a revision.
HUB_ID = re.compile(r"(?P<hub>[\w.-]+/[\w.-]+)(@(?P<revision>[\w./-]+))?")
#: A fastText file of such a repository, as file systems of the hub spell it.
HUB_FILE = re.compile(
    r"hf://(?P<hub>[\w.-]+/[\w.-]+)(@(?P<revision>refs/(pr|convert)/\w+|[\w.-]+))?/(?P<file>[\w./-]+\.(bin|ftz))"
)


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Where(_Keys):
    """Where a model's files are: in an installed package, on the Hugging Face hub, or at a path."""

    package: str | None = None
    hub: str | None = None
    revision: str | None = Field(default=None, description="Commit of the hub repository; null: its newest.")
    path: str | None = Field(default=None, description="A file or folder; relative to the card's folder.")
    file: str | None = Field(
        default=None, description="The one file of `package` or `hub`; null: all of `hub`."
    )

    @model_validator(mode="after")
    def _in_one_place(self) -> Where:
        if sum(place is not None for place in (self.package, self.hub, self.path)) != 1:
            raise ValueError("give one of package, hub and path")
        if self.package is not None and self.file is None:
            raise ValueError("a package needs `file`")
        return self


class TextPreparation(_Keys):
    """What becomes of a text before the model sees it."""

    max_chars: int | None = Field(default=None, ge=1, description="Code points from the start; null: all.")
    max_tokens: int | None = Field(
        default=None, ge=1, description="Tokens from the start; null: the tokenizer's own."
    )


class Threshold(_Keys):
    """A published threshold of the score, and who published it."""

    score: float
    source: str


class Card(_Keys):
    """A model's card. sha256: of each file, by its name; null where it is not pinned."""

    name: str
    summary: str
    kind: Literal["fasttext", "transformer", "deberta_head", "nemo"]
    where: Where
    sha256: dict[str, str | None] = {}
    labels: tuple[str, ...] | None = Field(
        default=None, description="As the model has them; null: not stated."
    )
    output: Literal["softmax", "sigmoid", "regression"] = Field(
        default="softmax",
        description="sigmoid: labels do not exclude each other; regression: one number, no labels.",
    )
    range: tuple[int, int] | None = Field(
        default=None, description="Of a regression: least and greatest label."
    )
    score: str | None = Field(default=None, description="The label whose probability is the score.")
    text: TextPreparation = TextPreparation()
    threshold: Threshold | None = None
    architecture: dict[str, Any] | None = Field(
        default=None, description="Of the transformer, for a config.json that does not name its model_type."
    )
    classifier: str | None = Field(default=None, description="Of kind nemo: the class in NeMo Curator.")
    licence: str
    source: str = Field(description="Who made it, and where that is written.")
    training: dict[str, Any] | None = None
    evaluation: dict[str, Any] | None = None
    notes: str = ""

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Card:
        if (self.output == "regression") != (self.range is not None):
            raise ValueError("`range` goes with output: regression")
        if (self.kind == "nemo") != (self.classifier is not None):
            raise ValueError("`classifier` goes with kind: nemo")
        return self

    @property
    def pinned(self) -> bool:
        """Whether every file that the card lists has its checksum, and there is one."""
        return bool(self.sha256) and all(self.sha256.values())


def read_card(path: Path) -> Card:
    """The card in a YAML file; a relative `where.path` is taken from its folder. Raises ModelError."""
    try:
        card = Card.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise ModelError(Problem(str(path), f"no card can be read: {error}")) from error
    except ValidationError as error:
        details = error.errors()
        places = [".".join(map(str, detail["loc"])) for detail in details]
        raise ModelError(
            *(Problem(f"{path}: {place}", d["msg"]) for place, d in zip(places, details, strict=True))
        ) from error
    if card.where.path is None:
        return card
    placed = card.where.model_copy(update={"path": str(path.parent / card.where.path)})
    return card.model_copy(update={"where": placed})


@cache
def known_cards() -> dict[str, Card]:
    """The cards that come with curate, by name."""
    cards = [read_card(path) for path in sorted(CARDS.glob("*.yaml"))]
    return {card.name: card for card in cards}


def bare_card(model: str, kind: Literal["fasttext", "transformer"], where: Where) -> Card:
    """The card of a model about which nothing is known but where it is."""
    return Card(
        name=model, summary="", kind=kind, where=where, licence="not stated", source="given by the user"
    )
