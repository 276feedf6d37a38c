"""What stages ask of text kernels, wherever those run. The CPU's extension is here; a GPU's are `gpu/kernels.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from curate.kernels import _cpu
from curate.kernels.lines import LineSieve
from curate.kernels.texts import Texts

Rows = NDArray[np.int64]
Edges = tuple[NDArray[np.uint64], NDArray[np.uint64]]
#: Keys, uint64, shape (bands, rows); signatures, uint8, shape (rows, hashes); sketched, bool, shape (rows,).
SketchColumns = tuple[NDArray[np.uint64], NDArray[np.uint8], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True)
class SketchShape:
    """What is sketched and how: see dedup.Sketcher."""

    words: bool
    length: int
    hashes: int
    bands: int
    seed: int
    minhash: bool = False


@dataclass(frozen=True, slots=True)
class Redacted:
    """What `redact` looks for. all_ips: addresses that are not public too."""

    emails: bool
    ips: bool
    all_ips: bool
    phones: bool


class TextMemory(Protocol):
    """A device's memory, in which readers may put texts. Threads may share it."""

    @property
    def reading_stream(self) -> Any:
        """A CUDA stream for readers, beside that of the kernels; who reads on it waits for it."""
        ...

    def adopted(
        self, chars: int, offsets: int, width: type[np.signedinteger[Any]], count: int, owner: object
    ) -> Texts:
        """The `count` texts of a string column that lies there, which kernels read in place.

        chars, offsets: addresses of its bytes and of its first text's offset, int32 or int64 as `width` says.
        owner: kept as long as the texts are. Their bytes come to the host where something asks for them.
        """
        ...

    def fetched(self, address: int, size: int, owner: object) -> NDArray[np.uint8]:
        """The bytes from there on, on the host; uint8, shape (size,). owner: holds them."""
        ...

    def utf8_valid(self, texts: Texts) -> NDArray[np.bool_]:
        """As Texts.utf8_valid, where the texts lie."""
        ...


class Kernels(Protocol):
    """Text kernels of one processor: the same bits on any. Threads may share them.

    processor: its name, "cpu" or that of the GPU. text_memory: of a GPU, where texts may lie; else None.
    """

    processor: str

    @property
    def text_memory(self) -> TextMemory | None: ...

    def batch_bytes(self) -> int | None:
        """Bytes of text that a batch may have at once; None where small batches do as well."""
        ...

    def text_hash(self, texts: Texts, rows: Rows) -> NDArray[np.uint64]:
        """As dedup.text_hash."""
        ...

    def sketch(
        self, texts: Texts, rows: Rows, shape: SketchShape, memory: _cpu.SketchMemory | None = None
    ) -> SketchColumns:
        """The fields of dedup.Sketches. memory: of sketches of texts met before; may be left unused."""
        ...

    def heuristics(self, texts: Texts, rows: Rows, steps: Sequence[tuple[str, int]]) -> NDArray[np.int64]:
        """Statistics, int64, shape (rows, statistics of all steps). steps: families of kernels.heuristics, each with
        the bits of its groups that are wanted; the columns of other groups are unspecified."""
        ...

    def fasttext(
        self, model: _cpu.FastText, texts: Texts, rows: Rows, k: int, characters: int
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        """Labels and probabilities: the fields of models.Scores. characters: code points of a text that count."""
        ...

    def normalized(self, texts: Texts, rows: Rows, steps: int) -> tuple[Texts, Rows]:
        """The texts at `rows` in their normal form: texts, and their rows among them. steps: bits of normalize.h."""
        ...

    def overlaps(self, index: _cpu.NgramIndex, texts: Texts, rows: Rows) -> NDArray[np.int64]:
        """The fields of kernels.ngrams.Overlaps, int64, shape (rows, 6)."""
        ...

    def edited(self, texts: Texts, rows: Rows, families: Sequence[str]) -> tuple[Texts, Rows]:
        """The texts at `rows` as these families of kernels.heuristics leave them, one after the other: texts, and their
        rows among them."""
        ...

    def lines_may_match(self, sieve: LineSieve, texts: Texts, rows: Rows) -> NDArray[np.bool_]:
        """Which texts have a line that passes the sieve, bool, shape (rows,)."""
        ...

    def redact_counts(self, texts: Texts, rows: Rows, what: Redacted) -> NDArray[np.int64]:
        """How many e-mail, IPv4 and IPv6 addresses and telephone numbers there are, int64, shape (rows, 4)."""
        ...

    def replaced(self, texts: Texts, rows: Rows, by: Texts, by_rows: Rows) -> Texts:
        """As Texts.replaced, by the texts at `by_rows`, in the memory of `texts` where there is room."""
        ...

    def key_edges(self, keys: NDArray[np.uint64], docs: NDArray[np.uint64]) -> Edges:
        """As dedup.bucket_edges; keys of shape (rows,) or, for 128-bit hashes, (rows, 2)."""
        ...


class CpuKernels:
    """The CPU's extension."""

    processor = "cpu"
    text_memory: TextMemory | None = None

    def batch_bytes(self) -> int | None:
        return None

    def text_hash(self, texts: Texts, rows: Rows) -> NDArray[np.uint64]:
        hashes: NDArray[np.uint64] = _cpu.text_hash(texts.data, texts.offsets, rows)
        return hashes

    def sketch(
        self, texts: Texts, rows: Rows, shape: SketchShape, memory: _cpu.SketchMemory | None = None
    ) -> SketchColumns:
        keys, signatures, sketched = _cpu.sketch(
            texts.data, texts.offsets, rows, **asdict(shape), memory=memory
        )
        return keys, signatures, sketched

    def heuristics(self, texts: Texts, rows: Rows, steps: Sequence[tuple[str, int]]) -> NDArray[np.int64]:
        statistics: NDArray[np.int64] = _cpu.heuristics(texts.data, texts.offsets, rows, list(steps))
        return statistics

    def fasttext(
        self, model: _cpu.FastText, texts: Texts, rows: Rows, k: int, characters: int
    ) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        labels, probabilities = model.score(texts.data, texts.offsets, rows, k, characters)
        return labels, probabilities

    def normalized(self, texts: Texts, rows: Rows, steps: int) -> tuple[Texts, Rows]:
        return Texts(*_cpu.normalize(texts.data, texts.offsets, rows, steps)), np.arange(len(rows))

    def overlaps(self, index: _cpu.NgramIndex, texts: Texts, rows: Rows) -> NDArray[np.int64]:
        table: NDArray[np.int64] = index.overlaps(texts.data, texts.offsets, rows)
        return table

    def edited(self, texts: Texts, rows: Rows, families: Sequence[str]) -> tuple[Texts, Rows]:
        left = _cpu.heuristic_edits(texts.data, texts.offsets, rows, list(families))
        return Texts(*left), np.arange(len(rows))

    def lines_may_match(self, sieve: LineSieve, texts: Texts, rows: Rows) -> NDArray[np.bool_]:
        fields = (sieve.folded, sieve.beginnings, sieve.buckets, sieve.slots, sieve.max_chars)
        passes: NDArray[np.bool_] = _cpu.lines_may_match(texts.data, texts.offsets, rows, *fields)
        return passes

    def redact_counts(self, texts: Texts, rows: Rows, what: Redacted) -> NDArray[np.int64]:
        counts: NDArray[np.int64] = _cpu.redact_counts(texts.data, texts.offsets, rows, **asdict(what))
        return counts

    def replaced(self, texts: Texts, rows: Rows, by: Texts, by_rows: Rows) -> Texts:
        return texts.replaced(rows, by.taken(by_rows))

    def key_edges(self, keys: NDArray[np.uint64], docs: NDArray[np.uint64]) -> Edges:
        others, best = (_cpu.hash_edges if keys.ndim == 2 else _cpu.bucket_edges)(keys, docs)
        return others, best


CPU = CpuKernels()
