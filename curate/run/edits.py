"""What edits depend on, and what they leave; they are made again wherever a document is read again."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy

import pyarrow as pa
import pyarrow.compute as pc

from curate.plan import Step
from curate.stages.base import DocumentStage


def stages_of(steps: Sequence[Step]) -> tuple[DocumentStage, ...]:
    """The stages of steps that edit texts."""
    return tuple(step.stage for step in steps if isinstance(step.stage, DocumentStage))


def stages_on_cpu(steps: Sequence[Step]) -> tuple[DocumentStage, ...]:
    """As `stages_of`, on the CPU: where parts of a file are read again, a GPU would wait for small batches."""
    stages = tuple(map(copy, stages_of(steps)))
    for stage in stages:
        stage.device = "cpu"
    return stages


def definitions(steps: Sequence[Step]) -> list[object]:
    """Everything that edits depend on, as JSON values."""
    return [
        [step.name, step.kind, sorted(step.sources), stage.measurement() or stage.definition()]
        for step, stage in zip(steps, stages_of(steps), strict=True)
    ]


def size_left(ledger: pa.Table, unit: str) -> pa.ChunkedArray:
    """`bytes` or `tokens` of each document as it is written: after the edits, where there were any."""
    if f"edited_{unit}" not in ledger.column_names:
        return ledger[unit]
    return pc.coalesce(ledger[f"edited_{unit}"], ledger[unit])
