"""Speed of fastText scoring on short, middling and long texts, curate against fasttext-predict in one process:

    python benchmarks/fasttext_speed.py [PARQUET ...] [--megabytes N] [--shape NAME ...]

The files need a column `text`; without any, sample corpora are made. Their texts are joined and cut anew at 200, 2,000,
5,000 and 20,000 bytes, so that all sizes hold the same kind of text. Models: lid.176.ftz, and .bin files of 2 million
buckets with random weights, which cost what trained ones do: `language` in the shape of lid.176.bin (16 dimensions,
character n-grams of 2 to 4, 176 labels by hierarchical softmax), `pairs` in that of DCLM's quality model (100
dimensions, pairs of words, 2 labels), `subwords` (50 dimensions, n-grams of 3 to 6 and pairs). Their words are the most
frequent of the texts.

fasttext-predict is called once a text with a Python string without line feeds; curate gets them as one Arrow column, on
one thread and, for other texts, on two that share the model. No text is scored twice: the texts are dealt to rounds,
and the least processor time of a thread in any round but the first is reported. Two threads share each part's texts.
Their speed-up by the clock is the least time of one thread over the least of two, which other work on the machine
lowers; that by processor time is twice one thread's over the sum of the two: what they would gain on two idle cores,
where sharing model, caches and memory costs them nothing but time on the processor.
"""

from __future__ import annotations

import argparse
import struct
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import fasttext
import numpy as np
import pyarrow as pa

from benchmarks.fasttext_language import samples, texts_of
from curate.kernels import Texts
from curate.models.fasttext import FastText
from curate.models.fasttext_file import read_model
from curate.models.registry import resolve

BUCKETS = 2_000_000
WORDS = 200_000
SIZES = (200, 2_000, 5_000, 20_000)
SOFTMAX, HIERARCHICAL = 3, 1


@dataclass(frozen=True, slots=True)
class Shape:
    """labels: 0 for those of lid.176."""

    dim: int
    labels: int
    loss: int
    word_ngrams: int
    min_n: int
    max_n: int


SHAPES = {
    "language": Shape(16, 0, HIERARCHICAL, 1, 2, 4),
    "pairs": Shape(100, 2, SOFTMAX, 2, 0, 0),
    "subwords": Shape(50, 2, SOFTMAX, 2, 3, 6),
}


def write_model(path: Path, shape: Shape, common: list[str]) -> None:
    """A model file in fastText's format, version 12: random weights, or those of lid.176.ftz where it has any."""
    random = np.random.default_rng(0)
    known, words = None, ["</s>", *common][:WORDS]
    labels, counts = [f"__label__{i}" for i in range(shape.labels)], list(range(shape.labels, 0, -1))
    if shape.labels == 0:
        data = np.frombuffer(resolve("lid.176").read_bytes(), np.uint8)
        known = read_model(data, "lid.176")
        entries = known.dictionary
        names = [data[b:e].tobytes().decode() for b, e in zip(entries.begin, entries.end, strict=True)]
        words = list(dict.fromkeys([*names[: entries.words], *words]))[:WORDS]
        labels, counts = names[entries.words :], entries.label_counts.tolist()
    rows = random.normal(0, 0.01 if known else 0.1, (len(words) + BUCKETS, shape.dim)).astype("<f4")
    output = random.normal(0, 1, (len(labels), shape.dim)).astype("<f4")
    if known is not None:
        values, kept = known.input.expanded() * known.input.norms[:, None], known.dictionary
        rows[: kept.words] = values[: kept.words]
        rows[len(words) + kept.kept_buckets] = values[kept.words + kept.kept_rows]
        output = known.output
    numbers = (
        shape.dim,
        5,
        5,
        1,
        5,
        shape.word_ngrams,
        shape.loss,
        3,
        BUCKETS,
        shape.min_n,
        shape.max_n,
        100,
    )
    with path.open("wb") as file:
        file.write(struct.pack("<2i12id", 793712314, 12, *numbers, 1e-4))
        file.write(struct.pack("<3i2q", len(words) + len(labels), len(words), len(labels), 10**9, -1))
        for word in words:
            file.write(word.encode() + b"\0" + struct.pack("<qb", 10, 0))
        for label, count in zip(labels, counts, strict=True):
            file.write(label.encode() + b"\0" + struct.pack("<qb", count, 1))
        for matrix in (rows, output):
            file.write(struct.pack("<B2q", 0, *matrix.shape))
            matrix.tofile(file)


def cut(texts: list[str], size: int, megabytes: float) -> list[str]:
    """Texts of `size` bytes or a few less, one after the other out of the joined texts."""
    data = " ".join(texts).replace("\n", " ").encode()[: int(megabytes * 1e6)]
    pieces = [data[at : at + size] for at in range(0, len(data) - size + 1, size)]
    return [piece.decode(errors="ignore") for piece in pieces]


def thread_seconds(run: Callable[[], object]) -> float:
    start = time.thread_time()
    run()
    return time.thread_time() - start


def predict(peer: fasttext.FastText, lines: list[str]) -> tuple[float, list[float]]:
    """Processor time of fasttext-predict, and its probabilities of the best labels."""
    start = time.thread_time()
    found = [peer.predict(line) for line in lines]
    return time.thread_time() - start, [probabilities[0] for _, probabilities in found]


def score(model: FastText, lines: list[str]) -> tuple[float, list[float]]:
    """The same of curate."""
    batch = Texts.from_arrow(pa.array(lines))
    start = time.thread_time()
    found = model.score(batch)
    return time.thread_time() - start, found.probabilities[:, 0].tolist()


def threads(model: FastText, lines: list[str], count: int) -> tuple[float, float]:
    """Seconds by the clock, and of processor time together, of threads that score every count-th text each at once."""
    batch = Texts.from_arrow(pa.array(lines))
    rows = [np.arange(start, len(batch), count) for start in range(count)]
    with ThreadPoolExecutor(count) as pool:
        start = time.perf_counter()
        used = list(pool.map(lambda part: thread_seconds(lambda: model.score(batch, part)), rows))
        return time.perf_counter() - start, sum(used)


def compare(model: FastText, peer: fasttext.FastText, lines: list[str], rounds: int) -> str:
    """A row of the table. No text is scored twice, as curate remembers words; the first part warms both up."""
    parts = [lines[place :: rounds + 1] for place in range(rounds + 1)]
    own, other, furthest = [], [], 0.0
    clock: dict[int, list[float]] = {1: [], 2: []}
    used: dict[int, list[float]] = {1: [], 2: []}
    for place, part in enumerate(parts):
        seconds, expected = predict(peer, part)
        other.append(seconds)
        if place % 2:
            half = len(part) // 2
            for count in (1, 2):
                seconds, processor = threads(model, part[half * (count - 1) : half * count], count)
                clock[count].append(seconds)
                used[count].append(processor)
            continue
        seconds, found = score(model, part)
        own.append(seconds)
        furthest = max(furthest, *(abs(theirs - ours) for theirs, ours in zip(expected, found, strict=True)))
    texts, size = len(parts[0]), sum(len(line.encode()) for line in parts[0]) / 1e6
    fast, slow = min(own[1:]), min(other[1:])
    by_clock = min(clock[1]) / min(clock[2])
    by_processor = 2 * min(used[1]) / min(used[2])
    return (
        f"{texts:>6,} | {size / fast:6.1f} | {texts / fast:8,.0f} | {size / slow:6.1f} | "
        f"{texts / slow:8,.0f} | {slow / fast:5.1f} | {by_clock:5.2f} | {by_processor:5.2f} | {furthest:.0e}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--megabytes", type=float, default=16, help="of text a size")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--shape", choices=["lid.176", *SHAPES], nargs="*", default=["lid.176", *SHAPES])
    arguments = parser.parse_args()
    texts = texts_of(arguments.files, 40_000) if arguments.files else samples(8_000)
    np.random.default_rng(0).shuffle(texts)
    common = Counter(word for text in texts for word in text.split() if "\0" not in word)
    print(
        "| model | bytes a text | texts | curate MB/s | texts/s | fasttext-predict MB/s | texts/s | ratio | "
        "two threads, clock | two threads, processor | scores apart |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.shape:
            path = resolve("lid.176") if name == "lid.176" else Path(folder) / f"{name}.bin"
            if name in SHAPES:
                write_model(path, SHAPES[name], [word for word, _ in common.most_common(WORDS)])
            model, peer = FastText.load(path), fasttext.load_model(str(path))
            for size in SIZES:
                lines = cut(texts, size, arguments.megabytes)
                print(f"| {name} | {size:,} | {compare(model, peer, lines, arguments.rounds)} |", flush=True)
            if name in SHAPES:
                path.unlink()


if __name__ == "__main__":
    main()
