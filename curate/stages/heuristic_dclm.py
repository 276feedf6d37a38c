"""The rules that DCLM derives from Gopher, in the order and with the bounds of DCLM-Baseline."""

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

_SOURCE = "DCLM 361714bd, baselines/baselines_configs/dclm_baseline_refinedweb.yaml"


def _lines(count: str) -> Measure:
    return Measure(count, per="lines", floor=True)


def _gram(name: str, count: str, most: float, n: int) -> Rule:
    # An empty page is dropped by every one of these, one without words by none.
    measure = Measure(count, per="uax_word_chars", floor=True, needs="chars")
    return at_most(name, measure, most, f"repetition_filter({n}, {most:g})")


_QUALITY = (
    Rule("page_length", Measure("blank_words"), 50, 100_000, "page_length_filter.min_length, max_length"),
    Rule(
        "word_length", Measure("word_chars", per="words"), 3, 10, "word_length_filter.min_length, max_length"
    ),
    at_most(
        "symbol_ratio",
        Measure("hashes", plus="ellipses", per="words"),
        0.1,
        "symbol_ratio_filter.max_symbol_to_word_ratio",
    ),
    at_most("bullet_count", _lines("listed_lines"), 0.9, "bullet_count_filter.max_bullet_start_ratio"),
    at_most("ellipsis_count", _lines("dotted_lines"), 0.3, "ellipsis_count_filter.max_ellipsis_end_ratio"),
    at_most(
        "alphabetic_word_ratio",
        Measure("words", less="letter_words", per="words"),
        0.2,
        "alphabetic_word_ratio_filter.max_ratio",
    ),
    at_least("stop_word", Measure("folded_common_words"), 2, "stop_word_filter.min_stop_word"),
)

_REPETITION = (
    at_most(
        "repeated_lines",
        Measure("repeated_lines", per="lines"),
        0.3,
        "repetition_filter(line, 0.3, count_characters=False)",
    ),
    at_most(
        "repeated_paragraphs",
        Measure("repeated_paragraphs", per="stripped_paragraphs"),
        0.3,
        "repetition_filter(paragraph, 0.3, count_characters=False)",
    ),
    at_most(
        "repeated_line_chars",
        Measure("repeated_line_chars", per="stripped_line_chars"),
        0.2,
        "repetition_filter(line, 0.2)",
    ),
    at_most(
        "repeated_paragraph_chars",
        Measure("repeated_paragraph_chars", per="stripped_paragraph_chars"),
        0.2,
        "repetition_filter(paragraph, 0.2)",
    ),
    *(_gram(f"top_{n}gram", f"uax_top_{n}_gram_chars", most, n) for n, most in TOP_GRAMS.items()),
    *(
        _gram(f"repeated_{n}gram", f"uax_covered_{n}_gram_chars", most, n)
        for n, most in REPEATED_GRAMS.items()
    ),
)

DCLM = (
    Profile("dclm.gopher_quality", _SOURCE, _QUALITY),
    Profile("dclm.gopher_repetition", _SOURCE, _REPETITION),
)
