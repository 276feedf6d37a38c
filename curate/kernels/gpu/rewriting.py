"""Texts that kernels rewrite: each into room of its own, no larger than it was, where the next kernel reads it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from curate.kernels.gpu.batches import Int64s
from curate.kernels.gpu.device import Device, DeviceArray
from curate.kernels.gpu.jobs import DeviceTexts, Job
from curate.kernels.gpu.resident import ResidentTexts, side_by_side
from curate.kernels.gpu.runs import Columns, Work, run
from curate.kernels.texts import Texts


@dataclass(frozen=True, slots=True)
class Room:
    """Where rewritten texts go. data: uint8, on the device. begins: int64, on the host, where each one's room begins,
    which has as many bytes as the text had."""

    data: DeviceArray
    begins: Int64s

    @classmethod
    def of(cls, device: Device, sizes: Int64s) -> Room:
        """Room for texts of these sizes. Raises MemoryError where there is none."""
        ends = np.cumsum(sizes, dtype=np.int64)
        return cls(device.empty((int(ends[-1]) if len(ends) else 0,), np.uint8), ends - sizes)


class RewritingJob(Job, Protocol):
    def bounds(self) -> NDArray[np.int64]:
        """Where each text begins and ends, int64, shape (texts, 2)."""
        ...


def replaced(texts: ResidentTexts, rows: Int64s, by: Texts, by_rows: Int64s) -> ResidentTexts:
    """All of `texts`, those at `rows` replaced by those of `by` at `by_rows`. Raises MemoryError without room."""
    device = texts.device
    if isinstance(by, ResidentTexts):
        others, sources = by.on_device, by_rows
    else:
        by = by.taken(by_rows)
        others = DeviceTexts.upload(device, by).arguments
        by_rows = sources = np.arange(len(by))
    sizes, chosen = texts.sizes, np.arange(len(texts))
    sizes[rows], chosen[rows] = by.sizes[by_rows], -1 - sources
    made = side_by_side(device, texts.on_device, others, chosen, sizes)
    device.synchronize()  # the texts it was made of, copied or cudf's, may be freed at once
    return made


@dataclass(frozen=True, slots=True)
class Rewriting:
    """What is to be rewritten. costs: as of runs.Work, without the room. scratch: share of the free memory that a
    job may take beside that; it is told how many bytes."""

    texts: Texts
    rows: Int64s
    costs: Int64s
    job: Callable[[DeviceTexts, Room, int], RewritingJob]
    on_host: Callable[[Texts, Int64s], tuple[Texts, Int64s]]
    scratch: float = 0.0


def rewritten(device: Device, work: Rewriting, free_bytes: Callable[[], int]) -> tuple[Texts, Int64s]:
    """The rewritten texts on the device, and where among them those of the rows are; on the host where the device has
    no room for them all."""
    sizes = work.texts.sizes[work.rows]
    try:
        if int(sizes.sum()) > free_bytes() // 2:
            raise MemoryError("no room for the texts that kernels write")
        room = Room.of(device, sizes)
    except MemoryError:
        return work.on_host(*work.texts.on_host(work.rows))

    free = free_bytes()
    scratch_bytes = int(free * work.scratch)

    def on_device(batch: DeviceTexts) -> Columns:
        own = Room(room.data, room.begins[batch.first : batch.first + len(batch)])
        job = work.job(batch, own, scratch_bytes)
        job.run()
        return job.bounds(), np.full(len(batch), None)

    def on_host(texts: Texts, rows: Int64s) -> Columns:
        texts, rows = work.on_host(texts, rows)
        written: NDArray[Any] = np.full(len(rows), None)
        for place, row in enumerate(rows.tolist()):
            written[place] = texts.data[texts.offsets[row] : texts.offsets[row + 1]]
        return np.zeros((len(rows), 2), np.int64), written

    todo = Work(work.texts, work.rows, work.costs, on_device, on_host)
    bounds, by_cpu = run(device, todo, free - scratch_bytes)
    try:
        for place in [place for place, text in enumerate(by_cpu) if text is not None]:
            begin, end = int(room.begins[place]), int(room.begins[place]) + len(by_cpu[place])
            bounds[place] = begin, end
            room.data[begin:end] = device.upload(by_cpu[place])
        known = bounds.reshape(-1) if len(bounds) else np.zeros(1, np.int64)
        return ResidentTexts(device, room.data, device.upload(known), known), 2 * np.arange(len(bounds))
    except MemoryError:
        return work.on_host(*work.texts.on_host(work.rows))
