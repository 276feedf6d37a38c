"""Edits made again where texts are read again: a document is kept in the sources only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.kernels import Texts
from curate.plan import Step
from curate.stages.base import DocumentStage


def edited(texts: Texts, rows: NDArray[np.int64], steps: Sequence[Step]) -> Texts:
    """All of `texts`, those at `rows` as the stages leave them."""
    for step in steps:
        assert isinstance(step.stage, DocumentStage), f"{step.name} edits no texts"
        if len(rows):
            texts = step.stage.edit(texts, rows)
    return texts


def definitions(steps: Sequence[Step]) -> list[object]:
    """Everything that edits depend on, as JSON values."""
    return [[step.name, step.kind, sorted(step.sources), step.stage.definition()] for step in steps]


def size_left(ledger: pa.Table, unit: str) -> pa.ChunkedArray:
    """`bytes` or `tokens` of each document as it is written: after the edits, where there were any."""
    if f"edited_{unit}" not in ledger.column_names:
        return ledger[unit]
    return pc.coalesce(ledger[f"edited_{unit}"], ledger[unit])
