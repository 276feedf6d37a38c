"""Trains a fastText quality classifier from a recipe: `python -m curate.models.train RECIPE.yaml [OUT.ftz]`.

Needs fastText itself (extra `train`). One thread and a seed: the same recipe gives the same file each time.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, ValidationError

from curate.errors import Problem, RecipeError
from curate.io.scratch import scratch_folder
from curate.io.sources import SourceColumns, list_files, read_batches
from curate.kernels import Texts
from curate.models.fasttext import PREFIX, FastText
from curate.models.fasttext_training import train_fasttext
from curate.synth import generate

#: fastText's own names of the recipe's keys, where they differ.
ARGUMENTS = {"word_ngrams": "wordNgrams", "min_count": "minCount", "min_n": "minn", "max_n": "maxn"}


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Corpora(_Keys):
    """Sample corpora of `documents` documents made from `seed`; those without a quality are left out."""

    documents: int
    seed: int


class Training(_Keys):
    """Arguments of fastText's training."""

    loss: Literal["softmax", "ova", "hs"]
    dim: int
    lr: float
    epoch: int
    word_ngrams: int
    bucket: int
    min_count: int
    min_n: int = 0
    max_n: int = 0
    seed: int


class Quantisation(_Keys):
    """Arguments of fastText's quantisation; epoch and lr are those of the training again on what is left."""

    cutoff: int
    retrain: bool
    epoch: int
    lr: float
    qnorm: bool
    dsub: int


class TrainingRecipe(_Keys):
    """What to train on, how, and what to measure the result on."""

    name: str
    train: Corpora
    held_out: Corpora
    fasttext: Training
    quantise: Quantisation


def train(recipe_path: str | Path, out: str | Path) -> dict[str, dict[str, float]]:
    """Train the recipe's model, write it to `out` (.ftz) and measure it.

    Returns precision, recall and number of documents by label, over the held-out documents. Raises RecipeError for a
    recipe that is not one, ModelError if fastText is not installed, or the training did not converge.
    """
    recipe = read_recipe(Path(recipe_path), TrainingRecipe)
    with scratch_folder() as folder:
        lines = folder / "train.txt"
        with lines.open("w", encoding="utf-8") as file:
            for text, label in labelled_texts(recipe.train, folder / "train"):
                file.write(f"{PREFIX}{label} {' '.join(text.split())}\n")
        training = {ARGUMENTS.get(key, key): value for key, value in recipe.fasttext.model_dump().items()}
        train_fasttext(lines, Path(out), training, recipe.quantise.model_dump())
        examples = list(labelled_texts(recipe.held_out, folder / "held_out"))
    return measure(FastText.load(out), [text for text, _ in examples], [label for _, label in examples])


def labelled_texts(corpora: Corpora, folder: Path) -> Iterator[tuple[str, str]]:
    """The texts of sample corpora, made in `folder`, with their quality."""
    generate(folder, corpora.documents, corpora.seed)
    truth = pq.read_table(folder / "truth.parquet", columns=["file", "row", "quality"]).to_pylist()
    for name, documents in itertools.groupby(truth, key=lambda document: str(document["file"])):
        texts = _texts(folder / name)
        for document in documents:
            if document["quality"] is not None:
                yield texts[document["row"]], document["quality"]


def _texts(path: Path) -> list[str]:
    columns = SourceColumns("text")
    (file,) = list_files("synth", [str(path)], None, columns)
    batches = read_batches(file, columns, text=True, max_documents=10_000, max_bytes=64 << 20)
    return [text for batch in batches if batch.texts is not None for text in batch.texts.to_pylist()]


Kind = TypeVar("Kind", bound=BaseModel)


def read_recipe(path: Path, kind: type[Kind]) -> Kind:
    """A training recipe. Raises RecipeError with everything that is wrong with it."""
    try:
        return kind.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, yaml.YAMLError) as error:
        raise RecipeError(Problem(str(path), str(error))) from error
    except ValidationError as error:
        raise RecipeError(
            *(Problem(f"{path}: {'.'.join(map(str, e['loc']))}", e["msg"]) for e in error.errors())
        ) from error


def measure(model: FastText, texts: list[str], labels: list[str]) -> dict[str, dict[str, float]]:
    """Precision, recall and number of documents of each label of the model, by its best labels for the texts."""
    wanted: NDArray[np.str_] = np.array(labels)
    found = np.array([*model.labels, ""])[model.score(Texts.from_arrow(pa.array(texts))).labels[:, 0]]
    return {
        label: {
            "precision": float((wanted[found == label] == label).mean()),
            "recall": float((found[wanted == label] == label).mean()),
            "documents": float((wanted == label).sum()),
        }
        for label in sorted(model.labels)
    }


if __name__ == "__main__":
    recipe_path = Path(sys.argv[1])
    model_path = Path(sys.argv[2]) if len(sys.argv) > 2 else recipe_path.with_suffix(".ftz")
    for name, figures in train(recipe_path, model_path).items():
        print(name, " ".join(f"{key} {value:.4g}" for key, value in figures.items()))
    print(f"{model_path}: {model_path.stat().st_size:,} bytes, SHA-256 {FastText.load(model_path).sha256}")
