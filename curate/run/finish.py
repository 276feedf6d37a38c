"""The end of a run: the quarantine, the manifest, the dataset card, the report."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import curate
from curate.engines.task import Receipt
from curate.io.card import write_card
from curate.io.files import join, write_json
from curate.io.ledger import MIX
from curate.io.quarantine import join_quarantine
from curate.plan import Plan, PlannedSource, Step
from curate.report import write_report
from curate.report.guard import remove_guard_page
from curate.run.shards import Emitting


def gather_quarantine(out: str, source: PlannedSource, parts: Iterable[str]) -> bool:
    """Put the quarantine of those of a source's files that have one into OUT/quarantine/<source>.jsonl."""
    found = [join(out, path) for path in parts]
    if found:
        join_quarantine(join(out, f"quarantine/{source.source.name}.jsonl"), found)
    return bool(found)


def write_manifest(
    out: str,
    plan: Plan,
    ledgers: dict[str, list[tuple[Emitting, Receipt]]],
    shards: Sequence[Receipt],
    quarantined: dict[str, int],
) -> None:
    """Write OUT/manifest.json: byte for byte the same for the same inputs and recipe."""
    sources = [_source(source, ledgers[source.source.name], quarantined) for source in plan.sources]
    summed = (
        "documents",
        "kept",
        "bytes_in",
        "bytes_out",
        "tokens_in",
        "tokens_out",
        "rows_out",
        "quarantined",
    )
    write_json(
        join(out, "manifest.json"),
        {
            "format": 1,
            "name": plan.recipe.name,
            "versions": {
                "curate": curate.__version__,
                "numpy": np.__version__,
                "pyarrow": pa.__version__,
            },
            "recipe": plan.recipe.resolved(),
            "recipe_sha256": plan.recipe.hash(),
            "stages": [*(_stage(plan, step) for step in plan.steps), *_mix(plan)],
            "sources": sources,
            "totals": {key: sum(source[key] for source in sources) for key in summed},
            "shards": [_shard(receipt) for receipt in shards],
        },
    )


def publish(out: str) -> dict[str, Any]:
    """Write the dataset card and the report from the manifest and the ledger; returns the stats."""
    remove_guard_page(out)
    write_card(out)
    return write_report(out)


def _source(
    source: PlannedSource, ledgers: list[tuple[Emitting, Receipt]], quarantined: dict[str, int]
) -> dict[str, Any]:
    facts = [receipt.facts for _, receipt in ledgers]
    emitted = [entry for fact in facts for entry in fact["emitted"]]
    return {
        "name": source.source.name,
        "index": source.index,
        "files": [
            {
                "index": emitting.file.index,
                "path": _path_as_in_recipe(emitting.file.path, source.source.path),
                "ledger": emitting.ledger,
                "ledger_sha256": receipt.outputs[emitting.ledger][1],
                "bytes": emitting.file.bytes,
                "rows": receipt.facts["documents"],
                "fingerprint": emitting.file.fingerprint,
            }
            for emitting, receipt in ledgers
        ],
        "documents": sum(fact["documents"] for fact in facts),
        "kept": sum(fact["kept"] for fact in facts),
        "bytes_in": sum(fact["bytes_in"] for fact in facts),
        "tokens_in": sum(fact["tokens_in"] for fact in facts),
        "rows_out": sum(rows for rows, _, _ in emitted),
        "bytes_out": sum(size for _, size, _ in emitted),
        "tokens_out": sum(tokens for _, _, tokens in emitted),
        "quarantined": quarantined[source.source.name],
    }


def _path_as_in_recipe(path: str, patterns: Sequence[str]) -> str:
    """Relative where the recipe's patterns are, so that a manifest does not tell where on a machine it was made."""
    relative = any("://" not in pattern and not Path(pattern).is_absolute() for pattern in patterns)
    return os.path.relpath(path) if relative and "://" not in path else path


def _stage(plan: Plan, step: Step) -> dict[str, Any]:
    everywhere = step.sources == {source.source.name for source in plan.sources}
    return {
        "name": step.name,
        "kind": step.kind,
        "sources": None
        if everywhere
        else [s.source.name for s in plan.sources if s.source.name in step.sources],
        "rules": list(step.rules),
        "definition": step.stage.definition(),
    }


def _mix(plan: Plan) -> list[dict[str, Any]]:
    mix = plan.recipe.mix
    if mix is None:
        return []
    return [{"name": MIX, "kind": MIX, "sources": None, "definition": mix.model_dump(mode="json")}]


def _shard(receipt: Receipt) -> dict[str, Any]:
    ((path, (size, digest)),) = receipt.outputs.items()
    return {
        "path": path,
        "rows": receipt.facts["documents"],
        "bytes": size,
        "tokens": receipt.facts["tokens"],
        "sha256": digest,
        "rows_by_source": receipt.facts["rows_by_source"],
    }
