"""What the page shows of deduplication beyond figures: texts of clusters and pairs, and measured candidate rates.

Read from the source files when the report is written, so it is no part of stats.json.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from curate.io.manifest import Manifest
from curate.report import curve
from curate.report.explain import word_diff
from curate.report.texts import TextReader

#: Time for reading samples of all stages together.
SECONDS = 10.0
PAIRS_SHOWN = 5
_EXCERPT = 280


@dataclass(frozen=True, slots=True)
class Pair:
    """A duplicate and its witness. left, right: runs of words (whether both have them, words); missing: why not."""

    document: str
    witness: str
    similarity: float
    left: Sequence[tuple[bool, str]]
    right: Sequence[tuple[bool, str]]
    missing: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Of one stage. texts: of the documents of `largest`, by name, cut short. tenths: (from, to, pairs) where there
    are any. points: see `curve.measured`."""

    texts: Mapping[str, str]
    tenths: Sequence[tuple[float, float, Sequence[Pair]]]
    points: Sequence[Mapping[str, float]]


def evidence(stats: Mapping[str, Any], manifest: Manifest, seconds: float = SECONDS) -> dict[str, Evidence]:
    """What can be read in `seconds`, by stage: what is shown first, then what is only measured."""
    reader = TextReader(manifest, seconds)
    for entry in stats["dedup"]:
        reader.read(
            name
            for tenth in entry["pairs"]
            for document, witness, _ in tenth["pairs"][:PAIRS_SHOWN]
            for name in (document, witness)
        )
    for entry in stats["dedup"]:
        reader.read(name for cluster in entry["largest"] for name in (cluster["best"], *cluster["members"]))
    definitions = {stage.name: stage.definition for stage in manifest.stages}
    found = {}
    for entry in stats["dedup"]:
        pairs = list(_measurable(entry))
        reader.read(name for pair in pairs for name in pair)
        read = [(reader.text(a), reader.text(b)) for a, b in pairs]
        texts = [(a, b) for a, b in read if a is not None and b is not None]
        found[entry["stage"]] = Evidence(
            texts=dict(_excerpts(entry, reader)),
            tenths=[
                (tenth["from"], tenth["to"], [_pair(reader, *pair) for pair in tenth["pairs"][:PAIRS_SHOWN]])
                for tenth in entry["pairs"]
                if tenth["pairs"]
            ],
            points=curve.measured(definitions[entry["stage"]], texts) if entry["bands"] else [],
        )
    return found


def _measurable(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for tenth in entry["pairs"]:
        for document, witness, _ in tenth["pairs"]:
            yield document, witness
    for document, best in entry["apart"]:
        yield document, best


def _excerpts(entry: Mapping[str, Any], reader: TextReader) -> Iterator[tuple[str, str]]:
    for cluster in entry["largest"]:
        for name in (cluster["best"], *cluster["members"]):
            text = reader.text(name)
            if text is None:
                yield name, f"({reader.missing(name)})"
            else:
                yield name, text[:_EXCERPT] + (" ..." if len(text) > _EXCERPT else "")


def _pair(reader: TextReader, document: str, witness: str, similarity: float) -> Pair:
    for name in (document, witness):
        if reader.text(name) is None:
            return Pair(document, witness, similarity, (), (), reader.missing(name))
    left, right = reader.text(document) or "", reader.text(witness) or ""
    runs = word_diff(left, right)
    return Pair(
        document,
        witness,
        similarity,
        [(kind == "same", words) for kind, words in runs if kind != "witness"],
        [(kind == "same", words) for kind, words in runs if kind != "document"],
        "" if runs else "The words of the two are the same.",
    )
