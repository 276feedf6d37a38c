"""The report's figures as Markdown tables, for pull requests and chats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from curate.io.manifest import TokensEntry
from curate.report.numbers import compact, count, share, size
from curate.report.page import duplicate_rates, language_names, ranked_rules
from curate.report.timing import Timing

_RULES_SHOWN = 30


def markdown(stats: Mapping[str, Any], timing: Timing | None = None) -> str:
    """The figures of `compute_stats`, and the times of the last run, as GitHub-flavoured Markdown."""
    parts = [
        f"# {_escaped(stats['name'])}\n",
        *_tokens(stats),
        *_sources(stats),
        *_stages(stats),
        *_rules(stats),
    ]
    for entry in stats["dedup"]:
        parts += _dedup(entry, stats)
    parts += [*_same_url(stats), *_languages(stats), *_quality(stats), *_mix(stats)]
    if timing:
        parts += _timing(timing)
    parts += [*_quarantine(stats), *_warnings(stats)]
    return "\n".join(parts).replace("\u00a0", " ")


def _table(title: str, heads: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> Iterator[str]:
    """A heading and a table whose first `words` columns are words, the others numbers; nothing without rows."""
    body = [" | ".join(["", *map(_escaped, row), ""]).strip() for row in rows]
    if body:
        yield f"## {_escaped(title)}\n"
        yield " | ".join(["", *map(_escaped, heads), ""]).strip()
        yield "|" + "|".join(["---"] * words + ["---:"] * (len(heads) - words)) + "|"
        yield from body
        yield ""


def _escaped(text: str) -> str:
    for mark in ("\\", "|", "*", "`", "<", "[", "]"):
        text = text.replace(mark, "\\" + mark)
    return " ".join(text.split())


def _tokens(stats: Mapping[str, Any]) -> Iterator[str]:
    tokens = TokensEntry.model_validate(stats["tokens"])
    checksum = f" (sha256 `{tokens.sha256}`)" if tokens.sha256 else ""
    yield f"Tokens are {_escaped(tokens.how)}{checksum}.\n"


def _sources(stats: Mapping[str, Any]) -> Iterator[str]:
    heads = ["Source", "Documents", "Kept", "Share kept", "Rows written", "Tokens in", "Tokens written"]
    heads += ["Text in", "Text written", "Quarantined"]
    yield from _table(
        "What came in and went out",
        heads,
        (
            (
                name,
                count(entry["documents"]),
                count(entry["kept"]),
                share(entry["kept"] / entry["documents"] if entry["documents"] else 0),
                count(entry["rows_out"]),
                compact(entry["tokens_in"]),
                compact(entry["tokens_out"]),
                size(entry["bytes_in"]),
                size(entry["bytes_out"]),
                count(entry["quarantined"]),
            )
            for name, entry in [*stats["sources"].items(), ("all", stats["totals"])]
        ),
    )


def _stages(stats: Mapping[str, Any]) -> Iterator[str]:
    rows = []
    for stage in stats["stages"]:
        entries = stage["sources"]
        shown = sum(entry["documents_in"] for entry in entries.values())
        dropped = sum(entry["dropped"] for entry in entries.values())
        by_source = [count(entries[name]["dropped"]) if name in entries else "" for name in stats["sources"]]
        rows.append(
            [stage["name"], count(shown), count(dropped), share(dropped / shown if shown else 0), *by_source]
        )
    yield from _table(
        "What each stage dropped", ("Stage", "Shown", "Dropped", "Share", *stats["sources"]), rows
    )


def _rules(stats: Mapping[str, Any]) -> Iterator[str]:
    limits = {(rule["stage"], rule["rule"]): rule for rule in stats["rules"]}
    rules = ranked_rules(stats)
    more = f", the first {_RULES_SHOWN} of {len(rules)}" if len(rules) > _RULES_SHOWN else ""
    rows = []
    for rule in rules[:_RULES_SHOWN]:
        limit = limits.get((rule["stage"], rule["rule"]), {"min": None, "max": None})
        rows.append(
            [
                rule["rule"],
                rule["stage"],
                "" if limit["min"] is None else f"{limit['min']:g}",
                "" if limit["max"] is None else f"{limit['max']:g}",
                count(rule["documents"]),
                share(rule["share"]),
                *(count(rule["sources"].get(name, 0)) for name in stats["sources"]),
            ]
        )
    heads = ("Rule", "Stage", "At least", "At most", "Dropped", "Share", *stats["sources"])
    yield from _table(f"Rules by what they dropped{more}", heads, rows, 2)


def _dedup(entry: Mapping[str, Any], stats: Mapping[str, Any]) -> Iterator[str]:
    yield from _duplicates(entry, stats)
    yield from _losses(entry)
    yield from _cluster_sizes(entry)
    yield from _similarities(entry)


def _duplicates(entry: Mapping[str, Any], stats: Mapping[str, Any]) -> Iterator[str]:
    orphans = entry["orphans"]
    yield from _table(
        f"Duplicates: {entry['stage']}",
        ("Source", "Shown", "Duplicates", "Rate", "Orphans"),
        (
            (
                rate["source"],
                count(rate["shown"]),
                count(rate["dropped"]),
                share(rate["rate"]),
                count(orphans.get(rate["source"], 0)),
            )
            for rate in duplicate_rates(entry, stats)
        ),
    )


def _losses(entry: Mapping[str, Any]) -> Iterator[str]:
    matrix = entry["matrix"]
    winners = list(dict.fromkeys(winner for row in matrix.values() for winner in row))
    yield from _table(
        f"{entry['stage']}: who lost to whom",
        ("Lost by", *(f"to {winner}" for winner in winners)),
        ([loser, *(count(row.get(winner, 0)) for winner in winners)] for loser, row in matrix.items()),
    )


def _cluster_sizes(entry: Mapping[str, Any]) -> Iterator[str]:
    yield from _table(
        f"{entry['stage']}: clusters by size",
        ("Documents in a cluster", "Clusters", "Documents"),
        (
            (f"{each['from']} to {each['to']}", count(each["clusters"]), count(each["documents"]))
            for each in entry["clusters"]["sizes"]
        ),
    )


def _similarities(entry: Mapping[str, Any]) -> Iterator[str]:
    similarity = entry["similarity"]
    edges = similarity["edges"]
    yield from _table(
        f"{entry['stage']}: similarity to the witness",
        ("Similarity", "Duplicates"),
        (
            (f"{edges[place]:g} to {edges[place + 1]:g}", count(documents))
            for place, documents in enumerate(similarity["counts"])
            if documents
        ),
    )


def _same_url(stats: Mapping[str, Any]) -> Iterator[str]:
    found = stats["same_url"]
    if found:
        yield from _table(
            "Same URL, not seen as duplicates",
            ("Between", "and", "URLs"),
            (
                (first, second, count(urls))
                for first, others in found["between"].items()
                for second, urls in others.items()
            ),
            2,
        )


def _languages(stats: Mapping[str, Any]) -> Iterator[str]:
    languages = stats["languages"]
    yield from _table(
        "Languages",
        ("Language", *stats["sources"]),
        (
            [name, *(count(languages.get(source, {}).get(name, 0)) for source in stats["sources"])]
            for name in language_names(stats)
        ),
    )


def _quality(stats: Mapping[str, Any]) -> Iterator[str]:
    for entry in stats["quality"]:
        labels, scores, edges = entry["labels"], entry["scores"], entry["edges"]
        yield from _table(
            f"Documents by {entry['column']}, label",
            ("Source", "Label", "Documents"),
            (
                (source, label, count(number))
                for source, counts in labels.items()
                for label, number in counts.items()
            ),
            2,
        )
        yield from _table(
            f"Documents by {entry['column']}, score",
            ("Score", *scores),
            (
                [
                    f"{edges[place]:g} to {edges[place + 1]:g}",
                    *(count(counts[place]) for counts in scores.values()),
                ]
                for place in range(len(edges) - 1)
                if any(counts[place] for counts in scores.values())
            ),
        )


def _mix(stats: Mapping[str, Any]) -> Iterator[str]:
    mix = stats["mix"]
    yield from _table(
        f"The mix, in {mix['unit']}",
        ("Source", "Asked", "Got", "Epochs"),
        (
            (
                name,
                share(mix["asked"].get(name, 0)) if mix["asked"] else "",
                share(mix["got"][name]),
                f"{mix['copies'][name]:.3f}",
            )
            for name in stats["sources"]
        ),
    )


def _timing(timing: Timing) -> Iterator[str]:
    yield from _table(
        "Time by pass",
        ("Pass", "Tasks", "Done before", "Seconds of tasks", "Documents", "Read"),
        (
            (
                each.name,
                count(each.tasks),
                count(each.before),
                f"{each.seconds:.1f}",
                count(each.documents),
                size(each.bytes_read),
            )
            for each in timing.passes
        ),
    )


def _quarantine(stats: Mapping[str, Any]) -> Iterator[str]:
    yield from _table(
        "Quarantine",
        ("Source", "Reason", "Rows"),
        (
            (source, reason, count(rows))
            for source, reasons in stats["quarantine"].items()
            for reason, rows in reasons.items()
        ),
        2,
    )


def _warnings(stats: Mapping[str, Any]) -> Iterator[str]:
    if stats["warnings"]:
        yield "## Worth a second look\n"
        yield from (f"- {_escaped(warning)}" for warning in stats["warnings"])
        yield ""
