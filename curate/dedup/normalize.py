"""Texts and URLs in a common form, in which small differences vanish. `docs/sketch.md` defines every mapping."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from curate.kernels import Texts, _cpu
from curate.kernels.interface import CPU, Kernels

#: lowercase: letters of Latin, Greek, Cyrillic and Armenian. digits: decimals become 0. punctuation: runs of
#: punctuation and white space become one space, and none at the ends.
NormalizeStep = Literal["lowercase", "digits", "punctuation"]

STEPS: tuple[NormalizeStep, ...] = get_args(NormalizeStep)


def normalize(texts: Texts, rows: NDArray[np.int64], steps: Collection[NormalizeStep]) -> Texts:
    """The texts named by `rows` (int64, shape (n,)) after `steps`, in that order; valid UTF-8 stays valid.

    Raises ValueError if a row is not there or a step is unknown.
    """
    return normalized(texts, rows, steps, CPU)[0]


def normalized(
    texts: Texts, rows: NDArray[np.int64], steps: Collection[NormalizeStep], kernels: Kernels
) -> tuple[Texts, NDArray[np.int64]]:
    """As `normalize`, by these kernels: texts in their memory, and where among them those of `rows` are."""
    return kernels.normalized(texts, rows, sum(1 << STEPS.index(step) for step in set(steps)))


def normalize_urls(texts: Texts, rows: NDArray[np.int64]) -> Texts:
    """The URLs named by `rows` (int64, shape (n,)) in normal form; empty where nothing is left.

    Raises ValueError if a row is not there.
    """
    return Texts(*_cpu.normalize_urls(texts.data, texts.offsets, rows))
