"""Batches joined and read ahead are the batches that were read."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from curate.io.ahead import ahead
from curate.io.batches import BadRow, RawBatch, joined


def batch_at(start: int, texts: list[str | None]) -> RawBatch:
    bad = tuple(BadRow(start + i, 1, "text_null", "null") for i, text in enumerate(texts) if text is None)
    ids = pa.array([str(start + i) for i in range(len(texts))], pa.string())
    return RawBatch(start, len(texts), pa.array(texts, pa.large_string()), ids, {"n": ids}, bad)


batches = st.lists(
    st.tuples(st.integers(0, 2), st.lists(st.one_of(st.none(), st.text(max_size=6)), max_size=5)), max_size=12
)


@given(parts=batches, documents=st.integers(1, 12), size=st.integers(1, 40))
def test_joined_batches_have_the_same_rows_within_the_limits(parts, documents, size) -> None:
    start, read = 0, []
    for gap, texts in parts:
        start += gap
        read.append(batch_at(start, texts))
        start += len(texts)
    made = list(joined(read, documents, size))
    rows = [
        (batch.start + i, batch.texts[i], batch.ids[i], batch.columns["n"][i])
        for batch in made
        for i in range(len(batch))
    ]
    assert rows == [
        (each.start + i, each.texts[i], each.ids[i], each.columns["n"][i])
        for each in read
        for i in range(len(each))
    ]
    assert [bad for batch in made for bad in batch.bad] == [bad for each in read for bad in each.bad]
    sizes = {(each.start, len(each)) for each in read}
    for batch in made:
        small = (
            len(batch) <= documents
            and sum(len((text.as_py() or "").encode()) for text in batch.texts) <= size
        )
        assert small or (batch.start, len(batch)) in sizes


def test_batches_are_as_large_as_they_may_be() -> None:
    read = [batch_at(3 * number, ["ab", "c", None]) for number in range(5)]
    assert [len(batch) for batch in joined(read, 100, 9)] == [9, 6]
    assert [len(batch) for batch in joined(read, 7, 100)] == [6, 6, 3]


def test_items_come_in_order_and_one_ahead() -> None:
    made = []

    def items():
        for number in range(5):
            made.append(number)
            yield number

    coming = ahead(items())
    assert next(coming) == 0
    assert next(coming) == 1
    coming.close()
    assert len(made) <= 3


def test_what_goes_wrong_comes_in_its_place() -> None:
    def items():
        yield 1
        raise OSError("gone")

    coming = ahead(items())
    assert next(coming) == 1
    with pytest.raises(OSError, match="gone"):
        next(coming)


def test_nothing_at_all() -> None:
    assert list(ahead([])) == []
