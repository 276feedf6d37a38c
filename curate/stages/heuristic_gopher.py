"""Gopher's rules as its paper states them (Rae et al. 2021), with our choices where it leaves one.

What the choices are: docs/heuristics.md.
"""

from __future__ import annotations

from curate.stages.heuristic_rules import (
    REPEATED_GRAMS,
    TOP_GRAMS,
    Measure,
    Profile,
    Rule,
    at_least,
    at_most,
)

_PAPER = "Gopher, arXiv 2112.11446, "


def _share(count: str, per: str) -> Measure:
    return Measure(count, per=per)


_QUALITY = (
    Rule("word_count", Measure("words"), 50, 100_000, "between 50 and 100,000 words"),
    Rule("mean_word_length", _share("word_chars", "words"), 3, 10, "mean word length, 3 to 10 characters"),
    at_most("hash_ratio", _share("hashes", "words"), 0.1, "symbol-to-word ratio for the hash symbol"),
    at_most("ellipsis_ratio", _share("ellipses", "words"), 0.1, "symbol-to-word ratio for the ellipsis"),
    at_most("bullet_lines", _share("listed_lines", "lines"), 0.9, "lines starting with a bullet point"),
    at_most("ellipsis_lines", _share("dotted_lines", "lines"), 0.3, "lines ending with an ellipsis"),
    at_least("alphabetic_words", _share("letter_words", "words"), 0.8, "words with an alphabetic character"),
    at_least("stop_words", Measure("distinct_common_words"), 2, "at least two of eight English words"),
)

_PARAGRAPHS = "stripped_paragraphs"
_REPETITION = (
    at_most("line_fraction", _share("repeated_lines", "lines"), 0.3, "duplicate line fraction"),
    at_most(
        "paragraph_fraction", _share("repeated_paragraphs", _PARAGRAPHS), 0.3, "duplicate paragraph fraction"
    ),
    at_most(
        "line_chars",
        _share("repeated_line_chars", "stripped_line_chars"),
        0.2,
        "duplicate line character fraction",
    ),
    at_most(
        "paragraph_chars",
        _share("repeated_paragraph_chars", "stripped_paragraph_chars"),
        0.2,
        "duplicate paragraph character fraction",
    ),
    *(
        at_most(
            f"top_{n}gram",
            _share(f"top_{n}_gram_word_chars", "word_chars"),
            most,
            f"top {n}-gram character fraction",
        )
        for n, most in TOP_GRAMS.items()
    ),
    *(
        at_most(
            f"duplicate_{n}gram",
            _share(f"covered_{n}_gram_word_chars", "word_chars"),
            most,
            f"duplicate {n}-gram character fraction",
        )
        for n, most in REPEATED_GRAMS.items()
    ),
)

GOPHER = (
    Profile("gopher.quality", _PAPER + "section A.1.1", _QUALITY),
    Profile("gopher.repetition", _PAPER + "table A1", _REPETITION),
)
