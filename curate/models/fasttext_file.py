"""Reads fastText's model files, .bin and quantised .ftz, format versions 11 and 12.

A file holds, little-endian: magic number and version; twelve int32 of arguments and a double; the dictionary (words,
then labels, and which n-grams survived pruning); the input matrix; the output matrix. Every count is checked against
the bytes that are left before anything is allocated, so a truncated or hostile file is a `ModelError`, never a crash.

Dense matrices and the dictionary's spellings stay views of the file's bytes: a model of gigabytes is mapped, not read.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from curate.errors import ModelError, Problem
from curate.kernels import _cpu

MAGIC = 793712314
SUPERVISED = 3
LOSSES = {1: "hierarchical softmax", 2: "negative sampling", 3: "softmax", 4: "one-vs-all"}
#: Longest n-grams taken for real; a damaged file may say any number, and work grows with it.
LONGEST_NGRAM = 64
#: A quantised output matrix is expanded when it is read, up to this many bytes.
LARGEST_OUTPUT = 1 << 30
#: The tree of a hierarchical softmax is built as if unused nodes had this count.
LARGEST_COUNT = 10**15


@dataclass(frozen=True, slots=True)
class Arguments:
    """What the model was trained with, as far as scoring depends on it."""

    dim: int
    word_ngrams: int
    loss: int
    bucket: int
    min_n: int
    max_n: int


@dataclass(frozen=True, slots=True)
class Dictionary:
    """Words first, labels behind them: entry i is spelt `data[begin[i]:end[i]]`.

    begin, end: int64, shape (words + labels,). label_counts: int64, shape (labels,).
    kept_buckets, kept_rows: int32, which n-gram buckets survived pruning, and as which row after the words'; None
        when the model is not pruned.
    """

    words: int
    labels: int
    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    label_counts: NDArray[np.int64]
    kept_buckets: NDArray[np.int32] | None
    kept_rows: NDArray[np.int32] | None


@dataclass(frozen=True, slots=True)
class DenseMatrix:
    """rows: uint8, shape (count * columns * 4,): float32 values, row by row, at any alignment."""

    count: int
    columns: int
    rows: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class QuantisedMatrix:
    """Product quantisation: `part` columns at a time stand as one of 256 centroids.

    codes: uint8, shape (count, parts). centroids: float32, shape (256 * columns,), part by part.
    norms: float32, shape (count,), a factor for each row; empty where the model has none.
    """

    count: int
    columns: int
    part: int
    codes: NDArray[np.uint8]
    centroids: NDArray[np.float32]
    norms: NDArray[np.float32]

    def expanded(self) -> NDArray[np.float32]:
        """The rows without their norms, float32, shape (count, columns)."""
        values = np.empty((self.count, self.columns), np.float32)
        for place, start in enumerate(range(0, self.columns, self.part)):
            width = min(self.part, self.columns - start)
            centroids = self.centroids[256 * start : 256 * (start + width)].reshape(256, width)
            values[:, start : start + width] = centroids[self.codes[:, place]]
        return values


@dataclass(frozen=True, slots=True)
class ModelFile:
    arguments: Arguments
    dictionary: Dictionary
    input: DenseMatrix | QuantisedMatrix
    output: NDArray[np.float32]
    output_norms: NDArray[np.float32]


class _Bytes:
    """The file's bytes and how far they have been read."""

    def __init__(self, data: NDArray[np.uint8], name: str) -> None:
        self.data, self.name, self.at = data, name, 0

    def damaged(self, found: str, expected: str = "") -> ModelError:
        fix = "fetch the file again, or check that it is a fastText model"
        return ModelError(
            Problem(self.name, f"{found} (byte {self.at:,} of {len(self.data):,})", expected, fix)
        )

    def numbers(self, layout: str, what: str) -> tuple[int, ...]:
        packed = self.take(struct.calcsize("<" + layout), what)
        return struct.unpack("<" + layout, packed.tobytes())

    def take(self, size: int, what: str) -> NDArray[np.uint8]:
        left = len(self.data) - self.at
        if not 0 <= size <= left:
            raise self.damaged(f"the file ends inside {what}", f"{size:,} more bytes, {left:,} are left")
        taken = self.data[self.at : self.at + size]
        self.at += size
        return taken

    def floats(self, count: int, what: str) -> NDArray[np.float32]:
        values = self.take(count * 4, what).view(np.dtype("<f4")).astype(np.float32)
        if not np.isfinite(values).all():
            raise self.damaged(
                f"{what} holds values that are not finite", "the numbers of a training that converged"
            )
        return values

    def check(self, holds: bool, found: str, expected: str) -> None:
        if not holds:
            raise self.damaged(found, expected)


def read_model(data: NDArray[np.uint8], name: str) -> ModelFile:
    """The parts of the model whose file's bytes are `data` (uint8); `name` is what errors call it.

    Raises ModelError where the bytes are not a complete, supervised fastText model.
    """
    source = _Bytes(data, name)
    arguments = _arguments(source)
    dictionary = _dictionary(source, arguments)
    (quantised,) = source.numbers("B", "the kind of the input matrix")
    matrix = _quantised(source, "input") if quantised else _dense(source, "input")
    if not quantised and dictionary.kept_buckets is not None:
        raise source.damaged("a pruned dictionary with a matrix that is not quantised", "both or neither")
    _check_input(source, arguments, dictionary, matrix)
    (quantised_output,) = source.numbers("B", "the kind of the output matrix")
    output = _output(source, bool(quantised and quantised_output), dictionary.labels, arguments.dim)
    source.check(source.at == len(data), "more bytes follow the model", "the end of the file")
    return ModelFile(arguments, dictionary, matrix, *output)


def _arguments(source: _Bytes) -> Arguments:
    source.check(len(source.data) >= 8, "too short for a model", "at least 8 bytes")
    magic, version = source.numbers("2i", "its first 8 bytes")
    source.check(magic == MAGIC, f"not a fastText model: begins with {magic}", f"{MAGIC} (bytes BA 16 4F 2F)")
    source.check(version in (11, 12), f"format version {version}", "11 or 12")
    values = source.numbers("12id", "the arguments")
    dim, word_ngrams, loss, kind, bucket, min_n, max_n = (values[i] for i in (0, 5, 6, 7, 8, 9, 10))
    if version == 11:
        max_n = 0  # such models were trained without character n-grams, whatever this field says
    source.check(
        kind == SUPERVISED, f"an unsupervised model (kind {kind})", "a classifier (supervised, kind 3)"
    )
    source.check(loss in LOSSES, f"loss {loss}", ", ".join(f"{k} {v}" for k, v in LOSSES.items()))
    source.check(dim > 0, f"{dim} dimensions", "at least 1")
    for label, length in (("wordNgrams", word_ngrams), ("minn", min_n), ("maxn", max_n)):
        source.check(0 <= length <= LONGEST_NGRAM, f"{label} {length}", f"0 to {LONGEST_NGRAM}")
    source.check(bucket >= 0, f"{bucket} buckets", "0 or more")
    source.check(
        bucket > 0 or (max_n == 0 and word_ngrams <= 1), "n-grams but no buckets", "1 bucket or more"
    )
    return Arguments(dim, word_ngrams, loss, bucket, min_n, max_n)


def _dictionary(source: _Bytes, arguments: Arguments) -> Dictionary:
    entries, words, labels, _, kept = source.numbers("3i2q", "the dictionary's counts")
    source.check(words >= 0 and labels > 0, f"{words} words and {labels} labels", "at least 1 label")
    source.check(entries == words + labels, f"{entries} entries", f"{words} words + {labels} labels")
    left = len(source.data) - source.at
    source.check(
        entries <= left // 10, f"{entries:,} dictionary entries", f"at most {left // 10:,} for the bytes left"
    )
    begin, end, counts, types, read, source.at = _cpu.fasttext_entries(source.data, source.at, entries)
    source.check(
        read == entries, f"the file ends inside entry {read:,} of the dictionary", f"{entries:,} entries"
    )
    ordered = not types[:words].any() and bool((types[words:] == 1).all())
    source.check(ordered, "words and labels are mixed up", "all words before all labels")
    label_counts = counts[words:]
    total = int(label_counts.astype(object).sum())
    source.check(
        bool((label_counts >= 0).all()) and total < LARGEST_COUNT, "impossible counts of labels", "0 to 10^15"
    )
    if kept < 0:
        return Dictionary(words, labels, begin, end, label_counts, None, None)
    packed = source.take(kept * 8, "the list of n-grams that survived pruning").view(np.dtype("<i4"))
    pairs = packed.astype(np.int32).reshape(kept, 2)
    inside = bool(((pairs >= 0).all(axis=1) & (pairs[:, 0] < max(arguments.bucket, 1))).all())
    source.check(inside, "a pruned n-gram outside of the buckets", f"0 to {arguments.bucket - 1}")
    return Dictionary(
        words,
        labels,
        begin,
        end,
        label_counts,
        np.ascontiguousarray(pairs[:, 0]),
        np.ascontiguousarray(pairs[:, 1]),
    )


def _dense(source: _Bytes, which: str) -> DenseMatrix:
    count, columns = source.numbers("2q", f"the {which} matrix's size")
    source.check(count >= 0 and columns > 0, f"{which} matrix of {count} x {columns}", "positive numbers")
    return DenseMatrix(count, columns, source.take(count * columns * 4, f"the {which} matrix"))


def _quantised(source: _Bytes, which: str) -> QuantisedMatrix:
    (has_norms,) = source.numbers("B", f"the {which} matrix's kind")
    count, columns, size = source.numbers("2qi", f"the {which} matrix's size")
    source.check(count >= 0 and columns > 0, f"{which} matrix of {count} x {columns}", "positive numbers")
    codes = source.take(size, f"the {which} matrix's codes")
    part, centroids = _centroids(source, columns, which)
    parts = -(-columns // part)
    source.check(
        size == count * parts, f"{size:,} codes in the {which} matrix", f"{count:,} rows x {parts} parts"
    )
    norms = np.zeros(0, np.float32)
    if has_norms:
        norm_codes = source.take(count, f"the {which} matrix's norms")
        _, norm_centroids = _centroids(source, 1, which)
        norms = norm_centroids[norm_codes]
    return QuantisedMatrix(count, columns, part, codes.reshape(count, parts), centroids, norms)


def _centroids(source: _Bytes, columns: int, which: str) -> tuple[int, NDArray[np.float32]]:
    dim, parts, part, last = source.numbers("4i", f"the {which} matrix's quantiser")
    sound = (
        dim == columns and 0 < part <= dim and parts == -(-dim // part) and last == dim - (parts - 1) * part
    )
    source.check(sound, f"quantiser of {dim} = {parts} x {part}, last {last}", f"parts of {columns} columns")
    return part, source.floats(256 * dim, f"the {which} matrix's centroids")


def _check_input(
    source: _Bytes, arguments: Arguments, words: Dictionary, matrix: DenseMatrix | QuantisedMatrix
) -> None:
    source.check(
        matrix.columns == arguments.dim,
        f"input matrix of {matrix.columns} columns",
        f"dimension {arguments.dim}",
    )
    uses_ngrams = arguments.max_n > 0 or arguments.word_ngrams > 1
    needed = words.words
    if words.kept_rows is not None:
        needed += int(words.kept_rows.max(initial=-1)) + 1
    elif uses_ngrams:
        needed += arguments.bucket
    source.check(
        needed <= matrix.count < 2**31,
        f"input matrix of {matrix.count:,} rows",
        f"{needed:,} at least, below 2^31",
    )
    if isinstance(matrix, DenseMatrix):
        _check_finite(source, matrix)


def _check_finite(source: _Bytes, matrix: DenseMatrix) -> None:
    values, step = matrix.rows.view(np.dtype("<f4")), 1 << 22
    for start in range(0, len(values), step):
        if not np.isfinite(values[start : start + step]).all():
            raise source.damaged(
                "the input matrix holds values that are not finite", "a training that converged"
            )


def _output(
    source: _Bytes, quantised: bool, labels: int, dim: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The output matrix, float32, shape (labels, dim), and its rows' norms, empty where it has none."""
    if not quantised:
        count, columns = source.numbers("2q", "the output matrix's size")
        source.check(
            (count, columns) == (labels, dim), f"output matrix of {count} x {columns}", f"{labels} x {dim}"
        )
        return source.floats(labels * dim, "the output matrix").reshape(labels, dim), np.zeros(0, np.float32)
    matrix = _quantised(source, "output")
    found = f"output matrix of {matrix.count} x {matrix.columns}"
    source.check((matrix.count, matrix.columns) == (labels, dim), found, f"{labels} x {dim}")
    source.check(labels * dim * 4 <= LARGEST_OUTPUT, found, f"at most {LARGEST_OUTPUT:,} bytes when expanded")
    return matrix.expanded(), matrix.norms
