"""One document's journey through the stages, and, of a duplicate, the document it duplicates."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Column, Table
from rich.text import Text

from curate.errors import OutputError, SourceError
from curate.io.ledger import READ, Ledger, unpack_doc
from curate.io.manifest import Manifest, StageEntry
from curate.io.sources import SourceColumns, list_files, read_batches
from curate.report.duplicates import DEDUP_KINDS
from curate.report.numbers import counted

_EXCERPT = 300
_DIFF_WORDS = 400
_CONTEXT = 8
#: The key of a stage's definition that its values are measured against, where none is called like the rule.
_THRESHOLDS = {"fuzzy_dedup": "min_similarity", "language": "min_score", "quality": "keep", "where": "keep"}
#: Columns of the ledger that the heading gives in other words, or the journey does; all others stand there by name.
_TOLD_OTHERWISE = {
    *("doc", "id", "source", "bytes", "tokens", "dropped_by", "reason", "value"),
    *("duplicate_of", "duplicate_in", "similarity", "copies", "cluster", "cluster_size"),
}
_STYLES = {"same": "", "document": "red strike", "witness": "green"}


@dataclass(frozen=True, slots=True)
class Step:
    """What one stage did.

    outcome: `passed`, `dropped` or `not shown` (dropped before, or of a source that the stage does not see).
    rule: of a drop. value, threshold: of a drop, and of a language or quality stage passed whose score or label the
    ledger has; threshold is None where the stage's definition tells none.
    """

    stage: str
    kind: str
    outcome: str
    rule: str | None = None
    value: float | str | None = None
    threshold: Any = None


@dataclass(frozen=True, slots=True)
class DocumentText:
    """A document's text, or in `missing` why it cannot be read."""

    text: str | None
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Witness:
    """The document that another one duplicates. name: `source:file:row`, after the path of its run if that is an
    earlier one. row: its ledger row, empty where that run is gone. fate: what became of it, in words."""

    name: str
    row: Mapping[str, Any]
    fate: str
    text: DocumentText


@dataclass(frozen=True, slots=True)
class Explanation:
    """A document's journey.

    name: `source:file:row`. path: its source file. row: its ledger row. fate: what became of it, in words.
    cluster: its best document and size, in words; empty where it is in none. exact_tokens: whether they were counted.
    witnesses: of a duplicate, the document it duplicates; if that is a duplicate too, then that one's, ...
    diff: of a duplicate, its words and its witness's as (`same` | `document` | `witness`, words).
    """

    name: str
    path: str
    row: Mapping[str, Any]
    fate: str
    cluster: str
    exact_tokens: bool
    steps: Sequence[Step]
    text: DocumentText
    witnesses: Sequence[Witness]
    diff: Sequence[tuple[str, str]]

    def render(self) -> RenderableType:
        """For a terminal, through rich."""
        parts: list[RenderableType] = [_heading(self), _journey(self.steps), _excerpt("text", self.text)]
        rows = (self.row, *(each.row for each in self.witnesses))
        for duplicate, witness in zip(rows, self.witnesses, strict=False):
            parts.append(_witness_heading(witness, duplicate.get("similarity")))
            parts.append(_excerpt("text of the witness", witness.text))
        if self.witnesses and not self.diff and None not in (self.text.text, self.witnesses[0].text.text):
            parts.append(Text("The words of the two are the same."))
        if self.diff:
            body = Text()
            for kind, words in self.diff:
                body.append(_printable(words) + " ", style=_STYLES[kind])
            parts.append(Panel(body, title="in the document only: red; in the witness only: green"))
        return Group(*parts)


def explain(out: str, key: int | str) -> Explanation:
    """The journey of a document of the run under `out`.

    key: the packed doc, `source:file:row`, or the document's id.
    Raises OutputError where no document or more than one answers to it. Texts are read from the source files
    if they are still where they were and as they were.
    """
    manifest, ledger = Manifest.load(out), Ledger(out)
    row = ledger.document(key)
    text = _read_text(manifest, row["doc"])
    witnesses = list(_witnesses(manifest, ledger, row))
    diff: list[tuple[str, str]] = []
    if witnesses and text.text is not None and witnesses[0].text.text is not None:
        diff = word_diff(text.text, witnesses[0].text.text)
    return Explanation(
        name=Ledger.name(row["doc"], row["source"]),
        path=_source_file(manifest, row["doc"])[1],
        row=row,
        fate=_fate(row),
        cluster=_cluster(manifest, row),
        exact_tokens=manifest.tokens.method == "tokenizer",
        steps=_steps(manifest, row),
        text=text,
        witnesses=witnesses,
        diff=diff,
    )


def _cluster(manifest: Manifest, row: Mapping[str, Any]) -> str:
    best = row["cluster"]
    if best is None:
        return ""
    name = Ledger.name(best, manifest.source_names()[unpack_doc(best).source])
    size = "" if row["cluster_size"] is None else f"{counted(row['cluster_size'], 'document')}, "
    return f"{size}the best is {'this one' if best == row['doc'] else name}"


def word_diff(document: str, witness: str) -> list[tuple[str, str]]:
    """The words of two texts as runs of (`same` | `document` | `witness`, words joined by spaces).

    Compares 400 words of each, from shortly before the first that differs; of a long run of words that are
    the same only both ends are given, around `...`. Empty where all words are the same.
    """
    left, right = document.split(), witness.split()
    if left == right:
        return []
    equal = next(
        (place for place, (a, b) in enumerate(zip(left, right, strict=False)) if a != b),
        min(len(left), len(right)),
    )
    start = max(0, equal - _CONTEXT)
    left, right = left[start : start + _DIFF_WORDS], right[start : start + _DIFF_WORDS]
    runs = [("same", "...")] if start else []
    matcher = difflib.SequenceMatcher(None, left, right, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            runs.append(("same", " ".join(_shortened(left[a:b]))))
            continue
        if b > a:
            runs.append(("document", " ".join(left[a:b])))
        if d > c:
            runs.append(("witness", " ".join(right[c:d])))
    return runs


def _shortened(words: list[str]) -> list[str]:
    if len(words) <= 2 * _CONTEXT + 1:
        return words
    return [*words[:_CONTEXT], "...", *words[-_CONTEXT:]]


def _steps(manifest: Manifest, row: Mapping[str, Any]) -> list[Step]:
    steps: list[Step] = []
    stages = list(manifest.stages)
    if row["dropped_by"] == READ:
        stages.insert(0, StageEntry(name=READ, kind=READ))
    gone = False
    for stage in stages:
        dropped = row["dropped_by"] == stage.name
        if dropped:
            limit = threshold(stage, row["reason"] or "")
            steps.append(Step(stage.name, stage.kind, "dropped", row["reason"], row["value"], limit))
        else:
            shown = not gone and (stage.sources is None or row["source"] in stage.sources)
            steps.append(_passed(stage, row) if shown else Step(stage.name, stage.kind, "not shown"))
        gone = gone or dropped
    return steps


def _passed(stage: StageEntry, row: Mapping[str, Any]) -> Step:
    """A stage that let the document through; with the score, or the label, that it judged by, where that is known."""
    column = {"language": "lang_score", "quality": stage.definition.get("column", "quality")}.get(
        stage.kind, ""
    )
    limits = (stage.definition.get(end) for end in ("min_score", "max_score"))
    value, limit = row.get(column), _bounds(*limits)
    if stage.kind == "quality" and limit is None and stage.definition.get("keep"):
        value, limit = row.get(f"{column}_label"), stage.definition["keep"]
    return Step(stage.name, stage.kind, "passed", None, value, None if value is None else limit)


def threshold(stage: StageEntry, reason: str) -> Any:
    """What the definition of a stage sets for a reason: the bounds of the rule, or the value of the key, that is
    named like it or its last part, or the value stages of this kind measure against; else None."""
    for key in (reason, reason.rsplit(".", 1)[-1], _THRESHOLDS.get(stage.kind, "")):
        for found, value in _items(stage.definition):
            if found == key and value is not None:
                return value
    return None


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    """Keys and values of a definition at any depth; {rule, min, max} counts as the rule with its bounds."""
    if isinstance(value, Mapping):
        if "rule" in value:
            yield value["rule"], _bounds(value.get("min"), value.get("max"))
        yield from value.items()
    for inner in value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ():
        yield from _items(inner)


def _bounds(least: Any, most: Any) -> str | None:
    if least is not None and most is not None:
        return f"{_plain(least)} to {_plain(most)}"
    if most is not None:
        return f"at most {_plain(most)}"
    return None if least is None else f"at least {_plain(least)}"


def _plain(number: float) -> str:
    """Whole numbers without a fraction: 100000, not 100000.0."""
    return str(int(number)) if number == int(number) else str(number)


def _witnesses(manifest: Manifest, ledger: Ledger, row: Mapping[str, Any]) -> Iterator[Witness]:
    # No chain is longer than there are deduplication stages: a witness stayed at the stage that names it.
    left = sum(stage.kind in DEDUP_KINDS for stage in manifest.stages)
    run = ""
    while left and row["duplicate_of"] is not None:
        if row["duplicate_in"] is not None:
            run = row["duplicate_in"]
            try:
                manifest, ledger = Manifest.load(run), Ledger(run)
            except OutputError as error:
                missing = DocumentText(None, str(error))
                yield Witness(f"{run}, doc {row['duplicate_of']}", {}, "kept by an earlier run", missing)
                return
            left += sum(stage.kind in DEDUP_KINDS for stage in manifest.stages)
        row = ledger.document(row["duplicate_of"])
        name = Ledger.name(row["doc"], row["source"])
        text = _read_text(manifest, row["doc"])
        yield Witness(f"{run}, {name}" if run else name, row, _fate(row), text)
        left -= 1


def _fate(row: Mapping[str, Any]) -> str:
    if row["dropped_by"] is None:
        times = 1 if row["copies"] is None else row["copies"]
        return "kept" if times == 1 else f"kept, {times} copies in the output"
    if row["duplicate_of"] is not None:
        return f"dropped by {row['dropped_by']}: a duplicate"
    return f"dropped by {row['dropped_by']}: {row['reason']}"


def _source_file(manifest: Manifest, doc: int) -> tuple[str, str, str]:
    """Source, path and fingerprint of the file that a document is in."""
    place = unpack_doc(doc)
    source = manifest.source(manifest.source_names()[place.source])
    file = next(file for file in source.files if file.index == place.file)
    return source.name, file.path, file.fingerprint


def _read_text(manifest: Manifest, doc: int) -> DocumentText:
    source, path, fingerprint = _source_file(manifest, doc)
    recipe = {entry["name"]: entry for entry in manifest.recipe["sources"]}[source]
    columns = SourceColumns(text=recipe.get("text", "text"))
    at = unpack_doc(doc).row
    try:
        (file,) = list_files(source, [path], recipe.get("format"), columns)
        if file.fingerprint != fingerprint:
            return DocumentText(None, f"{path} has changed since the run")
        for batch in read_batches(
            file, columns, text=True, max_documents=1, max_bytes=1 << 30, rows=[(at, at + 1)]
        ):
            if len(batch) and batch.texts is not None and batch.texts[0].is_valid:
                return DocumentText(batch.texts[0].as_py())
            return DocumentText(None, "; ".join(f"{bad.reason}: {bad.detail}" for bad in batch.bad))
    except SourceError as error:
        return DocumentText(None, str(error))
    return DocumentText(None, f"{path} has no row {at}")


def _heading(explanation: Explanation) -> RenderableType:
    row = explanation.row
    about = "" if explanation.exact_tokens else "about "
    facts = {
        "document": f"{explanation.name} (doc {row['doc']})",
        "id": row["id"],
        "file": f"{explanation.path}, row {unpack_doc(row['doc']).row}",
        "size": f"{counted(row['bytes'], 'byte')}, {about}{counted(row['tokens'], 'token')}",
        **{name: value for name, value in row.items() if name not in _TOLD_OTHERWISE},
        "cluster": explanation.cluster or None,
    }
    grid = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        if value is not None:
            grid.add_row(name, Text(_printable(_value(value))))
    grid.add_row("fate", Text(explanation.fate, style="green" if row["dropped_by"] is None else "red"))
    return grid


def _journey(steps: Sequence[Step]) -> RenderableType:
    table = Table("stage", "kind", "outcome", Column("rule", overflow="fold"), "value", "threshold")
    for step in steps:
        style = {"dropped": "red", "not shown": "dim"}.get(step.outcome, "")
        table.add_row(
            *(step.stage, step.kind, step.outcome, step.rule or ""),
            *(Text(_value(value)) for value in (step.value, step.threshold)),
            style=style,
        )
    return table


def _witness_heading(witness: Witness, similarity: float | None) -> RenderableType:
    alike = "" if similarity is None else f" at similarity {similarity:.3g}"
    return Text.assemble("duplicate of ", (witness.name, "bold"), f"{alike}, which was {witness.fate}")


def _excerpt(title: str, text: DocumentText) -> RenderableType:
    if text.text is None:
        return Panel(Text(text.missing, style="dim"), title=title, title_align="left")
    cut = " ..." if len(text.text) > _EXCERPT else ""
    return Panel(Text(_printable(text.text[:_EXCERPT]) + cut), title=title, title_align="left")


def _printable(text: str) -> str:
    """The text with control characters replaced: web pages hold escape sequences that terminals obey."""
    return "".join(
        character if character.isprintable() or character in "\n\t" else "\ufffd" for character in text
    )


def _value(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return f"{value:.6g}" if isinstance(value, float) else str(value)
