"""Normal forms of texts and URLs: the vectors of docs/sketch.md, and the kernels against its words in Python."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curate.dedup import Shingles, Sketcher, normalize, normalize_urls
from curate.dedup.normalize import STEPS
from curate.kernels import Texts
from tests.dedup.normal_forms import normal_text, normal_url

DOCS = Path(__file__).parents[2] / "docs/sketch.md"


def texts_of(values: list[bytes]) -> Texts:
    return Texts.from_arrow(pa.array(values, pa.binary()))


def values_of(texts: Texts) -> list[bytes]:
    bounds = texts.offsets.tolist()
    return [bytes(texts.data[start:stop]) for start, stop in pairwise(bounds)]


def normalized(text: str, steps: list[str]) -> str:
    found = normalize(texts_of([b"before", text.encode()]), np.array([1]), steps)  # type: ignore[arg-type]
    return values_of(found)[0].decode()


def url(value: bytes) -> bytes:
    return values_of(normalize_urls(texts_of([value]), np.array([0])))[0]


def test_the_vectors_of_the_docs() -> None:
    rows = re.findall(
        r"^\| `(.*)` \| (all three|`\w+`) \| (?:`(.*)`|nothing.*) \|$", DOCS.read_text(), re.MULTILINE
    )
    assert len(rows) == 5
    for text, steps, wanted in rows:
        chosen = list(STEPS) if steps == "all three" else [steps.strip("`")]
        assert normalized(text, chosen) == normal_text(text, chosen) == wanted
    urls = re.findall(r"^\| `(.*)` \| `([^`]*)` \|$", DOCS.read_text().partition("### URLs")[2], re.MULTILINE)
    assert len(urls) == 4
    for value, key in urls:
        assert url(value.encode()) == normal_url(value.encode()) == key.encode()


@pytest.mark.parametrize("step", STEPS)
def test_every_code_point(step: str) -> None:
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    texts = texts_of([f"a{character}b".encode() for character in characters])
    found = values_of(normalize(texts, np.arange(len(texts)), [step]))  # type: ignore[list-item]
    wanted = [normal_text(f"a{character}b", [step]).encode() for character in characters]
    different = [(c, a, b) for c, a, b in zip(characters, found, wanted, strict=True) if a != b]
    assert different == []


@settings(max_examples=300, deadline=None)
@given(
    st.text(st.sampled_from("aZ9 ,.\n\u00c9\u0416\u3000\u2014\uff11\u4e2d\u0301\U0001f600\0")),
    st.sets(st.sampled_from(STEPS)),
)
def test_texts_by_the_rules(text: str, steps: set[str]) -> None:
    found = normalized(text, sorted(steps))
    assert found == normal_text(text, sorted(steps))
    assert normalized(found, sorted(steps)) == found


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=12), max_size=4))
def test_bytes_that_are_no_text_stay_inside_the_buffer(values: list[bytes]) -> None:
    found = values_of(normalize(texts_of(values), np.arange(len(values)), STEPS))
    assert all(len(after) <= len(before) for before, after in zip(values, found, strict=True))


PIECES = ["http://", "HTTPS:", "//", "www.", "Ex.org", ":80", ":443", ":08080", "@", "/", "?", "&", "=", "#", "utm_a",
          "GCLID", "q", "%7e", "%2f", "%zz", "%", " ", "\u00fc", "..", "\\", "."]  # fmt: skip


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=9).map("".join))
def test_urls_by_the_rules(value: str) -> None:
    assert url(value.encode()) == normal_url(value.encode())


@given(st.binary(max_size=20))
def test_any_bytes_have_a_key(value: bytes) -> None:
    assert url(value) == normal_url(value)


def test_shingles_of_normal_texts() -> None:
    texts = texts_of([b"Chapter 12: Rivers, lakes!", b"chapter 34 rivers lakes", b"?!"])
    sketches = Sketcher(Shingles("char", 5, STEPS), 32, 4, seed=1).sketch(texts, np.arange(3))
    assert sketches.sketched.tolist() == [True, True, False]
    assert np.array_equal(sketches.keys[:, 0], sketches.keys[:, 1])
    plain = Sketcher(Shingles("char", 5), 32, 4, seed=1).sketch(
        texts_of([b"chapter 00 rivers lakes"]), np.arange(1)
    )
    assert np.array_equal(plain.signatures[0], sketches.signatures[0])


def test_an_unknown_step_is_refused() -> None:
    with pytest.raises(ValueError, match="lowercase, digits, punctuation"):
        Shingles("char", 5, ("upper",))  # type: ignore[arg-type]
