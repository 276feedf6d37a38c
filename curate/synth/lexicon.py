"""Compiles the word lists and grammars of `words/` into the arrays that the generator expands.

A grammar file has rules: a line that starts a rule holds its name, indented lines are its alternatives.
`name: words` makes a word list, of which some words are used more than others. In an alternative, `{x}`
stands for a rule or list and `[a|b|]` for one of the pieces. English words are inflected here; words of
other languages stand as they are used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

# Tokens below these name the rule of the document's topic and the specials (grammar.h).
_TOPICAL = -1_000_000
_SPECIAL = -2_000_000
_SPECIALS = ("a", "year", "num", "small", "pct", "day", "key", "keys", "who", "where")
_TOPIC_LISTS = ("n", "ns", "tadj", "tv", "tvs", "tvd", "tvp", "tvg")
_PIECE = re.compile(r"\{(\w+)\}( ?)|\[([^\]]*)\]")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """A compiled grammar: rule r has the alternatives rules[r] to rules[r + 1], and so on down to literals.

    pool: UTF-8 bytes of all literals; literals: int64 bounds in pool; tokens: int32, see grammar.h;
    alternatives: int64 bounds in tokens; rules: int64 bounds in alternatives; skewed: uint8, 1 for word lists
    whose first words are likelier, 2 where the likelier words differ between documents, 0 for other rules;
    names: of the rules, `<language>.<rule>`, topics as `<rule>@<number>`.
    """

    pool: bytes
    literals: NDArray[np.int64]
    tokens: NDArray[np.int32]
    alternatives: NDArray[np.int64]
    rules: NDArray[np.int64]
    skewed: NDArray[np.uint8]
    names: list[str]


def plural(noun: str) -> str:
    """The regular English plural."""
    if re.search(r"[^aeiou]y$", noun):
        return noun[:-1] + "ies"
    return noun + ("es" if re.search(r"(s|x|z|ch|sh)$", noun) else "s")


def inflect(verb: str) -> tuple[str, str, str, str]:
    """Third person, past, participle and -ing form of an English verb: `base` or `base/past/participle`."""
    base, *irregular = verb.split("/")
    head, _, tail = base.partition(" ")
    tail = f" {tail}" if tail else ""
    doubled = head + head[-1] if _doubles(head) else head
    if head.endswith("e"):
        regular, ing = head + "d", re.sub(r"(?<![eo])e$", "", head) + "ing"
    else:
        stem = head[:-1] + "i" if re.search(r"[^aeiou]y$", head) else doubled
        regular, ing = stem + "ed", doubled + "ing"
    past, participle = irregular if irregular else (regular, regular)
    return plural(head) + tail, past + tail, participle + tail, ing + tail


def _doubles(verb: str) -> bool:
    """Whether the last consonant doubles before -ed: one short vowel in a stressed last syllable."""
    if verb in {
        "overcome",
        "begin",
        "forget",
        "admit",
        "permit",
        "emit",
        "submit",
        "enrol",
        "distil",
        "refer",
        "control",
    }:
        return verb[-1] != "e"
    return re.fullmatch(r"[^aeiou]*[aeiou][bdgklmnprt]", verb) is not None


@cache
def lexicon() -> Lexicon:
    """The compiled grammar of all languages; made once."""
    compiler = _Compiler()
    folder = files("curate.synth") / "words"
    compiler.add_english(
        *((folder / f"{name}.txt").read_text("utf-8") for name in ("topics", "general", "names"))
    )
    compiler.add_rules("en", (folder / "grammar_en.txt").read_text("utf-8"))
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.name.startswith("lang_"):
            compiler.add_rules(path.name[5:7], path.read_text("utf-8"))
    return compiler.compiled()


def _lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip() and not line.startswith("#")]


def _words(line: str) -> tuple[str, list[str]]:
    name, _, words = line.partition(":")
    # The lists are kept in alphabetical or no order; the words to be likelier are drawn by lot.
    lot = sorted(words.split(), key=lambda word: sha256(word.encode()).digest())
    return name, [word.replace("_", " ") for word in lot]


class _Compiler:
    """Collects rules as lists of alternatives in the grammar's notation, then numbers everything."""

    def __init__(self) -> None:
        self._rules: dict[str, list[str]] = {}
        self._skewed: dict[str, int] = {}
        self._literals: dict[str, int] = {}

    def add_english(self, topics: str, general: str, names: str) -> None:
        lists: list[tuple[str, list[str]]] = []
        topic = -1
        for line in _lines(topics):
            if line.startswith("["):
                topic += 1
                continue
            kind, words = _words(line)
            lists += [(f"{name}@{topic}", forms) for name, forms in _english(kind, words, topical=True)]
        for line in _lines(general):
            lists += _english(*_words(line), topical=False)
        for line in _lines(names):
            lists.append(_words(line))
        renamed = {"places": "place", "months": "month", "weekdays": "weekday", "domains": "domain"}
        renamed |= {"company_heads": "company_head", "company_tails": "company_tail"}
        # Topics of one list stand side by side: the generator adds the topic to the number of the first.
        for name, words in sorted(
            lists, key=lambda pair: (pair[0].split("@")[0], int(pair[0].partition("@")[2] or 0))
        ):
            self._add_list(f"en.{renamed.get(name, name)}", words)
        self._rules["en.org"] = ["{company_head} {company_tail}"]

    def add_rules(self, language: str, text: str) -> None:
        rule = ""
        for line in _lines(text):
            if line.startswith(" "):
                self._rules[rule].append(line.strip())
            elif ":" in line:
                name, words = _words(line)
                self._add_list(f"{language}.{name}", words)
            else:
                rule = f"{language}.{line.strip()}"
                self._rules[rule] = []

    def _add_list(self, name: str, words: list[str]) -> None:
        self._rules[name] = words
        self._skewed[name] = 1 if name.startswith("en.") and "@" not in name else 2

    def compiled(self) -> Lexicon:
        tokens: list[int] = []
        alternatives, rules = [0], [0]
        numbers = {name: index for index, name in enumerate(self._rules)}
        names = list(self._rules)
        for name in names:  # grows: inline choices become rules of their own
            language = name.partition(".")[0]
            for alternative in self._rules[name]:
                tokens += self._tokens(language, alternative, numbers, names)
                alternatives.append(len(tokens))
            rules.append(len(alternatives) - 1)
        encoded = [literal.encode() for literal in self._literals]
        return Lexicon(
            pool=b"".join(encoded),
            literals=np.cumsum([0, *map(len, encoded)], dtype=np.int64),
            tokens=np.array(tokens, np.int32),
            alternatives=np.array(alternatives, np.int64),
            rules=np.array(rules, np.int64),
            skewed=np.array([self._skewed.get(name, 0) for name in names], np.uint8),
            names=names,
        )

    def _tokens(self, language: str, text: str, numbers: dict[str, int], names: list[str]) -> list[int]:
        tokens: list[int] = []
        end = 0
        for piece in _PIECE.finditer(text):
            tokens += self._literal(text[end : piece.start()])
            end = piece.end()
            slot, space, choice = piece.groups()
            if choice is not None:
                name = f"{language}.[{choice}]"
                if name not in numbers:
                    numbers[name] = len(names)
                    names.append(name)
                    self._rules[name] = choice.split("|")
                tokens.append(-1 - numbers[name])
            elif slot in _SPECIALS:
                tokens.append(_SPECIAL - _SPECIALS.index(slot))
                if slot != "a":
                    tokens += self._literal(space)
            else:
                topical = language == "en" and slot in _TOPIC_LISTS
                rule = numbers[f"{language}.{slot}@0" if topical else f"{language}.{slot}"]
                tokens += [_TOPICAL - rule if topical else -1 - rule, *self._literal(space)]
        return tokens + self._literal(text[end:])

    def _literal(self, text: str) -> list[int]:
        return [self._literals.setdefault(text, len(self._literals))] if text else []


def _english(kind: str, words: list[str], *, topical: bool) -> list[tuple[str, list[str]]]:
    """The lists of inflected forms that one list of base forms makes."""
    if kind == "nouns":
        pairs = [(word.split("/") if "/" in word else [word, plural(word)]) for word in words]
        prefix = "" if topical else "g"
        return [(f"{prefix}n", [pair[0] for pair in pairs]), (f"{prefix}ns", [pair[1] for pair in pairs])]
    if kind == "verbs":
        forms = [inflect(word) for word in words]
        prefix = "tv" if topical else "v"
        bases = [(prefix, [word.split("/")[0] for word in words])]
        return bases + [(prefix + suffix, [form[i] for form in forms]) for i, suffix in enumerate("sdpg")]
    return [({"adjectives": "adj", "adverbs": "adv"}[kind] if not topical else "tadj", words)]
