"""Texts made to share hashes do not make hash tables slow: whoever makes them does not know the process's secret."""

from __future__ import annotations

import numpy as np
import pytest

from curate.kernels import _cpu
from curate.kernels.gpu.heuristics import FamiliesJob
from curate.kernels.gpu.jobs import DeviceTexts
from curate.kernels.gpu.source import module_source
from curate.kernels.heuristics import FAMILY_STATISTICS
from tests.gpu.host_device import HostDevice
from tests.gpu.texts import texts_of
from tests.hash_secrets import KNOWN_HALF, KNOWN_SECRET, OTHER_SECRETS

COUNT = 500
#: Words, lines and paragraphs that have one hash under KNOWN_SECRET, each three times.
CRAFTED = [b"%s%08d" % (KNOWN_HALF, i % COUNT) for i in range(3 * COUNT)]
EVERY_GROUP = 0x3FF

EDGES = """
extern "C" __global__ void edges(const curate::KeyedDoc<curate::Key128>* rows, curate::i64 count,
                                 curate::u64 hash_secret, curate::u32* places, int bits, curate::u32* first,
                                 curate::u64* least, curate::Edge* edges, curate::i64* made) {
  *made = curate::key_edges(rows, count, curate::HashKey(hash_secret), places, bits, 0, first, least, edges);
}
"""

JACCARD = """
extern "C" __global__ void similarity(const curate::u64* hashes, curate::i64 count, curate::u64 hash_secret,
                                      curate::u64* table, curate::u8* in_a, curate::i64 slots, double* found) {
  *found = curate::jaccard(hashes, count, hashes, count, curate::HashKey(hash_secret), table, in_a, slots);
}
"""


def looks_of_family(device, monkeypatch, family: str, between: bytes, hash_secret: int) -> int:
    monkeypatch.setattr(_cpu, "HASH_SECRET", hash_secret)
    texts = texts_of([between.join(CRAFTED)])
    job = FamiliesJob(DeviceTexts.upload(device, texts), [(family, EVERY_GROUP)], 1 << 26)
    device.slot_looks()
    job.run()
    expected = _cpu.heuristics(texts.data, texts.offsets, np.arange(1), [(family, EVERY_GROUP)])
    np.testing.assert_array_equal(job.result(), expected)
    return device.slot_looks()


@pytest.mark.parametrize("between", [b" ", b"\n", b"\n\n"], ids=["words", "lines", "paragraphs"])
@pytest.mark.parametrize("family", FAMILY_STATISTICS)
def test_statistics_look_at_few_slots(device, monkeypatch, family, between) -> None:
    for hash_secret in OTHER_SECRETS:
        assert looks_of_family(device, monkeypatch, family, between, hash_secret) < 40 * len(CRAFTED)


@pytest.mark.parametrize(
    ("family", "between"),
    [("plain", b" "), ("plain", b"\n"), ("plain", b"\n\n"), ("datatrove.gopher_repetition", b" ")],
)
def test_a_known_secret_would_make_them_quadratic(device, monkeypatch, family, between) -> None:
    assert looks_of_family(device, monkeypatch, family, between, KNOWN_SECRET) > COUNT * COUNT


@pytest.fixture(scope="module")
def tables(compiler):
    return HostDevice(module_source(("join.h", "jaccard.h")) + EDGES + JACCARD)


def looks_of_join(tables, hash_secret: int) -> int:
    rows = np.empty((COUNT, 3), np.uint64)
    rows[:, 0] = int.from_bytes(KNOWN_HALF, "little")
    rows[:, 1] = rows[:, 2] = np.arange(COUNT)
    made, bits = np.empty(1, np.int64), 11
    places, first = np.zeros(1 << bits, np.uint32), np.empty(COUNT, np.uint32)
    least, edges = np.empty(COUNT, np.uint64), np.empty((COUNT, 2), np.uint64)
    tables.slot_looks()
    arguments = (
        rows,
        np.int64(COUNT),
        np.uint64(hash_secret),
        places,
        np.int32(bits),
        first,
        least,
        edges,
        made,
    )
    tables.launch("edges", 1, 1, arguments)
    assert made[0] == 0
    return tables.slot_looks()


def test_the_join_of_crafted_hashes_looks_at_few_slots(tables) -> None:
    assert looks_of_join(tables, KNOWN_SECRET) > COUNT * COUNT / 2
    for hash_secret in OTHER_SECRETS:
        assert looks_of_join(tables, hash_secret) < 4 * COUNT


def looks_of_similarity(tables, hash_secret: int) -> int:
    factor = int.from_bytes(KNOWN_HALF, "little")
    hashes = np.array([i * pow(factor, -1, 2**64) % 2**64 for i in range(COUNT)], np.uint64)
    slots, found = 4096, np.empty(1)
    table, in_a = np.zeros(slots, np.uint64), np.zeros(slots, np.uint8)
    tables.slot_looks()
    arguments = (hashes, np.int64(COUNT), np.uint64(hash_secret), table, in_a, np.int64(slots), found)
    tables.launch("similarity", 1, 1, arguments)
    assert found[0] == 1
    return tables.slot_looks()


def test_the_similarity_of_crafted_shingles_looks_at_few_slots(tables) -> None:
    assert looks_of_similarity(tables, KNOWN_SECRET) > COUNT * COUNT / 2
    for hash_secret in OTHER_SECRETS:
        assert looks_of_similarity(tables, hash_secret) < 8 * COUNT
