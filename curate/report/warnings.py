"""What of a run's figures deserves a second look: rules that did nothing, rules that took most of a source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from curate.io.manifest import Manifest

#: The share of a source above which one rule's drops are worth a word.
MOST = 0.5
_NAMED = 8


def warnings_of(manifest: Manifest, stages: list[dict[str, Any]]) -> list[str]:
    """A sentence for each stage with rules that fired for no document, and for each rule that dropped more than
    half of the documents of a source that reached its stage. stages: as in the stats."""
    figures = {stage["name"]: stage["sources"] for stage in stages}
    return [
        warning
        for stage in manifest.stages
        for warning in _of_stage(stage.name, stage.rules, figures.get(stage.name, {}))
    ]


def _of_stage(name: str, rules: tuple[str, ...], sources: Mapping[str, Any]) -> Iterator[str]:
    fired = {rule for entry in sources.values() for rule in entry["reasons"]}
    silent = [rule for rule in rules if rule not in fired]
    if silent and any(entry["documents_in"] for entry in sources.values()):
        named = ", ".join(silent[:_NAMED])
        more = f" and {len(silent) - _NAMED} more" if len(silent) > _NAMED else ""
        yield f"{name}: {len(silent)} of {len(rules)} rules fired for no document: {named}{more}"
    for source, entry in sources.items():
        for rule, documents in entry["reasons"].items():
            if documents > MOST * entry["documents_in"]:
                part = documents / entry["documents_in"]
                counts = f"{documents:,} of {entry['documents_in']:,} documents"
                yield f"{name}: {rule} dropped {part:.0%} of source {source} ({counts})"
