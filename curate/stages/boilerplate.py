"""Removes lines that are no part of a text: cookie notices, share buttons, what the user lists."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pydantic import BeforeValidator, Field, model_validator

from curate.errors import Problem, SourceError
from curate.io.files import open_binary, sha256_of, source_errors
from curate.kernels import Texts
from curate.kernels.choice import kernels_on
from curate.kernels.lines import LineSieve
from curate.stages.base import Batch, DocumentStage, StageConfig, Verdicts

#: Lines, lower-cased and without white space around, that pages carry whatever they are about. All of a line matches.
KNOWN = (
    r"(share|tweet|pin|post|email|e-mail)( (this|it))?( (page|article|post|story))?"
    r"( (on|to|via|with) (facebook|twitter|x|linkedin|pinterest|reddit|whatsapp|telegram|email|e-mail|friends))?",
    r"(follow|like|find) us( on [a-z ,&]+)?",
    r"(this|our|the) (web)?site uses cookies.*",
    r"we use cookies.*",
    r"(by (continuing|using|browsing).* you (agree|consent|accept).*cookies.*)",
    r"(accept|reject|manage|allow)( all)?( of the)? cookies( settings)?|cookie (settings|policy|preferences|notice)",
    r"(privacy|cookie) (policy|notice|statement)( (\||and|&) terms.*)?|terms( (of|and|&) (use|service|conditions))?",
    r"skip to (main |primary )?(content|navigation)|back to top|jump to navigation",
    r"(log|sign) (in|out|up)( (now|to .{0,40}))?|register( now)?|create (an )?account|forgot (your )?password\??",
    r"(click here to |please )?(subscribe|sign up)( (now|today))?( (to|for) (our|the) .{0,40})?",
    r"(read|learn|show|view|load) more|continue reading|see also|related (posts|articles|stories)|advertisement",
    r"(leave|post|add|write) a (comment|reply|review)|(no )?comments?( \(?\d+\)?)?|\d+ comments?",
    r"(all rights reserved|copyright|\(c\)|©)[^a-z]*(all rights reserved)?|©.{0,80}all rights reserved",
    r"(previous|next)( (post|article|page))?|home|menu|search|print( this page)?|share this:?|tags:?|posted in",
)

#: How lines begin that KNOWN may match; `#` is a run of digits, `~` says that no letter or digit follows.
BEGINNINGS = (
    *(f"{verb}~" for verb in ("share", "tweet", "pin", "post", "email", "e-mail")),
    *(f"{verb} us~" for verb in ("follow", "like", "find")),
    *(f"{which} {site} uses cookies" for which in ("this", "our", "the") for site in ("site", "website")),
    *("we use cookies", "by continuing", "by using", "by browsing"),
    *(
        f"{verb}{all_} cookies"
        for verb in ("accept", "reject", "manage", "allow")
        for all_ in ("", " all", " of the", " all of the")
    ),
    *(f"cookie {what}~" for what in ("settings", "policy", "preferences", "notice", "statement")),
    *(f"privacy {what}~" for what in ("policy", "notice", "statement")),
    *("terms~", "skip to ", "back to top~", "jump to navigation~"),
    *(f"{verb} {where}~" for verb in ("log", "sign") for where in ("in", "out", "up")),
    *("register~", "create account~", "create an account~", "forgot password~", "forgot your password~"),
    *(f"{ask}{verb}~" for ask in ("", "click here to ", "please ") for verb in ("subscribe", "sign up")),
    *(f"{verb} more~" for verb in ("read", "learn", "show", "view", "load")),
    *("continue reading~", "see also~", "related posts~", "related articles~", "related stories~"),
    *("advertisement~", "comment~", "comments~", "no comment~", "no comments~", "# comment"),
    *(
        f"{verb} a {what}~"
        for verb in ("leave", "post", "add", "write")
        for what in ("comment", "reply", "review")
    ),
    *("all rights reserved", "copyright", "(c)", "©"),
    *(
        "previous~",
        "next~",
        "home~",
        "menu~",
        "search~",
        "print~",
        "share this",
        "tag~",
        "tags~",
        "posted in~",
    ),
)


def _paths(value: object) -> object:
    return (value,) if isinstance(value, str) else value


class BoilerplateConfig(StageConfig):
    """Keys of `boilerplate`. Lists are UTF-8 text files, an entry a line; case and white space around do not count."""

    known: bool = Field(
        default=True,
        description="Whether lines of navigation, sharing, consent and copyright in English are removed.",
    )
    lines: Annotated[tuple[str, ...], BeforeValidator(_paths)] = Field(
        default=(), description="Lists of lines to remove."
    )
    patterns: Annotated[tuple[str, ...], BeforeValidator(_paths)] = Field(
        default=(),
        description="Lists of regular expressions (RE2); a line that one of them matches anywhere is removed.",
    )
    max_line_chars: int = Field(
        default=200, ge=1, description="Longer lines stay: prose may say that a site uses cookies."
    )
    max_removed: float | None = Field(
        default=None,
        ge=0,
        le=1,
        description="A document is dropped of which a larger share of characters goes. Default: if nothing stays.",
    )

    @model_validator(mode="after")
    def _something_is_removed(self) -> BoilerplateConfig:
        if not (self.known or self.lines or self.patterns):
            raise ValueError("known is off, and there are no lines or patterns: nothing is left to remove")
        return self


class Boilerplate(DocumentStage):
    """The document stage `boilerplate`: it edits texts, and drops those of which too much goes.

    `boilerplate_removed` is the share of a document's characters that go, line feeds included, 0 for an empty text.
    """

    Config = BoilerplateConfig
    rules = ("boilerplate.removed",)
    columns = pa.schema([("boilerplate_removed", pa.float64())])
    edits = True

    def __init__(self, config: BoilerplateConfig) -> None:
        """Raises SourceError where a list cannot be read, or has an entry that is no pattern."""
        self.config = config
        self._checksums = {path: _checksum(path) for path in (*config.lines, *config.patterns)}
        entries = {_plain(entry) for path in config.lines for entry in self._entries(path)}
        self._plain_lines = tuple(sorted(entries))
        self._lines = pa.array(self._plain_lines, pa.string())
        self._beginnings = BEGINNINGS if config.known else ()
        patterns = [rf"^(?:{pattern})[.!:\s]*$" for pattern in KNOWN] if config.known else []
        for path in config.patterns:
            patterns += [_checked(path, entry) for entry in self._entries(path)]
        self._pattern = "|".join(f"(?:{pattern})" for pattern in patterns)

    def definition(self) -> dict[str, object]:
        return {
            "known": hashlib.sha256(repr(KNOWN).encode()).hexdigest() if self.config.known else "",
            "lines": [self._checksums[path] for path in self.config.lines],
            "patterns": [self._checksums[path] for path in self.config.patterns],
            "max_line_chars": self.config.max_line_chars,
            "max_removed": self.config.max_removed,
        }

    def on_gpu(self) -> str | None:
        return None if self._sieve is None else "texts that may have such lines"

    def on_cpu_beside_gpu(self) -> str | None:
        return "those texts"

    @property
    def reads_text_on_gpu(self) -> bool:
        return self._sieve is not None

    @property
    def _sieve(self) -> LineSieve | None:
        """What finds the texts that may have a line to remove; None where any regular expression may match."""
        return (
            None
            if self.config.patterns
            else _sieve(self._beginnings, self._plain_lines, self.config.max_line_chars)
        )

    def _candidates(self, texts: Texts, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of the texts at `rows` may have a line to remove."""
        if self._sieve is None:
            return np.ones(len(rows), np.bool_)
        return kernels_on(self.device).lines_may_match(
            self._sieve, texts, np.ascontiguousarray(rows, np.int64)
        )

    def decide(self, batch: Batch, rows: NDArray[np.int64]) -> Verdicts:
        may = self._candidates(batch.texts, rows)
        texts, places = batch.texts.on_host(rows[may])
        before = texts.to_arrow().take(pa.array(places))
        sizes, left = np.ones(len(rows), np.int64), np.ones(len(rows), np.int64)  # of the others nothing goes
        sizes[may] = pc.utf8_length(before).to_numpy(zero_copy_only=False)
        left[may] = pc.utf8_length(self._left(before)).to_numpy(zero_copy_only=False)
        removed = (sizes - left) / np.maximum(sizes, 1)
        most = self.config.max_removed
        dropped = (left == 0) & (sizes > 0) if most is None else removed > most
        rule = np.where(dropped, 0, -1).astype(np.int16)
        value = np.where(dropped, removed, np.nan)
        return Verdicts(rule, value, {"boilerplate_removed": pa.array(removed)})

    def edit(self, texts: Texts, rows: NDArray[np.int64]) -> Texts:
        rows = rows[self._candidates(texts, rows)]
        if not len(rows):
            return texts
        on_host, places = texts.on_host(rows)
        left = Texts.from_arrow(self._left(on_host.to_arrow().take(pa.array(places))))
        return kernels_on(self.device).replaced(texts, rows, left, np.arange(len(rows)))

    def _left(self, texts: pa.Array) -> pa.Array:
        """The texts without the lines that match; large_string."""
        split = pc.split_pattern(texts, "\n")
        every = split.flatten()
        short = pc.less_equal(pc.utf8_length(every), self.config.max_line_chars).to_numpy(
            zero_copy_only=False
        )
        stays = np.ones(len(every), np.bool_)
        stays[short] = ~self._matches(every.filter(pa.array(short)))
        bounds = np.concatenate([[0], np.cumsum(stays)])[split.offsets.to_numpy()]
        lists = pa.LargeListArray.from_arrays(pa.array(bounds), every.filter(pa.array(stays)))
        return pc.binary_join(lists, pa.scalar("\n", pa.large_string()))

    def _matches(self, lines: pa.Array) -> NDArray[np.bool_]:
        plain = pc.utf8_trim_whitespace(pc.utf8_lower(lines))
        found = pc.is_in(plain, self._lines.cast(plain.type)).to_numpy(zero_copy_only=False)
        if self._pattern:
            found = found | pc.match_substring_regex(plain, self._pattern).to_numpy(zero_copy_only=False)
        matches: NDArray[np.bool_] = found
        return matches

    def _entries(self, path: str) -> list[str]:
        with source_errors(path), open_binary(path) as file:
            content = file.read()
        try:
            found = [line.strip() for line in content.decode("utf-8-sig").split("\n") if line.strip()]
        except UnicodeDecodeError as error:
            raise SourceError(Problem(path, f"byte {error.start} is not UTF-8", "a list in UTF-8")) from error
        if not found:
            raise SourceError(Problem(path, "the list is empty", "an entry a line"))
        return found


@cache
def _sieve(beginnings: tuple[str, ...], lines: tuple[str, ...], max_chars: int) -> LineSieve:
    return LineSieve.of(beginnings, lines, max_chars)


def _plain(line: str) -> str:
    """As Arrow folds lines, so that both sides are folded alike."""
    folded = pc.utf8_trim_whitespace(pc.utf8_lower(pa.scalar(line)))
    return str(folded.as_py())


def _checked(path: str, pattern: str) -> str:
    pattern = f"(?i:{pattern})"
    try:
        pc.match_substring_regex(pa.array([""]), pattern)
    except pa.ArrowInvalid as error:
        found = f"{pattern[4:-1]!r} is not a regular expression"
        raise SourceError(Problem(path, found, "RE2 syntax", re.sub(r"\s+", " ", str(error)))) from error
    return pattern


def _checksum(path: str) -> str:
    with source_errors(path):
        return sha256_of(path)
