"""Signature throughput of one core: python benchmarks/sketch.py FOLDER [--peers]

FOLDER holds Parquet files with a column `text`. Its texts are joined and cut to 200 B, 2 kB and 50 kB, 8 MB
of each. Reported is the fastest of several runs, in MB/s of text, for each instruction set of this machine.
With --peers, datasketch runs on the same texts (a sample of them), and the ratio is printed.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curate.dedup import PRESETS, Preset
from curate.kernels import Texts, _cpu

SIZES = {"200 B": 200, "2 kB": 2_000, "50 kB": 50_000}
BYTES = 8_000_000


def corpus(folder: Path) -> bytes:
    """The first BYTES bytes of the folder's texts, files in the order of their names."""
    parts: list[bytes] = []
    for path in sorted(folder.rglob("*.parquet")):
        if "text" not in pq.read_schema(path).names:
            continue
        parts += [text.encode() for text in pq.read_table(path, columns=["text"])["text"].to_pylist() if text]
        if sum(map(len, parts)) >= BYTES:
            break
    text = b"\n".join(parts)
    if not text:
        raise SystemExit(f"no Parquet files with a text column under {folder}")
    return (text * (BYTES // len(text) + 1))[:BYTES]


def cut(text: bytes, size: int) -> Texts:
    offsets = np.arange(0, len(text) + 1, size, dtype=np.int64)
    return Texts(np.frombuffer(text, np.uint8), offsets)


def fastest(run: Callable[[], object], runs: int = 5) -> float:
    """Seconds of processor time."""
    times = []
    for _ in range(runs):
        start = time.thread_time()
        run()
        times.append(time.thread_time() - start)
    return min(times)


def ours(texts: Texts, preset: Preset, minhash: bool, instruction_set: str) -> float:
    rows = np.arange(len(texts), dtype=np.int64)
    seconds = fastest(
        lambda: _cpu.sketch(
            texts.data,
            texts.offsets,
            rows,
            words=preset.shingles.unit == "word",
            length=preset.shingles.length,
            hashes=preset.hashes,
            bands=preset.bands,
            seed=0,
            minhash=minhash,
            instruction_set=instruction_set,
        ),
        runs=1 if minhash else 5,
    )
    return int(texts.offsets[-1]) / seconds / 1e6


def datasketch(texts: Texts, preset: Preset) -> float:
    from datasketch import MinHash

    def shingles(text: bytes) -> list[bytes]:
        n = preset.shingles.length
        if preset.shingles.unit == "char":
            return [text[i : i + n] for i in range(len(text) - n + 1)]
        words = text.split()
        return [b" ".join(words[i : i + n]) for i in range(len(words) - n + 1)]

    some: NDArray[np.int64] = texts.offsets[: max(2, min(len(texts), 200_000 // int(texts.sizes[0])))]
    data = texts.data.tobytes()

    def run() -> None:
        for start, end in zip(some[:-1].tolist(), some[1:].tolist(), strict=True):
            MinHash(preset.hashes, seed=1).update_batch(shingles(data[start:end]))

    return int(some[-1]) / fastest(run, runs=1) / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--peers", action="store_true", help="run MinHash and datasketch too")
    arguments = parser.parse_args()
    text = corpus(arguments.folder)
    for name in ("zyda2", "fineweb"):
        preset = PRESETS[name]
        for label, size in SIZES.items():
            texts = cut(text, size)
            line = f"{preset.shingles.unit} {preset.shingles.length}, k = {preset.hashes}, {label}:"
            speed = 0.0
            for instruction_set in _cpu.instruction_sets():
                speed = ours(texts, preset, False, instruction_set)
                line += f"  {instruction_set} {speed:.0f}"
            if arguments.peers:
                peer = datasketch(texts, preset)
                line += f"  minhash {ours(texts, preset, True, ''):.0f}"
                line += f"  datasketch {peer:.2f} ({speed / peer:.0f} times)"
            print(line, flush=True)


if __name__ == "__main__":
    main()
