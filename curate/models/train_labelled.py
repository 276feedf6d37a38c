"""Trains a fastText classifier from labelled Parquet, by a recipe, and writes its card with figures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from curate.errors import ModelError, Problem, RecipeError
from curate.io.scratch import scratch_folder
from curate.kernels import Texts
from curate.models.card import Card, Threshold, Where
from curate.models.evaluation import Evaluation, best_threshold, evaluate
from curate.models.fasttext import PREFIX, FastText
from curate.models.fasttext_training import train_fasttext, trainer
from curate.models.labelled import Divided, Example, LabelledFiles, Parts, divide, read_labelled
from curate.models.train import ARGUMENTS, Quantisation, Training, TrainingRecipe, read_recipe, train


class LabelledRecipe(BaseModel):
    """What to train on, how, and what part of it to measure the result on."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    summary: str = ""
    licence: str = "not stated"
    data: tuple[LabelledFiles, ...] = Field(min_length=1)
    positive: str = Field(description="The label of the documents that are wanted.")
    parts: Parts = Parts()
    fasttext: Training
    quantise: Quantisation


def train_labelled(recipe: LabelledRecipe, folder: Path, out: Path) -> Card:
    """Train on the files below `folder`; write the model to `out` (.ftz) and its card beside it (.yaml).

    The threshold is that of the best F1 on a part of its own; precision, recall and AUC are of the test part. The same
    recipe and files give the same bytes. Raises RecipeError where a part lacks one of the labels, SourceError for files
    that cannot be read, ModelError if fastText's training is not installed or fails.
    """
    divided = divide(read_labelled(recipe.data, folder), recipe.parts)
    for name in ("train", "threshold", "test"):
        labels = {example.label for example in getattr(divided, name)}
        if recipe.positive not in labels or len(labels) < 2:
            found = f"of the {name} part the labels are {', '.join(sorted(labels)) or 'none'}"
            expected = f"{recipe.positive} and another"
            raise RecipeError(Problem(recipe.name, found, expected, "more documents, or another parts.seed"))
    out.parent.mkdir(parents=True, exist_ok=True)
    with scratch_folder() as scratch:
        lines = scratch / "train.txt"
        written = (f"{PREFIX}{each.label} {' '.join(each.text.split())}\n" for each in _mixed(divided.train))
        lines.write_text("".join(written), encoding="utf-8")
        training = {ARGUMENTS.get(key, key): value for key, value in recipe.fasttext.model_dump().items()}
        train_fasttext(lines, out, training, recipe.quantise.model_dump())
    model = FastText.load(out)
    threshold = best_threshold(*_scored(model, divided.threshold, recipe.positive))
    measured = evaluate(*_scored(model, divided.test, recipe.positive), threshold)
    card = _card(recipe, model, out, divided, measured)
    content = card.model_dump(mode="json", exclude_defaults=True)
    out.with_suffix(".yaml").write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
    return card


def _mixed(examples: Sequence[Example]) -> Sequence[Example]:
    """In the order of their keys, which are hashes: labels stand mixed, as one pass of training wants them."""
    return sorted(examples, key=lambda example: example.key)


def _scored(
    model: FastText, examples: Sequence[Example], positive: str
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The probability of the label that is wanted, and whether it is the right one."""
    texts = Texts.from_arrow(pa.array([example.text for example in examples]))
    good = np.array([example.label == positive for example in examples])
    return probability(model, texts, positive), good


def probability(model: FastText, texts: Texts, label: str) -> NDArray[np.float64]:
    """The probability of a label for each text, float64, 0 where the model has none."""
    if label not in model.labels:
        raise ModelError(Problem(model.name, f"has no label {label}", ", ".join(model.labels)))
    scores = model.score(texts, k=len(model.labels))
    found: NDArray[np.float32] = np.where(
        scores.labels == model.labels.index(label), scores.probabilities, 0
    ).max(axis=1, initial=0)
    return found.astype(np.float64)


def _card(recipe: LabelledRecipe, model: FastText, out: Path, divided: Divided, measured: Evaluation) -> Card:
    counts = {name: len(getattr(divided, name)) for name in ("train", "threshold", "test")}
    counts |= {"repeated": divided.repeated, "contradicting": divided.contradicting}
    used = recipe.model_dump(mode="json", exclude={"name", "summary", "licence"}, exclude_none=True)
    return Card(
        name=recipe.name,
        summary=recipe.summary,
        kind="fasttext",
        where=Where(path=out.name),
        sha256={out.name: model.sha256},
        labels=model.labels,
        score=recipe.positive,
        threshold=Threshold(
            score=round(measured.threshold, 6), source="best F1 on documents kept apart for it"
        ),
        licence=recipe.licence,
        source="curate models train",
        training={**used, "trainer": trainer()},
        evaluation={"documents": counts, "test": measured.figures()},
    )


def train_by_recipe(path: Path, folder: Path, out: Path | None) -> tuple[dict[str, dict[str, float]], Path]:
    """Train by a recipe of either kind: labelled files below `folder`, or sample corpora.

    Returns figures (of the test part; of each label) and the path of the model, by default `<name>.ftz`.
    """
    try:
        written = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise RecipeError(Problem(str(path), str(error))) from error
    if isinstance(written, dict) and "data" in written:
        recipe = read_recipe(path, LabelledRecipe)
        model = out or Path(f"{recipe.name}.ftz")
        card = train_labelled(recipe, folder, model)
        figures = (card.evaluation or {})["test"]
        return {"test": {key: value for key, value in figures.items() if key != "reliability"}}, model
    model = out or Path(f"{read_recipe(path, TrainingRecipe).name}.ftz")
    return train(path, model), model
