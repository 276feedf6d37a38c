"""Speed of fastText scoring on short, middling and long texts, curate against fasttext-predict in one process:

    python -m benchmarks.fasttext_speed [PARQUET ...] [--megabytes N] [--rounds N] [--shape NAME ...]

The files need a column `text`; without any, sample corpora are made. Their texts are joined, dealt out and cut at 200,
2,000, 5,000 and 20,000 bytes. No part of the text is scored twice by one of the two, at any size: curate remembers
words, so the share of words that are new is that of a stream of text. Models: lid.176.ftz, and .bin files of 2 million
buckets with random weights, which cost what trained ones do: `language` in the shape of lid.176.bin (16 dimensions,
character n-grams of 2 to 4, 176 labels by hierarchical softmax), `pairs` in that of DCLM's quality model (100
dimensions, pairs of words, 2 labels), `subwords` (50 dimensions, n-grams of 3 to 6 and pairs). Their words are the most
frequent of the texts.

A quarter of the text is scored first, by both of two threads, and not timed: a run over a corpus soon is where they are
then. After that each round goes through all sizes. Some of a round's text is scored by fasttext-predict, called once a
text with a Python string without line feeds, and by curate on one thread, as one Arrow column; the rest by curate on
two threads that share the model and the texts. The first fifth of each is not timed: what the caches hold is then what
the one that is timed reads. The rest is timed in pieces that take both about as long, some milliseconds, and speeds are
of the upper quartile of pieces, because other work on the machine comes and goes: processor time of the thread for one,
the clock for two. Cores may be shared with others, or be two halves of one: after each piece the same is done with
BLAKE2b, which neither memory nor locks can slow, and what two threads gain is also given as a share of what they gain
there.
"""

from __future__ import annotations

import argparse
import os
import statistics
import struct
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import pairwise
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
WARM_UP = 0.25  # of the text
ON_ONE = 0.4  # of a round's text: scored by one thread and by fasttext-predict
PIECE = 1_000_000  # bytes that a thread scores from one look at the clock to the next
SLOWER = 12  # as many times less for fasttext-predict
HASHED = bytes(2_000_000)
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


class Stream:
    """Text from its beginning to its end."""

    def __init__(self, texts: list[str], megabytes: float) -> None:
        self._data = " ".join(texts).replace("\n", " ").encode()[: int(megabytes * 1e6)]
        self._at = 0
        self.size = len(self._data)

    def take(self, size: int, share: float) -> list[str]:
        """The next share of the whole in texts of `size` bytes, or a few less."""
        end = self._at + int(self.size * share)
        pieces = [self._data[at : at + size] for at in range(self._at, end - size + 1, size)]
        self._at = end
        return [piece.decode(errors="ignore") for piece in pieces]


@dataclass(slots=True)
class Measured:
    """Megabytes a second of the pieces of one size: by processor time, and where it says so by the clock."""

    texts: int = 0
    furthest: float = 0.0
    other: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)
    own_by_clock: list[float] = field(default_factory=list)
    two_by_clock: list[float] = field(default_factory=list)
    hashed_by_clock: list[float] = field(default_factory=list)
    hashed_on_two_by_clock: list[float] = field(default_factory=list)


def megabytes(lines: list[str]) -> float:
    return sum(len(line.encode()) for line in lines) / 1e6


def pieces(lines: list[str], size: int, piece: int) -> list[tuple[int, int]]:
    """Texts of `size` bytes from one to another: those that are not timed, then pieces of `piece` bytes, but two at
    least; of an even number of texts."""
    untimed = len(lines) // 5
    step = min(piece // size, (len(lines) - untimed) // 2) // 2 * 2
    if step == 0:
        raise SystemExit(f"{len(lines)} texts of {size} bytes are too few: give more text, or fewer --rounds")
    return list(pairwise([0, *range(untimed, len(lines) + 1, step)]))


def predict(peer: fasttext.FastText, lines: list[str], size: int, measured: Measured) -> list[float]:
    """fasttext-predict's probabilities of the best labels; notes its speed."""
    probabilities: list[float] = []
    for number, (first, last) in enumerate(pieces(lines, size, PIECE // SLOWER)):
        begun = time.thread_time()
        found = [peer.predict(line) for line in lines[first:last]]
        seconds = time.thread_time() - begun
        probabilities += [best[0] for _, best in found]
        if number > 0:
            measured.other.append(megabytes(lines[first:last]) / seconds)
    return probabilities


def score(model: FastText, lines: list[str], size: int, measured: Measured) -> list[float]:
    """The same of curate."""
    batch = Texts.from_arrow(pa.array(lines))
    probabilities: list[float] = []
    for number, (first, last) in enumerate(pieces(lines, size, PIECE)):
        clock, processor = time.perf_counter(), time.thread_time()
        found = model.score(batch, np.arange(first, last))
        clock, processor = time.perf_counter() - clock, time.thread_time() - processor
        probabilities += found.probabilities[:, 0].tolist()
        if number == 0:
            continue
        measured.own.append(megabytes(lines[first:last]) / processor)
        measured.own_by_clock.append(megabytes(lines[first:last]) / clock)
        clock = time.perf_counter()
        blake2b(HASHED)
        measured.hashed_by_clock.append(len(HASHED) / 1e6 / (time.perf_counter() - clock))
    return probabilities


def at_once(ready: threading.Barrier, work: Callable[[], object]) -> tuple[float, float]:
    """When work that two threads begin together begins and ends here."""
    ready.wait()
    begun = time.perf_counter()
    work()
    return begun, time.perf_counter()


def seconds_of_both(one: tuple[float, float], other: tuple[float, float]) -> float:
    return max(one[1], other[1]) - min(one[0], other[0])


def score_on_two(
    pool: ThreadPoolExecutor, model: FastText, lines: list[str], size: int, measured: Measured
) -> None:
    """Two threads, each on a core of its own, that begin a piece at once and score every other text of it."""
    batch = Texts.from_arrow(pa.array(lines))
    ready = threading.Barrier(2)
    all_pieces = pieces(lines, size, 2 * PIECE)
    cores = sorted(os.sched_getaffinity(0))

    def half(start: int) -> list[tuple[tuple[float, float], tuple[float, float]]]:
        # Left to itself, Linux takes longer than a piece to give each thread a core.
        os.sched_setaffinity(0, {cores[start % len(cores)]})
        times = []
        for first, last in all_pieces:
            rows = np.arange(first + start, last, 2)
            scored = at_once(ready, lambda rows=rows: model.score(batch, rows))
            times.append((scored, at_once(ready, lambda: blake2b(HASHED))))
        return times

    one, other = pool.map(half, range(2))
    for (first, last), (scored, hashed), (scored_too, hashed_too) in list(
        zip(all_pieces, one, other, strict=True)
    )[1:]:
        measured.two_by_clock.append(megabytes(lines[first:last]) / seconds_of_both(scored, scored_too))
        measured.hashed_on_two_by_clock.append(2 * len(HASHED) / 1e6 / seconds_of_both(hashed, hashed_too))


def measure(model: FastText, peer: fasttext.FastText, stream: Stream, rounds: int) -> dict[int, Measured]:
    """Rounds by size."""
    found = {size: Measured() for size in SIZES}
    share = (1 - WARM_UP) / (rounds * len(SIZES))
    with ThreadPoolExecutor(2) as pool:
        early = Texts.from_arrow(pa.array(stream.take(SIZES[1], WARM_UP)))
        list(pool.map(lambda _: model.score(early), range(2)))
        for _ in range(rounds):
            for size, measured in found.items():
                lines = stream.take(size, share * ON_ONE)
                expected = predict(peer, lines, size, measured)
                scores = score(model, lines, size, measured)
                distances = (abs(theirs - ours) for theirs, ours in zip(expected, scores, strict=False))
                measured.furthest = max(measured.furthest, *distances)
                measured.texts += len(lines)
                lines = stream.take(size, share * (1 - ON_ONE))
                score_on_two(pool, model, lines, size, measured)
    return found


def row(size: int, measured: Measured) -> str:
    """A row of the table, without the model."""

    def speed(speeds: list[float]) -> float:
        return statistics.quantiles(speeds, n=4)[2]

    own, other = speed(measured.own), speed(measured.other)
    gain = speed(measured.two_by_clock) / speed(measured.own_by_clock)
    possible = speed(measured.hashed_on_two_by_clock) / speed(measured.hashed_by_clock)
    return (
        f"{size:,} | {measured.texts:>6,} | {own:6.1f} | {own * 1e6 / size:8,.0f} | {other:6.1f} | "
        f"{other * 1e6 / size:8,.0f} | {own / other:5.1f} | {gain:5.2f} | {possible:5.2f} | "
        f"{2 * gain / possible:5.2f} | {measured.furthest:.0e}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--megabytes", type=float, default=1000, help="of text at most")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--shape", choices=["lid.176", *SHAPES], nargs="*", default=["lid.176", *SHAPES])
    arguments = parser.parse_args()
    texts = texts_of(arguments.files, 40_000) if arguments.files else samples(8_000)
    np.random.default_rng(0).shuffle(texts)
    common = Counter(word for text in texts for word in text.split() if "\0" not in word)
    print(
        "| model | bytes a text | texts | curate MB/s | texts/s | fasttext-predict MB/s | texts/s | ratio | "
        "two threads gain | BLAKE2b gains | of 2 | scores apart |"
    )
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|")
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.shape:
            path = resolve("lid.176") if name == "lid.176" else Path(folder) / f"{name}.bin"
            if name in SHAPES:
                write_model(path, SHAPES[name], [word for word, _ in common.most_common(WORDS)])
            model, peer = FastText.load(path), fasttext.load_model(str(path))
            stream = Stream(texts, arguments.megabytes)
            for size, measured in measure(model, peer, stream, arguments.rounds).items():
                print(f"| {name} | {row(size, measured)} |", flush=True)
            if name in SHAPES:
                path.unlink()


if __name__ == "__main__":
    main()
