"""Statistics read no byte behind a text: the page after it refuses."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import ctypes, mmap
import numpy as np
from curate.kernels import _cpu

PAGE = mmap.PAGESIZE
pages = mmap.mmap(-1, 2 * PAGE)
address = ctypes.addressof(ctypes.c_char.from_buffer(pages))
if ctypes.CDLL(None, use_errno=True).mprotect(ctypes.c_void_p(address + PAGE), PAGE, 0) != 0:
    raise OSError(ctypes.get_errno(), "mprotect")
data = np.frombuffer(pages, np.uint8, PAGE)
families = [(family, 1023) for family, _ in _cpu.HEURISTIC_FAMILIES]
text = "Javascript \\u212aelvin, lorem ipsum {the} \\u3000 cookie\\n don't [1] http://a.b/c of it \\u2026\\n".encode()
for size in range(150):
    pages[PAGE - size : PAGE] = (3 * text)[:size]
    offsets = np.array([PAGE - size, PAGE])
    for family in families:
        _cpu.heuristics(data, offsets, np.zeros(1, np.int64), [family])
print("read")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="mprotect is called as Linux has it")
def test_no_family_reads_behind_a_text() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "read\n"), done.stderr
