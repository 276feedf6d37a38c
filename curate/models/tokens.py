"""How many tokens a text is: exactly, by a tokenizer, or by an estimate that is stated.

A text is tokenized as plain text: what looks like a special token (`<|endoftext|>` on a web page about models) is made
of ordinary ones, so that no document can end another.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.errors import ModelError, Problem
from curate.io.files import read_bytes
from curate.kernels import Texts

#: Bytes of UTF-8 text a token stands for in languages that are not in the table, or where no stage told the language.
BYTES_A_TOKEN = 4.0
#: UTF-8 bytes a token of o200k_base (200,019 tokens): English on 4,500 documents of three web corpora, others on some
#: 1,000 sentences each of the Leipzig corpora, joined by twenties; `python -m benchmarks.bytes_a_token`. Plain news
#: sentences take fewer tokens than web pages: English sentences came to 4.93. An older vocabulary takes more: on the
#: same sentences cl100k_base came to 2.48 of Czech, 2.07 of Greek, 1.02 of Armenian.
# fmt: off
BYTES_A_TOKEN_BY_LANGUAGE: Mapping[str, float] = {
    "af": 3.64, "ar": 5.92, "az": 3.5, "be": 4.99, "bg": 5.44, "bn": 7.9, "bs": 3.26, "ca": 3.72,
    "cs": 3.22, "cy": 3.01, "da": 3.63, "de": 4.39, "el": 4.9, "en": 4.49, "eo": 3.22, "es": 4.23,
    "et": 3.32, "eu": 3.21, "fa": 5.23, "fi": 3.4, "fr": 4.3, "ga": 3.2, "gu": 6.77, "he": 4.48,
    "hi": 7.98, "hr": 3.32, "hu": 3.11, "hy": 5.48, "id": 4.19, "is": 3.37, "it": 3.89, "ja": 3.76,
    "ka": 7.6, "kk": 5.45, "ko": 3.77, "la": 3.55, "lg": 3.08, "lt": 3.08, "lv": 3.06, "mi": 3.15,
    "mk": 5.12, "mn": 4.81, "mr": 7.16, "ms": 3.91, "nl": 4.13, "nn": 3.5, "no": 3.66, "pa": 4.89,
    "pl": 3.32, "pt": 4.35, "ro": 3.54, "ru": 6.32, "sk": 3.14, "sl": 3.27, "sn": 3.25, "so": 3.28,
    "sq": 3.21, "sr": 4.67, "st": 3.2, "sv": 3.72, "sw": 3.46, "ta": 7.69, "te": 6.59, "th": 5.89,
    "tl": 3.65, "tn": 3.18, "tr": 3.68, "ts": 3.31, "uk": 5.28, "ur": 5.33, "vi": 4.48, "xh": 3.13,
    "yo": 2.74, "zh": 3.56, "zu": 3.22,
}
# fmt: on
#: Texts are tokenized in groups of about so many bytes; one more group's tokens are in memory.
_GROUP_BYTES = 1 << 20
#: A text that tiktoken cannot take whole is cut to pieces of so many characters.
_PIECE = 100_000


class TokenCount(ABC):
    """A way to tell how many tokens a text is. Travels to workers by pickle.

    reads_text: whether it looks at more than sizes.
    """

    reads_text: ClassVar[bool]

    @abstractmethod
    def count(self, texts: Texts, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Tokens of the texts at `rows`."""

    def recount(self, sizes: pa.Array, tokens: pa.Array, languages: pa.Array) -> pa.Array:
        """`tokens` of texts of these bytes once their languages are known; all with nulls where nothing is."""
        return tokens

    @abstractmethod
    def description(self) -> dict[str, Any]:
        """What counts depend on, as JSON values: how they are made, the tokenizer's checksum. In the manifest."""


@dataclass(frozen=True, slots=True)
class TokenEstimate(TokenCount):
    """Bytes of text over the bytes a token of its language takes, rounded up."""

    reads_text: ClassVar[bool] = False

    def count(self, texts: Texts, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        return self._estimate(texts.sizes[rows])

    def recount(self, sizes: pa.Array, tokens: pa.Array, languages: pa.Array) -> pa.Array:
        estimated = pa.array(self._estimate(sizes.fill_null(0).to_numpy(), languages))
        return pc.if_else(sizes.is_valid(), estimated, None)

    def _estimate(self, sizes: NDArray[np.int64], languages: pa.Array | None = None) -> NDArray[np.int64]:
        """Tokens of texts of those sizes in bytes."""
        # Hundredths keep this in whole numbers.
        rates = np.full(len(sizes), round(100 * BYTES_A_TOKEN), np.int64)
        if languages is not None:
            names = pa.array(BYTES_A_TOKEN_BY_LANGUAGE)
            known = np.array([round(100 * rate) for rate in BYTES_A_TOKEN_BY_LANGUAGE.values()], np.int64)
            at = pc.index_in(languages.cast(pa.string()), names).fill_null(-1).to_numpy(zero_copy_only=False)
            rates[at >= 0] = known[at[at >= 0]]
        tokens: NDArray[np.int64] = -(-100 * sizes // rates)
        return tokens

    def description(self) -> dict[str, Any]:
        return {
            "method": "estimate",
            "bytes_a_token": BYTES_A_TOKEN,
            "bytes_a_token_by_language": dict(BYTES_A_TOKEN_BY_LANGUAGE),
        }


@dataclass(frozen=True, slots=True)
class Tokenizer(TokenCount):
    """A tokenizer by the path of its tokenizers JSON, or by its name in tiktoken.

    sha256: of the JSON file; for tiktoken, of its ranks as a .tiktoken file. vocabulary: ids are below it.
    special: ids of the special tokens by name.
    """

    reads_text: ClassVar[bool] = True

    name: str
    sha256: str
    vocabulary: int
    special: Mapping[str, int] = field(default_factory=dict, compare=False)

    @classmethod
    def load(cls, name: str) -> Tokenizer:
        """Raises ModelError where there is no such tokenizer, or its library is missing."""
        opened = _opened(name)
        return cls(name, opened.sha256, opened.vocabulary, opened.special)

    def count(self, texts: Texts, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        chosen = texts.to_arrow() if len(rows) == len(texts) else texts.to_arrow().take(pa.array(rows))
        return np.fromiter((len(tokens) for tokens in self.encode(chosen)), np.int64, len(rows))

    def encode(self, texts: pa.Array) -> Iterator[NDArray[np.uint32]]:
        """The ids of each text, in order. Raises ModelError where the file is no longer the one that was loaded."""
        opened = _opened(self.name)
        if opened.sha256 != self.sha256:
            raise ModelError(
                Problem(
                    self.name, f"sha256 {opened.sha256}", f"{self.sha256}, as at the beginning of the run"
                )
            )
        for group in _groups(texts):
            yield from opened.encode(group)

    def special_token(self, token: str) -> int:
        """Its id. Raises ModelError where the tokenizer has none of that name."""
        if token not in self.special:
            known = ", ".join(sorted(self.special)[:12]) or "none"
            raise ModelError(
                Problem(
                    f"output.end_of_document: {token}", f"no special token of {self.name}", f"one of: {known}"
                )
            )
        return self.special[token]

    def description(self) -> dict[str, Any]:
        return {"method": "tokenizer", "tokenizer": self.name, "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class _Opened:
    """A tokenizer in this process. encode: from texts to the ids of each."""

    sha256: str
    vocabulary: int
    special: Mapping[str, int]
    encode: Callable[[list[str]], list[NDArray[np.uint32]]]


_lock = threading.Lock()
_cache: dict[str, _Opened] = {}


def _opened(name: str) -> _Opened:
    with _lock:
        if name not in _cache:
            is_file = name.endswith(".json") or "/" in name
            _cache[name] = _from_json(name) if is_file else _from_tiktoken(name)
        return _cache[name]


def _groups(texts: pa.Array) -> Iterator[list[str]]:
    group: list[str] = []
    size = 0
    for text in texts:
        group.append(text.as_py())
        size += len(group[-1])
        if size >= _GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _from_json(path: str) -> _Opened:
    try:
        from tokenizers import Tokenizer as JsonTokenizer
    except ImportError as error:
        raise _missing("tokenizers", path) from error
    try:
        content = read_bytes(path)
    except OSError as error:
        found = f"cannot be read: {error.strerror or error}"
        raise ModelError(
            Problem(path, found, "a tokenizer.json, or the name of a tiktoken encoding")
        ) from error
    try:
        made = JsonTokenizer.from_str(content.decode())
    except Exception as error:  # what the library raises has no type of its own
        raise ModelError(Problem(path, f"no tokenizer: {error}", "a tokenizer.json of tokenizers")) from error
    # Files carry what models were called with; a document is counted whole, and alone.
    made.no_truncation()
    made.no_padding()
    made.encode_special_tokens = True
    special = {
        token.content: number for number, token in made.get_added_tokens_decoder().items() if token.special
    }

    def encode(texts: list[str]) -> list[NDArray[np.uint32]]:
        encoded = made.encode_batch_fast(texts, add_special_tokens=False)
        return [np.array(each.ids, np.uint32) for each in encoded]

    vocabulary = max(made.get_vocab(with_added_tokens=True).values()) + 1
    return _Opened(hashlib.sha256(content).hexdigest(), vocabulary, special, encode)


def _from_tiktoken(name: str) -> _Opened:
    try:
        import tiktoken
    except ImportError as error:
        raise _missing("tiktoken", name) from error
    if name not in tiktoken.list_encoding_names():
        known = ", ".join(tiktoken.list_encoding_names())
        expected = f"the path of a tokenizer.json, or a tiktoken encoding: {known}"
        raise ModelError(Problem("output.tokenizer", f"no tokenizer is called {name}", expected))
    try:
        made = tiktoken.get_encoding(name)
    except (OSError, ValueError) as error:
        fix = "tiktoken downloads it once: allow it to, or set TIKTOKEN_CACHE_DIR to a folder that has it"
        raise ModelError(Problem(f"tiktoken {name}", f"cannot be loaded: {error}", fix=fix)) from error

    def encode(texts: list[str]) -> list[NDArray[np.uint32]]:
        return [_tiktokens(made, text) for text in texts]

    return _Opened(_ranks_sha256(made), made.n_vocab, made._special_tokens, encode)


def _tiktokens(encoding: Any, text: str) -> NDArray[np.uint32]:
    """Its tokens; those of its pieces where the pattern cannot match it whole, as with a million blanks."""
    try:
        tokens: NDArray[np.uint32] = encoding.encode_to_numpy(text, disallowed_special=())
    except ValueError:
        if len(text) <= _PIECE:
            raise
        pieces = [text[start : start + _PIECE] for start in range(0, len(text), _PIECE)]
        tokens = np.concatenate([_tiktokens(encoding, piece) for piece in pieces])
    return tokens


def _ranks_sha256(encoding: Any) -> str:
    digest = hashlib.sha256()
    for token, rank in sorted(encoding._mergeable_ranks.items(), key=lambda item: item[1]):
        digest.update(base64.b64encode(token) + b" %d\n" % rank)
    return digest.hexdigest()


def _missing(package: str, name: str) -> ModelError:
    return ModelError(
        Problem(
            f"output.tokenizer: {name}", f"{package} is not installed", fix='pip install "curate[tokenizers]"'
        )
    )
