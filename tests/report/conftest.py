from __future__ import annotations

from pathlib import Path

import pytest

from tests.report.outputs import write_output


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return write_output(tmp_path)
