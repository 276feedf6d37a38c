"""The rules of profiles `dolma`, `dclm` and `gopher` in plain Python, one text at a time.

Written from the rules as docs/heuristics.md states them. A score is None where the measure is undefined.
"""

import re
from collections import Counter
from statistics import median

COMMON = ("the", "be", "to", "of", "and", "that", "have", "with")
FASTTEXT_BLANKS = re.compile("[ \n\r\t\v\f\0]+")


def share(count, whole):
    return count / whole if whole else None


def grams(words, n):
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def size(words):
    return sum(map(len, words))


def repeated(parts):
    """How many parts are equal to another one, and their length."""
    copies = [(part, times) for part, times in Counter(parts).items() if times > 1]
    return sum(times for _, times in copies), sum(len(part) * times for part, times in copies)


def covered(words, n):
    """The length of the words that lie in an n-gram which occurs more than once."""
    every = grams(words, n)
    times = Counter(every)
    inside = {i + k for i, gram in enumerate(every) if times[gram] > 1 for k in range(n)}
    return sum(len(words[i]) for i in inside)


def top(words, n):
    """Length and number of occurrences of the most frequent n-grams, in the order in which they first occur."""
    times = Counter(grams(words, n))
    most = max(times.values(), default=0)
    return [(size(gram), most) for gram, count in times.items() if count == most]


def dolma_words(text):
    words = text.split()
    whole = max(len(words), 1)
    return {
        "word_count": len(words),
        "median_word_length": median(map(len, words)) if words else 0.0,
        "symbol_to_word_ratio": sum("#" in word or "\u2026" in word for word in words) / whole,
        "fraction_of_words_with_alpha_character": sum(any(map(str.isalpha, word)) for word in words) / whole,
        "required_word_count": sum(word in COMMON for word in words),
    }


def dolma_lines(text, lines):
    letters = max(size(text.split()), 1)
    copies, chars = repeated(lines)
    return {
        "fraction_of_lines_starting_with_bullet_point": sum(line[:1] in ("*", "-") for line in lines if line)
        / len(lines),
        "fraction_of_lines_ending_with_ellipsis": sum(line.endswith("\u2026") for line in lines) / len(lines),
        "fraction_of_duplicate_lines": copies / len(lines),
        "fraction_of_characters_in_duplicate_lines": chars / letters,
    }


def dolma_grams(text):
    words = text.split()
    scores = {}
    for n in range(2, 11):
        every = grams(words, n)
        if n <= 4:
            chars, times = top(words, n)[0] if every else (0, 0)
            name, score = f"most_common_{n}grams", chars * times / max(size(words), 1)
        else:
            copies = Counter(every)
            chars = sum(size(gram) for gram in every if copies[gram] > 1)
            name, score = f"duplicate_{n}grams", chars / max(sum(map(size, every)), 1)
        scores[f"fraction_of_characters_in_{name}"] = score if every else None
    return scores


def dolma(text, blank_lines=True):
    """The attributes of tagger gopher_v1, or those of gopher_v2 without `blank_lines`."""
    lines = text.split("\n") if blank_lines else re.split("\n+", text)
    return dolma_words(text) | dolma_lines(text, lines) | dolma_grams(text)


def stripped(text, separator):
    return [part.strip() for part in text.split(separator) if part.strip()]


def symbols(text):
    return [text.count(symbol) for symbol in ("#", "...", ". . .", "\u2026")]


def starts_alphanumeric(word):
    return word[:1].isalnum()


def dclm_quality(text):
    words, lines = text.split(), stripped(text, "\n")
    return {
        "page_length": sum(map(starts_alphanumeric, FASTTEXT_BLANKS.split(text))),
        "word_length": share(size(words), len(words)),
        "symbol_ratio": share(sum(symbols(text)), len(words)),
        "bullet_count": sum(line[0] in "\u25cf\u2022*-" for line in lines) / max(len(lines), 1),
        "ellipsis_count": sum(line.endswith(("...", ". . .", "\u2026")) for line in lines)
        / max(len(lines), 1),
        "alphabetic_word_ratio": share(sum(not any(map(str.isalpha, word)) for word in words), len(words)),
        "stop_word": sum(word.lower() in COMMON for word in words),
    }


def dclm_repetition(text, split):
    """split: gives the words between Unicode word boundaries."""
    words = list(filter(starts_alphanumeric, split(text)))
    lines, paragraphs = stripped(text, "\n"), stripped(text, "\n\n")
    chars = max(size(words), 1)
    scores = {
        "repeated_lines": share(repeated(lines)[0], len(lines)),
        "repeated_paragraphs": share(repeated(paragraphs)[0], len(paragraphs)),
        "repeated_line_chars": share(repeated(lines)[1], size(lines)),
        "repeated_paragraph_chars": share(repeated(paragraphs)[1], size(paragraphs)),
    }
    for n in (2, 3, 4):
        length, times = max(top(words, n), default=(0, 0))
        scores[f"top_{n}gram"] = length * times / chars if times > 1 else 0.0
    scores |= {f"repeated_{n}gram": covered(words, n) / chars for n in range(5, 11)}
    if not text:
        scores |= dict.fromkeys(name for name in scores if name.endswith("gram"))
    return scores


def gopher(text):
    words, lines, paragraphs = text.split(), stripped(text, "\n"), stripped(text, "\n\n")
    hashes, *ellipses = symbols(text)
    tops = {n: top(words, n)[0] if len(words) >= n else (0, 0) for n in (2, 3, 4)}
    listed = sum(line[0] in "\u25cf\u2022*-" for line in lines)
    dotted = sum(line.endswith(("...", ". . .", "\u2026")) for line in lines)
    return {
        "word_count": len(words),
        "mean_word_length": share(size(words), len(words)),
        "hash_ratio": share(hashes, len(words)),
        "ellipsis_ratio": share(sum(ellipses), len(words)),
        "bullet_lines": share(listed, len(lines)),
        "ellipsis_lines": share(dotted, len(lines)),
        "alphabetic_words": share(sum(any(map(str.isalpha, word)) for word in words), len(words)),
        "stop_words": len({word.lower() for word in words}.intersection(COMMON)),
        "line_fraction": share(repeated(lines)[0], len(lines)),
        "paragraph_fraction": share(repeated(paragraphs)[0], len(paragraphs)),
        "line_chars": share(repeated(lines)[1], size(lines)),
        "paragraph_chars": share(repeated(paragraphs)[1], size(paragraphs)),
        **{f"top_{n}gram": share(length * times, size(words)) for n, (length, times) in tops.items()},
        **{f"duplicate_{n}gram": share(covered(words, n), size(words)) for n in range(5, 11)},
    }
