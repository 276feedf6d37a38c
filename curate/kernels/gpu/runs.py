"""Work on texts in runs that fit the device's memory, with what a device leaves to the CPU at the same time."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.kernels.gpu.batches import Int64s, batches
from curate.kernels.gpu.device import Device
from curate.kernels.gpu.jobs import DeviceTexts
from curate.kernels.gpu.resident import ResidentTexts
from curate.kernels.texts import Texts

TOO_LARGE = np.iinfo(np.int64).max
#: A run of texts is copied while the one before it is worked on, so two are in memory at a time.
RUNS_IN_MEMORY = 2
#: What is worked on at once is cut into so many runs, so that copying and computing overlap, of at least so many bytes.
OVERLAPPED_RUNS, LEAST_RUN_BYTES = 4, 64 << 20

#: Arrays of a row a text.
Columns = tuple[NDArray[Any], ...]


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done for rows of texts. costs: bytes of device memory for each row, TOO_LARGE for the CPU's."""

    texts: Texts
    rows: Int64s
    costs: Int64s
    on_device: Callable[[DeviceTexts], Columns]
    on_host: Callable[[Texts, Int64s], Columns]

    def beside(self, places: Int64s) -> Columns:
        """What the CPU makes of some of the rows."""
        return self.on_host(*self.texts.on_host(self.rows[places]))


def run(device: Device, work: Work, budget: int) -> Columns:
    """The columns for all rows, in their order; a run is copied while the one before it is worked on. Texts that
    lie on the device already are one run, if the kernels' own memory allows."""
    costs = work.costs
    if isinstance(work.texts, ResidentTexts):
        costs = np.where(costs == TOO_LARGE, costs, costs - work.texts.sizes[work.rows])
    else:
        budget = _run_budget(costs, budget)
    runs, too_large = batches(costs, budget)
    with ThreadPoolExecutor(2) as pool:
        others = pool.submit(work.beside, too_large)
        parts: list[tuple[Int64s, Columns]] = []
        coming = pool.submit(_copied, device, work, *runs[0]) if runs else None
        for number, (first, end) in enumerate(runs):
            batch = coming.result() if coming else None
            following = runs[number + 1 : number + 2]
            coming = pool.submit(_copied, device, work, *following[0]) if following else None
            made = _made(work, batch)
            batch = None  # or it would stay in memory while its halves need some
            if made is None:
                parts += _in_halves(device, work, first, end)
            else:
                parts.append((np.arange(first, end), made))
        parts.append((too_large, others.result()))
    return tuple(
        _placed(len(work.rows), [(places, columns[i]) for places, columns in parts])
        for i in range(len(parts[0][1]))
    )


def _copied(device: Device, work: Work, first: int, end: int) -> DeviceTexts | None:
    """The texts of rows `first` to `end` on the device; None where memory is in too small pieces."""
    if isinstance(work.texts, ResidentTexts):
        return replace(DeviceTexts.resident(work.texts, work.rows[first:end]), first=first)
    try:
        return replace(DeviceTexts.upload(device, work.texts.taken(work.rows[first:end])), first=first)
    except MemoryError:
        return None


def _in_halves(device: Device, work: Work, first: int, end: int) -> list[tuple[Int64s, Columns]]:
    """Rows `first` to `end` where memory is in too small pieces; a row that fails alone is the CPU's."""
    if end - first == 1:
        return [(np.arange(first, end), work.beside(np.arange(first, end)))]
    middle = (first + end) // 2
    parts: list[tuple[Int64s, Columns]] = []
    for low, high in ((first, middle), (middle, end)):
        made = _made(work, _copied(device, work, low, high))
        parts += _in_halves(device, work, low, high) if made is None else [(np.arange(low, high), made)]
    return parts


def _made(work: Work, batch: DeviceTexts | None) -> Columns | None:
    """What the kernels make of a run; None where memory is in too small pieces."""
    if batch is None:
        return None
    try:
        return work.on_device(batch)
    except MemoryError:
        batch.device.synchronize()  # what was launched before it may still read the batch
        return None


def _run_budget(costs: Int64s, budget: int) -> int:
    """Device memory for one run, where `budget` is there for all that are in memory at a time."""
    fits = costs[costs <= budget // RUNS_IN_MEMORY]
    overlapped = max(int(fits.sum()) // OVERLAPPED_RUNS, LEAST_RUN_BYTES)
    return min(budget // RUNS_IN_MEMORY, overlapped)


def _placed(count: int, parts: list[tuple[Int64s, NDArray[Any]]]) -> NDArray[Any]:
    pattern = parts[0][1]
    whole = np.empty((count, *pattern.shape[1:]), pattern.dtype)
    for places, values in parts:
        whole[places] = values
    return whole
