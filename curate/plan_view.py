"""A plan for people: sources, passes and what each reads, costs, the curve of near-duplicate detection.

Laid out for 80 columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from curate.beside_gpu import reading, work_on_cpu
from curate.dedup.bands import candidate_probability
from curate.estimate import SAMPLE_BATCHES, Estimate, SourceEstimate
from curate.kernels.choice import why_no_gpu
from curate.plan import DocumentPass, Plan, PlannedSource, Step
from curate.report.numbers import compact, count, counted, share, size
from curate.scale import HEADINGS, Costs, remarks, rows
from curate.stages.corpus import CorpusStage
from curate.stages.fuzzy_config import FuzzyDedupConfig
from curate.stages.fuzzy_dedup import FuzzyDedup

_ENDS = (("at least", "min"), ("at most", "max"))
#: The chart of the curve, in characters; one is two dots wide and four high.
_CHART_WIDTH, _CHART_HEIGHT = 60, 8
_SIMILARITIES = (0.3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


def describe(plan: Plan, estimate: Estimate, workers: int, device: str = "cpu") -> RenderableType:
    """Everything `curate plan` prints without a size. device: as --device says; for "gpu" what a run on a GPU would do
    there."""
    gpu = device == "gpu" or (device == "auto" and why_no_gpu() is None)
    parts: list[RenderableType] = [_sources(plan, estimate), Text(), _passes(plan, estimate, workers, gpu)]
    for step in plan.steps:
        if isinstance(step.stage, FuzzyDedup):
            parts += [Text(), *_curve(step.name, step.stage.config)]
    warnings = [*plan.warnings(), *estimate.warnings]
    if warnings:
        parts += [Text(), *(Text(f"warning: {warning}", style="yellow") for warning in warnings)]
    parts += [Text(), _sums(plan, estimate)]
    return Group(*parts)


def describe_costs(found: Costs) -> RenderableType:
    """What `curate plan --documents N --bytes B` prints after the plan."""
    load = found.load
    workers = f"{counted(found.workers, 'worker')} of {size(found.memory)}"
    title = f"{compact(load.documents)} documents, {size(round(load.text_bytes))} of text, {workers}"
    table = Table(title=title, title_justify="left", title_style="bold", box=None, padding=(0, 1, 0, 0))
    table.add_column(HEADINGS[0])
    for heading in HEADINGS[1:]:
        table.add_column(heading, justify="right")
    for row in rows(found):
        table.add_row(*row, style="bold" if row[0] == "all" else "")
    notes = [
        *remarks(found),
        "slopes and formulas: docs/scale.md; document passes by this sample and processor",
    ]
    return Group(Text(), table, Text(), *(_bullet(note) for note in notes))


def _bullet(text: str) -> Table:
    grid = Table.grid()
    grid.add_row("- ", Text(text))
    return grid


def _sums(plan: Plan, estimate: Estimate) -> Text:
    stored = sum(file.bytes for source in plan.sources for file in source.files)
    return Text(
        f"Disk: {size(stored)} of sources stay as they are; {size(estimate.journal_bytes)} of journal, "
        f"{size(estimate.output_bytes)} of shards before duplicates and the mix. Errors are one standard error between "
        f"the up to {SAMPLE_BATCHES} batches of a source's sample. --documents N --bytes B show costs at a size."
    )


def _sources(plan: Plan, estimate: Estimate) -> Tree:
    tree = Tree(Text(f"sources of {plan.recipe.name}", style="bold"))
    for source in plan.sources:
        name = source.source.name
        branch = tree.add(Text(f"{name}: {_files(source)}"))
        for line in _source_lines(estimate.sources[name], plan.text_reads(name)):
            branch.add(Text(line))
    return tree


def _files(source: PlannedSource) -> str:
    number = len(source.files)
    kinds = ", ".join(sorted({file.format for file in source.files}))
    stored = size(sum(file.bytes for file in source.files))
    broken = sum(file.defect is not None for file in source.files)
    unreadable = f", {broken} of them unreadable" if broken else ""
    return f"{count(number)} {'file' if number == 1 else 'files'} ({kinds}), {stored}{unreadable}"


def _source_lines(found: SourceEstimate, reads: int) -> Iterator[str]:
    times = {1: "once", 2: "twice"}.get(reads, f"{reads} times")
    about = "" if found.documents_error == 0.0 else "about "
    error = f" ± {compact(found.documents_error)}" if found.documents_error else ""
    yield (
        f"{about}{compact(found.documents)}{error} documents, about {size(found.text_bytes)} of text, read {times}"
    )
    if found.sampled:
        error = "" if found.kept_error is None else f" ± {share(found.kept_error)}"
        yield f"of {count(found.sampled)} sampled, document stages keep {share(found.kept)}{error}"


def _time(estimate: Estimate, name: str, workers: int) -> str:
    spent, error = estimate.seconds(name), estimate.seconds_error(name)
    spread = f" ± {share(error / spent)}" if error is not None and spent else ""
    wall = _duration(spent / workers)
    return f"about {_duration(spent)} of processor time{spread}: {wall} with {workers} workers"


def _passes(plan: Plan, estimate: Estimate, workers: int, gpu: bool) -> Tree:
    tree = Tree(Text("passes", style="bold"))
    for each in plan.passes:
        if isinstance(each, DocumentPass):
            branch = tree.add(
                Text(f"{each.name}: reads text of {', '.join(sorted(each.texts)) or 'no source'}")
            )
            if gpu and each.texts:
                branch.add(Text(reading(each, plan.tokens)))
            if estimate.seconds(each.name):
                branch.add(Text(_time(estimate, each.name, workers)))
            for step in each.steps:
                leaf = branch.add(Text(_step_line(plan, step) + (_processor(step) if gpu else "")))
                for line in follows(step):
                    leaf.add(Text(line))
                for line in rule_lines(step):
                    leaf.add(Text(line))
        else:
            again = f"text of duplicates in {', '.join(sorted(each.texts))}" if each.texts else "no text"
            tree.add(Text(f"{each.step.name}: joins what {each.collected_in} collected, reads {again}"))
    if plan.recipe.mix:
        shares = plan.recipe.mix.weights
        total = sum(shares.values())
        weights = ", ".join(f"{name} {weight / total:.1%}" for name, weight in shares.items())
        tree.add(Text(f"mix by {plan.recipe.mix.unit}: {weights}"))
    tree.add("write: reads text of what is kept")
    return tree


def _step_line(plan: Plan, step: Step) -> str:
    names = [source.source.name for source in plan.sources]
    where = (
        ""
        if step.sources == set(names)
        else f" ({', '.join(name for name in names if name in step.sources)})"
    )
    return f"{step.name}{where}{': collects' if isinstance(step.stage, CorpusStage) else ''}"


def _processor(step: Step) -> str:
    """Where the stage computes, for a run on a GPU."""
    work, rest = step.stage.on_gpu(), work_on_cpu(step)
    if not work:
        return "; cpu"
    return f"; gpu: {work}" + (f"; cpu: {rest}" if rest else "")


def follows(step: Step) -> list[str]:
    """The profiles of the stage with the implementations that they follow."""
    profiles: Any = step.stage.definition().get("profiles", {})
    return [f"profile {name}: {source}" for name, source in profiles.items()]


def rule_lines(step: Step) -> list[str]:
    """The stage's rules in the order in which they apply, with their thresholds as far as its definition tells."""
    definition = step.stage.definition()
    listed = definition.get("rules")
    if isinstance(listed, list):
        return [_bounds(rule) for rule in listed] + list(_of_languages(definition, listed))
    keys = [f"{name} {_plain(value)}" for name, value in definition.items() if _is_plain(value)]
    rules = ", ".join(step.rules) or "drops nothing"
    return [f"{rules} ({', '.join(keys)})" if keys else rules]


def _of_languages(definition: Mapping[str, Any], listed: list[dict[str, object]]) -> Iterator[str]:
    """What is different for some languages."""
    for language, rules in definition.get("by_language", {}).items():
        named = {rule["rule"] for rule in rules}
        yield from (f"{language}: {_bounds(rule)}" for rule in rules if rule not in listed)
        skipped = [str(rule["rule"]) for rule in listed if rule["rule"] not in named]
        if skipped:
            yield f"{language}: not {', '.join(skipped)}"


def _bounds(rule: dict[str, object]) -> str:
    least, most = (f"{word} {rule[key]:g}" if rule[key] is not None else "" for word, key in _ENDS)
    return f"{rule['rule']}: {rule['measure']} {' and '.join(filter(None, (least, most)))}"


def _is_plain(value: object) -> bool:
    """Whether it says something on one line: no checksum, nothing empty, no tables."""
    if isinstance(value, list):
        return bool(value) and all(_is_plain(each) and not isinstance(each, list) for each in value)
    return isinstance(value, int | float) or (isinstance(value, str) and 0 < len(value) < 64)


def _plain(value: object) -> str:
    return " ".join(str(each) for each in value) if isinstance(value, list) else str(value)


def _curve(name: str, config: FuzzyDedupConfig) -> list[RenderableType]:
    """The chance that a pair is compared, over its similarity: a chart, some values, and the threshold's."""
    shingles = f"{config.shingles.unit} {config.shingles.length}-grams"
    title = f"{name}: {shingles}, {config.bands} bands of {config.rows} rows"
    least = config.verify.min_similarity if config.verify else None
    lines = chart(config.bands, config.rows, least)
    table = Table.grid(padding=(0, 1))
    table.add_row("Jaccard", *(f"{similarity:.2f}" for similarity in _SIMILARITIES))
    chances = candidate_probability(np.array(_SIMILARITIES), config.bands, config.rows)
    table.add_row("found", *(f"{chance:.3f}" for chance in chances))
    half = (1 - 0.5 ** (1 / config.bands)) ** (1 / config.rows)
    said = f"Half of the pairs of similarity {half:.2f} are compared"
    if least is not None:
        chance = float(candidate_probability(np.array([least]), config.bands, config.rows)[0])
        said += f", and {share(chance)} of those at {least:g}, where documents begin to go (┊)"
    return [Text(title, style="bold"), Text("\n".join(lines)), table, Text(f"{said}.")]


def chart(bands: int, rows_a_band: int, threshold: float | None) -> list[str]:
    """The S-curve in braille, with axes: lines of at most 70 characters. threshold: a similarity to mark."""
    across, up = 2 * _CHART_WIDTH, 4 * _CHART_HEIGHT
    similarities = (np.arange(across) + 0.5) / across
    chances = candidate_probability(similarities, bands, rows_a_band)
    levels = np.minimum((chances * up).astype(np.int64), up - 1)
    dots = np.zeros((up, across), np.bool_)
    before = levels[0]
    for column, level in enumerate(levels.tolist()):
        dots[min(before, level) : max(before, level) + 1, column] = True
        before = level
    marked = -1 if threshold is None else min(int(threshold * _CHART_WIDTH), _CHART_WIDTH - 1)
    lines = []
    for row in range(_CHART_HEIGHT):
        cells = _braille(dots[::-1][4 * row : 4 * row + 4])
        if marked >= 0 and cells[marked] == "\u2800":
            cells[marked] = "┊"
        label = {0: "1.0", _CHART_HEIGHT - 1: "0.0"}.get(row, "")
        lines.append(f"{label:>4} │{''.join(cells)}".replace("\u2800", " ").rstrip())
    axis = "└" + "─" * _CHART_WIDTH
    return [*lines, f"     {axis}", "     0" + "0.5".center(_CHART_WIDTH - 1) + "1  Jaccard"]


def _braille(dots: NDArray[np.bool_]) -> list[str]:
    """Characters for dots of shape (4, 2 n), the top row first (Unicode 6.0, block 2800)."""
    weights = np.array([[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]])
    cells = dots.reshape(4, -1, 2).transpose(1, 0, 2)
    return [chr(0x2800 + code) for code in (cells * weights).sum(axis=(1, 2)).tolist()]


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
