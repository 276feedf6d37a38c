"""What of a run's figures deserves a second look: rules that did nothing, rules that took most of a source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from curate.io.ledger import READ
from curate.io.manifest import Manifest, StageEntry
from curate.report.scans import Total, extent

#: The share of a source above which one rule's drops are worth a word.
MOST = 0.5
_NAMED = 8
_BOILERPLATE, _HEURISTICS = "boilerplate", "heuristics"


def warnings_of(
    totals: Sequence[Total],
    languages: Iterable[tuple[Any, ...]],
    manifest: Manifest,
    stages: list[dict[str, Any]],
) -> list[str]:
    """A sentence for each stage with rules that fired for no document, that was to remove lines and removed none, or
    that has rules for a language of no document; and for each rule that dropped more than half of the documents of a
    source that reached its stage.

    totals: with the extents of statistics. languages: (source, dropped by, language, documents) rows. stages: as in
    the stats.
    """
    figures = {stage["name"]: stage["sources"] for stage in stages}
    warnings: list[str] = []
    for place, stage in enumerate(manifest.stages):
        sources = figures.get(stage.name, {})
        if not any(entry["documents_in"] for entry in sources.values()):
            continue
        before = [earlier.name for earlier in manifest.stages[:place]]
        warnings += _silent_rules(stage, sources)
        warnings += _idle_removals(totals, stage)
        warnings += _absent_languages(languages, stage, before)
        warnings += _greedy_rules(stage, sources)
    return warnings


def _silent_rules(stage: StageEntry, sources: Mapping[str, Any]) -> Iterator[str]:
    fired = {rule for entry in sources.values() for rule in entry["reasons"]}
    # The lines that this stage removes are its work, whether or not a document is lost with them.
    silent = [rule for rule in stage.rules if rule not in fired and stage.kind != _BOILERPLATE]
    if silent:
        named = ", ".join(silent[:_NAMED])
        more = f" and {len(silent) - _NAMED} more" if len(silent) > _NAMED else ""
        yield f"{stage.name}: {len(silent)} of {len(stage.rules)} rules fired for no document: {named}{more}"


def _idle_removals(totals: Sequence[Total], stage: StageEntry) -> Iterator[str]:
    there = totals[0].extents if totals else {}
    removals = ["boilerplate_removed"] if stage.kind == _BOILERPLATE else []
    if stage.kind == _HEURISTICS:
        kept = [str(rule["rule"]) for rule in stage.definition.get("keep_stats", [])]
        removals = [name for name in kept if name.endswith(".removed")]
    for column in (name for name in removals if name in there):
        if not extent(totals, column)[1]:
            yield f"{stage.name}: {column} is 0 for every document: no line was removed"


def _absent_languages(
    languages: Iterable[tuple[Any, ...]], stage: StageEntry, before: list[str]
) -> Iterator[str]:
    found = {lang for _, dropped_by, lang, _ in languages if dropped_by not in (READ, *before)}
    absent = [language for language in stage.definition.get("by_language", {}) if language not in found]
    if absent:
        yield f"{stage.name}: by_language has rules for {', '.join(absent)}, the language of no document"


def _greedy_rules(stage: StageEntry, sources: Mapping[str, Any]) -> Iterator[str]:
    for source, entry in sources.items():
        for rule, documents in entry["reasons"].items():
            if documents > MOST * entry["documents_in"]:
                part = documents / entry["documents_in"]
                counts = f"{documents:,} of {entry['documents_in']:,} documents"
                yield f"{stage.name}: {rule} dropped {part:.0%} of source {source} ({counts})"
