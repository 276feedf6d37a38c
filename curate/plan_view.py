"""A plan for people: sources, passes and what each reads, costs, the curve of near-duplicate detection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from curate.dedup.bands import candidate_probability
from curate.estimate import Estimate
from curate.kernels.choice import why_no_gpu
from curate.plan import DocumentPass, Plan, Step
from curate.stages.corpus import CorpusStage
from curate.stages.fuzzy_dedup import FuzzyDedup

_ENDS = (("at least", "min"), ("at most", "max"))
_SIMILARITIES = (0.3, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


def describe(plan: Plan, estimate: Estimate, workers: int, device: str = "cpu") -> RenderableType:
    """Everything `curate plan` prints. device: as --device says; for "gpu" what a run on a GPU would do there."""
    gpu = device == "gpu" or (device == "auto" and why_no_gpu() is None)
    parts: list[RenderableType] = [_sources(plan, estimate), _passes(plan, gpu)]
    parts += [_curve(step.name, step.stage) for step in plan.steps if isinstance(step.stage, FuzzyDedup)]
    parts += [Text(f"warning: {warning}", style="yellow") for warning in plan.warnings()]
    parts.append(
        Text(
            f"From a sample: about {_duration(estimate.seconds(workers))} for the first document pass with {workers} "
            f"workers, {_size(estimate.journal_bytes)} of journal, {_size(estimate.output_bytes)} of shards before "
            "duplicates and the mix."
        )
    )
    return Group(*parts)


def _sources(plan: Plan, estimate: Estimate) -> Table:
    table = Table("source", title=f"plan of {plan.recipe.name}", title_justify="left")
    for heading in ("files", "stored", "text", "documents", "text is read", "sample kept"):
        table.add_column(heading, justify="right")
    for source in plan.sources:
        name = source.source.name
        found = estimate.sources[name]
        table.add_row(
            name,
            f"{len(source.files):,}",
            _size(sum(file.bytes for file in source.files)),
            _size(found.text_bytes),
            f"{found.documents:,}",
            f"{plan.text_reads(name)} times",
            f"{found.kept:.0%}",
        )
    return table


def _passes(plan: Plan, gpu: bool) -> Tree:
    tree = Tree("passes")
    for each in plan.passes:
        if isinstance(each, DocumentPass):
            branch = tree.add(f"{each.name}: reads text of {', '.join(sorted(each.texts)) or 'no source'}")
            for step in each.steps:
                leaf = branch.add(_step_line(plan, step) + (_processor(step) if gpu else ""))
                for line in follows(step):
                    leaf.add(Text(line))
                for line in rule_lines(step):
                    leaf.add(Text(line))
        else:
            again = f"text of duplicates in {', '.join(sorted(each.texts))}" if each.texts else "no text"
            tree.add(f"{each.step.name}: joins what {each.collected_in} collected, reads {again}")
    if plan.recipe.mix:
        shares = plan.recipe.mix.weights
        total = sum(shares.values())
        weights = ", ".join(f"{name} {weight / total:.1%}" for name, weight in shares.items())
        tree.add(f"mix by {plan.recipe.mix.unit}: {weights}")
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
    work = step.stage.on_gpu()
    return f"; gpu: {work}" if work else "; cpu"


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


def _curve(name: str, stage: FuzzyDedup) -> Table:
    config = stage.config
    rows = config.hashes // config.bands
    shingles = f"{config.shingles.unit} {config.shingles.length}-grams"
    table = Table(
        "Jaccard",
        *(f"{similarity:.2f}" for similarity in _SIMILARITIES),
        title=f"{name}: {shingles}, {config.bands} bands of {rows} rows, chance that a pair is compared",
        title_justify="left",
    )
    chances = candidate_probability(np.array(_SIMILARITIES), config.bands, rows)
    table.add_row("found", *(f"{chance:.3f}" for chance in chances))
    return table


def _size(size: float) -> str:
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError("the loop ends at the largest unit")


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
