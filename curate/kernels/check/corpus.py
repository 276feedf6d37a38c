"""Generated texts with the sizes of web pages, and a few that are hard on a GPU."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from curate.kernels.texts import Texts

VOCABULARY = 20_000
#: Log-normal sizes: half of the pages are below 1.5 kB, the mean is 2.7 kB.
MEDIAN_BYTES, SPREAD = 1500, 1.08
SEPARATORS = [b" "] * 17 + [
    b", ",
    b". ",
    b"\n",
    b"\n\n",
    b" \xe2\x80\x94 ",
    b"\xc2\xa0",
    b"... ",
    b".\n",
    b".\n",
]
#: Lines that profiles which edit texts keep, leave out, shorten, or leave the page out for.
EDITED_LINES = [
    b"The first of the lines has an end.\n",
    b"Two words.\n",
    b"No end has this one line\n",
    b"Please switch Javascript on for this page.\n",
    b"By staying here you accept cookies, terms of use.\n",
    b"It was said [12], by some [citation needed], to be so.\n",
    b"12 likes\n",
    b"Read more ...\n",
]
LEFT_OUT_LINES = [b"Lorem ipsum has five words here.\n", b"There is a { in this one line.\n"]
ALPHABETS = ["etaoinshrdlucmfwypvbgkqjxz"] * 18 + ["абвгдеиклмнопрст", "éàüößñç", "日本語漢字文書"]


def vocabulary(random: np.random.Generator) -> list[bytes]:
    """Words as bytes of UTF-8, the most frequent first and shortest."""
    words = []
    for place in range(VOCABULARY):
        alphabet = ALPHABETS[random.integers(len(ALPHABETS))]
        size = random.integers(1, 4 + min(place // 20, 8))
        words.append("".join(alphabet[i] for i in random.integers(0, len(alphabet), size)).encode())
    return words


def web_like(random: np.random.Generator, words: list[bytes], size: int) -> Texts:
    """About `size` bytes of pages, words by Zipf's law; cut between words."""
    pieces = [*words, *SEPARATORS]
    lengths = np.array([len(piece) for piece in pieces])
    begins = np.cumsum(lengths) - lengths
    joined = np.frombuffer(b"".join(pieces), np.uint8)
    chosen = np.empty(2 * max(size // 9, 1), np.int64)
    ranks = random.zipf(1.2, len(chosen) // 2)
    chosen[::2] = np.where(ranks <= len(words), ranks - 1, ranks % len(words))
    chosen[1::2] = len(words) + random.integers(0, len(SEPARATORS), len(chosen) // 2)
    ends = np.cumsum(lengths[chosen])
    shift = np.repeat(begins[chosen] - (ends - lengths[chosen]), lengths[chosen])
    data = joined[np.arange(len(shift)) + shift]
    sizes = random.lognormal(np.log(MEDIAN_BYTES), SPREAD, 2 + 2 * len(data) // MEDIAN_BYTES)
    cuts = ends[np.searchsorted(ends, np.cumsum(sizes)[:-1].clip(0, len(data) - 1))]
    offsets = np.concatenate([[0], np.unique(cuts), [len(data)]]).astype(np.int64)
    return Texts(np.ascontiguousarray(data), np.ascontiguousarray(np.unique(offsets)))


def hard(random: np.random.Generator, words: list[bytes], scale: int) -> Texts:
    """Texts that repeat, that are empty, that have no words or no end of one, that profiles edit, and one of 80 x
    `scale` bytes."""
    line = b" ".join(words[i] for i in random.integers(0, len(words), 12)) + b"\n"
    many = b" ".join(words[i] for i in random.integers(0, len(words), 12 * scale))
    texts = [
        b"",
        b"a",
        b"a" * scale,
        b" " * scale,
        b"\n" * scale,
        line * (scale // 50),
        b"x y " * (scale // 4),
    ]
    texts += ["é".encode() * (scale // 2), b"\xe2\x80\x94" * (scale // 3), b"http://" * (scale // 7), many]
    texts += [
        b"a@b.org " * (scale // 8),
        b"1.2.3.4, " * (scale // 9),
        b"fe80::1 (202) 555-0100 " * (scale // 23),
    ]
    pages = [[EDITED_LINES[i] for i in random.integers(0, len(EDITED_LINES), 20)] for _ in range(8)]
    texts += [b"".join(page) for page in pages]
    texts += [b"".join([*pages[0], line]) for line in LEFT_OUT_LINES]
    sizes = np.array([len(text) for text in texts])
    return Texts(np.frombuffer(b"".join(texts), np.uint8), np.concatenate([[0], np.cumsum(sizes)]))


def spoilt(random: np.random.Generator, texts: Texts) -> Texts:
    """The texts with a byte of some, one in 4 kB, by another that may end their being UTF-8."""
    data = texts.data.copy()
    places = random.integers(0, len(data), len(data) // 4096 + 1)
    data[places] = random.choice(
        np.array([0x00, 0x41, 0x80, 0xBF, 0xC0, 0xC3, 0xED, 0xF0, 0xF5], np.uint8), len(places)
    )
    return Texts(data, texts.offsets)


def joined(parts: list[Texts]) -> Texts:
    """The texts of all parts, one after another."""
    starts = np.cumsum([0, *(len(part.data) for part in parts)])
    offsets: list[NDArray[np.int64]] = [np.zeros(1, np.int64)]
    offsets += [part.offsets[1:] + start for part, start in zip(parts, starts, strict=False)]
    return Texts(np.concatenate([part.data for part in parts]), np.concatenate(offsets))
