"""What the stages that keep documents by a classifier's labels have in common."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.errors import ModelError, Problem
from curate.models.classifier import Classifier
from curate.models.fasttext import PREFIX, FastText


def check_labels(wanted: Iterable[str], known: Iterable[str], where: str) -> None:
    """Raises ModelError, naming the labels there are, for one that is not among those known."""
    known = sorted(set(known))
    for name in wanted:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            shown = ", ".join(known[:200])
            fix = f"did you mean {close[0]}?" if close else ""
            raise ModelError(Problem(where, f"the model has no label {name!r}", f"one of {shown}", fix))


def indices_of(model: FastText | Classifier, wanted: Sequence[str], where: str) -> NDArray[np.int32]:
    """The indices of labels, int32; a leading `__label__` is overlooked.

    Raises ModelError, naming the labels there are, for one that the model does not have.
    """
    names = [label.removeprefix(PREFIX) for label in wanted]
    check_labels(names, model.labels, where)
    return np.array([model.labels.index(name) for name in names], np.int32)


def names_of(names: Sequence[str], labels: NDArray[np.int32]) -> pa.Array:
    """The labels' names as an Arrow string array, null for index -1."""
    return pa.array(names, pa.string()).take(pa.array(labels, mask=labels < 0))
