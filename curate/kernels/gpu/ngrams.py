"""Look-ups of word n-grams in an index that lies on the device."""

from __future__ import annotations

import weakref

import numpy as np
from numpy.typing import NDArray

from curate.kernels import _cpu
from curate.kernels.gpu.batches import Int64s
from curate.kernels.gpu.device import Device
from curate.kernels.gpu.jobs import WARP_THREADS, DeviceTexts

#: A warp looks through a text alone: longer ones would keep the others waiting, and are the CPU's.
LONGEST_TEXT = 1 << 20
#: Room for so many hits for each text, and for so many at least; where there are more, the kernel runs again.
HITS_A_TEXT, LEAST_HITS = 2, 16
#: Words that a block holds, of kWordRing and TextWord of ngrams.cu.
RING_BYTES = 256 * 24

_POINTER = np.uint64
#: struct NgramIndexView and NgramLength of ngram_index.h, struct NgramHit of ngrams.cu.
VIEW = np.dtype(
    [
        *((name, _POINTER) for name in ("texts", "gram_begin", "gram_end", "slots")),
        ("slot_mask", np.uint64),
        ("lengths", _POINTER),
        *((name, np.int32) for name in ("length_count", "breaks")),
    ],
    align=True,
)
LENGTH = np.dtype([("words", np.int32), ("filter", _POINTER), ("filter_mask", np.uint64)], align=True)
HIT = np.dtype([("place", np.int64), ("last", np.int64), ("gram", np.uint32), ("words", np.uint32)])


class DeviceNgrams:
    """An index of n-grams in a device's memory. Raises MemoryError where it does not fit."""

    def __init__(self, device: Device, index: _cpu.NgramIndex) -> None:
        if VIEW.itemsize != _cpu.NGRAM_INDEX_VIEW_BYTES:
            raise TypeError(
                f"NgramIndexView takes {_cpu.NGRAM_INDEX_VIEW_BYTES} bytes, its copy here {VIEW.itemsize}"
            )
        parts = index.parts()
        self._index = weakref.ref(index)
        filters = device.upload(parts["filters"])
        lengths = np.zeros(len(parts["words"]), LENGTH)
        lengths["words"], lengths["filter_mask"] = parts["words"], parts["filter_mask"]
        if len(lengths):
            lengths["filter"] = device.address(filters) + 8 * parts["filter_begin"].astype(np.uint64)
        arrays = {name: device.upload(parts[name]) for name in ("texts", "gram_begin", "gram_end", "slots")}
        arrays["lengths"] = device.upload(lengths.view(np.uint8))
        view = np.zeros(1, VIEW)
        for name, array in arrays.items():
            view[name] = device.address(array) if len(array) else 0
        view["slot_mask"], view["breaks"] = parts["slot_mask"], parts["breaks"]
        view["length_count"] = len(lengths)
        self.view = device.upload(view.view(np.uint8))
        self._held = (filters, *arrays.values())
        self.nbytes = sum(array.nbytes for array in (self.view, *self._held))

    @property
    def index(self) -> _cpu.NgramIndex:
        """The index, which must still be there: the copy alone does not keep it."""
        index = self._index()
        if index is None:
            raise ReferenceError("the index of these n-grams is gone")
        return index


class NgramJob:
    """What all texts, none longer than LONGEST_TEXT, share with the items of an index."""

    def __init__(self, texts: DeviceTexts, ngrams: DeviceNgrams) -> None:
        self._texts, self._ngrams, device = texts, ngrams, texts.device
        self._work = texts.work(texts.longest_first())
        self._words = device.empty((len(texts),), np.int64)
        self._found = device.full((1,), 0, np.uint64)
        self._make_room(HITS_A_TEXT * len(texts) + LEAST_HITS)

    @staticmethod
    def bytes_of(sizes: Int64s) -> Int64s:
        """Device memory for texts of these sizes in bytes: text, offsets, words and hits; int64."""
        return sizes + 40 + HIT.itemsize * HITS_A_TEXT

    def run(self) -> None:
        count, device = len(self._texts), self._texts.device
        self._found.fill(0)
        if count:
            arguments = (
                *self._texts.arguments,
                *self._work,
                np.int64(count),
                self._ngrams.view,
                self._words,
                self._hits,
                np.int64(self._room),
                self._found,
            )
            shared = RING_BYTES + 4 * WARP_THREADS
            device.launch("ngram_hits", min(count, device.blocks), WARP_THREADS, arguments, shared)

    def result(self) -> NDArray[np.int64]:
        """int64, shape (texts, 6): the fields of kernels.ngrams.Overlaps."""
        download = self._texts.device.download
        found = int(download(self._found)[0])
        if found > self._room:
            self._make_room(found)
            self.run()
        hits = download(self._hits[: HIT.itemsize * found]).view(HIT)
        hits = hits[np.lexsort((hits["words"], hits["last"], hits["place"]))]
        begins = np.searchsorted(hits["place"], np.arange(len(self._texts) + 1))
        columns = [np.ascontiguousarray(hits[name]) for name in ("gram", "last", "words")]
        table: NDArray[np.int64] = self._ngrams.index.weighed(download(self._words), begins, *columns)
        return table

    def _make_room(self, hits: int) -> None:
        self._room = hits
        self._hits = self._texts.device.empty((HIT.itemsize * hits,), np.uint8)
