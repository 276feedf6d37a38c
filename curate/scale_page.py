"""The tables of docs/scale.md, made from the slopes: `python -m curate.scale_page`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from curate.estimate import COMPRESSION
from curate.memory import DEFAULT
from curate.scale import (
    HEADINGS,
    SLOPES,
    CorpusWork,
    DocumentWork,
    Workload,
    costs,
    hours_shown,
    remarks,
    rows,
)

#: Zyda-2 before anything is dropped, and what its makers report for their pipeline on H100s (arXiv 2411.06068).
ZYDA2_DOCUMENTS, ZYDA2_BYTES, ZYDA2_TOKENS = 12e9, 50e12, 11.6e12
PUBLISHED_TOKENS_A_GPU_HOUR = 3.8e9
#: Processor seconds a byte of text of the document pass of pipelines/zyda2.yaml (docs/scale.md).
ZYDA2_SECONDS_A_BYTE = 1 / 35.7e6
#: Gigabytes of text a second and GPU that the page reckons with; not measured.
GPU_RATES = (0.5, 2.0, 8.0)


def zyda2(seconds_a_byte: float) -> Workload:
    """Zyda-2 by pipelines/zyda2.yaml, as if no stage before the deduplication dropped anything: the most it can cost.

    seconds_a_byte: processor seconds of the document pass.
    """
    stored = ZYDA2_BYTES * COMPRESSION
    passes = (
        DocumentWork("documents-1", stored, seconds_a_byte * ZYDA2_BYTES),
        CorpusWork("exact_dedup", ZYDA2_DOCUMENTS, 0, 0, 0),
        CorpusWork("fuzzy_dedup", ZYDA2_DOCUMENTS, 8, 128, 0),
    )
    return Workload(ZYDA2_DOCUMENTS, ZYDA2_BYTES, stored, passes, ZYDA2_BYTES, 512_000_000, mixes=True)


def tables() -> str:
    """The tables of docs/scale.md, Markdown."""
    parts = ["| constant | value | unit | from |\n|---|---|---|---|"]
    parts += [f"| {name} | {each.value:.3g} | {each.unit} | {each.where} |" for name, each in SLOPES.items()]
    load = zyda2(ZYDA2_SECONDS_A_BYTE)
    for workers, memory in ((64, DEFAULT.bytes), (1024, DEFAULT.bytes)):
        found = costs(load, workers, memory)
        parts += [f"\n### CPU only, {workers} workers\n", _markdown(HEADINGS, rows(found)), ""]
        parts += [f"- {remark}" for remark in remarks(found)]
    parts += ["\n### With GPUs\n", _gpu_table(load)]
    return "\n".join(parts) + "\n"


def _gpu_table(load: Workload) -> str:
    published = ZYDA2_TOKENS / PUBLISHED_TOKENS_A_GPU_HOUR
    found = costs(load, 64)
    rest = sum(each.hours(64) for each in found.passes[1:])
    heads = ("GPUs", *(f"documents-1 at {rate:g} GB/s a GPU" for rate in GPU_RATES))
    heads = (*heads, "the other passes, 64 CPU workers", "published, NeMo Curator's whole pipeline")
    table = [
        (
            str(gpus),
            *(f"{hours_shown(gpu_hours(load.text_bytes, gpus, rate * 1e9))} h" for rate in GPU_RATES),
            f"{hours_shown(rest)} h",
            f"{hours_shown(published / gpus)} h",
        )
        for gpus in (1, 8, 64)
    ]
    return _markdown(heads, table)


def gpu_hours(text_bytes: float, gpus: int, rate: float) -> float:
    """Hours of a document pass on GPUs that each take `rate` bytes of text a second."""
    return text_bytes / (gpus * rate) / 3600


def _markdown(heads: Sequence[str], table: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *table]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines).replace("\u00a0", " ")


if __name__ == "__main__":
    print(tables(), end="")
