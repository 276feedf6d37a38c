"""What a classifier is to a stage, whichever kind of model stands behind it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from curate.errors import ModelError, Problem
from curate.kernels import Texts
from curate.kernels.choice import kernels_on
from curate.kernels.interface import CPU, Kernels
from curate.models.card import Card
from curate.models.fasttext import FastText
from curate.models.registry import ModelFiles, card_of, fasttext, files_of


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a classifier says of n texts.

    best: int32, shape (n,), index into the labels, -1 where the model has none for the text.
    probabilities: float32, shape (n, labels); with shape (n, 0) of a regression.
    value: float32, shape (n,), of a regression; None otherwise.
    """

    best: NDArray[np.int32]
    probabilities: NDArray[np.float32]
    value: NDArray[np.float32] | None = None


class Classifier(Protocol):
    """A loaded model. Safe to use from several threads at once; not to be pickled.

    labels: their names; of a regression the whole numbers of its range. sha256: of all its files.
    """

    labels: tuple[str, ...]
    sha256: str

    def predict(self, texts: Texts, rows: NDArray[np.int64]) -> Predictions:
        """Of the texts that `rows` (int64) names."""
        ...


class FastTextClassifier:
    """A fastText model as a classifier."""

    def __init__(self, model: FastText, kernels: Kernels = CPU) -> None:
        self._kernels = kernels
        self.labels = model.labels
        self.sha256 = model.sha256
        self._model = model

    def predict(self, texts: Texts, rows: NDArray[np.int64]) -> Predictions:
        scores = self._model.score(texts, rows, k=len(self.labels), kernels=self._kernels)
        probabilities = np.zeros((len(rows), len(self.labels)), np.float32)
        text, place = np.nonzero(scores.labels >= 0)
        probabilities[text, scores.labels[text, place]] = scores.probabilities[text, place]
        return Predictions(scores.labels[:, 0], probabilities)


_lock = threading.Lock()
_loaded: dict[tuple[str, str, str], Classifier] = {}


def classifier(model: str, device: str) -> Classifier:
    """The model of that name, path or hub id, loaded on first use and then shared by all threads of the process.

    device: where it computes: cpu, gpu, or auto, a GPU if there is one.
    Raises ModelError where it cannot be loaded, EngineError for "gpu" where there is none.
    """
    card = card_of(model)
    if card.kind == "fasttext":
        return FastTextClassifier(fasttext(model), kernels_on(device))
    files = files_of(card)
    with _lock:
        placed = _placed(files.card, device)
        key = (model, files.digest, placed)
        if key not in _loaded:
            _loaded[key] = _load(files, placed)
        return _loaded[key]


def _placed(card: Card, device: str) -> str:
    if card.kind == "nemo":
        return device
    from curate.models.transformer import placed

    return placed(card, device)


def _load(files: ModelFiles, device: str) -> Classifier:
    if files.card.kind == "nemo":
        from curate.models.nemo import NemoClassifier

        return NemoClassifier(files)
    from curate.models.transformer import TransformerClassifier

    return TransformerClassifier(files, device)


def refuse_nan(card: Card, values: NDArray[np.float32]) -> None:
    """Raises ModelError if the model gave something that is no number: nothing could be decided by it."""
    if not np.isfinite(values).all():
        fix = "check its files, or compute with --device cpu"
        raise ModelError(Problem(f"model {card.name}", "gives scores that are not numbers", fix=fix))
