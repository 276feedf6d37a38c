"""Labelled documents in Parquet: reading them, and dividing them so that no text stands on two sides."""

from __future__ import annotations

import hashlib
import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict, Field, model_validator

from curate.errors import Problem, SourceError


class LabelledFiles(BaseModel):
    """Parquet files of one set of documents: with a column of labels, or all of one label."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str = Field(description="A file, or files with * and ** as wildcards, below the data folder.")
    text: str = Field(default="text", description="Column that holds the text.")
    label: str | None = Field(default=None, description="Column that holds the label.")
    every: str | None = Field(default=None, description="The label of every document of the files.")

    @model_validator(mode="after")
    def _one_way(self) -> LabelledFiles:
        if (self.label is None) == (self.every is None):
            raise ValueError("give `label`, a column, or `every`, the label of all")
        return self


class Parts(BaseModel):
    """Shares of the documents that the model is not trained on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    test: float = Field(default=0.2, gt=0, lt=0.5, description="To report figures on.")
    threshold: float = Field(default=0.1, gt=0, lt=0.5, description="To choose the threshold on.")
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Example:
    """A labelled text. key: hash of its words, whatever their case and punctuation."""

    key: str
    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Divided:
    """Examples by what they are for, each in the order of their keys. repeated: how many were left out because their
    words are those of one that stays. contradicting: how many because others of the same words have another label."""

    train: tuple[Example, ...]
    threshold: tuple[Example, ...]
    test: tuple[Example, ...]
    repeated: int
    contradicting: int


def read_labelled(sets: Iterable[LabelledFiles], folder: Path) -> list[Example]:
    """All documents that have a text and a label. Raises SourceError for a missing file or column, or an empty set."""
    found = []
    for each in sets:
        paths = sorted(folder.glob(each.path)) if not Path(each.path).is_absolute() else [Path(each.path)]
        if not paths:
            raise SourceError(
                Problem(str(folder / each.path), "no such file", "labelled documents in Parquet")
            )
        for path in paths:
            found += _examples(path, each)
    if not found:
        raise SourceError(Problem(str(folder), "no document has a text and a label"))
    return found


def _examples(path: Path, each: LabelledFiles) -> list[Example]:
    columns = [each.text, *([each.label] if each.label else [])]
    try:
        table = pq.read_table(path, columns=columns)
    except (OSError, pa.ArrowInvalid) as error:
        raise SourceError(Problem(str(path), f"cannot be read as Parquet: {error}")) from error
    missing = [column for column in columns if column not in table.column_names]
    if missing:
        there = ", ".join(pq.read_schema(path).names)
        raise SourceError(Problem(str(path), f"has no column {missing[0]}", there))
    texts = table[each.text].to_pylist()
    labels = table[each.label].to_pylist() if each.label else [each.every] * len(texts)
    return [
        Example(_key(text), text, str(label))
        for text, label in zip(texts, labels, strict=True)
        if text and label is not None
    ]


def divide(examples: Iterable[Example], parts: Parts) -> Divided:
    """Divide by a hash of (seed, words): equal texts fall into one part, and the order of files plays no role.

    Of texts with the same words one stays, the first by its characters, so that none counts twice; where their labels
    contradict each other none stays.
    """
    ordered = sorted(examples, key=lambda example: (example.key, example.text))
    sides: dict[str, list[Example]] = {"train": [], "threshold": [], "test": []}
    contradicting = 0
    for key, same in itertools.groupby(ordered, key=lambda example: example.key):
        group = list(same)
        if len({example.label for example in group}) > 1:
            contradicting += len(group)
            continue
        draw = int(hashlib.sha256(f"{parts.seed} {key}".encode()).hexdigest()[:12], 16) / 16**12
        side = (
            "test" if draw < parts.test else "threshold" if draw < parts.test + parts.threshold else "train"
        )
        sides[side].append(group[0])
    stay = sum(len(side) for side in sides.values())
    train, threshold, test = (tuple(sides[name]) for name in ("train", "threshold", "test"))
    return Divided(train, threshold, test, len(ordered) - stay - contradicting, contradicting)


def _key(text: str) -> str:
    words = " ".join(re.findall(r"\w+", text.casefold()))
    return hashlib.sha256(words.encode("utf-8", "replace")).hexdigest()
