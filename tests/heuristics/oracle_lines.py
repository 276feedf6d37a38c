"""The profiles that remove lines in plain Python, from docs/heuristics.md and the rules that they follow.

Each gives the scores of its rules, None where one is undefined, and the text that it leaves.
"""

import re

CITATION = re.compile(r"\[\d*\]|\[edit\]|\[citation needed\]")
POLICIES = (
    "terms of use",
    "privacy policy",
    "cookie policy",
    "uses cookies",
    "use of cookies",
    "use cookies",
)
COUNTED = (
    "likes|shares|comments|retweets|reposts|quotes|bookmarks|upvotes|downvotes|downloads|views|followers"
)
COUNTER = re.compile(rf"^\W*\d[,.\d]*[kmb]?\s+({COUNTED})\W*$")
BLANK = " \n\r\t\v\f\0"


def share_gone(text, left):
    return (len(text) - len(left)) / len(text) if text else 0


def c4(text, sentences_of):
    """sentences_of: how many sentences a line has."""
    kept, sentences, filler, brackets = [], 0, 0, 0
    for line in text.splitlines():
        line = line.strip()
        if any(len(word) > 1000 for word in line.split()):
            continue
        line = CITATION.sub("", line)
        if not line.endswith((".", "?", "!", '"')) or line.endswith("...") or len(line.split()) < 5:
            continue
        low = line.lower()
        if "lorem ipsum" in low:
            filler += not brackets
        elif "javascript" in low:
            pass
        elif "{" in line:
            brackets += 1
        elif not any(policy in low for policy in POLICIES):
            sentences += sentences_of(line)
            kept.append(line)
    left = "\n".join(kept).strip()
    scores = {"lorem_ipsum": filler, "curly_bracket": brackets, "too_few_sentences": sentences}
    return {**scores, "too_long": len(text), "removed": share_gone(text, left)}, left


def dolma_c4(text):
    lines = text.split("\n")
    low = [line.lower().strip() for line in lines]
    ended = [line.endswith((".", "?", "!", '"')) for line in low]
    whole = [line + "\n" * (place < len(lines) - 1) for place, line in enumerate(lines)]
    left = "".join(line for line, stays in zip(whole, ended, strict=True) if stays)
    return {
        "has_javascript": sum(line.split().count("javascript") for line in low),
        "has_lorem_ipsum": sum("lorem ipsum" in line for line in low),
        "has_curly_brace": sum("{" in line for line in low),
        "empty": len(left),
        "lines_with_too_few_words": sum(len(line.split()) < 3 for line in low),
        "removed": share_gone(text, left),
    }, left


def blank_words(text):
    return sum(word[0].isalnum() for word in re.split(f"[{BLANK}]+", text) if word)


def share_of(line, holds):
    return sum(map(holds, line)) / len(line)


def without(pattern, line):
    """The line without what the pattern finds, None if nothing is left of it; long lines stay as they are."""
    if len(line.split()) > 10:
        return line
    left = re.sub(pattern, "", line, flags=re.IGNORECASE)
    return None if line and not left.strip() else left


def refinedweb_lines(text):
    rules = [
        lambda line: None if line and share_of(line, str.isupper) > 0.5 else line,
        lambda line: None if line and share_of(line, str.isdigit) > 0.999999 else line,
        lambda line: None if COUNTER.search(line.lower()) else line,
        lambda line: None if line and len(line.split()) < 2 else line,
        lambda line: without(r"\s?items in cart", line),
        lambda line: without(r"\s?read more...$", line),
        lambda line: without(r"^sign-in\s?", line),
    ]
    left = text
    for number, rule in enumerate(rules):
        lines = [rule(line) for line in left.split("\n")]
        left = "\n".join(line for line in lines if line is not None)
        left = left if number == 3 else left.strip()
    before, after = blank_words(text), blank_words(left)
    return {
        "empty": len(left),
        "word_removal_ratio": (before - after) / before if before else None,
        "removed": share_gone(text, left),
    }, left
