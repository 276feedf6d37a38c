"""NeMo Curator's English heuristic profile in plain Python, written from the description of its rules.

An independent check that planted junk breaks the rule it is made for, and that clean documents break none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

_ENDS = (".", "?", "!", '"', "'")
_ELLIPSES = ("...", "[...]", "…", "(...)", "[…]", "-»", "read more..", "read more")
_BULLETS = tuple("•‣\u2043⁌⁍∙○●◘◦⦾⦿")
_POLICY = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")
_COMMON = {"the", "be", "to", "of", "and", "that", "have", "with"}
_URL = re.compile(r"https?://[!-~]+")


def _lines(text: str) -> list[str]:
    return [line for line in text.split("\n") if line.strip()]


def _share(text: str, pattern: str) -> float:
    return len(re.findall(pattern, text)) / len(text)


def _unique(parts: list[str], *, characters: bool) -> float:
    weigh = len if characters else (lambda part: 1)
    return sum(map(weigh, set(parts))) / sum(map(weigh, parts))


def _top(text: str, n: int) -> float:
    """The share of the most frequent n-gram, the one that frees the most text among ties."""
    words = text.split()
    grams = Counter(zip(*(words[i:] for i in range(n)), strict=False))
    most = max(grams.values())
    return max(
        len(text) - len(text.replace(" ".join(gram), "")) for gram, count in grams.items() if count == most
    ) / len(text)


def _duplicated(text: str, n: int) -> float:
    words = text.split()
    seen: set[tuple[str, ...]] = set()
    counted, covered = 0, 0
    for gram in zip(*(words[i:] for i in range(n)), strict=False):
        if gram in seen:
            counted += sum(map(len, gram[covered:])) + min(n - covered, n - 1)
            covered = n
        seen.add(gram)
        covered = max(covered - 1, 0)
    return counted / len(text)


def _mean(values: list[int]) -> float:
    return sum(values) / len(values)


# In the profile's order; each says whether the document is to be dropped.
RULES: dict[str, Callable[[str], bool]] = {
    "alpha_numeric": lambda text: _share(text, r"[^a-zA-Z0-9\n?!,.]") > 0.25,
    "symbol_to_word": lambda text: (
        _mean([word in _ELLIPSES or word.strip("#") == "" for word in text.split()]) > 0.1
    ),
    "numbers_ratio": lambda text: _share(text, r"\d") > 0.15,
    "urls_ratio": lambda text: sum(map(len, _URL.findall(text))) / len(text) > 0.2,
    "white_space": lambda text: _share(text, r"[\t\n\r\x08 ]") > 0.25,
    "parentheses_ratio": lambda text: _share(text, r"[{}⟨⟩\[\]()]") > 0.1,
    "boilerplate_string_ratio": lambda text: (
        _mean([any(p in part.lower() for p in _POLICY) for part in text.split("\n\n")]) > 0.4
    ),
    "repeated_lines": lambda text: _unique(_lines(text), characters=False) < 0.7,
    "repeated_paragraphs": lambda text: _unique(text.split("\n\n"), characters=False) < 0.7,
    "repeated_lines_char": lambda text: _unique(_lines(text), characters=True) < 0.8,
    "repeated_paragraphs_char": lambda text: _unique(text.split("\n\n"), characters=True) < 0.8,
    "word_count": lambda text: not 50 <= len(text.split()) <= 100_000,
    "punctuation": lambda text: _mean([not line.strip().endswith(_ENDS) for line in _lines(text)]) > 0.85,
    "words_without_alphabets": lambda text: (
        _mean([any(map(str.isalpha, word)) for word in text.split()]) < 0.8
    ),
    "common_english_words": lambda text: sum(word in _COMMON for word in text.split()) < 2,
    "mean_word_length": lambda text: not 3 <= _mean([len(word) for word in text.split()]) <= 10,
    "max_word_length": lambda text: max(map(len, text.split())) > 1000,
    "ellipsis": lambda text: _mean([line.strip().lower().endswith(_ELLIPSES) for line in _lines(text)]) > 0.3,
    "repeating_top_2grams": lambda text: _top(text, 2) > 0.2,
    "repeating_top_3grams": lambda text: _top(text, 3) > 0.18,
    "repeating_top_4grams": lambda text: _top(text, 4) > 0.16,
    "repeating_dup_5gram": lambda text: _duplicated(text, 5) > 0.15,
    "repeating_dup_6gram": lambda text: _duplicated(text, 6) > 0.14,
    "repeating_dup_7gram": lambda text: _duplicated(text, 7) > 0.13,
    "repeating_dup_8gram": lambda text: _duplicated(text, 8) > 0.12,
    "repeating_dup_9gram": lambda text: _duplicated(text, 9) > 0.11,
    "repeating_dup_10gram": lambda text: _duplicated(text, 10) > 0.10,
    "bullet_ratio": lambda text: _mean([line.strip().startswith(_BULLETS) for line in _lines(text)]) > 0.9,
}


def first_broken(text: str) -> str | None:
    """The first rule that drops the document, None if all keep it."""
    return next((name for name, drops in RULES.items() if drops(text)), None)
