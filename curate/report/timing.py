"""How long the passes of the last run took, from OUT/run/metrics.prom: for the page, never for stats.json."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from curate.io.files import exists, join, read_bytes

_METRICS = "run/metrics.prom"
_SAMPLE = re.compile(r"^(curate_\w+?)(?:_total)?\{([^}]*)\} ([-+.\deE]+)$", re.M)
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class PassTime:
    """tasks: done by the last run; before: taken over from earlier ones, of which the rest says nothing.
    seconds: of all tasks added up. bytes_read: size of the source files read."""

    name: str
    tasks: int
    before: int
    documents: int
    bytes_read: int
    bytes_written: int
    seconds: float


@dataclass(frozen=True, slots=True)
class StageTime:
    name: str
    documents: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Timing:
    """seconds: of the whole run on the clock, up to its last pass."""

    seconds: float
    passes: tuple[PassTime, ...]
    stages: tuple[StageTime, ...]


def read_timing(out: str) -> Timing | None:
    """None where the run's journal is gone, or none of its work was done by the last run."""
    path = join(out, _METRICS)
    if not exists(path):
        return None
    found: dict[str, dict[str, float]] = defaultdict(dict)
    tasks: dict[str, dict[str, int]] = defaultdict(dict)
    for name, labels, value in _SAMPLE.findall(read_bytes(path).decode()):
        named = {key: re.sub(r"\\(.)", r"\1", text) for key, text in _LABEL.findall(labels)}
        if name == "curate_tasks":
            tasks[named["pass"]][named["state"]] = int(value)
        else:
            found[name][named.get("pass", named.get("stage", ""))] = float(value)
    passes = tuple(_pass(found, name, states) for name, states in tasks.items())
    if not any(each.tasks for each in passes):
        return None
    spent = found["curate_stage_seconds"]
    stages = tuple(
        StageTime(name, int(found["curate_stage_documents"].get(name, 0)), seconds)
        for name, seconds in spent.items()
    )
    return Timing(found["curate_run_seconds"].get("", 0.0), passes, stages)


def _pass(found: Mapping[str, Mapping[str, float]], name: str, states: Mapping[str, int]) -> PassTime:
    return PassTime(
        name=name,
        tasks=states.get("done", 0),
        before=states.get("done before", 0),
        documents=int(found["curate_pass_documents"].get(name, 0)),
        bytes_read=int(found["curate_pass_read_bytes"].get(name, 0)),
        bytes_written=int(found["curate_pass_written_bytes"].get(name, 0)),
        seconds=found["curate_pass_task_seconds"].get(name, 0.0),
    )
