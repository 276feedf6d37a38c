"""Classifiers of NeMo Curator, run through its own code (extra `nemo`, which needs a GPU).

A card of kind nemo names a class of `nemo_curator.stages.text.classifiers` (NeMo Curator 1.0 and later) that gives a
label and the probability of each, such as QualityClassifier or DomainClassifier, and the labels in the order of the
model's ids. The class takes the newest revision of its model from the hub's cache. (Its classifiers of educational
value are plain models for sequence classification: cards of kind transformer run those.)
"""

from __future__ import annotations

import importlib
import threading
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.errors import ModelError, Problem
from curate.kernels import Texts
from curate.models.classifier import Predictions, refuse_nan
from curate.models.registry import ModelFiles

ROOM = "nemo_curator.stages.text.classifiers"
LABEL, PROBABILITIES = "curate_label", "curate_probabilities"


class NemoClassifier:
    """A classifier of NeMo Curator in this process: its stages are called one after the other on each batch."""

    def __init__(self, files: ModelFiles) -> None:
        """Raises ModelError where NeMo Curator is not installed or has no such class, or the card has no labels."""
        self._card = files.card
        if self._card.labels is None:
            fix = "list them in the order of the model's ids"
            raise ModelError(Problem(f"model {self._card.name}", "its card has no labels", fix=fix))
        self.labels = self._card.labels
        self.sha256 = files.digest
        room, tasks = self._import(ROOM), self._import("nemo_curator.tasks")
        made = getattr(room, self._card.classifier or "", None)
        if made is None:
            raise ModelError(Problem(f"model {self._card.name}", f"{ROOM} has no {self._card.classifier}"))
        self._new_batch = tasks.DocumentBatch
        self._stages = made(label_field=LABEL, score_field=PROBABILITIES).decompose()
        for stage in self._stages:
            stage.setup()
        self._lock = threading.Lock()

    def predict(self, texts: Texts, rows: NDArray[np.int64]) -> Predictions:
        content = texts.data.data
        spans = zip(texts.offsets[rows].tolist(), texts.offsets[rows + 1].tolist(), strict=True)
        strings = [bytes(content[start:stop]).decode("utf-8", "replace") for start, stop in spans]
        table = pa.table({"text": strings})
        batch = self._new_batch(task_id="curate", dataset_name="curate", data=table)
        with self._lock:
            for stage in self._stages:
                batch = stage.process(batch)
        found = batch.to_pandas()
        probabilities = np.array(found[PROBABILITIES].tolist(), np.float32).reshape(len(rows), -1)
        refuse_nan(self._card, probabilities)
        best = probabilities.argmax(axis=1).astype(np.int32)
        if [self.labels[place] for place in best] != found[LABEL].tolist():
            expected = "the model's own order, by its ids"
            raise ModelError(
                Problem(f"model {self._card.name}", "its card has the labels in another order", expected)
            )
        return Predictions(best, probabilities)

    def _import(self, module: str) -> Any:
        try:
            return importlib.import_module(module)
        except ImportError as error:
            raise ModelError(
                Problem(
                    f"model {self._card.name}",
                    f"NeMo Curator cannot be imported: {error}",
                    "nemo-curator 1.0 or later, on a machine with a GPU",
                    "pip install 'curate[nemo]'; or use the model through a card of kind transformer or deberta_head",
                )
            ) from error
