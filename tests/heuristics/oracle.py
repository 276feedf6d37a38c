"""The rules of profile `nemo` in plain Python, one text at a time: slow, short, independent of the kernel.

Written from the rules as docs/heuristics.md states them. A score is None where the rule's ratio is undefined.
"""

from collections import Counter

import regex

PROSE = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789\n?!,.")
BLANKS = set("\t\n\r\b ")
BRACKETS = set("{}()[]\u27e8\u27e9")
BULLETS = tuple("\u2022\u2023\u2043\u204c\u204d\u2219\u25cb\u25cf\u25d8\u25e6\u29be\u29bf")
ELLIPSES = ("...", "\u2026", "[...]", "(...)", "[\u2026]", "-\u00bb", "read more..", "read more")
COMMON = {"the", "be", "to", "of", "and", "that", "have", "with"}
URL = regex.compile(r"https?://([A-Za-z0-9$_@.&+/:=?#~!*(),-]|%[0-9A-Fa-f]{2})+")
ALPHABETIC = regex.compile(r"\p{Alphabetic}")
POLICY = regex.compile(
    r"terms of use|privacy policy|privacy overview|cookie policy|uses? cookies|use of cookies"
    r"|privacy (&|and) cookies policy"
    r"|necessary cookies are absolutely essential for the website to function properly\. this category "
    r"only includes cookies that ensures basic functionalities and security features of the website\. "
    r"these cookies do not store any personal information\."
    r"|any cookies that may not be particularly necessary for the website to function and is used "
    r"specifically to collect user personal data via analytics, ads, other embedded contents are termed as "
    r"non-necessary cookies\. it is mandatory to procure user consent prior to running these cookies on your "
    r"website\."
    r"|if you continue to browse this site without changing your cookie settings, you agree to this use\. "
    r"acceptread more"
)


def ratio(count, whole, undefined=None):
    return count / whole if whole else undefined


def top_gram(text, words, n):
    grams = Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1))
    if not grams:
        return 1.0
    most = " ".join(max(grams, key=grams.get))  # of equals the first, since a Counter keeps insertion order
    return text.count(most) * len(most) / len(text)


def copied_grams(text, words, n):
    if len(words) < n:
        return 1.0
    seen, covered, chars = set(), set(), 0
    for i in range(len(words) - n + 1):
        gram = tuple(words[i : i + n])
        if gram in seen:
            fresh = [w for w in range(i, i + n) if w not in covered]
            chars += sum(len(words[w]) for w in fresh) + min(len(fresh), n - 1)
            covered.update(fresh)
        seen.add(gram)
    return chars / len(text)


def is_symbol(word):
    return word in ELLIPSES or len(regex.findall("#+", word)) / len(word) > 0.5


def character_scores(text):
    chars = len(text)
    return {
        "alpha_numeric": ratio(sum(c not in PROSE for c in text), chars, 1.0),
        "numbers_ratio": ratio(sum(c in "0123456789" for c in text), chars, 1.0),
        "urls_ratio": ratio(sum(len(found.group()) for found in URL.finditer(text)), chars, 1.0),
        "white_space": ratio(sum(c in BLANKS for c in text), chars, 1.0),
        "parentheses_ratio": ratio(sum(c in BRACKETS for c in text), chars, 1.0),
    }


def line_scores(text):
    lines = [line for line in text.split("\n") if line.strip()]
    paragraphs = text.split("\n\n")
    notices = [bool(POLICY.search(paragraph.lower())) for paragraph in paragraphs]
    filler = "lorem ipsum" in text.lower()
    stripped = [line.strip() for line in lines]
    return {
        "boilerplate_string_ratio": 1.0 if filler else ratio(sum(notices), len(paragraphs)),
        "repeated_lines": ratio(len(set(lines)), len(lines)),
        "repeated_lines_char": ratio(sum(map(len, set(lines))), sum(map(len, lines))),
        "repeated_paragraphs": ratio(len(set(paragraphs)), len(paragraphs)),
        "repeated_paragraphs_char": ratio(sum(map(len, set(paragraphs))), sum(map(len, paragraphs))),
        "punctuation": ratio(sum(line[-1] not in ".?!\"'" for line in stripped), len(lines)),
        "ellipsis": ratio(sum(line.lower().endswith(ELLIPSES) for line in stripped), len(lines)),
        "bullet_ratio": ratio(sum(line.startswith(BULLETS) for line in stripped), len(lines)),
    }


def word_scores(text):
    words = text.split()
    lengths = [len(word) for word in words]
    return {
        "symbol_to_word": ratio(sum(map(is_symbol, words)), len(words)),
        "word_count": len(words),
        "words_without_alphabets": ratio(sum(bool(ALPHABETIC.search(word)) for word in words), len(words)),
        "common_english_words": min(2, sum(word in COMMON for word in words)),
        "mean_word_length": ratio(sum(lengths), len(words)),
        "max_word_length": max(lengths, default=None),
        **{f"repeating_top_{n}grams": top_gram(text, words, n) for n in (2, 3, 4)},
        **{f"repeating_dup_{n}gram": copied_grams(text, words, n) for n in range(5, 11)},
    }


def scores(text):
    """The score of each rule by name."""
    return character_scores(text) | line_scores(text) | word_scores(text)
