"""Damaged, hostile and unsuitable model files: always a ModelError that names the file, never a crash."""

from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.errors import ModelError
from curate.kernels import Texts
from curate.models import fasttext
from curate.models.fasttext import FastText
from curate.models.registry import resolve
from tests.models.fasttext_files import KINDS, Spec, model_bytes

TEXTS = Texts.from_arrow(pa.array(["the house", "日本 кот </s> x", "", "a" * 100]))


def load(data: bytes) -> FastText:
    return FastText(np.frombuffer(data, np.uint8), "some/model.ftz")


@pytest.mark.parametrize("kind", KINDS)
def test_every_truncation_is_an_error(kind: str) -> None:
    data = model_bytes(KINDS[kind])
    load(data)
    for size in {*range(min(400, len(data))), *range(400, len(data), 97), len(data) - 1}:
        with pytest.raises(ModelError, match=r"some/model\.ftz"):
            load(data[:size])


@pytest.mark.parametrize("size", [0, 1, 7, 63, 100, 5000, 400_000, 938_012])
def test_truncated_lid(size: int, tmp_path: Path) -> None:
    path = tmp_path / "lid.ftz"
    path.write_bytes(resolve("lid.176").read_bytes()[:size])
    with pytest.raises(ModelError, match=r"lid\.ftz"):
        FastText.load(path)


@given(data=st.data())
@settings(max_examples=400, deadline=None)
def test_damaged_bytes_neither_crash_nor_take_much_memory(data: st.DataObject) -> None:
    contents = bytearray(model_bytes(KINDS[data.draw(st.sampled_from(list(KINDS)))]))
    # Most damage falls on the header and the counts, where it matters.
    places = st.one_of(st.integers(0, min(250, len(contents) - 1)), st.integers(0, len(contents) - 1))
    for _ in range(data.draw(st.integers(1, 4))):
        contents[data.draw(places)] = data.draw(st.sampled_from([0, 1, 2, 3, 127, 128, 255]))
    tracemalloc.start()
    try:
        model = load(bytes(contents))
    except ModelError:
        return
    finally:
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 100 * len(contents) + (1 << 20)
    scores = model.score(TEXTS, k=3)
    assert (scores.labels < len(model.labels)).all()


def field(position: int, value: int, layout: str = "<i") -> bytes:
    contents = bytearray(model_bytes(Spec(min_n=2, max_n=3, bucket=10)))
    struct.pack_into(layout, contents, position, value)
    return bytes(contents)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "too short"),
        (b"x" * 500, "not a fastText model"),
        (field(4, 13), "format version 13"),
        (field(8, 0), "0 dimensions"),
        (field(8, 2**31 - 1), "columns"),
        (field(28, 10**9), "wordNgrams"),
        (field(32, 9), "loss 9"),
        (field(36, 1), "unsupervised"),
        (field(40, 2**31 - 1), "input matrix of"),
        (field(40, 0), "no buckets"),
        (field(40, -1), "buckets"),
        (field(48, 10**9), "maxn"),
        (field(64, 2**31 - 1), "entries"),
        (field(68, -1), "words"),
        (field(84, 2**62, "<q"), "pruning"),
        (model_bytes(Spec()) + b"\0", "more bytes follow"),
        (model_bytes(Spec(words=("a", "a"))), "twice"),
        (model_bytes(Spec(scale=1e39)), "not finite"),
    ],
)
def test_what_is_wrong_is_said(data: bytes, message: str) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        load(data)
    assert caught.value.problems[0].where == "some/model.ftz"


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        FastText.load(tmp_path / "nothing.bin")
    with pytest.raises(ModelError, match="cannot be read"):
        FastText.load(tmp_path)


def test_mapped_and_read_files_score_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.bin"
    path.write_bytes(model_bytes(KINDS["dense-subwords"]))
    read = FastText.load(path).score(TEXTS, k=3)
    monkeypatch.setattr(fasttext, "READ_BYTES", 0)
    mapped = FastText.load(path)
    assert np.array_equal(mapped.score(TEXTS, k=3).probabilities, read.probabilities)


def test_huge_weights_give_no_label() -> None:
    scores = load(model_bytes(Spec(scale=3e37, dim=30))).score(TEXTS)
    assert np.isfinite(scores.probabilities).all()
