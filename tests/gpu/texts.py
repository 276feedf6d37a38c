"""Texts that are hard on kernels: repeats, separators cut anywhere, bytes that are no UTF-8, every alignment."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import strategies as st

from curate.kernels import Texts

PIECES = [
    b"the",
    b"The",
    b"a",
    b" ",
    b"  ",
    b"\n",
    b".",
    b"\xe2\x80\x94",
    b"\xe2\x80",
    b"\xc2\xa0",
    b"\xc2",
    b"\x00",
]
PIECES += [
    b"\xe3\x80\x81",
    b"\xe3",
    b"\xa0",
    "naïve".encode(),
    "漢字".encode(),
    b"0123456789abcdef",
    b"x" * 70,
]

documents = st.one_of(
    st.just(b""),
    st.binary(max_size=80),
    st.lists(st.sampled_from(PIECES), max_size=120).map(b"".join),
    st.builds(lambda piece, times: piece * times, st.sampled_from(PIECES), st.integers(1, 90)),
)
batches = st.lists(documents, min_size=1, max_size=12)


def texts_of(documents: list[bytes]) -> Texts:
    return Texts.from_arrow(pa.array(documents, pa.large_binary()))
