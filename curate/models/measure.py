"""Measures any classifier, of whatever kind, on labelled Parquet."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.errors import ModelError, Problem, SourceError
from curate.kernels import Texts
from curate.models.classifier import classifier
from curate.models.evaluation import Evaluation, evaluate
from curate.models.labelled import LabelledFiles, read_labelled
from curate.models.registry import card_of


def measure_files(
    model: str,
    files: Sequence[Path],
    text: str,
    label: str,
    positive: str,
    score: str | None,
    threshold: float | None,
    device: str,
) -> Evaluation:
    """Figures of a model over labelled documents.

    text, label: columns of the files. positive: the value of `label` of good documents. score: the model's label whose
    probability counts; by default the one its card names, of a regression its number. threshold: by default the
    card's, else that of the best F1 on these documents. Raises ModelError for a model that cannot be loaded or a label
    it lacks, SourceError for files that cannot be read or have documents of one kind only.
    """
    card = card_of(model)
    examples = read_labelled(
        [LabelledFiles(path=str(path.absolute()), text=text, label=label) for path in files], Path()
    )
    good = np.array([example.label == positive for example in examples])
    if good.all() or not good.any():
        labels = ", ".join(sorted({example.label for example in examples})[:8])
        raise SourceError(Problem(f"column {label}", f"its values are {labels}", f"{positive} and others"))
    texts = Texts.from_arrow(pa.array([example.text for example in examples]))
    if threshold is None and card.threshold is not None:
        threshold = card.threshold.score
    return evaluate(_scores(model, texts, score or card.score or "", device), good, threshold)


def _scores(model: str, texts: Texts, label: str, device: str) -> NDArray[np.float64]:
    """The model's number for each text, or else the probability of the label."""
    loaded = classifier(model, device)
    found = loaded.predict(texts, np.arange(len(texts)))
    if found.value is not None:
        return found.value.astype(np.float64)
    chosen = label.removeprefix("__label__")
    if chosen not in loaded.labels:
        there = ", ".join(loaded.labels[:20])
        raise ModelError(
            Problem(f"model {model}", f"has no label {chosen!r}", there, "name one with --score")
        )
    return found.probabilities[:, loaded.labels.index(chosen)].astype(np.float64)
