"""Writes the corpora file by file, at about 20,000 documents (50 MB of text) a second on one core.

A file is a function of (seed, documents, its number), so workers need no order. `truth.parquet` is
finished last: its presence says that the corpora are complete. The generator, Arrow and zlib release the
GIL, so threads suffice.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from curate.errors import OutputError, Problem
from curate.io.files import atomic_write, join, list_folder, remove
from curate.kernels import _cpu
from curate.synth.corpora import open_writer
from curate.synth.layout import SOURCES, File, Layout, plan_layout
from curate.synth.lexicon import lexicon
from curate.synth.truth import TRUTH_SCHEMA, truth_table

BATCH_ROWS = 5_000  # documents in memory at a time, per worker: about 30 MB


def generate(
    folder: str | Path,
    documents: int,
    seed: int = 0,
    workers: int = 2,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Writes corpora of so many documents below `folder`, a path or URL, and `truth.parquet`.

    The latter says of each document what was planted. The bytes depend on `documents` and `seed` alone.
    `progress` is called with the number of documents finished so far, from the calling thread.

    Raises ValueError for fewer than one document or worker, OutputError if the folder cannot be written
    or holds files of other corpora, which a recipe would read along.
    """
    if documents < 1 or workers < 1:
        raise ValueError("documents and workers must be at least 1")
    folder = str(folder)
    layout = plan_layout(documents)
    _check_folder(folder, layout)
    remove(join(folder, "truth.parquet"))
    generator = _generator(layout, seed)
    with (
        atomic_write(join(folder, "truth.parquet")) as stream,
        pq.ParquetWriter(stream, TRUTH_SCHEMA, compression="zstd") as truth,
    ):
        finished = 0
        for file, table in _in_order(layout, generator, folder, workers):
            truth.write_table(table)
            finished += file.rows
            if progress is not None:
                progress(finished)


def _generator(layout: Layout, seed: int) -> _cpu.SynthGenerator:
    words = lexicon()
    return _cpu.SynthGenerator(
        words.pool,
        words.literals,
        words.tokens,
        words.alternatives,
        words.rules,
        words.skewed,
        words.names,
        np.array(layout.plans, np.int64),
        seed % 2**64,
    )


def _in_order(
    layout: Layout, generator: _cpu.SynthGenerator, folder: str, workers: int
) -> Iterator[tuple[File, pa.Table]]:
    """Makes the files, a few at a time, and gives their truth in order."""
    under_way: deque[tuple[File, Future[pa.Table]]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for file in layout.files:
            if len(under_way) > 2 * workers:
                first, made = under_way.popleft()
                yield first, made.result()
            under_way.append((file, pool.submit(_make_file, layout, generator, folder, file)))
        for first, made in under_way:
            yield first, made.result()


def _make_file(layout: Layout, generator: _cpu.SynthGenerator, folder: str, file: File) -> pa.Table:
    tables = []
    with (
        atomic_write(join(folder, file.path)) as stream,
        open_writer(SOURCES[file.source].name, stream) as writer,
    ):
        for start in range(file.start, file.start + file.rows, BATCH_ROWS):
            rows = generator.rows(file.source, start, min(BATCH_ROWS, file.start + file.rows - start))
            writer.write(rows, file)
            tables.append(truth_table(rows, file, start, layout))
    return pa.concat_tables(tables) if tables else TRUTH_SCHEMA.empty_table()


def _check_folder(folder: str, layout: Layout) -> None:
    expected = {file.path for file in layout.files}
    for source in SOURCES:
        for path in list_folder(join(folder, source.name)):
            inside = path[path.rindex(f"/{source.name}/") + 1 :]
            if inside not in expected:
                raise OutputError(
                    Problem(
                        folder,
                        f"holds {inside}, which these corpora do not have",
                        "an empty folder, or one with corpora of as many documents",
                        "remove the folder or choose another",
                    )
                )
