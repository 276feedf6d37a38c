"""The rules of datatrove's filters in plain Python, from docs/heuristics.md; the words of a text are given.

A score is None where the rule's ratio is undefined.
"""

import re
import string
import unicodedata
from collections import Counter

STOP_WORDS = {"the", "be", "to", "of", "and", "that", "have", "with"}
ENDS = ".?!\u203d\u3002\uff01\uff0e\uff1f\u0964\u061f"  # some of those that end a sentence
POLICIES = re.compile("terms of use|privacy policy|cookie policy|uses? cookies|use of cookies")
CITATION = re.compile(r"\[\d*\]|\[edit\]|\[citation needed\]")


def ratio(count, whole, undefined=None):
    return count / whole if whole else undefined


def copies(pieces):
    """How many pieces occurred before, and their code points."""
    seen, found = set(), []
    for piece in pieces:
        if piece in seen:
            found.append(piece)
        seen.add(piece)
    return len(found), sum(map(len, found))


def top_gram(words, n):
    grams = [" ".join(words[i : i + n]) for i in range(len(words) - n + 1)]
    if not grams:
        return 0
    counts = Counter(grams)
    best = max(counts.values())
    return next(len(gram) * best for gram in grams if counts[gram] == best)


def copied_grams(words, n):
    seen, chars, at = set(), 0, 0
    while at + n <= len(words):
        gram = "".join(words[at : at + n])
        hit = gram in seen
        seen.add(gram)
        chars += len(gram) * hit
        at += n if hit else 1
    return chars


def repetition(text, words):
    paragraphs, lines = re.split("\n\n+", text.strip()), re.split("\n+", text)
    chars = len(text)
    paragraph_copies, line_copies = copies(paragraphs), copies(lines)
    return {
        "empty": chars,
        "dup_para_frac": ratio(paragraph_copies[0], len(paragraphs)),
        "dup_para_char_frac": ratio(paragraph_copies[1], chars, 0),
        "dup_line_frac": ratio(line_copies[0], len(lines)),
        "dup_line_char_frac": ratio(line_copies[1], chars, 0),
        **{f"top_{n}_gram": ratio(top_gram(words, n), chars, 0) for n in (2, 3, 4)},
        **{f"duplicated_{n}_n_grams": ratio(copied_grams(words, n), chars, 0) for n in range(5, 11)},
    }


def is_symbol(char):
    """ASCII punctuation, control characters but tab and line feed, and those beyond that tests use."""
    return char in string.punctuation + "\u2014\u2026\u2019" or (
        unicodedata.category(char) == "Cc" and char not in "\t\n"
    )


def quality(text, words):
    worded = [word for word in words if not all(map(is_symbol, word))]
    lines = text.splitlines()
    length = ratio(sum(map(len, worded)), len(worded))
    ellipses = text.count("...") + text.count("\u2026")
    return {
        "gopher_short_doc": len(worded),
        "gopher_long_doc": len(worded),
        "gopher_below_avg_threshold": length,
        "gopher_above_avg_threshold": length,
        "gopher_too_many_hashes": ratio(text.count("#"), len(words)),
        "gopher_too_many_ellipsis": ratio(ellipses, len(words)),
        "gopher_too_many_bullets": ratio(
            sum(s.strip().startswith(("-", "\u2022")) for s in lines), len(lines)
        ),
        "gopher_too_many_end_ellipsis": ratio(
            sum(line.strip().endswith(("...", "\u2026")) for line in lines), len(lines)
        ),
        "gopher_below_alpha_threshold": ratio(sum(any(map(str.isalpha, word)) for word in words), len(words)),
        "gopher_enough_stop_words": len(STOP_WORDS & set(words)),
    }


def fineweb(text, words):
    lines = [line for line in text.split("\n") if line.strip()]
    return {
        "empty": len(lines),
        "line_punct_ratio": ratio(sum(line[-1] in ENDS for line in lines), len(lines)),
        "short_line_ratio": ratio(sum(len(line) <= 30 for line in lines), len(lines)),
        "char_dup_ratio": ratio(copies(lines)[1], len(text.replace("\n", ""))),
        "list_ratio": ratio(text.count("\n"), len(words)),
    }


def sentences(text, split):
    """split: words with the white space that is a word, as spaCy has them."""
    count, ended = 1, False
    for word in split(text):
        ends = word in ENDS
        if ended and not ends and not all(unicodedata.category(char)[0] == "P" for char in word):
            count, ended = count + 1, False
        ended |= ends
    return count


def c4(text, split, unpunctuated):
    """What the filter counts, and the text that it leaves behind."""
    kept, found, filler, brackets = [], 0, 0, 0
    for line in map(str.strip, text.splitlines()):
        words = line.split()
        line = CITATION.sub("", line)
        ended = line.endswith((".", "?", "!", '"', "'")) and not line.endswith("...")
        low = line.lower()
        if max(map(len, words), default=0) > 1000 or len(words) < 3 or not (ended or unpunctuated):
            continue
        filler += "lorem ipsum" in low and not brackets
        if "lorem ipsum" in low or "javascript" in low:
            continue
        brackets += "{" in line
        if "{" in line or POLICIES.search(low):
            continue
        found += sentences(line, split)
        kept.append(line)
    left = "\n".join(kept).strip()
    counts = {"lorem_ipsum": filler, "curly_bracket": brackets, "too_few_sentences": found}
    return {**counts, "removed": ratio(len(text) - len(left), len(text), 0)}, left
