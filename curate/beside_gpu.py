"""What of a plan the CPU does in a run on a GPU: a plan and a run say it, so that nobody has to find out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from curate.models.tokens import TokenCount
from curate.plan import DocumentPass, Plan, Step
from curate.stages.base import DocumentStage


def work_on_cpu(step: Step) -> str | None:
    """What of a stage has no kernel for a GPU; None where nothing is left, "all" where it has none."""
    return step.stage.on_cpu_beside_gpu() if step.stage.on_gpu() else "all"


def texts_on_host(steps: Sequence[Step], edits: Sequence[DocumentStage], tokens: TokenCount) -> str | None:
    """Who looks at a pass's texts in the host's memory, so that they are not read into the GPU's alone; None: nobody.

    edits: stages of earlier passes whose edits are made again.
    """
    if not all(stage.reads_text_on_gpu for stage in edits):
        return "edits of earlier stages"
    if tokens.reads_text:
        return "the tokenizer"
    needing = (step for step in steps if step.stage.reads_text and not step.stage.reads_text_on_gpu)
    return next((step.name for step in needing), None)


def remarks(plan: Plan) -> Iterator[str]:
    """What a run on a GPU should say before it starts."""
    found = [(step.name, work_on_cpu(step)) for step in plan.steps]
    named = [name if work == "all" else f"{name} ({work})" for name, work in found if work]
    if named:
        yield f"without a kernel for the GPU, and the CPU's: {'; '.join(named)}"
    for each in plan.passes:
        if isinstance(each, DocumentPass) and each.texts:
            yield f"{each.name}: {reading(each, plan.tokens)}"


def reading(each: DocumentPass, tokens: TokenCount) -> str:
    """How a run on a GPU reads the texts of a pass."""
    reason = texts_on_host(
        each.steps, [step.stage for step in each.edited if isinstance(step.stage, DocumentStage)], tokens
    )
    if reason:
        return f"Arrow reads the texts, which are needed on the CPU by {reason}"
    return "cudf reads texts of local Parquet files in the GPU's memory, where installed; Arrow all others"
