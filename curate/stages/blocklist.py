"""Drops documents by lists of the user's: domains and words of the URL, words of the text."""

from __future__ import annotations

import functools
import hashlib
import threading
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, model_validator

from curate.dedup.exact import text_hash
from curate.errors import Problem, SourceError
from curate.io.files import open_binary, sha256_of, source_errors
from curate.kernels import Texts
from curate.kernels.choice import kernels_on
from curate.kernels.interface import CPU, Kernels
from curate.kernels.ngrams import LONGEST, NgramIndex
from curate.stages.base import Batch, DocumentStage, StageConfig, Verdicts

_DOMAIN, _URL_WORD, _BAD_WORD = "blocklist.domain", "blocklist.url_word", "blocklist.bad_word"
_HOST = r"^\s*(?:(?:[a-z][a-z0-9+.\-]*:)?//)?(?:[^/?#@]*@)?(?P<host>\[[^\]]*\]|[^/?#:\s]*)"


def _paths(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _paths_by_language(value: object) -> object:
    return (
        {lang: _paths(paths) for lang, paths in value.items()} if isinstance(value, dict) else _paths(value)
    )


_Files = Annotated[tuple[str, ...], BeforeValidator(_paths)]


class BlocklistConfig(StageConfig):
    """Keys of `blocklist`. Lists are UTF-8 text files, an entry a line."""

    domains: _Files = Field(
        default=(), description="Lists of domains; what is below a listed domain is blocked with it."
    )
    url_words: _Files = Field(default=(), description="Lists of words that a URL must not have.")
    words: Annotated[tuple[str, ...] | dict[str, tuple[str, ...]], BeforeValidator(_paths_by_language)] = (
        Field(
            default=(),
            description="Lists of words that a text must not have: for all documents, or by the language that an "
            "earlier `language` stage found, as {en: en.txt, de: de.txt}.",
        )
    )
    max_words: int = Field(
        default=0,
        ge=0,
        description="How many bad words, repeats counted, a document that stays may have (0: C4).",
    )
    url: str = Field(default="url", description="Column that holds the URL.")

    @model_validator(mode="after")
    def _has_a_list(self) -> BlocklistConfig:
        if not (self.domains or self.url_words or self.words):
            raise ValueError("give domains, url_words or words: without a list nothing is blocked")
        return self


@dataclass(frozen=True, slots=True)
class _List:
    """A list as a file that must not change during the run."""

    path: str
    sha256: str


@dataclass(frozen=True, slots=True)
class _Words:
    entries: pa.Array
    index: NgramIndex


@dataclass(frozen=True, slots=True)
class _Domains:
    """Listed domains, sorted by the first half of a 128-bit hash: 10^7 of them and 10^11 hosts give a false match
    with a chance under 10^-19."""

    entries: pa.Array
    hashes: NDArray[np.uint64]

    def find(self, hosts: pa.Array) -> NDArray[np.int64]:
        """The entry of each host, -1 where it is not listed."""
        wanted = text_hash(Texts.from_arrow(hosts), np.arange(len(hosts)))
        places = np.minimum(np.searchsorted(self.hashes[:, 0], wanted[:, 0]), len(self.hashes) - 1)
        return np.where((self.hashes[places] == wanted).all(axis=1), places, -1)


class Blocklist(DocumentStage):
    """The document stage `blocklist`. Rules apply in the order domain, URL word, bad word.

    `blocked_by` names the entry: of several domains the longest, of several words that which stands first in the
    lists. The value of a drop by words is how many there are, of one by domain NaN. Words are compared whole, lower-
    cased, without punctuation around them; an entry of several words matches them side by side. In scripts that are
    written without spaces an entry matches anywhere.
    """

    Config = BlocklistConfig
    columns = pa.schema([("blocked_by", pa.string())])

    def __init__(self, config: BlocklistConfig) -> None:
        """Raises SourceError where a list cannot be read."""
        self.config = config
        self._domains = _listed(config.domains)
        self._url_words = _listed(config.url_words)
        by_language = config.words if isinstance(config.words, dict) else {"": config.words}
        self._words = {lang: _listed(paths) for lang, paths in sorted(by_language.items()) if paths}
        lists = {_DOMAIN: self._domains, _URL_WORD: self._url_words, _BAD_WORD: self._words}
        self.rules = tuple(rule for rule, given in lists.items() if given)
        self.reads_text = bool(self._words)
        needs_url = [config.url] if self._domains or self._url_words else []
        self.requires = (*needs_url, *(["lang"] if isinstance(config.words, dict) else []))

    def definition(self) -> dict[str, object]:
        """The lists by checksum. Raises SourceError for a list that is empty or has an entry that cannot match."""
        if self._domains:
            _load_domains(self._domains)
        for lists in filter(None, [self._url_words, *self._words.values()]):
            _load_words(lists)
        return {
            "domains": [each.sha256 for each in self._domains],
            "url_words": [each.sha256 for each in self._url_words],
            "words": {lang: [each.sha256 for each in lists] for lang, lists in self._words.items()},
            "max_words": self.config.max_words,
            "url": self.config.url,
        }

    def on_gpu(self) -> str | None:
        return "words of the text" if self._words else None

    def on_cpu_beside_gpu(self) -> str | None:
        of_url = "words and domains of the URL" if self._domains or self._url_words else None
        of_text = "weighing of words" if self._words else None
        return ", ".join(filter(None, (of_text, of_url))) or None

    @property
    def reads_text_on_gpu(self) -> bool:
        return True

    def decide(self, batch: Batch, rows: NDArray[np.int64]) -> Verdicts:
        verdict = _Blocked(len(rows))
        if self._domains or self._url_words:
            urls = batch.columns[self.config.url].take(pa.array(rows)).cast(pa.string()).fill_null("")
            if self._domains:
                domains = _load_domains(self._domains)
                found = _listed_parent(domains, urls)
                verdict.add(self.rules.index(_DOMAIN), found >= 0, np.nan, domains.entries, found)
            if self._url_words:
                every = np.arange(len(rows))
                verdict.add_words(
                    self.rules.index(_URL_WORD),
                    _load_words(self._url_words),
                    Texts.from_arrow(urls),
                    every,
                    every,
                    0,
                )
        for lang, lists in self._words.items():
            mine = np.arange(len(rows))
            if lang:
                spoken = pc.equal(batch.columns["lang"].take(pa.array(rows)), lang).fill_null(False)
                mine = np.flatnonzero(spoken.to_numpy(zero_copy_only=False))
            words = _load_words(lists)
            verdict.add_words(
                self.rules.index(_BAD_WORD),
                words,
                batch.texts,
                rows[mine],
                mine,
                self.config.max_words,
                kernels_on(self.device),
            )
        return Verdicts(verdict.rule, verdict.value, {"blocked_by": verdict.by})


class _Blocked:
    """The first rule that blocks each row."""

    def __init__(self, rows: int) -> None:
        self.rule = np.full(rows, -1, np.int16)
        self.value = np.full(rows, np.nan)
        self.by = pa.nulls(rows, pa.string())

    def add(
        self,
        rule: int,
        blocked: NDArray[np.bool_],
        value: NDArray[np.int64] | float,
        entries: pa.Array,
        entry: NDArray[np.int64],
    ) -> None:
        new = blocked & (self.rule < 0)
        self.rule[new] = rule
        self.value = np.where(new, value, self.value)
        self.by = pc.coalesce(self.by, entries.take(pa.array(entry, mask=~new)))

    def add_words(
        self,
        rule: int,
        words: _Words,
        texts: Texts,
        rows: NDArray[np.int64],
        places: NDArray[np.int64],
        allowed: int,
        kernels: Kernels = CPU,
    ) -> None:
        """rows: of `texts`; places: the same documents among those decided about. kernels: look through `texts`."""
        overlaps = words.index.overlaps(texts, rows, kernels)
        count = np.zeros(len(self.rule), np.int64)
        entry = np.full(len(self.rule), -1)
        count[places], entry[places] = overlaps.matches, overlaps.item
        self.add(rule, count > allowed, count, words.entries, entry)


def _listed_parent(domains: _Domains, urls: pa.Array) -> NDArray[np.int64]:
    """The listed domain that each URL's host is, or lies below; -1 where there is none."""
    hosts = pc.struct_field(pc.extract_regex(pc.utf8_lower(urls), _HOST), "host")
    hosts = pc.utf8_rtrim(hosts.fill_null(""), ".")
    found = np.full(len(urls), -1)
    while pc.any(pc.not_equal(hosts, "")).as_py():
        found = np.where(found < 0, domains.find(hosts), found)
        hosts = pc.replace_substring_regex(hosts, r"^[^.]*\.?", "", max_replacements=1)
    return found


_lock = threading.Lock()


def _load_words(lists: tuple[_List, ...]) -> _Words:
    with _lock:
        return _words(lists)


def _load_domains(lists: tuple[_List, ...]) -> _Domains:
    with _lock:
        return _domains(lists)


@functools.lru_cache(maxsize=16)
def _words(lists: tuple[_List, ...]) -> _Words:
    entries, where = _entries(lists)
    texts = Texts.from_arrow(entries)
    index = NgramIndex(texts, np.arange(len(entries)), LONGEST, 1, split=True)
    sizes = index.overlaps(texts, np.arange(len(entries))).words
    for bad in np.flatnonzero((sizes == 0) | (sizes >= LONGEST)):
        found = f"{entries[bad].as_py()!r} has {sizes[bad]} words"
        raise SourceError(Problem(where[bad], found, f"an entry of 1 to {LONGEST - 1} words"))
    return _Words(entries, index)


@functools.lru_cache(maxsize=4)
def _domains(lists: tuple[_List, ...]) -> _Domains:
    entries, where = _entries(lists)
    names = pc.utf8_lower(pc.replace_substring_regex(pc.utf8_rtrim(entries, "."), r"^(?:\*?\.)+", ""))
    wrong = pc.match_substring_regex(names, r"[/\s:@?#*]|^$|\.\.").to_numpy(zero_copy_only=False)
    for bad in np.flatnonzero(wrong):
        found = f"{entries[bad].as_py()!r} is not a domain"
        raise SourceError(Problem(where[bad], found, "a domain, such as example.org"))
    hashes = text_hash(Texts.from_arrow(names), np.arange(len(names)))
    order = np.lexsort((hashes[:, 1], hashes[:, 0]))
    return _Domains(names.take(pa.array(order)), hashes[order])


def _entries(lists: tuple[_List, ...]) -> tuple[pa.Array, list[str]]:
    """The entries of the lists in order, without blank lines, and the place of each."""
    entries: list[str] = []
    where: list[str] = []
    for each in lists:
        with source_errors(each.path), open_binary(each.path) as file:
            content = file.read()
        if hashlib.sha256(content).hexdigest() != each.sha256:
            raise SourceError(Problem(each.path, "the file changed during the run", fix="run again"))
        try:
            lines = content.decode("utf-8-sig").split("\n")
        except UnicodeDecodeError as error:
            raise SourceError(
                Problem(each.path, f"byte {error.start} is not UTF-8", "a list in UTF-8")
            ) from error
        kept = [(number, line.strip()) for number, line in enumerate(lines, start=1) if line.strip()]
        if not kept:
            raise SourceError(Problem(each.path, "the list is empty", "an entry a line"))
        entries += [entry for _, entry in kept]
        where += [f"{each.path}, line {number}" for number, _ in kept]
    return pa.array(entries, pa.string()), where


def _listed(paths: tuple[str, ...]) -> tuple[_List, ...]:
    found = []
    for path in paths:
        with source_errors(path):
            found.append(_List(path, sha256_of(path)))
    return tuple(found)
