"""How fast one core applies NeMo Curator's English heuristic filters, beside NeMo Curator itself.

    python -m benchmarks.heuristics_nemo FOLDER [--column text] [--megabytes 64] [--reference-megabytes 1]

NeMo Curator gets the first documents of the sample and its own filters in the order and with the thresholds of its
heuristic_filter_english_pipeline.yaml, without its pipeline around them: a document goes no further than the first
filter that drops it, while curate measures every statistic. Needs nemo-curator with what its filters import.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from benchmarks.heuristics import batch_of, ours, sample, seconds
from curate.stages.heuristic_config import HeuristicsConfig
from curate.stages.heuristics import Heuristics

PIPELINE = "config/text/heuristic_filter_english_pipeline.yaml"


def filters() -> list[Any]:
    """NeMo Curator's filters as its pipeline file lists them."""
    package = Path(str(importlib.import_module("nemo_curator").__file__)).parent
    stages = yaml.safe_load((package / PIPELINE).read_text())["stages"]
    made = []
    for arguments in (dict(stage["filter_obj"]) for stage in stages if "filter_obj" in stage):
        module, _, name = arguments.pop("_target_").rpartition(".")
        made.append(getattr(importlib.import_module(module), name)(**arguments))
    return made


def first_drop(text: str, chain: list[Any]) -> int:
    """The place of the first filter that drops the text, -1 where none does. One that cannot divide drops it."""
    for place, each in enumerate(chain):
        try:
            kept = each.keep_document(each.score_document(text))
        except ZeroDivisionError:
            kept = False
        if not kept:
            return place
    return -1


def reference(texts: list[str]) -> tuple[float, int]:
    """Bytes a second of NeMo Curator's filters, and how many documents curate drops by another rule or not at all."""
    chain = filters()
    found: list[int] = []
    taken = seconds(lambda: found.extend(first_drop(text, chain) for text in texts), 1)
    batch = batch_of(texts)
    stage = Heuristics(HeuristicsConfig(profile="nemo"))
    if len(stage.rules) != len(chain):
        raise SystemExit(f"NeMo Curator has {len(chain)} filters, the profile {len(stage.rules)} rules")
    decided = stage.decide(batch, np.arange(len(texts))).rule
    return int(batch.texts.sizes.sum()) / taken, int((decided != np.array(found)).sum())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--column", default="text")
    parser.add_argument("--megabytes", type=float, default=64)
    parser.add_argument("--reference-megabytes", type=float, default=1)
    arguments = parser.parse_args()

    batch = batch_of(sample(arguments.folder, arguments.column, arguments.megabytes))
    small = sample(arguments.folder, arguments.column, arguments.reference_megabytes)
    fast = ours(batch, "nemo")
    slow, different = reference(small)
    print(f"{len(batch.texts):,} documents, {int(batch.texts.sizes.sum()) / 1e6:.1f} MB; MB/s a core")
    print(f"{'':10}{'curate':>10}{'NeMo Curator':>16}{'ratio':>8}")
    print(f"{'nemo':10}{fast / 1e6:10.1f}{slow / 1e6:16.2f}{fast / slow:8.0f}")
    print(f"{different} of {len(small):,} documents decided otherwise")


if __name__ == "__main__":
    main()
