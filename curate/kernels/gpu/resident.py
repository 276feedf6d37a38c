"""Texts that lie in a device's memory already: kernels read them there, and the host fetches what it asks for."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from curate.kernels.gpu.batches import Int64s
from curate.kernels.gpu.device import Device, DeviceArray
from curate.kernels.texts import Texts

#: So many texts, or fewer, are fetched one by one, more of them with all others of their batch.
FETCHED_ALONE = 256


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
        return ResidentTexts(self.device, data, offsets[begin : end + 1], self.offsets[begin : end + 1])

    def on_host(self, rows: Int64s) -> tuple[Texts, Int64s]:
        if len(rows) > FETCHED_ALONE:
            return Texts(self.data, self.offsets), rows
        parts = [
            self.device.download(self.on_device[0][self.offsets[row] : self.offsets[row + 1]])
            for row in rows.tolist()
        ]
        ends = np.cumsum([0, *(len(part) for part in parts)], dtype=np.int64)
        return Texts(np.concatenate([np.zeros(0, np.uint8), *parts]), ends), np.arange(len(rows))


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
