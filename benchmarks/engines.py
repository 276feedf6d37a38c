"""What each engine costs over threads: starting it, handing out a task, and the Zyda-2 recipe over sample corpora.

    python benchmarks/engines.py [--documents 20000] [--tasks 500] [--workers 2]

Prints JSON: seconds to start and close an engine, milliseconds a task that does nothing but write its receipt, and
wall seconds of a whole run (its engine's start included), each the least of three.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from curate.engines import ENGINES, EngineOptions, start
from curate.engines.task import Facts, Task
from curate.io import lease
from curate.recipe import load_recipe
from curate.run import run
from curate.synth import generate

RECIPE = Path(__file__).parents[1] / "pipelines/zyda2.yaml"


def nothing(out: str, arguments: None) -> Facts:
    return {}


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def measure(name: str, folder: Path, recipe: object, tasks: int, workers: int) -> dict[str, float]:
    found: dict[str, list[float]] = {"start_seconds": [], "milliseconds_a_task": [], "run_seconds": []}
    for repeat in range(3):
        out = folder / f"{name}-{repeat}"
        lease.take(str(out))
        began = time.perf_counter()
        engine = start(name, EngineOptions(workers=workers))
        list(engine.map([Task("first", nothing, None, {}, ())], str(out)))
        found["start_seconds"].append(time.perf_counter() - began)
        todo = [Task(f"t{number}", nothing, None, {}, ()) for number in range(tasks)]
        took = seconds(lambda engine=engine, todo=todo, out=out: list(engine.map(todo, str(out))))
        found["milliseconds_a_task"].append(1000 * took / tasks)
        engine.close()
        whole = folder / f"{name}-run-{repeat}"
        found["run_seconds"].append(
            seconds(lambda whole=whole: run(recipe, str(whole), engine=name, workers=workers))  # type: ignore[arg-type]
        )
    return {what: round(min(times), 2) for what, times in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--documents", type=int, default=20_000)
    parser.add_argument("--tasks", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        generate(folder / "synth", arguments.documents, seed=0, workers=2, progress=lambda finished: None)
        recipe = load_recipe(RECIPE, [f"vars.data={folder / 'synth'}"])
        result = {
            engine: measure(engine, folder, recipe, arguments.tasks, arguments.workers) for engine in ENGINES
        }
    print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
