"""Rules for any language: words between Unicode boundaries, so that scripts without spaces are counted by character.

Chinese characters, hiragana and the letters of Thai, Lao, Khmer and Burmese are a word each. What counts on English
words (stop words, the share of words with a letter) is not here. Bounds are Gopher's and, for lines, FineWeb-2's.
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

_GOPHER = "Gopher, arXiv 2112.11446, {}"
_FINEWEB = "FineWeb-2, examples/fineweb-2-pipeline.py of datatrove 0.10, {}"
_PAPER = "Gopher, arXiv 2112.11446, and FineWeb-2, arXiv 2506.20920, over words of Unicode Standard Annex 29"

_QUALITY = (
    Rule("word_count", Measure("uax_words"), 50, 100_000, _GOPHER.format("50 to 100,000 words")),
    at_most(
        "mean_word_length",
        Measure("uax_word_chars", per="uax_words"),
        10,
        _GOPHER.format("mean word length at most 10"),
    ),
    at_most("hash_ratio", Measure("hashes", per="uax_words"), 0.1, _GOPHER.format("hash symbols")),
    at_most("ellipsis_ratio", Measure("ellipses", per="uax_words"), 0.1, _GOPHER.format("ellipses")),
    at_most("bullet_lines", Measure("listed_lines", per="lines"), 0.9, _GOPHER.format("bullet points")),
    at_most("ellipsis_lines", Measure("dotted_lines", per="lines"), 0.3, _GOPHER.format("lines, ellipsis")),
    at_most("list_ratio", Measure("raw_lines", per="uax_words"), 0.3, _FINEWEB.format("new_line_ratio")),
)

_REPETITION = (
    at_most(
        "line_fraction", Measure("repeated_lines", per="lines"), 0.3, _FINEWEB.format("dup_line_frac=0.3")
    ),
    *(
        at_most(
            f"top_{n}gram",
            Measure(f"uax_top_{n}_gram_chars", per="uax_word_chars"),
            most,
            _GOPHER.format(f"top {n}-gram character fraction"),
        )
        for n, most in TOP_GRAMS.items()
    ),
    *(
        at_most(
            f"duplicate_{n}gram",
            Measure(f"uax_covered_{n}_gram_chars", per="uax_word_chars"),
            most,
            _GOPHER.format(f"duplicate {n}-gram character fraction"),
        )
        for n, most in REPEATED_GRAMS.items()
    ),
)

_LINES = (
    at_least(
        "line_punct_ratio", Measure("ended_lines", per="lines"), 0.12, _FINEWEB.format("line_punct_thr")
    ),
    at_most(
        "char_dup_ratio",
        Measure("copied_line_chars", per="line_chars"),
        0.1,
        _FINEWEB.format("char_duplicates_ratio=0.1"),
    ),
)

MULTILINGUAL = (
    Profile("multilingual.quality", _PAPER, _QUALITY),
    Profile("multilingual.repetition", _PAPER, _REPETITION),
    Profile("multilingual.lines", _PAPER, _LINES, family="datatrove.fineweb_quality"),
)
