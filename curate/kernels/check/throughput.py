"""How fast each kernel is, beside what the card can copy."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from curate.kernels import _cpu
from curate.kernels.check.identity import (
    ALL_CHARACTERS,
    BEGINNINGS,
    EDITS,
    EVERY_GROUP,
    EVERY_KIND,
    EVERY_STEP,
    LONGEST_LINE,
    REPLACED,
    SHAPES,
    adopted,
    ngram_index,
)
from curate.kernels.gpu import fasttext, heuristics
from curate.kernels.gpu.batches import SHARE_OF_FREE
from curate.kernels.gpu.device import Device
from curate.kernels.gpu.fasttext import DeviceModel, FastTextJob
from curate.kernels.gpu.heuristics import FamiliesJob, HeuristicsJob
from curate.kernels.gpu.jobs import DeviceTexts, Job, TextHashJob, Utf8Job
from curate.kernels.gpu.join import key_edges
from curate.kernels.gpu.kernels import SHARE_OF_SCRATCH, DeviceKernels
from curate.kernels.gpu.line_sieve import DeviceSieve, LineSieveJob
from curate.kernels.gpu.ngrams import DeviceNgrams, NgramJob
from curate.kernels.gpu.normal import NormalJob
from curate.kernels.gpu.redact import RedactJob
from curate.kernels.gpu.rewriting import Room
from curate.kernels.gpu.sketch import SketchJob
from curate.kernels.lines import LineSieve
from curate.kernels.texts import Texts

GB = 1e9
#: Groups of statistics that the Gopher and NeMo profiles need: scan, lines, words, n-grams.
GOPHER_GROUPS = 0b1111
DATATROVE = ("datatrove.gopher_repetition", "datatrove.gopher_quality", "datatrove.fineweb_quality")


def copy_bandwidth(device: Device, size: int, repeats: int) -> float:
    """GB/s that a copy inside the device's memory reads and writes."""
    source, target = device.full((size,), 1, np.uint8), device.empty((size,), np.uint8)

    def copy() -> None:
        target[:] = source

    return 2 * size / device.seconds(copy, repeats) / GB


def kernel_speeds(
    device: Device, models: Mapping[str, _cpu.FastText], texts: Texts, repeats: int
) -> dict[str, float]:
    """By kernel, GB of text a second, the text being on the device."""
    chosen = _shorter_than(texts, min(heuristics.LONGEST_TEXT, fasttext.LONGEST_TEXT))
    batch = DeviceTexts.upload(device, chosen)
    scratch_bytes = int(device.free_bytes() * SHARE_OF_FREE * SHARE_OF_SCRATCH)
    speeds: dict[str, float] = {}

    def measure(name: str, job: Job) -> None:
        speeds[name] = int(batch.sizes.sum()) / device.seconds(job.run, repeats) / GB

    measure("text hash", TextHashJob(batch))
    measure("UTF-8", Utf8Job(batch))
    measure("replaced texts", ReplacedJob(device, chosen))
    for name, shape in SHAPES.items():
        measure(name, SketchJob(batch, shape))
    for name, groups in (("gopher", GOPHER_GROUPS), ("all", EVERY_GROUP)):
        measure(f"heuristic statistics ({name})", HeuristicsJob(batch, groups, scratch_bytes))
    for name in DATATROVE:
        measure(f"heuristic families ({name})", FamiliesJob(batch, [(name, 1)], scratch_bytes))
    for name in EDITS:
        room = Room.of(device, batch.sizes)
        measure(f"heuristic edits ({name})", FamiliesJob(batch, [(name, 0)], scratch_bytes, room))
    measure("normal forms", NormalJob(batch, Room.of(device, batch.sizes), EVERY_STEP))
    measure("redact", RedactJob(batch, EVERY_KIND))
    measure("n-grams", NgramJob(batch, DeviceNgrams(device, ngram_index(texts).kernel)))
    sieve = LineSieve.of(BEGINNINGS, (), LONGEST_LINE)
    measure("lines", LineSieveJob(batch, DeviceSieve(device, sieve)))
    for name, model in models.items():
        measure(name, FastTextJob(batch, DeviceModel(device, model), 1, ALL_CHARACTERS))
    return speeds


class ReplacedJob:
    """Texts put together anew on the device, some of them from others there; planned anew in each run."""

    def __init__(self, device: Device, texts: Texts) -> None:
        self._kernels = DeviceKernels(device)
        self._texts = adopted(self._kernels, texts, np.int64)
        self._rows = np.arange(0, len(texts), REPLACED)

    def run(self) -> None:
        self._kernels.replaced(self._texts, self._rows, self._texts, self._rows[::-1])


def join_speed(device: Device, random: np.random.Generator, rows: int, repeats: int) -> float:
    """GB/s of keys and documents (16 bytes a row) that become edges, copies from and to the host included."""
    keys = random.integers(0, max(rows // 3, 1), rows).astype(np.uint64)
    docs = np.arange(rows, dtype=np.uint64)
    return 16 * rows / device.seconds(lambda: key_edges(device, keys, docs), repeats) / GB


def cudf_minhash_speed(device: Device, texts: Texts, repeats: int) -> dict[str, Any]:
    """What cudf's own MinHash does with the same texts, windows of 25 characters and 128 slots: {"GB/s": ...}, or
    {"absent": why}."""
    try:
        cudf = importlib.import_module("cudf")
    except ImportError as error:
        return {"absent": str(error)}
    shape = SHAPES["sketch char 25"]
    batch = _shorter_than(texts, heuristics.LONGEST_TEXT)
    random = np.random.default_rng(0)
    try:
        column = cudf.Series.from_arrow(batch.to_arrow()).str
        a, b = (cudf.Series(random.integers(1, 2**31, shape.hashes, np.uint32)) for _ in range(2))
        seconds = device.seconds(lambda: column.minhash(0, a, b, shape.length), repeats)
    except Exception as error:  # its interface changes from release to release: a peer must not end the check
        return {"absent": f"cudf {cudf.__version__}: {type(error).__name__}: {error}"}
    return {"version": cudf.__version__, "GB/s": int(batch.sizes.sum()) / seconds / GB}


def _shorter_than(texts: Texts, longest: int) -> Texts:
    """The texts that no kernel leaves to the CPU."""
    rows = np.flatnonzero(texts.sizes <= longest)
    return Texts.from_arrow(texts.to_arrow().take(rows))
