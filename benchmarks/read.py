"""How fast sources are read: MB of text a second on one thread, and the share of each part of the work.

python benchmarks/read.py CORPORA        a folder with */*.parquet and */*.json.gz
"""

from __future__ import annotations

import argparse
import gzip
import time
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq

from curate.io.sources import SourceColumns, SourceFile, list_files, read_batches

_COLUMNS = SourceColumns("text")


def _best(measure: Callable[[], int], repeats: int) -> tuple[float, int]:
    seconds, size = float("inf"), 0
    for _ in range(repeats):
        start = time.perf_counter()
        size = measure()
        seconds = min(seconds, time.perf_counter() - start)
    return seconds, size


def _read(files: list[SourceFile]) -> int:
    size = 0
    for file in files:
        for batch in read_batches(file, _COLUMNS, text=True, max_documents=1000, max_bytes=16 << 20):
            size += batch.texts.nbytes if batch.texts is not None else 0
    return size


def _decode_parquet(files: list[SourceFile]) -> int:
    return sum(
        pq.ParquetFile(file.path).read(columns=["text"], use_threads=False)["text"].nbytes for file in files
    )


def _decompress(files: list[SourceFile]) -> int:
    return sum(len(gzip.decompress(Path(file.path).read_bytes())) for file in files)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpora", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    cases = (("*.parquet", _decode_parquet, "pyarrow decodes"), ("*.json.gz", _decompress, "gzip inflates"))
    for pattern, floor, what in cases:
        files = list_files("benchmark", [str(options.corpora / "*" / pattern)], None, _COLUMNS)
        seconds, size = _best(lambda files=files: _read(files), options.repeats)  # type: ignore[misc]
        print(f"{pattern}: {len(files)} files, {size / 1e6:.0f} MB of text, {size / seconds / 1e6:.0f} MB/s")
        seconds, raw = _best(lambda files=files, floor=floor: floor(files), options.repeats)  # type: ignore[misc]
        print(f"  of it, {what} {raw / 1e6:.0f} MB at {raw / seconds / 1e6:.0f} MB/s")


if __name__ == "__main__":
    main()
