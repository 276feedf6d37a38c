"""Whether the device's bits are the CPU's, kernel by kernel."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.kernels import _cpu
from curate.kernels.gpu.kernels import DeviceKernels
from curate.kernels.heuristics import FAMILY_STATISTICS, PLAIN
from curate.kernels.interface import CPU, Kernels, Redacted, SketchShape
from curate.kernels.lines import LineSieve
from curate.kernels.ngrams import NgramIndex
from curate.kernels.texts import Texts

SHAPES = {
    "sketch char 25": SketchShape(words=False, length=25, hashes=128, bands=8, seed=10),
    "sketch word 5": SketchShape(words=True, length=5, hashes=112, bands=14, seed=1),
    "sketch char 25, MinHash": SketchShape(
        words=False, length=25, hashes=128, bands=8, seed=10, minhash=True
    ),
    "sketch word 5, MinHash": SketchShape(words=True, length=5, hashes=112, bands=14, seed=1, minhash=True),
}
#: All groups of statistics.
EVERY_GROUP = (1 << 10) - 1
#: All families, those that edit the text last, each of what the one before it leaves behind.
FAMILIES = [(family, EVERY_GROUP) for family in FAMILY_STATISTICS]
#: Normal forms by all steps.
EVERY_STEP = 0b111
#: Families that edit the text.
EDITS = (
    "c4",
    "datatrove.c4_quality",
    "datatrove.c4_quality_keep_unpunctuated",
    "dolma.c4",
    "dclm.refinedweb_lines",
)
#: One text of so many is replaced.
REPLACED = 3
#: Lines that are looked for, of so many characters at most.
BEGINNINGS, LONGEST_LINE = ("a~", "http", "# e", "et"), 200
EVERY_KIND = Redacted(emails=True, ips=True, all_ips=True, phones=True)
#: Texts of which the index holds all n-grams of GPT-3's 13 words.
INDEXED_TEXTS, NGRAM = 64, 13
LABELS_WANTED, ALL_CHARACTERS = 3, int(np.iinfo(np.int64).max)

Columns = tuple[NDArray[Any], ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """A kernel of texts: on the device, for all texts, and on the CPU, for some rows; columns of a row a text."""

    on_device: Callable[[Texts], Columns]
    on_cpu: Callable[[NDArray[np.int64]], Columns]


def text_kernels(
    kernels: DeviceKernels, models: Mapping[str, _cpu.FastText], texts: Texts
) -> dict[str, Compared]:
    """By name, the kernels that read texts wherever they lie; on the device they are given `texts` or a copy there."""
    index, sieve = ngram_index(texts).kernel, LineSieve.of(BEGINNINGS, (), LONGEST_LINE)
    plain: dict[str, Callable[[Kernels, Texts, NDArray[np.int64]], Columns]] = {
        "text hash": lambda on, texts, rows: (on.text_hash(texts, rows),),
        "heuristic statistics": lambda on, texts, rows: (on.heuristics(texts, rows, [(PLAIN, EVERY_GROUP)]),),
        "heuristic families": lambda on, texts, rows: (on.heuristics(texts, rows, FAMILIES),),
        "normal forms": lambda on, texts, rows: _hashed(*on.normalized(texts, rows, EVERY_STEP)),
        "redact": lambda on, texts, rows: (on.redact_counts(texts, rows, EVERY_KIND),),
        "lines": lambda on, texts, rows: (on.lines_may_match(sieve, texts, rows),),
        "n-grams": lambda on, texts, rows: (on.overlaps(index, texts, rows),),
    }
    for family in EDITS:
        plain[f"heuristic edits ({family})"] = lambda on, texts, rows, family=family: _hashed(  # type: ignore[misc]
            *on.edited(texts, rows, (family,))
        )
    for name, model in models.items():
        plain[name] = lambda on, texts, rows, model=model: on.fasttext(  # type: ignore[misc]
            model, texts, rows, LABELS_WANTED, ALL_CHARACTERS
        )
    for name, shape in SHAPES.items():
        plain[name] = lambda on, texts, rows, shape=shape: _by_text(*on.sketch(texts, rows, shape))  # type: ignore[misc]
    return {
        name: Compared(
            lambda texts, kernel=kernel: kernel(kernels, texts, np.arange(len(texts))),  # type: ignore[misc]
            lambda rows, kernel=kernel: kernel(CPU, texts, rows),  # type: ignore[misc]
        )
        for name, kernel in plain.items()
    }


def ngram_index(texts: Texts) -> NgramIndex:
    """The n-grams of the first texts."""
    count = min(INDEXED_TEXTS, len(texts))
    return NgramIndex(texts.part(0, count), np.arange(count), NGRAM, 1)


def adopted(kernels: DeviceKernels, texts: Texts, width: type[np.signedinteger[Any]] = np.int32) -> Texts:
    """A copy in the device's memory, taken over as a column of cudf's is, with offsets of this width."""
    device = kernels.device
    data, offsets = device.upload(texts.data), device.upload(texts.offsets.astype(width))
    places = device.address(data), device.address(offsets)
    return kernels.adopted(*places, width, len(texts), (data, offsets))


def differing_texts(
    kernels: DeviceKernels, models: Mapping[str, _cpu.FastText], texts: Texts
) -> dict[str, int]:
    """By kernel, how many of the texts have other bits on the device than on the CPU, copied there or adopted."""
    lying, found = adopted(kernels, texts), {}
    for name, kernel in text_kernels(kernels, models, texts).items():
        expected = _on_all_cores(kernel.on_cpu, len(texts))
        found[name] = _different(kernel.on_device(texts), expected)
        found[f"{name}, adopted"] = _different(kernel.on_device(lying), expected)
    return found


def differing_utf8(kernels: DeviceKernels, texts: Texts) -> dict[str, int]:
    """As differing_texts, of which texts are well-formed UTF-8."""
    expected = (texts.utf8_valid(),)
    return {
        "UTF-8": _different((kernels.utf8_valid(texts),), expected),
        "UTF-8, adopted": _different((kernels.utf8_valid(adopted(kernels, texts)),), expected),
    }


def differing_replaced(kernels: DeviceKernels, texts: Texts) -> dict[str, int]:
    """As differing_texts, of texts on the device, some of which are replaced by texts of the host or the device."""
    lying, every = adopted(kernels, texts), np.arange(len(texts))
    rows, others = every[::REPLACED], every[::-REPLACED][: len(every[::REPLACED])]
    expected = _hashed(CPU.replaced(texts, rows, texts, others), every)
    return {
        "replaced texts": _different(_hashed(kernels.replaced(lying, rows, texts, others), every), expected),
        "replaced texts, adopted": _different(
            _hashed(kernels.replaced(lying, rows, lying, others), every), expected
        ),
    }


def subnormal_scores_differ(kernels: DeviceKernels, model: _cpu.FastText, texts: Texts) -> int:
    """How many texts get other scores from a model of subnormal weights."""
    kernel = text_kernels(kernels, {"subnormal": model}, texts)["subnormal"]
    return _different(kernel.on_device(texts), _on_all_cores(kernel.on_cpu, len(texts)))


def differing_edges(kernels: DeviceKernels, random: np.random.Generator, rows: int) -> dict[str, int]:
    """By join, how many edges stand differently."""
    docs = random.permutation(rows).astype(np.uint64)
    keys = random.integers(0, max(rows // 3, 1), rows).astype(np.uint64)
    hashes = np.stack([keys, keys >> np.uint64(1)], axis=1)
    return {
        "bucket edges": _different(kernels.key_edges(keys, docs), _cpu.bucket_edges(keys, docs)),
        "hash edges": _different(kernels.key_edges(hashes, docs), _cpu.hash_edges(hashes, docs)),
    }


def _hashed(texts: Texts, rows: NDArray[np.int64]) -> Columns:
    texts, rows = texts.on_host(rows)
    return (CPU.text_hash(texts, rows),)


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
