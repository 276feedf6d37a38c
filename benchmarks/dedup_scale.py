"""Join, clusters and survivors at scale: python benchmarks/dedup_scale.py [--documents 20000000] [--memory 4GB]

Writes the exchange files of that many generated documents with the stage's own collector, then carries out the
passes of `fuzzy_dedup` over them on `--workers` threads of one process, as `curate run` does. Printed for each pass
are its seconds, processor time and peak memory (VmHWM of /proc, reset before each pass; mapped pages of exchange
files count) and the largest private part of it, sampled 50 times a second.

A quarter of the documents are in clusters of skewed size, each sharing a band key with its cluster in 60% of the
bands; half of the clusters are near-copies, half are too dissimilar to pass verification. One document in
SKEW_EVERY is in a bucket of its own kind: `--skew key` gives these one identical key in one band and nothing else in
common, `--skew text` makes them identical in everything, `none` leaves them alone. 20 million documents have a
million of them.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.dedup import PRESETS, Sketches
from curate.engines.local import Local
from curate.engines.task import Facts, Pass, Receipt, Task
from curate.io.files import join
from curate.memory import Memory
from curate.stages.corpus import Collected, CollectedFile
from curate.stages.fuzzy_config import FuzzyDedupConfig
from curate.stages.fuzzy_dedup import SUFFIXES, FuzzyDedup, SketchCollector

BANDS, HASHES = PRESETS["fineweb"].bands, PRESETS["fineweb"].hashes
DOCUMENTS_A_FILE = 250_000
DOCUMENTS_A_BATCH = 50_000
SKEW_EVERY = 20
SKEWED_BAND = 3


def mix(values: NDArray[np.uint64] | int) -> NDArray[np.uint64]:
    """SplitMix64's output function."""
    z = (np.asarray(values, np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)), np.uint64)


@dataclass(frozen=True)
class Planted:
    """Stands in for a Sketcher: sketches of documents that are only a number."""

    documents: int
    skew: str
    first: int

    bands = BANDS
    hashes = HASHES

    def sketch(self, texts: Any, rows: NDArray[np.int64]) -> Sketches:
        number = (rows + self.first).astype(np.uint64)
        random = np.random.default_rng(int(number[0]))
        keys = random.integers(0, 1 << 64, (BANDS, len(rows)), np.uint64)
        signatures = random.integers(0, 256, (len(rows), HASHES), np.uint8)
        members = np.flatnonzero(mix(number) % np.uint64(4) == 0)
        cluster = self._clusters(number[members])
        for band in range(BANDS):
            shares = random.random(len(members)) < 0.6
            keys[band, members[shares]] = mix(cluster[shares] * np.uint64(32) + np.uint64(band))
        signatures[members] = self._near_copies(cluster, random)
        self._add_skewed(number, keys, signatures)
        return Sketches(keys, signatures, np.ones(len(rows), np.bool_))

    def _clusters(self, number: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Clusters of mean size 4 to 5, the largest of some thousands."""
        place = (mix(number ^ np.uint64(1 << 40)) >> np.uint64(11)).astype(np.float64) / 2.0**53
        wanted = self.documents / 16
        return np.asarray(place**1.5 * wanted, np.uint64)

    @staticmethod
    def _near_copies(cluster: NDArray[np.uint64], random: np.random.Generator) -> NDArray[np.uint8]:
        words = np.arange(HASHES // 8, dtype=np.uint64)
        base = mix(cluster[:, None] * np.uint64(64) + words + np.uint64(1 << 50)).view(np.uint8)
        changed = np.where(cluster % np.uint64(2) == 0, 10, 90)  # of 256 slots
        noise = random.integers(0, 256, (2, len(cluster), HASHES), np.uint8)
        return np.where(noise[0] < changed[:, None], noise[1], base)

    def _add_skewed(
        self, number: NDArray[np.uint64], keys: NDArray[np.uint64], signatures: NDArray[np.uint8]
    ) -> None:
        skewed = np.flatnonzero(number % np.uint64(SKEW_EVERY) == 0)
        if self.skew == "key":
            keys[SKEWED_BAND, skewed] = 7
            rows = HASHES // BANDS
            signatures[skewed, SKEWED_BAND * rows : (SKEWED_BAND + 1) * rows] = 7
        elif self.skew == "text":
            keys[:, skewed] = np.arange(BANDS, dtype=np.uint64)[:, None]
            signatures[skewed] = 7


@dataclass(frozen=True)
class WriteArguments:
    planted: Planted
    documents: int
    paths: tuple[str, ...]
    memory: Memory


def write_file(out: str, arguments: WriteArguments) -> Facts:
    """The exchange files of one source file, by the stage's own collector."""
    collector = SketchCollector(arguments.planted, None, arguments.memory)  # type: ignore[arg-type]
    for start in range(0, arguments.documents, DOCUMENTS_A_BATCH):
        rows = np.arange(start, min(start + DOCUMENTS_A_BATCH, arguments.documents))
        collector.add(SimpleNamespace(texts=None), rows, 0)  # type: ignore[arg-type]
    collector.write([join(out, path) for path in arguments.paths])
    return {}


class Peak:
    """Peak memory of this process while it is entered, in MB: all of it, and the private part."""

    def __enter__(self) -> Peak:
        self._stop = threading.Event()
        self.private = 0.0
        Path("/proc/self/clear_refs").write_text("5")
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self.all = status("VmHWM")

    def _watch(self) -> None:
        while not self._stop.wait(0.02):
            self.private = max(self.private, status("RssAnon"))


def status(name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name + ":")).split()[1]) / 1e3


def collected_of(documents: int, memory: Memory) -> tuple[Collected, list[int]]:
    files = -(-documents // DOCUMENTS_A_FILE)
    sizes = [min(DOCUMENTS_A_FILE, documents - i * DOCUMENTS_A_FILE) for i in range(files)]
    unread: Any = (None, None, ())  # no text is read again
    listed = tuple(
        CollectedFile(i << 32, tuple(f"run/exchange/{i:05d}.{kind}" for kind in SUFFIXES), *unread)
        for i in range(files)
    )
    made = Collected(("generated",), listed, {"generated": documents}, "generated", memory=memory)
    return made, sizes


def generate(out: str, documents: int, skew: str, workers: int, memory: Memory) -> None:
    collected, sizes = collected_of(documents, memory)
    tasks = []
    for i, (file, size) in enumerate(zip(collected.files, sizes, strict=True)):
        planted = Planted(documents, skew, i * DOCUMENTS_A_FILE)
        tasks.append(
            Task(
                f"write/{i:05d}",
                write_file,
                WriteArguments(planted, size, file.paths, memory),
                {},
                file.paths,
            )
        )
    measured(
        Pass("write exchange files (with generating them)", tuple(tasks)), Local(workers), out, documents
    )


def decide(out: str, documents: int, workers: int, memory: Memory) -> None:
    collected, _ = collected_of(documents, memory)
    stage = FuzzyDedup(FuzzyDedupConfig.model_validate({"preset": "fineweb"}))
    engine = Local(workers)
    passes = stage.passes("fuzzy_dedup", collected)
    started, used = time.monotonic(), time.process_time()
    receipts: list[Receipt] | None = None
    while True:
        try:
            planned = next(passes) if receipts is None else passes.send(receipts)
        except StopIteration:
            break
        receipts = measured(planned, engine, out, documents)
    engine.close()
    wall, cpu = time.monotonic() - started, time.process_time() - used
    print(
        f"| all passes | {wall:.1f} | {cpu:.1f} | {cpu / documents * 1e6:.2f} | | |\n"
        f"\n{documents / wall / 1e6:.2f} million documents a second of wall time on {workers} workers, "
        f"{documents / cpu / 1e6:.2f} million a second of processor time. "
        f"Peak of the process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3:,.0f} MB."
    )


def measured(planned: Pass, engine: Local, out: str, documents: int) -> list[Receipt]:
    started, used = time.monotonic(), time.process_time()
    with Peak() as peak:
        receipts = {task.name: receipt for task, receipt in engine.map(planned.tasks, out)}
    wall, cpu = time.monotonic() - started, time.process_time() - used
    found = [receipt.facts for receipt in receipts.values()]
    notes = [f"{len(planned.tasks)} tasks"]
    if planned.name.endswith("join"):
        notes.append(f"{sum(facts['edges'] for facts in found):,} edges")
    if planned.name.endswith("clusters"):
        notes.append(f"{found[0]['clusters']:,} clusters, largest {found[0]['largest'][0][1]:,}")
    if planned.name.endswith("resolve"):
        notes.append(f"{sum(sum(facts['dropped'].values()) for facts in found):,} dropped")
    print(
        f"| {planned.name} | {wall:.1f} | {cpu:.1f} | {cpu / documents * 1e6:.2f} "
        f"| {peak.all:,.0f} ({peak.private:,.0f}) | {', '.join(notes)} |",
        flush=True,
    )
    return [receipts[task.name] for task in planned.tasks]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--documents", type=int, default=20_000_000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--memory", default="4GB", help="what each worker may take")
    parser.add_argument("--skew", choices=["none", "key", "text"], default="key")
    parser.add_argument("--work", type=Path, help="folder for the exchange files (300 bytes a document)")
    parser.add_argument("--step", choices=["generate", "decide"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.step:
        if given.step == "generate":
            generate(str(given.work), given.documents, given.skew, given.workers, Memory.of(given.memory))
        else:
            decide(str(given.work), given.documents, given.workers, Memory.of(given.memory))
        return
    print(
        f"{given.documents:,} documents, skew: {given.skew}, {given.workers} workers, --memory {given.memory}\n"
    )
    print("| pass | wall s | processor s | processor us a document | peak MB (private) | |")
    print("|---|---|---|---|---|---|", flush=True)
    work = Path(tempfile.mkdtemp(prefix="dedup_scale", dir=given.work))
    options = [f"--{name}={getattr(given, name)}" for name in ("documents", "skew", "workers", "memory")]
    try:
        for step in ("generate", "decide"):
            command = [sys.executable, __file__, *options, f"--work={work}", f"--step={step}"]
            subprocess.run(command, check=True)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
