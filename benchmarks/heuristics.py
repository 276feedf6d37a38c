"""How fast one core applies the heuristic rules, beside the same rules in plain Python.

    python -m benchmarks.heuristics FOLDER [--column text] [--megabytes 64] [--plain-megabytes 2]

FOLDER is searched for Parquet files with a text column. Plain Python gets the first documents of the sample,
and both ways must agree on every score of those.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curate.kernels import Texts
from curate.stages.base import Batch
from curate.stages.heuristic_profiles import NEMO
from curate.stages.heuristics import Heuristics, HeuristicsConfig
from tests.heuristics import oracle


def sample(folder: Path, column: str, megabytes: float) -> list[str]:
    """Documents of the folder's Parquet files, in order of path, up to so many megabytes of UTF-8."""
    documents: list[str] = []
    left = megabytes * 1e6
    for path in sorted(folder.rglob("*.parquet")):
        for batch in pq.ParquetFile(path).iter_batches(512, columns=[column]):
            for text in batch.column(0).drop_null().to_pylist():
                if left <= 0:
                    return documents
                documents.append(text)
                left -= len(text.encode())
    if not documents:
        raise SystemExit(f"no Parquet file with documents under {folder}")
    return documents


def seconds(run: Callable[[], object], repeats: int) -> float:
    """The best wall time of several runs."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--column", default="text")
    parser.add_argument("--megabytes", type=float, default=64)
    parser.add_argument("--plain-megabytes", type=float, default=2)
    arguments = parser.parse_args()

    documents = sample(arguments.folder, arguments.column, arguments.megabytes)
    batch = Batch("benchmark", Texts.from_arrow(pa.array(documents, pa.large_string())))
    rows = np.arange(len(documents))
    stage = Heuristics(HeuristicsConfig(keep_stats=tuple(rule.name for rule in NEMO.rules)))
    size = int(batch.texts.sizes.sum())
    ours = size / seconds(lambda: stage.decide(batch, rows), 3)

    plain = sample(arguments.folder, arguments.column, arguments.plain_megabytes)
    scores: list[dict[str, float | None]] = []
    plain_size = sum(len(text.encode()) for text in plain)
    python = plain_size / seconds(lambda: scores.extend(map(oracle.scores, plain)), 1)

    columns = stage.decide(batch, rows[: len(plain)]).columns
    for rule in NEMO.rules:
        kept = columns[f"nemo.{rule.name}"].to_numpy(zero_copy_only=False)
        expected = np.array([score[rule.name] for score in scores], np.float64)
        np.testing.assert_allclose(kept, expected, rtol=0, atol=1e-9, err_msg=rule.name)

    dropped = (stage.decide(batch, rows).rule >= 0).mean()
    print(f"{len(documents):,} documents, {size / 1e6:.1f} MB, {dropped:.1%} dropped")
    print(f"curate        {ours / 1e6:8.1f} MB/s a core")
    print(
        f"plain Python  {python / 1e6:8.1f} MB/s a core, on the first {plain_size / 1e6:.1f} MB; equal scores"
    )
    print(f"ratio         {ours / python:8.0f}")


if __name__ == "__main__":
    main()
