"""Writes `spacy_tables.h`: what spaCy's English tokeniser and datatrove's filters know about characters and strings.

Run `python -m curate.kernels.generate_spacy_tables` with the packages below installed, and commit the result. It
asks them which characters their patterns take and which strings they treat apart; the program needs neither.

Every code point has a class, the set of the properties that it has. Code points go to blocks of 256, equal blocks
are stored once.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import regex

from curate.kernels.generate_unicode_tables import BLOCK, REGEX_VERSION, wrapped

SPACY_VERSION = "3.8.18"
DATATROVE_VERSION = "0.10.1"
GOLDEN = 0x9E3779B97F4A7C15
SLOTS_LOG2 = 12
FREE = 0xFFFF


def one_of(pattern: str) -> Callable[[str], bool]:
    """Whether a character is in a class of Python's `re`."""
    found = re.compile(f"[{pattern}]")
    return lambda char: found.fullmatch(char) is not None


def singles(pieces: Iterable[str]) -> Callable[[str], bool]:
    """Whether a character is one of the pieces on its own; none of them looks around."""
    found = re.compile("|".join(piece for piece in pieces if piece.strip()))
    return lambda char: found.fullmatch(char) is not None


def unicode_is(pattern: str) -> Callable[[str], bool]:
    found = regex.compile(pattern)
    return lambda char: found.fullmatch(char) is not None


def properties() -> dict[str, Callable[[str], bool]]:
    """The properties by name, in the order of their bits."""
    chars: Any = importlib.import_module("spacy.lang.char_classes")
    text: Any = importlib.import_module("datatrove.utils.text")
    sentences: Any = importlib.import_module("spacy.pipeline.sentencizer").Sentencizer
    ends = set(sentences.default_punct_chars)
    before_stop = rf"0-9{chars.ALPHA_LOWER}%²\-\+{chars.PUNCT}(?:{chars.CONCAT_QUOTES})"
    prefixes = ["§", "%", "=", "\u2014", "\u2013", *chars.LIST_PUNCT, *chars.LIST_QUOTES]
    return {
        "alpha": one_of(chars.ALPHA),
        "lower": one_of(chars.ALPHA_LOWER),
        "upper": one_of(chars.ALPHA_UPPER),
        "quote": one_of(chars.CONCAT_QUOTES),
        "prefix": singles([*prefixes, *chars.LIST_CURRENCY, *chars.LIST_ICONS]),
        "suffix": singles([*chars.LIST_PUNCT, *chars.LIST_QUOTES, *chars.LIST_ICONS, "\u2014", "\u2013"]),
        "icon": singles(["…", *chars.LIST_ICONS]),
        "before_stop": one_of(before_stop),
        "word": unicode_is(r"[\p{L}\p{Nd}\p{Numeric_Type=Digit}\p{Numeric_Type=Numeric}_]"),
        "digit": unicode_is(r"\p{Nd}"),
        "letter": unicode_is(r"\p{L}"),
        "punctuation": unicode_is(r"\p{P}"),
        "sentence_end": ends.__contains__,
        "symbol": set(text.PUNCTUATION_SET).__contains__,
        "terminal": set(text.TERMINAL_PUNCTUATION).__contains__,
    }


def classes() -> tuple[list[int], list[int]]:
    """The distinct sets of properties as bits, and the class of every code point."""
    holds = properties().values()
    sets: dict[int, int] = {0: 0}
    of = []
    for code in range(0x110000):
        bits = 0
        if not 0xD800 <= code < 0xE000:
            char = chr(code)
            bits = sum(1 << place for place, has in enumerate(holds) if has(char))
        of.append(sets.setdefault(bits, len(sets)))
    return list(sets), of


def slot_of(first: bytes, second: bytes, sizes: int) -> int:
    """The slot that two pieces of at most 8 bytes are looked up at first."""
    low, high = int.from_bytes(first, "little"), int.from_bytes(second, "little")
    mixed = (low ^ high * 0xD1342543DE82EF95 ^ sizes << 56) * GOLDEN % 2**64
    return (mixed ^ mixed >> 29) * 0xBF58476D1CE4E5B9 % 2**64 >> (64 - SLOTS_LOG2)


def slot_of_text(text: bytes) -> int:
    return slot_of(text[:8], text[8:16], len(text))


def slot_of_pair(first: bytes, second: bytes) -> int:
    return slot_of(first, second, len(first) << 4 | len(second))


def slots_of(keys: Iterable[tuple[int, int]]) -> list[str]:
    """Open addressing: values at their slots or after them."""
    slots = [FREE] * (1 << SLOTS_LOG2)
    for slot, value in keys:
        while slots[slot] != FREE:
            slot = (slot + 1) % len(slots)
        slots[slot] = value
    return [str(value) for value in slots]


def special_cases() -> dict[str, tuple[str, ...]]:
    """The strings that spaCy splits as a table says, with their tokens."""
    spacy: Any = importlib.import_module("spacy")
    orth = importlib.import_module("spacy.symbols").ORTH
    rules = spacy.blank("en").tokenizer.rules
    return {text: tuple(token[orth] for token in rules[text]) for text in sorted(rules)}


def sequences() -> dict[str, tuple[str, ...]]:
    """The special cases that are looked for among tokens, with the tokens they are found as; two at least."""
    spacy: Any = importlib.import_module("spacy")
    tokenizer = spacy.blank("en").tokenizer
    plain = importlib.import_module("spacy.tokenizer").Tokenizer(
        tokenizer.vocab,
        rules={},
        prefix_search=tokenizer.prefix_search,
        suffix_search=tokenizer.suffix_search,
        infix_finditer=tokenizer.infix_finditer,
        url_match=tokenizer.url_match,
    )
    found = {}
    for text in special_cases():
        if tokenizer.find_prefix(text) or tokenizer.find_infix(text) or tokenizer.find_suffix(text):
            tokens = tuple(token.text for token in plain(text))
            if len(tokens) > 1:
                found[text] = tokens
    return found


def units() -> list[str]:
    """What is split off after a digit: units and currencies, unescaped."""
    chars: Any = importlib.import_module("spacy.lang.char_classes")
    return sorted({*chars.LIST_UNITS, *(piece.replace("\\", "") for piece in chars.LIST_CURRENCY)})


def literal(text: bytes) -> str:
    """A C string literal; every byte but plain ASCII is octal."""
    plain = b'"\\?'
    parts = (chr(b) if 32 <= b < 127 and b not in plain else f"\\{b:03o}" for b in text)
    return '"' + "".join(parts) + '"'


def cuts(tokens: tuple[str, ...]) -> int:
    """Where tokens start, as bits of bytes from the start of the string; the first is left out."""
    bits = at = 0
    for token in tokens[:-1]:
        at += len(token.encode())
        bits |= 1 << at
    return bits


def array(kind: str, name: str, values: list[str]) -> list[str]:
    return [f"CURATE_TABLE {kind} {name}[{len(values)}] = {{", *wrapped(values), "};", ""]


def render_classes() -> list[str]:
    sets, of = classes()
    blocks = [tuple(of[start : start + BLOCK]) for start in range(0, len(of), BLOCK)]
    distinct = {block: place for place, block in enumerate(dict.fromkeys(blocks))}
    names = [f"  {name.upper()} = 1u << {place}," for place, name in enumerate(properties())]
    return [
        "enum Property : u32 {",
        *names,
        "};",
        "",
        *array("u8", "CLASS_BLOCK", [str(distinct[block]) for block in blocks]),
        f"CURATE_TABLE u8 CLASSES[{len(distinct)}][{BLOCK}] = {{",
        *(line for block in distinct for line in ["    {", *wrapped([str(c) for c in block]), "    },"]),
        "};",
        "",
        *array("u32", "CLASS_PROPERTIES", [f"0x{bits:X}" for bits in sets]),
    ]


def lengths_by_first_byte(strings: Iterable[bytes]) -> list[str]:
    masks = [0] * 256
    for text in strings:
        masks[text[0]] |= 1 << len(text)
    return [f"0x{mask:X}" for mask in masks]


def render_strings() -> list[str]:
    cases = {text.encode(): cuts(tokens) for text, tokens in special_cases().items()}
    found = sorted((tuple(token.encode() for token in tokens), text) for text, tokens in sequences().items())
    pairs = {tokens[:2]: place for place, (tokens, _) in reversed(list(enumerate(found)))}
    rows = [
        f"    {{{literal(b''.join(tokens))}, {len(b''.join(tokens))}, {len(tokens)}, {len(tokens[0])},"
        f" {len(tokens[1])}, 0x{cuts(tuple(map(bytes.decode, tokens))):X}, 0x{cases[text.encode()]:X}}},"
        for tokens, text in found
    ]
    return [
        "struct SpecialCase {",
        "  const char* text;",
        "  u32 size, cuts;  // bit i: a token starts at byte i",
        "};",
        "",
        f"CURATE_TABLE SpecialCase SPECIAL_CASES[{len(cases)}] = {{",
        *(f"    {{{literal(text)}, {len(text)}, 0x{bits:X}}}," for text, bits in cases.items()),
        "};",
        "",
        *array(
            "u16", "SPECIAL_SLOTS", slots_of((slot_of_text(text), place) for place, text in enumerate(cases))
        ),
        "struct Sequence {",
        "  const char* text;",
        "  u32 size, tokens, first, second;  // bytes, tokens, bytes of the first two tokens",
        "  u32 cuts, becomes;                // where tokens start, as found and as they become",
        "};",
        "",
        f"CURATE_TABLE Sequence SEQUENCES[{len(rows)}] = {{",
        *rows,
        "};",
        "",
        *array("u32", "FIRST_LENGTHS", lengths_by_first_byte(tokens[0] for tokens, _ in found)),
        *array("u32", "SECOND_LENGTHS", lengths_by_first_byte(tokens[1] for tokens, _ in found)),
        *array(
            "u16", "SEQUENCE_SLOTS", slots_of((slot_of_pair(*pair), place) for pair, place in pairs.items())
        ),
        f"CURATE_TABLE const char* const UNITS[{len(units())}] = {{",
        *(f"    {literal(unit.encode())}," for unit in units()),
        "};",
        "",
    ]


def render() -> str:
    """The text of the header."""
    lines = [
        "// Generated by generate_spacy_tables.py: do not edit.",
        f"// Character classes and special cases of spaCy {SPACY_VERSION} (MIT licence, ExplosionAI), character sets",
        f"// of datatrove {DATATROVE_VERSION} (Apache licence 2.0, Hugging Face), categories of regex {REGEX_VERSION}.",
        "#pragma once",
        '#include "portable.h"',
        "",
        "namespace curate::spacy {",
        "",
        "using u16 = std::uint16_t;",
        "",
        *render_classes(),
        f"constexpr int SLOTS_LOG2 = {SLOTS_LOG2};",
        f"constexpr u16 FREE_SLOT = {FREE};",
        "",
        *render_strings(),
        "}  // namespace curate::spacy",
        "",
    ]
    return "\n".join(lines)


def main() -> None:
    for name, version in (
        ("spacy", SPACY_VERSION),
        ("datatrove", DATATROVE_VERSION),
        ("regex", REGEX_VERSION),
    ):
        found = importlib.import_module("importlib.metadata").version(name)
        if found != version:
            raise SystemExit(f"needs {name} {version}, found {found}")
    Path(__file__).with_name("spacy_tables.h").write_text(render())


if __name__ == "__main__":
    main()
