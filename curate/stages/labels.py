"""What the stages that keep documents by a classifier's labels have in common."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.errors import ModelError, Problem
from curate.models.classifier import Classifier
from curate.models.fasttext import FastText


def indices_of(model: FastText | Classifier, wanted: Sequence[str], where: str) -> NDArray[np.int32]:
    """The indices of labels, int32; a leading `__label__` is overlooked.

    Raises ModelError, naming the labels there are, for one that the model does not have.
    """
    indices = []
    for label in wanted:
        name = label.removeprefix("__label__")
        if name not in model.labels:
            close = difflib.get_close_matches(name, model.labels, n=1)
            shown = ", ".join(sorted(model.labels)[:200])
            fix = f"did you mean {close[0]}?" if close else ""
            raise ModelError(Problem(where, f"the model has no label {name!r}", f"one of {shown}", fix))
        indices.append(model.labels.index(name))
    return np.array(indices, np.int32)


def names_of(model: FastText | Classifier, labels: NDArray[np.int32]) -> pa.Array:
    """The labels' names as an Arrow string array, null for index -1."""
    return pa.array(model.labels, pa.string()).take(pa.array(labels, mask=labels < 0))
