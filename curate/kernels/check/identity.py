"""Whether the device's bits are the CPU's, kernel by kernel."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.kernels import _cpu
from curate.kernels.gpu.kernels import DeviceKernels
from curate.kernels.heuristics import FAMILY_STATISTICS, PLAIN
from curate.kernels.interface import CPU, Redacted, SketchShape
from curate.kernels.lines import LineSieve
from curate.kernels.ngrams import NgramIndex
from curate.kernels.texts import Texts

SHAPES = {
    "sketch char 25": SketchShape(words=False, length=25, hashes=128, bands=8, seed=10),
    "sketch word 5": SketchShape(words=True, length=5, hashes=112, bands=14, seed=1),
}
#: All groups of statistics.
EVERY_GROUP = (1 << 10) - 1
#: All families, those that edit the text last, each of what the one before it leaves behind.
FAMILIES = [(family, EVERY_GROUP) for family in FAMILY_STATISTICS]
#: Normal forms by all steps.
EVERY_STEP = 0b111
EDITS = ("c4", "datatrove.c4_quality")
#: Lines that are looked for, of so many characters at most.
BEGINNINGS, LONGEST_LINE = ("a~", "http", "# e", "et"), 200
EVERY_KIND = Redacted(emails=True, ips=True, all_ips=True, phones=True)
#: Texts of which the index holds all n-grams of GPT-3's 13 words.
INDEXED_TEXTS, NGRAM = 64, 13
LABELS_WANTED, ALL_CHARACTERS = 3, int(np.iinfo(np.int64).max)

Columns = tuple[NDArray[Any], ...]


def text_kernels(
    kernels: DeviceKernels, model: _cpu.FastText, texts: Texts
) -> dict[str, tuple[Callable[[], Columns], Callable[[NDArray[np.int64]], Columns]]]:
    """By name: the kernel on the device, for all texts, and on the CPU, for some rows; columns of a row a text."""
    rows, where = np.arange(len(texts)), (texts.data, texts.offsets)
    index, sieve = ngram_index(texts).kernel, LineSieve.of(BEGINNINGS, (), LONGEST_LINE)
    every: dict[str, tuple[Callable[[], Columns], Callable[[NDArray[np.int64]], Columns]]] = {
        "text hash": (
            lambda: (kernels.text_hash(texts, rows),),
            lambda rows: (_cpu.text_hash(*where, rows),),
        ),
        "heuristic statistics": (
            lambda: (kernels.heuristics(texts, rows, [(PLAIN, EVERY_GROUP)]),),
            lambda rows: (_cpu.heuristics(*where, rows, [(PLAIN, EVERY_GROUP)]),),
        ),
        "heuristic families": (
            lambda: (kernels.heuristics(texts, rows, FAMILIES),),
            lambda rows: (_cpu.heuristics(*where, rows, FAMILIES),),
        ),
        "normal forms": (
            lambda: (_cpu.text_hash(*_on_host(*kernels.normalized(texts, rows, EVERY_STEP))),),
            lambda rows: (_cpu.text_hash(*_on_host(*CPU.normalized(texts, rows, EVERY_STEP))),),
        ),
        "redact": (
            lambda: (kernels.redact_counts(texts, rows, EVERY_KIND),),
            lambda rows: (CPU.redact_counts(texts, rows, EVERY_KIND),),
        ),
        "heuristic edits": (
            lambda: (_cpu.text_hash(*_on_host(*kernels.edited(texts, rows, EDITS))),),
            lambda rows: (_cpu.text_hash(*_on_host(*CPU.edited(texts, rows, EDITS))),),
        ),
        "lines": (
            lambda: (kernels.lines_may_match(sieve, texts, rows),),
            lambda rows: (CPU.lines_may_match(sieve, texts, rows),),
        ),
        "n-grams": (
            lambda: (kernels.overlaps(index, texts, rows),),
            lambda rows: (index.overlaps(*where, rows),),
        ),
        "fastText": (
            lambda: kernels.fasttext(model, texts, rows, LABELS_WANTED, ALL_CHARACTERS),
            lambda rows: model.score(*where, rows, LABELS_WANTED, ALL_CHARACTERS),
        ),
    }
    for name, shape in SHAPES.items():
        every[name] = (
            lambda shape=shape: _by_text(*kernels.sketch(texts, rows, shape)),  # type: ignore[misc]
            lambda rows, shape=shape: _by_text(*_cpu.sketch(*where, rows, **asdict(shape))),  # type: ignore[misc]
        )
    return every


def ngram_index(texts: Texts) -> NgramIndex:
    """The n-grams of the first texts."""
    count = min(INDEXED_TEXTS, len(texts))
    return NgramIndex(texts.part(0, count), np.arange(count), NGRAM, 1)


def differing_texts(kernels: DeviceKernels, model: _cpu.FastText, texts: Texts) -> dict[str, int]:
    """By kernel, how many of the texts have other bits on the device than on the CPU."""
    return {
        name: _different(on_device(), _on_all_cores(on_cpu, len(texts)))
        for name, (on_device, on_cpu) in text_kernels(kernels, model, texts).items()
    }


def differing_edges(kernels: DeviceKernels, random: np.random.Generator, rows: int) -> dict[str, int]:
    """By join, how many edges stand differently."""
    docs = random.permutation(rows).astype(np.uint64)
    keys = random.integers(0, max(rows // 3, 1), rows).astype(np.uint64)
    hashes = np.stack([keys, keys >> np.uint64(1)], axis=1)
    return {
        "bucket edges": _different(kernels.key_edges(keys, docs), _cpu.bucket_edges(keys, docs)),
        "hash edges": _different(kernels.key_edges(hashes, docs), _cpu.hash_edges(hashes, docs)),
    }


def _on_host(
    texts: Texts, rows: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    texts, rows = texts.on_host(rows)
    return texts.data, texts.offsets, rows


def _by_text(keys: NDArray[Any], signatures: NDArray[Any], sketched: NDArray[Any]) -> Columns:
    return keys.T, signatures, sketched


def _on_all_cores(on_cpu: Callable[[NDArray[np.int64]], Columns], count: int) -> Columns:
    shares = np.array_split(np.arange(count), 4 * (os.cpu_count() or 1))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        parts = list(pool.map(on_cpu, shares))
    return tuple(np.concatenate(columns) for columns in zip(*parts, strict=True))


def _different(found: Columns, expected: Columns) -> int:
    """Rows in which any column has other bits; all, where the shapes differ."""
    if any(a.shape != b.shape or a.dtype != b.dtype for a, b in zip(found, expected, strict=True)):
        return max(len(expected[0]), 1)
    rows = np.zeros(len(expected[0]), np.bool_)
    for a, b in zip(found, expected, strict=True):
        differs = _bits(a) != _bits(b)
        rows |= differs if differs.ndim == 1 else differs.any(axis=1)
    return int(rows.sum())


def _bits(column: NDArray[Any]) -> NDArray[Any]:
    return np.ascontiguousarray(column).view(f"u{column.dtype.itemsize}")
