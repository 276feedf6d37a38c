"""Counts of addresses and numbers in texts on a device."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
from numpy.typing import NDArray

from curate.kernels import _cpu
from curate.kernels.gpu.batches import Int64s
from curate.kernels.gpu.jobs import THREADS, DeviceTexts
from curate.kernels.interface import Redacted

#: A thread looks through a text alone: longer ones would keep the others waiting, and are the CPU's.
LONGEST_TEXT = 128 << 10


class RedactJob:
    """Counts of what is found in all texts, none longer than LONGEST_TEXT."""

    def __init__(self, texts: DeviceTexts, what: Redacted) -> None:
        self._texts, device = texts, texts.device
        self._counts = device.empty((len(texts), _cpu.REDACT_KINDS), np.int64)
        self._arguments = (
            *texts.arguments,
            *texts.work(texts.longest_first()),
            np.int64(len(texts)),
            *(np.int32(wanted) for wanted in astuple(what)),
            self._counts,
        )

    @staticmethod
    def bytes_of(sizes: Int64s) -> Int64s:
        """Device memory for texts of these sizes in bytes: text, offsets and counts; int64."""
        return np.asarray(sizes + 32 + 8 * _cpu.REDACT_KINDS, np.int64)

    def run(self) -> None:
        if count := len(self._texts):
            self._texts.device.launch("redact_counts", -(-count // THREADS), THREADS, self._arguments)

    def result(self) -> NDArray[np.int64]:
        """int64, shape (texts, 4): e-mail, IPv4 and IPv6 addresses, telephone numbers."""
        return self._texts.device.download(self._counts)
