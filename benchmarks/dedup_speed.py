"""Speed of near-duplicate detection, curate beside its peers.

    python benchmarks/dedup_speed.py FOLDER [--peer NAME=PYTHON ...]

FOLDER holds Parquet files with a column `text`. Three tables, in MB of text a second:

Signatures: texts cut to 2 kB, 112 hashes, 14 bands; on one core, in processor time, from strings in memory.
End to end: whole texts, word 5-grams, 14 bands of 8, from Parquet to what stays, on one core and on two (taskset).
    curate is a run of a recipe with `fuzzy_dedup` alone: up to the decisions (plan, document pass, join, clusters,
    resolve, with their exchange files and checksums), and whole, with the ledger, the deduplicated corpus and the
    report, which no peer makes. Daft reads the same files and goes on to the rows that stay; the other peers get
    fewer texts and are timed from reading Parquet to pairs of rows. Imports do not count.
Repeats: the sketches of texts of which none, half or nine in ten were met before, with and without remembering them.
Steps: each of curate's steps beside the memory bandwidth (copying 256 MB) measured in the same run.

Peers run in turn, ROUNDS times, each on as many texts as it can do in seconds; the least of the times counts.
--peer gives the Python of an environment that holds that peer (`dedup_peers.py` says which there are).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import curate
from curate.dedup import RememberingSketcher, Shingles, Sketcher, UnionFind, bucket_edges, resolve, text_hash
from curate.kernels import Texts
from curate.progress import Silent

ROUNDS = 2
SHORT = 2_000
FILES = 8
#: MB of text that each tool gets: fast ones enough to be measured, slow ones little enough to wait for.
MEGABYTES = {"curate": 400, "Daft": 90, "gaoya": 12, "rensa": 10, "datasketch": 2, "text-dedup": 2}
FEW_MEGABYTES = 0.6
#: Peers that go on to the rows that stay, over as many files as curate.
KEEPING = ("Daft",)
BY_CHARACTERS = ("datasketch", "rensa", "gaoya", "data-juicer")
RECIPE = """
name: speed
sources:
  - {{name: corpus, path: "{folder}/*.parquet"}}
stages:
  - fuzzy_dedup: {{preset: fineweb, verify: {{min_similarity: 0.8}}}}
"""


def corpus(folder: Path) -> list[str]:
    texts: list[str] = []
    for path in sorted(folder.rglob("*.parquet")):
        if "text" in pq.read_schema(path).names:
            texts += [text for text in pq.read_table(path, columns=["text"])["text"].to_pylist() if text]
    order = np.random.default_rng(0).permutation(len(texts))
    return [texts[i] for i in order]


def take(texts: list[str], megabytes: float) -> list[str]:
    """Texts of that many MB; the corpus again and again, each time under another first line, where it is short."""
    taken: list[str] = []
    left, again = megabytes * 1e6, 0
    while left > 0:
        for text in texts:
            taken.append(f"copy {again} of it\n{text}" if again else text)
            left -= len(text.encode())
            if left <= 0:
                break
        again += 1
    return taken


def write_parquet(path: Path, texts: list[str]) -> float:
    """Writes the texts; their size in MB."""
    pq.write_table(pa.table({"text": texts}), path, row_group_size=2_000)
    return sum(len(text.encode()) for text in texts) / 1e6


def peer(python: str, name: str, setting: str, path: Path, cores: str) -> dict[str, tuple[float, float]]:
    """(wall, processor) seconds of everything, and of signing where texts are in memory."""
    target = path.with_suffix(".npz")
    script = str(Path(__file__).with_name("dedup_peers.py"))
    command = ["taskset", "-c", cores, python, "-W", "ignore", script, name, setting, str(path), str(target)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with np.load(target) as found:
        return {step: tuple(found[step].tolist()) for step in ("signing", "whole") if step in found}


def least(run: Callable[..., object], rounds: int = 7) -> float:
    """Seconds of processor time."""
    times = []
    for _ in range(rounds):
        started = time.thread_time()
        run()
        times.append(time.thread_time() - started)
    return min(times)


def sketching(texts: list[str], shingles: Shingles) -> float:
    packed = Texts.from_arrow(pa.array(texts, pa.large_string()))
    rows = np.arange(len(texts))
    sketcher = Sketcher(shingles, 112, 14, seed=10)
    return int(packed.offsets[-1]) / 1e6 / least(lambda: sketcher.sketch(packed, rows))


def repeats(texts: list[str]) -> None:
    """Speed with and without remembering texts, by how many of them are repeats."""
    sketcher = Sketcher(Shingles("word", 5), 112, 14, seed=10)
    distinct = list(dict.fromkeys(take(texts, 16)))
    print(
        "\n| word 5, whole texts | sketched each time, MB/s | remembered, MB/s | ratio |\n|---|---|---|---|"
    )
    for label, times in (("all different", 1), ("half are repeats", 2), ("nine in ten are repeats", 10)):
        packed = Texts.from_arrow(pa.array(distinct[: len(distinct) // times] * times, pa.large_string()))
        rows, size = np.arange(len(packed)), int(packed.offsets[-1]) / 1e6
        each = least(lambda packed=packed, rows=rows: sketcher.sketch(packed, rows))
        once = least(lambda packed=packed, rows=rows: RememberingSketcher(sketcher).sketch(packed, rows))
        print(f"| {label} | {size / each:.0f} | {size / once:.0f} | {each / once:.2f} |", flush=True)


def signatures(texts: list[str], peers: dict[str, str], folder: Path) -> None:
    short = [text[i : i + SHORT] for text in texts for i in range(0, len(text) - SHORT // 2, SHORT)]
    print(
        "\n| signatures, 2 kB texts, one core | word 5 MB/s | curate is | char 25 MB/s | curate is |"
        "\n|---|---|---|---|---|"
    )
    paths = {name: folder / f"short-{name}.parquet" for name in peers}
    sizes = {
        name: write_parquet(path, take(short, MEGABYTES.get(name, FEW_MEGABYTES)))
        for name, path in paths.items()
    }
    ours = {"fastest": 0.0, "characters": 0.0}
    theirs = {(name, setting): 0.0 for name in peers for setting in ours}
    for _ in range(ROUNDS):
        some = take(short, 16)
        ours["fastest"] = max(ours["fastest"], sketching(some, Shingles("word", 5)))
        ours["characters"] = max(ours["characters"], sketching(some, Shingles("char", 25)))
        for name, setting in theirs:
            if setting == "fastest" or name in BY_CHARACTERS:
                found = peer(peers[name], name, setting, paths[name], "0")["signing"][1]
                theirs[name, setting] = max(theirs[name, setting], sizes[name] / found)
    print(f"| curate | {ours['fastest']:.0f} | | {ours['characters']:.0f} | |")
    for name in peers:
        cells = [
            f"{speed:.2f} | {ours[setting] / speed:.1f} times"
            if (speed := theirs[name, setting])
            else "no characters | "
            for setting in ours
        ]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


class Clock(Silent):
    """Notes the wall and processor seconds since it was made at the end of each pass."""

    def __init__(self) -> None:
        self._start = time.perf_counter(), time.process_time()
        self.passes: dict[str, tuple[float, float]] = {}

    def now(self) -> tuple[float, float]:
        return time.perf_counter() - self._start[0], time.process_time() - self._start[1]

    def pass_finished(self, name: str, seconds: float) -> None:
        self.passes[name] = self.now()


def carry_out(recipe: str, out: str, workers: int) -> None:
    """Runs a recipe; prints the seconds at the end of each pass and of the whole run."""
    with tempfile.TemporaryDirectory() as folder:  # imports are not measured
        write_parquet(Path(folder, "one.parquet"), ["one two three four five six seven"])
        Path(folder, "recipe.yaml").write_text(RECIPE.format(folder=folder))
        curate.run(curate.load_recipe(f"{folder}/recipe.yaml"), f"{folder}/out", workers=1)
    clock = Clock()
    curate.run(curate.load_recipe(recipe), out, workers=workers, fresh=True, progress=clock)
    print(json.dumps({**clock.passes, "whole": clock.now()}))


def curate_run(folder: Path, out: Path, cores: str) -> dict[str, tuple[float, float]]:
    recipe = folder / "recipe.yaml"
    recipe.write_text(RECIPE.format(folder=folder))
    workers = str(len(cores.split(",")))
    command = [sys.executable, __file__, "--carry-out", str(recipe), str(out), workers]
    done = subprocess.run(["taskset", "-c", cores, *command], check=True, capture_output=True, text=True)
    return {name: tuple(seconds) for name, seconds in json.loads(done.stdout).items()}


def fastest(runs: list[tuple[float, float]]) -> tuple[float, float]:
    return min(wall for wall, _ in runs), min(cpu for _, cpu in runs)


def end_to_end(texts: list[str], peers: dict[str, str], folder: Path, cores: str) -> None:
    count = len(cores.split(","))
    source = folder / f"source-{count}"
    source.mkdir()
    ours = take(texts, MEGABYTES["curate"])
    size = sum(write_parquet(source / f"{i}.parquet", ours[i::FILES]) for i in range(FILES))
    paths = {name: folder / f"whole-{name}.parquet" for name in peers if name not in KEEPING}
    sizes = {
        name: write_parquet(path, take(texts, MEGABYTES.get(name, FEW_MEGABYTES)))
        for name, path in paths.items()
    }
    jobs = {name: ("fastest", path) for name, path in paths.items()}
    for name in (name for name in peers if name in KEEPING):
        jobs[name], sizes[name] = ("keep", source), size
    runs, theirs = [], {name: [] for name in peers}  # type: ignore[var-annotated]
    for _ in range(ROUNDS):
        runs.append(curate_run(source, folder / "out", cores))
        for name in peers:
            theirs[name].append(peer(peers[name], name, *jobs[name], cores)["whole"])
    print(
        f"\n| end to end, {count} core{'s' * (count > 1)} (load {os.getloadavg()[0]:.0f}) "
        "| wall MB/s | curate is | processor MB/s | curate is |\n|---|---|---|---|---|"
    )
    decided = next(name for name in runs[0] if name.endswith("resolve"))
    wall, cpu = fastest([found[decided] for found in runs])
    print(f"| curate to the decisions, {size:.0f} MB | {size / wall:.1f} | | {size / cpu:.1f} | |")
    whole = fastest([found["whole"] for found in runs])
    print(f"| curate, the whole run | {size / whole[0]:.1f} | | {size / whole[1]:.1f} | |")
    for name in peers:
        slow, busy = fastest(theirs[name])
        mb = sizes[name]
        print(
            f"| {name}, {mb:.1f} MB | {mb / slow:.2f} | {size / wall / (mb / slow):.1f} times "
            f"| {mb / busy:.2f} | {size / cpu / (mb / busy):.1f} times |",
            flush=True,
        )
    print(
        "\nProcessor seconds at the end of each pass of curate:",
        "; ".join(f"{name} {min(found[name][1] for found in runs):.2f}" for name in runs[0]),
        flush=True,
    )


def steps(texts: list[str]) -> None:
    """Bytes that each step must read and write at the least, at the speed it has, as a share of a plain copy's."""
    block = np.ones(1 << 28, np.uint8)
    target = np.empty_like(block)
    copy = 2 * len(block) / least(lambda: np.copyto(target, block)) / 1e9
    print(
        f"\nCopying moves {copy:.1f} GB/s (read and written).\n\n"
        "| step | speed | must move | GB/s | of a copy's |\n|---|---|---|---|---|"
    )
    some = take(texts, 16)
    packed = Texts.from_arrow(pa.array(some, pa.large_string()))
    rows, size = np.arange(len(packed)), int(packed.offsets[-1])
    with tempfile.TemporaryDirectory() as folder:
        write_parquet(Path(folder, "texts.parquet"), some)
        took = least(lambda: pq.ParquetFile(f"{folder}/texts.parquet").read(["text"], use_threads=False))
    line("reading Parquet (Snappy) by pyarrow", f"{size / took / 1e6:.0f} MB/s", 3 * size // 2, took, copy)
    took = least(lambda: text_hash(packed, rows))
    line("128-bit hash", f"{size / took / 1e6:.0f} MB/s", size, took, copy)
    for unit, length in (("word", 5), ("char", 25)):
        sketcher = Sketcher(Shingles(unit, length), 112, 14, seed=10)  # type: ignore[arg-type]
        took = least(lambda sketcher=sketcher: sketcher.sketch(packed, rows))
        line(f"sketch, {unit} {length}", f"{size / took / 1e6:.0f} MB/s", size + 224 * len(rows), took, copy)
    random, n = np.random.default_rng(0), 4_000_000
    keys, docs = random.integers(0, 1 << 64, n, np.uint64), np.arange(n, dtype=np.uint64)
    keys[: n // 8] = keys[n // 8 : n // 4]
    took = least(lambda: bucket_edges(keys, docs), 5)
    line("join of a band", f"{took / n * 1e9:.1f} ns a row", 16 * n + 16 * n // 8, took, copy)
    a, b = bucket_edges(keys, docs)

    def unite() -> None:
        UnionFind().add(a, b)

    took = least(unite, 3)
    line("union-find", f"{took / len(a) * 1e9:.0f} ns an edge", 16 * len(a), took, copy)
    pairs = 500_000
    signed = np.repeat(random.integers(0, 256, (pairs, 112), np.uint8), 2, axis=0)
    offsets, members = np.arange(0, 2 * pairs + 1, 2), np.arange(2 * pairs, dtype=np.uint64)
    took = least(lambda: resolve(offsets, members, signed, 0.8, False), 3)
    line("resolve, pairs", f"{took / 2 / pairs * 1e9:.1f} ns a document", 132 * 2 * pairs, took, copy)


def line(step: str, speed: str, moved: int, seconds: float, copy: float) -> None:
    rate = moved / seconds / 1e9
    print(f"| {step} | {speed} | {moved / 1e6:.0f} MB | {rate:.2f} | {rate / copy:.1%} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--peer", action="append", default=[], help="NAME=PYTHON")
    parser.add_argument("--carry-out", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.carry_out:
        recipe, out, workers = arguments.carry_out
        carry_out(recipe, out, int(workers))
        return
    peers = dict(given.split("=", 1) for given in arguments.peer)
    texts = corpus(arguments.folder)
    steps(texts)
    repeats(texts)
    with tempfile.TemporaryDirectory() as folder:
        signatures(texts, peers, Path(folder))
        end_to_end(texts, peers, Path(folder), "0")
        end_to_end(
            texts, {n: peers[n] for n in peers if n in ("Daft", "gaoya", "rensa")}, Path(folder), "0,1"
        )


if __name__ == "__main__":
    main()
