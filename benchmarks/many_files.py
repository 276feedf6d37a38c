"""A source of very many small files: python benchmarks/many_files.py [--files 50000] [--documents 20] [--work FOLDER]

Writes that many JSON lines files of that many short documents (one in four a copy of another file's), and
carries out exact and near deduplication of them with `curate run` in a process of its own. Printed are wall seconds of
each pass and the peak memory until its end, the processor seconds of the whole, and how each grows with the number of
files: run it with several sizes and compare the microseconds a file.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

RECIPE = """
name: many-files
sources: [{{name: many, path: "{folder}/*.jsonl"}}]
stages:
  - exact_dedup: {{key: text}}
  - fuzzy_dedup: {{preset: zyda2}}
"""


def generate(folder: Path, files: int, documents: int) -> None:
    """Texts of 60 random words; every fourth document is the same in all files of a group of 8, or nearly so."""
    words = [f"word{i}" for i in range(5_000)]
    for number in range(files):
        own = np.random.default_rng([number, 1]).integers(0, len(words), (documents, 60)).tolist()
        group = np.random.default_rng([number // 8, 2]).integers(0, len(words), (documents, 60)).tolist()
        lines = []
        for row in range(documents):
            shared = row % 4 == 0
            chosen = [words[word] for word in (group if shared else own)[row]]
            if shared and number % 2:
                chosen[-1] = f"copy{number}"
            lines.append(json.dumps({"text": " ".join(chosen)}))
        (folder / f"{number:06d}.jsonl").write_text("\n".join(lines) + "\n")


class Seconds:
    """Wall seconds from one pass's start to the next's, and the peak memory until then."""

    def __init__(self) -> None:
        self.marks: list[tuple[str, float, int]] = []
        self.mark("plan")

    def mark(self, name: str) -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        self.marks.append((name, time.perf_counter(), peak))

    def pass_started(self, name: str, tasks: int, done: int, bytes_to_read: int) -> None:
        self.mark(name)

    def task_done(self, name: str, documents: int, bytes_read: int, kept: int | None = None) -> None: ...

    def pass_finished(self, name: str, seconds: float) -> None:
        self.mark(f"after {name}")

    def note(self, text: str) -> None:
        print(text)


def carry_out(work: Path, workers: int, memory: str, files: int) -> None:
    import curate

    seconds = Seconds()
    curate.run(
        curate.load_recipe(str(work / "recipe.yaml")),
        str(work / "out"),
        workers=workers,
        memory=memory,
        progress=seconds,
    )
    seconds.mark("")
    for (name, start, _), (_, stop, peak) in pairwise(seconds.marks):
        if stop - start >= 0.05:
            print(
                f"| {name} | {stop - start:.1f} | {(stop - start) / files * 1e6:,.0f} | {peak / 1e3:,.0f} |"
            )
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        f"| all, wall | {seconds.marks[-1][1] - seconds.marks[0][1]:.1f} "
        f"| {(seconds.marks[-1][1] - seconds.marks[0][1]) / files * 1e6:,.0f} | |"
    )
    cpu = used.ru_utime + used.ru_stime
    print(f"| all, processor | {cpu:.1f} | {cpu / files * 1e6:,.0f} | |")
    print(f"\nPeak memory: {used.ru_maxrss / 1e3:,.0f} MB.\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--documents", type=int, default=20)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--memory", default="4GB")
    parser.add_argument("--work", type=Path, help="folder to work in")
    parser.add_argument("--prepared", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.prepared:
        carry_out(given.prepared, given.workers, given.memory, given.files)
        return
    work = Path(tempfile.mkdtemp(prefix="many_files", dir=given.work))
    try:
        (work / "source").mkdir()
        generate(work / "source", given.files, given.documents)
        (work / "recipe.yaml").write_text(RECIPE.format(folder=work / "source"))
        print(f"### {given.files:,} files of {given.documents} documents, {given.workers} workers\n")
        print("| | s | us a file | peak MB until then |\n|---|---|---|---|", flush=True)
        options = [f"--files={given.files}", f"--workers={given.workers}", f"--memory={given.memory}"]
        subprocess.run([sys.executable, __file__, *options, f"--prepared={work}"], check=True)
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
