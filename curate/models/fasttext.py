"""Scores texts with supervised fastText models, batches at a time and without fastText.

Reading is `fasttext_file`, scoring `kernels/fasttext.h`: labels and probabilities are those of fastText's `predict` up
to the rounding of its sums, in a fixed order of operations, whatever the batch, the thread or the machine. How far
scores lie apart, and speed beside fasttext-predict: `benchmarks/results/fasttext_speed.md`.

Memory: a dense matrix of up to 1 GiB is copied from its file into huge pages, in each process; a larger one stays
mapped. A quantised one is expanded to floats where that takes at most 64 MiB (lid.176.ftz: 0.9 MB become 3.2 MB), and
used as codes otherwise. A model of at most 32 labels, and twice as many dimensions, keeps a float a row and label
instead, unless its softmax is hierarchical. Each thread that scores remembers words in up to 144 MiB, as it meets
them.
"""

from __future__ import annotations

import hashlib
import mmap
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from curate.errors import ModelError, Problem
from curate.kernels import Texts, _cpu
from curate.kernels.interface import CPU, Kernels
from curate.models.fasttext_file import DenseMatrix, ModelFile, QuantisedMatrix, read_model

PREFIX = "__label__"
EXPAND_BYTES = 64 << 20
#: Files up to this size are read; larger ones are mapped, and must not be cut short while in use.
READ_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Scores:
    """The best labels of each text, best first.

    labels: int32, shape (texts, k), index into the model's `labels`; -1 where the text has fewer: k exceeds the
        number of labels, a hierarchical softmax gives the others less than 0.00001, or nothing of the text (not
        even its end) is known to the model.
    probabilities: float32, shape (texts, k), 0 where the label is -1. As in fastText they stand 0.00001 above the
        softmax's own values, so that the surest are a little above 1.
    """

    labels: NDArray[np.int32]
    probabilities: NDArray[np.float32]


class FastText:
    """A supervised fastText model. Safe to use from several threads at once; not to be pickled: share its path."""

    def __init__(self, data: NDArray[np.uint8], name: str, *, expand_bytes: int = EXPAND_BYTES) -> None:
        """The model whose file's bytes are `data` (uint8); `name` is what errors call it.

        expand_bytes: quantised input matrices up to this size are expanded; changes speed, never a score.
        Raises ModelError where the bytes are not a complete supervised model.
        """
        parts = read_model(data, name)
        self.name = name
        self.sha256 = hashlib.sha256(data.data).hexdigest()
        self.labels = _labels(data, parts, name)
        self.kernel = _kernel(data, parts, name, expand_bytes)

    @classmethod
    def load(cls, path: str | Path) -> FastText:
        """The model in a file of the local file system. Raises ModelError if it cannot be read or is not a model."""
        try:
            with Path(path).open("rb") as file:
                size = file.seek(0, 2)
                if size > READ_BYTES:
                    return cls(
                        np.frombuffer(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ), np.uint8), str(path)
                    )
                file.seek(0)
                return cls(np.frombuffer(file.read(), np.uint8), str(path))
        except OSError as error:
            raise ModelError(Problem(str(path), f"cannot be read: {error.strerror}")) from error

    def score(
        self,
        texts: Texts,
        rows: NDArray[np.int64] | None = None,
        *,
        k: int = 1,
        max_chars: int | None = None,
        kernels: Kernels = CPU,
    ) -> Scores:
        """The k best labels of the texts, or of those that `rows` (int64) names.

        Words are what stands between bytes 0, 9 to 13 and 32. A line feed is a space like the others (fastText
        refuses it); a word `</s>` ends the text, as in fastText. max_chars: score only so many code points.
        Releases the GIL. Raises ValueError if k is below 1 or a row is not there.
        """
        if rows is None:
            rows = np.arange(len(texts), dtype=np.int64)
        characters = np.iinfo(np.int64).max if max_chars is None else max_chars
        return Scores(*kernels.fasttext(self.kernel, texts, rows, k, characters))


def _labels(data: NDArray[np.uint8], parts: ModelFile, name: str) -> tuple[str, ...]:
    words = parts.dictionary
    spans = zip(words.begin[words.words :].tolist(), words.end[words.words :].tolist(), strict=True)
    try:
        return tuple(data[begin:end].tobytes().decode().removeprefix(PREFIX) for begin, end in spans)
    except UnicodeDecodeError as error:
        raise ModelError(Problem(name, "a label is not valid UTF-8")) from error


def _kernel(data: NDArray[np.uint8], parts: ModelFile, name: str, expand_bytes: int) -> _cpu.FastText:
    arguments, words = parts.arguments, parts.dictionary
    rows, codes, centroids, norms, part = _input(parts.input, expand_bytes)
    try:
        return _cpu.FastText(
            words=words.words,
            labels=words.labels,
            min_n=arguments.min_n,
            max_n=arguments.max_n,
            word_ngrams=arguments.word_ngrams,
            bucket=arguments.bucket,
            dim=arguments.dim,
            loss=arguments.loss,
            spelling=data,
            begin=words.begin,
            end=words.end,
            label_counts=np.ascontiguousarray(words.label_counts),
            kept_buckets=words.kept_buckets,
            kept_rows=words.kept_rows,
            rows=rows,
            codes=codes,
            centroids=centroids,
            norms=norms,
            part=part,
            output=parts.output,
            output_norms=parts.output_norms,
        )
    except ValueError as error:
        raise ModelError(Problem(name, str(error), fix="fetch the file again")) from error


def _input(
    matrix: DenseMatrix | QuantisedMatrix, expand_bytes: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32], int]:
    """The input matrix as the kernel takes it: row bytes, codes, centroids, norms, columns of a part."""
    no_bytes, no_floats = np.zeros(0, np.uint8), np.zeros(0, np.float32)
    if isinstance(matrix, DenseMatrix):
        return matrix.rows, no_bytes, no_floats, no_floats, 0
    if matrix.count * matrix.columns * 4 > expand_bytes:
        return no_bytes, matrix.codes.reshape(-1), matrix.centroids, matrix.norms, matrix.part
    values = matrix.expanded()
    if len(matrix.norms):
        values *= matrix.norms[:, None]
    return values.view(np.uint8).reshape(-1), no_bytes, no_floats, no_floats, 0
