"""Signatures and band keys of texts. `docs/sketch.md` defines every bit, with test vectors.

One core signs 450 MB/s and more of texts of 2 kB (`benchmarks/sketch.py`). The definition leaves no
freedom, so the result depends neither on the processor nor on how texts are batched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from curate.dedup.normalize import STEPS, NormalizeStep, normalized
from curate.kernels import Texts, _cpu
from curate.kernels.interface import CPU, Kernels, SketchShape


@dataclass(frozen=True, slots=True)
class Shingles:
    """Windows of `length` symbols (1 to 64): bytes for "char", runs of letters and digits for "word".

    A shorter text is one shingle as a whole; a text without symbols has none. The windows are those of the
    text after the steps of `normalize`.
    """

    unit: Literal["char", "word"]
    length: int
    normalize: tuple[NormalizeStep, ...] = ()

    def __post_init__(self) -> None:
        if self.unit not in ("char", "word"):
            raise ValueError(f"unit must be char or word, found {self.unit!r}")
        if not 1 <= self.length <= 64:
            raise ValueError(f"length must be 1 to 64 symbols, found {self.length}")
        if not set(self.normalize) <= set(STEPS):
            raise ValueError(f"normalize must be of {', '.join(STEPS)}, found {', '.join(self.normalize)}")


@dataclass(frozen=True, slots=True)
class Sketches:
    """The sketches of n texts.

    keys: uint64, shape (bands, n); zero where not sketched.
    signatures: uint8, shape (n, hashes), one byte a slot; zero where not sketched.
    sketched: bool, shape (n,); False for texts without shingles, which are duplicates of nothing.
    """

    keys: NDArray[np.uint64]
    signatures: NDArray[np.uint8]
    sketched: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Sketcher:
    """Makes sketches of `hashes` slots (1 to 4096) and keys of `bands` bands of hashes // bands slots.

    Slots beyond bands x (hashes // bands) count for similarity alone. Method "fss" is the Fast Similarity
    Sketch (Dahlgaard, Knudsen, Thorup, FOCS 2017); "minhash", with one permutation a slot, is the reference
    it is measured against. Raises ValueError for values out of range.
    """

    shingles: Shingles
    hashes: int
    bands: int
    seed: int
    method: Literal["fss", "minhash"] = "fss"

    def __post_init__(self) -> None:
        if self.method not in ("fss", "minhash"):
            raise ValueError(f"method must be fss or minhash, found {self.method!r}")
        if not 1 <= self.hashes <= 4096:
            raise ValueError(f"hashes must be 1 to 4096, found {self.hashes}")
        if not 1 <= self.bands <= self.hashes:
            raise ValueError(f"bands must be 1 to hashes ({self.hashes}), found {self.bands}")
        if not 0 <= self.seed < 1 << 64:
            raise ValueError(f"seed must be a 64-bit number and not negative, found {self.seed}")

    def sketch(self, texts: Texts, rows: NDArray[np.int64], kernels: Kernels = CPU) -> Sketches:
        """The sketches of the texts named by `rows` (int64, shape (n,)), in that order.

        Raises ValueError if a row is not there.
        """
        return self._sketch(texts, rows, kernels, None)

    def _sketch(
        self, texts: Texts, rows: NDArray[np.int64], kernels: Kernels, memory: _cpu.SketchMemory | None
    ) -> Sketches:
        if self.shingles.normalize:
            texts, rows = normalized(texts, rows, self.shingles.normalize, kernels)
        shape = SketchShape(
            words=self.shingles.unit == "word",
            length=self.shingles.length,
            hashes=self.hashes,
            bands=self.bands,
            seed=self.seed,
            minhash=self.method == "minhash",
        )
        return Sketches(*kernels.sketch(texts, rows, shape, memory))


#: What a `RememberingSketcher` remembers, in bytes.
REMEMBERED_BYTES = 32 << 20


class RememberingSketcher:
    """Makes the sketches of a `Sketcher`, but a text met again has that of the first time.

    Texts are told apart by the 128-bit hash of exact duplicates (after normalisation). It remembers as many as fit
    in `remembered_bytes` (130,000 with 112 hashes and 14 bands), then starts over. Sketches do not depend on what it
    remembers. Where no text is met
    again that costs a tenth of the time of sketching. A GPU's kernels remember nothing. For one thread at a time.
    """

    def __init__(
        self, sketcher: Sketcher, remembered_bytes: int = REMEMBERED_BYTES, kernels: Kernels = CPU
    ) -> None:
        self._sketcher, self._kernels = sketcher, kernels
        texts = max(1, remembered_bytes // (sketcher.hashes + 8 * sketcher.bands + 24))
        self._memory = _cpu.SketchMemory(sketcher.hashes, sketcher.bands, texts)

    @property
    def recalled(self) -> int:
        """How many texts so far were not sketched again."""
        return int(self._memory.recalled)

    def sketch(self, texts: Texts, rows: NDArray[np.int64]) -> Sketches:
        """See `Sketcher.sketch`."""
        return self._sketcher._sketch(texts, rows, self._kernels, self._memory)
