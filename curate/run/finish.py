"""The end of a run: the quarantine, the manifest, the dataset card, the report."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa

import curate
from curate.engines.task import Receipt
from curate.io.card import write_card
from curate.io.files import atomic_write, join, write_json
from curate.io.ledger import MIX
from curate.io.quarantine import join_quarantine
from curate.io.shard_formats import SHARD_FORMATS, SHARD_INDEX, WrittenShard
from curate.plan import Plan, PlannedSource, Step
from curate.report import write_report
from curate.report.guard import remove_guard_page
from curate.run.shards import Emitting
from curate.stages.write import shard_options


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
    index: dict[str, Any] | None,
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
            "tokens": plan.tokens.description(),
            "shards": [_shard(plan, receipt) for receipt in shards],
            "shard_index": index,
        },
    )


def write_shard_index(out: str, plan: Plan, shards: Sequence[Receipt]) -> dict[str, Any] | None:
    """Write the file that lists the shards, where their format has one; returns its entry in the manifest."""
    chosen = SHARD_FORMATS[plan.recipe.output.format]
    written = [
        WrittenShard(
            tuple((PurePosixPath(path).name, size, digest) for path, size, digest in _files(plan, receipt)),
            receipt.facts["documents"],
            receipt.facts["format"],
        )
        for receipt in shards
    ]
    content = chosen.index(written)
    if content is None:
        return None
    with atomic_write(join(out, SHARD_INDEX)) as file:
        file.write(content)
    return {"path": SHARD_INDEX, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


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


def _files(plan: Plan, receipt: Receipt) -> list[tuple[str, int, str]]:
    """Path, bytes and sha256 of a shard's files, its own first."""
    output = plan.recipe.output
    suffixes = SHARD_FORMATS[output.format].suffixes[shard_options(output, plan.tokens).compression]
    return [
        (path, *found)
        for suffix in suffixes
        for path, found in receipt.outputs.items()
        if path.endswith(suffix)
    ]


def _shard(plan: Plan, receipt: Receipt) -> dict[str, Any]:
    (path, size, digest), *others = _files(plan, receipt)
    return {
        "path": path,
        "rows": receipt.facts["documents"],
        "bytes": size,
        "tokens": receipt.facts["tokens"],
        "sha256": digest,
        "rows_by_source": receipt.facts["rows_by_source"],
        "companions": [{"path": path, "bytes": size, "sha256": digest} for path, size, digest in others],
    }
