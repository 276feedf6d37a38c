"""How fast one core applies datatrove's filters, beside datatrove itself where it is installed.

    python -m benchmarks.heuristics_datatrove FOLDER [--column text] [--megabytes 64] [--reference-megabytes 1]

datatrove gets the first documents of the sample, each filter on its own, and both must agree on every reason.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.heuristics import batch_of, ours, sample, seconds
from curate.stages.heuristic_config import HeuristicsConfig
from curate.stages.heuristics import Heuristics

#: Our profile, and the module and class of datatrove with its arguments.
FILTERS: dict[str, tuple[str, str, dict[str, object]]] = {
    "datatrove.gopher_repetition": ("gopher_repetition_filter", "GopherRepetitionFilter", {}),
    "datatrove.gopher_quality": ("gopher_quality_filter", "GopherQualityFilter", {}),
    "datatrove.c4_quality_keep_unpunctuated": (
        "c4_filters",
        "C4QualityFilter",
        {"filter_no_terminal_punct": False},
    ),
    "datatrove.fineweb_quality": ("fineweb_quality_filter", "FineWebQualityFilter", {}),
}


def reference(texts: list[str], profile: str) -> float:
    """Bytes a second of datatrove's filter, whose reasons must be ours."""
    module, name, arguments = FILTERS[profile]
    filters = importlib.import_module(f"datatrove.pipeline.filters.{module}")
    document: Any = importlib.import_module("datatrove.data").Document
    filter_ = getattr(filters, name)(**arguments)
    found: list[object] = []
    taken = seconds(lambda: found.extend(filter_.filter(document(text=text, id="")) for text in texts), 1)
    batch = batch_of(texts)
    stage = Heuristics(HeuristicsConfig(profile=profile))
    places = stage.decide(batch, np.arange(len(texts))).rule
    decided = [True if place < 0 else (False, stage.rules[place].rpartition(".")[2]) for place in places]
    if found != decided:
        raise SystemExit(f"{profile}: the reasons differ from datatrove's")
    return int(batch.texts.sizes.sum()) / taken


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
    installed = importlib.util.find_spec("datatrove") is not None
    print(f"{len(batch.texts):,} documents, {int(batch.texts.sizes.sum()) / 1e6:.1f} MB; MB/s a core")
    print(f"{'':40}{'curate':>10}{'datatrove':>12}{'ratio':>8}" + "   (equal reasons)" * installed)
    for profile in FILTERS:
        fast, slow = ours(batch, profile), reference(small, profile) if installed else float("nan")
        print(f"{profile:40}{fast / 1e6:10.1f}{slow / 1e6:12.2f}{fast / slow:8.0f}")
    gopher = ("datatrove.gopher_quality", "datatrove.gopher_repetition")
    for name, profiles in (
        ("gopher", gopher),
        ("fineweb", "fineweb"),
        ("fineweb and nemo", ("nemo", "fineweb")),
    ):
        print(f"{name:40}{ours(batch, profiles) / 1e6:10.1f}")


if __name__ == "__main__":
    main()
