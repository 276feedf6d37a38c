"""How much memory a worker may take, and the shares of it that kinds of work get.

Nothing that is decided or written depends on it: it sets how much is read, joined or sorted at a time, and what goes
to temporary files meanwhile. `docs/memory.md` says what is counted.
"""

from __future__ import annotations

import re
import resource
import sys
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from curate.errors import OutputError, Problem

_UNITS = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30}
_SMALLEST = 64 << 20
#: What a process may take beside what Arrow has allocated before it is asked to give back.
_KEPT_BYTES = 1 << 30


def size_in_bytes(text: str) -> int:
    """What a size in words means, such as 512MB. Raises ValueError for anything else."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]*)", text.strip())
    if found is None or found[2].lower() not in _UNITS:
        raise ValueError(f"{text!r} is not a size: write bytes, or a number with KB, MB, GB, MiB or GiB")
    return int(float(found[1]) * _UNITS[found[2].lower()])


@dataclass(frozen=True, slots=True)
class Memory:
    """What one worker may take, in bytes. Each property is at most what is of use, however much there is."""

    bytes: int = 4 * 10**9

    @classmethod
    def of(cls, given: str | int | None) -> Memory:
        """`given`: bytes, or what `size_in_bytes` reads; None: 4GB. Raises OutputError for anything else, and for less
        than 64 MiB."""
        if given is None:
            return DEFAULT
        try:
            size = size_in_bytes(str(given))
        except ValueError as error:
            raise OutputError(Problem("--memory", str(error), "a size such as 512MB or 4GB")) from error
        if size < _SMALLEST:
            raise OutputError(Problem("--memory", str(given), "64MiB or more"))
        return cls(size)

    @property
    def batch(self) -> int:
        """Bytes of text read at a time: stages make copies of a batch, and lists many times its size."""
        return min(32 << 20, self.bytes // 64)

    @property
    def device_batch(self) -> int:
        """Bytes of text read at a time for a GPU, which large batches keep busy."""
        return min(1 << 30, self.bytes // 16)

    @property
    def spool(self) -> int:
        """Bytes that a task gathers before it moves them to a temporary file."""
        return self.bytes // 4

    def documents(self, bytes_each: int, most: int) -> int:
        """How many documents a task takes that holds `bytes_each` of each: at most half of the memory, and `most`."""
        return max(1, min(most, self.bytes // 2 // bytes_each))


#: What a worker may take where nobody says.
DEFAULT = Memory()


def resident_bytes() -> int:
    """Memory of this process that is resident now; where the system does not tell (no /proc), its peak so far."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
    return pages * resource.getpagesize()


def give_back_unused() -> None:
    """Returns to the system what Arrow's allocator keeps of freed memory, where that is much.

    Each thread keeps its own, which tasks of other threads cannot use: gigabytes after a large document.
    """
    if resident_bytes() - pa.total_allocated_bytes() > _KEPT_BYTES:
        pa.default_memory_pool().release_unused()
