"""Texts that lie in a device's memory already: kernels read them there, and the host fetches what it asks for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.kernels.gpu.batches import Int64s
from curate.kernels.gpu.device import Device, DeviceArray
from curate.kernels.texts import Texts

#: So many texts, or fewer, are fetched one by one; more of them are put side by side first.
FETCHED_ALONE = 256
#: Of a block that copies a text.
COPYING_THREADS = 128


class ResidentTexts(Texts):
    """Texts in the memory of a device: text i is the bytes `offsets[i]` to `offsets[i + 1]` there.

    offsets are on the host too. data is fetched from the device as a whole when it is first asked for.
    """

    device: Device
    on_device: tuple[DeviceArray, DeviceArray]

    def __init__(
        self, device: Device, data: DeviceArray, offsets: DeviceArray, known: Int64s | None = None
    ) -> None:
        """data: uint8, offsets: int64, shape (documents + 1,), both in the device's memory. known: the offsets on the
        host, where they are there already."""
        object.__setattr__(self, "device", device)
        object.__setattr__(self, "on_device", (data, offsets))
        object.__setattr__(self, "offsets", device.download(offsets) if known is None else known)
        object.__setattr__(self, "_fetched", None)

    @property
    def data(self) -> NDArray[np.uint8]:
        fetched: NDArray[np.uint8] | None = self.__dict__["_fetched"]
        if fetched is None:
            fetched = self.device.download(self.on_device[0])
            object.__setattr__(self, "_fetched", fetched)
        return fetched

    def part(self, begin: int, end: int) -> ResidentTexts:
        data, offsets = self.on_device
        texts = ResidentTexts(self.device, data, offsets[begin : end + 1], self.offsets[begin : end + 1])
        object.__setattr__(texts, "_fetched", self.__dict__["_fetched"])
        return texts

    def on_host(self, rows: Int64s) -> tuple[Texts, Int64s]:
        data, sizes = self.on_device[0], self.sizes[rows]
        if self.__dict__["_fetched"] is not None or int(sizes.sum()) >= len(data):
            return Texts(self.data, self.offsets), rows
        if len(rows) > FETCHED_ALONE:
            try:
                chosen = side_by_side(self.device, self.on_device, self.on_device, rows, sizes)
            except MemoryError:
                return Texts(self.data, self.offsets), rows
            return Texts(chosen.data, chosen.offsets), np.arange(len(rows))
        parts = [
            self.device.download(data[self.offsets[row] : self.offsets[row + 1]]) for row in rows.tolist()
        ]
        ends = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
        return Texts(np.concatenate([np.zeros(0, np.uint8), *parts]), ends), np.arange(len(rows))


def side_by_side(
    device: Device,
    texts: tuple[DeviceArray, DeviceArray],
    others: tuple[DeviceArray, DeviceArray],
    sources: Int64s,
    sizes: Int64s,
) -> ResidentTexts:
    """Copies of texts, of which there is at least one, launched and not waited for. Raises MemoryError without room.

    sources: of each, its row among `texts`, or if negative, from -1 down, its row among `others`; int64, shape
    (copies,). sizes: of each, in bytes.
    """
    offsets = np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)])
    on_device = device.upload(offsets)
    data = device.empty((int(offsets[-1]),), np.uint8)
    work = (device.upload(np.ascontiguousarray(sources, np.int64)), np.int64(len(sources)))
    blocks = min(len(sources), device.blocks)
    device.launch("replaced_texts", blocks, COPYING_THREADS, (*texts, *others, *work, data, on_device))
    return ResidentTexts(device, data, on_device, offsets)


def adopted(
    device: Device, chars: int, offsets: int, width: type[np.signedinteger[Any]], count: int, owner: object
) -> ResidentTexts:
    """`count` texts of a string column in the device's memory, which is not copied.

    chars: address of the first text's column. offsets: address of the first text's offset among `count` + 1 of type
    `width` (int32 or int64; those of 32 bits are widened on the device). owner: kept as long as the texts are.
    """
    places = device.adopted(offsets, count + 1, width, owner)
    wide = places.astype(np.int64, copy=False)
    last = int(device.download(wide[-1:])[0])
    return ResidentTexts(device, device.adopted(chars, last, np.uint8, owner), wide)
