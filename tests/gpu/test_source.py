"""The kernels' source as run-time compilers take it."""

from __future__ import annotations

import pytest

from curate.kernels.gpu.source import KERNEL_FILES, nvrtc_source


@pytest.mark.parametrize("file", KERNEL_FILES)
def test_it_is_ascii(file) -> None:
    """CuPy writes it into a file in the locale's encoding, which may have no other characters."""
    odd = [line for line in nvrtc_source(file).splitlines() if not line.isascii()]
    assert odd == []
