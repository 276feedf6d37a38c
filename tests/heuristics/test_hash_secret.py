"""No statistic depends on what the hashes are keyed with, which each process draws for itself."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.kernels import Texts, _cpu
from curate.kernels.heuristics import FAMILY_STATISTICS
from tests.hash_secrets import KNOWN_HALF, KNOWN_SECRET, OTHER_SECRETS
from tests.heuristics.strategies import texts as documents

SECRETS = (KNOWN_SECRET, *OTHER_SECRETS)
#: Words that share a hash under KNOWN_SECRET, or share a line and a paragraph.
WORDS = [KNOWN_HALF.decode() + ending for ending in ("", "1", "22222222", "33333333", " again\n", "\n\n")]
crafted = st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join)


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(st.one_of(documents, crafted), max_size=6))
def test_statistics_are_the_same_under_every_secret(texts) -> None:
    batch = Texts.from_arrow(pa.array(texts, pa.large_string()))
    rows = np.arange(len(texts))
    for family in FAMILY_STATISTICS:
        expected = _cpu.heuristics(batch.data, batch.offsets, rows, [(family, 0x3FF)])
        for secret in SECRETS:
            found = _cpu.heuristics(batch.data, batch.offsets, rows, [(family, 0x3FF)], hash_secret=secret)
            np.testing.assert_array_equal(found, expected)


def test_each_process_draws_a_secret() -> None:
    command = [sys.executable, "-c", "from curate.kernels import _cpu; print(_cpu.HASH_SECRET)"]
    others = {int(subprocess.check_output(command)) for _ in range(2)}
    assert len({_cpu.HASH_SECRET, *others}) == 3
