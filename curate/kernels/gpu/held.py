"""Models and indexes whose copies stay in a device's memory from one batch to the next."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from curate.kernels.gpu.device import Device

#: Of the memory that there would be without them, what copies may keep; the rest is for texts.
SHARE_HELD = 0.5


class DeviceCopy(Protocol):
    @property
    def nbytes(self) -> int:
        """Bytes of the device's memory that it takes."""
        ...


Copy = TypeVar("Copy", bound=DeviceCopy)


class Held:
    """The copies, the last used first. One goes when its original does, or when a newer one needs the room."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._copies: list[tuple[weakref.ref[Any], Any]] = []

    def copy_of(self, original: object, copied: Callable[[Device, Any], Copy]) -> Copy:
        """The copy that is held, or else what `copied` makes. Raises MemoryError where it does not fit even alone."""
        self._copies = [each for each in self._copies if each[0]() is not None]
        place = next((i for i, each in enumerate(self._copies) if each[0]() is original), None)
        if place is not None:
            self._copies.insert(0, self._copies.pop(place))
            found: Copy = self._copies[0][1]
            return found
        made = self._made(original, copied)
        self._copies.insert(0, (weakref.ref(original), made))
        self._drop_beyond_share()
        return made

    def _made(self, original: object, copied: Callable[[Device, Any], Copy]) -> Copy:
        while True:
            try:
                return copied(self._device, original)
            except MemoryError:
                if not self._copies:
                    raise
            self._copies.pop()

    def _drop_beyond_share(self) -> None:
        """Keeps the last used one, and before it what fits beside it."""
        held = sum(copy.nbytes for _, copy in self._copies)
        most = SHARE_HELD * (self._device.free_bytes() + held)
        while held > most and len(self._copies) > 1:
            _, dropped = self._copies.pop()
            held -= dropped.nbytes
