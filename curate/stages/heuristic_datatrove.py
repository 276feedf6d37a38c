"""The rules of datatrove's filters for English, by the reasons it drops for, with its default bounds."""

from __future__ import annotations

from curate.stages.heuristic_rules import REPEATED_GRAMS, TOP_GRAMS, Measure, Profile, Rule, removed_share

_SOURCE = "datatrove 0.10.1, src/datatrove/pipeline/filters/{}.py"


def _repeated(reason: str, count: str, per: str, most: float, filters: str) -> Rule:
    return Rule(reason, Measure(count, per=per, undefined=0.0), None, most, f"{filters}.{reason}")


_REPETITION = (
    Rule("empty", Measure("chars"), 1, None, "GopherRepetitionFilter.filter"),
    _repeated("dup_para_frac", "copied_paragraphs", "paragraphs", 0.3, "GopherRepetitionFilter"),
    _repeated("dup_para_char_frac", "copied_paragraph_chars", "chars", 0.2, "GopherRepetitionFilter"),
    _repeated("dup_line_frac", "copied_lines", "lines", 0.3, "GopherRepetitionFilter"),
    _repeated("dup_line_char_frac", "copied_line_chars", "chars", 0.2, "GopherRepetitionFilter"),
    *(
        Rule(
            f"top_{n}_gram",
            Measure(f"top_{n}_gram_chars", per="chars", undefined=0.0),
            None,
            most,
            f"GopherRepetitionFilter.top_n_grams, n={n}",
        )
        for n, most in TOP_GRAMS.items()
    ),
    *(
        Rule(
            f"duplicated_{n}_n_grams",
            Measure(f"copied_{n}_gram_chars", per="chars", undefined=0.0),
            None,
            most,
            f"GopherRepetitionFilter.dup_n_grams, n={n}",
        )
        for n, most in REPEATED_GRAMS.items()
    ),
)

_WORD_LENGTH = Measure("non_symbol_chars", per="non_symbol_words")


def _quality(reason: str, measure: Measure, least: float | None, most: float | None, argument: str) -> Rule:
    return Rule(reason, measure, least, most, f"GopherQualityFilter.{argument}")


_QUALITY = (
    _quality("gopher_short_doc", Measure("non_symbol_words"), 50, None, "min_doc_words"),
    _quality("gopher_long_doc", Measure("non_symbol_words"), None, 100_000, "max_doc_words"),
    _quality("gopher_below_avg_threshold", _WORD_LENGTH, 3, None, "min_avg_word_length"),
    _quality("gopher_above_avg_threshold", _WORD_LENGTH, None, 10, "max_avg_word_length"),
    _quality("gopher_too_many_hashes", Measure("hashes", per="words"), None, 0.1, "max_symbol_word_ratio"),
    _quality(
        "gopher_too_many_ellipsis", Measure("ellipses", per="words"), None, 0.1, "max_symbol_word_ratio"
    ),
    _quality(
        "gopher_too_many_bullets", Measure("bullet_lines", per="lines"), None, 0.9, "max_bullet_lines_ratio"
    ),
    _quality(
        "gopher_too_many_end_ellipsis",
        Measure("ellipsis_lines", per="lines"),
        None,
        0.3,
        "max_ellipsis_lines_ratio",
    ),
    _quality(
        "gopher_below_alpha_threshold",
        Measure("alphabetic_words", per="words"),
        0.8,
        None,
        "max_non_alpha_words_ratio",
    ),
    _quality("gopher_enough_stop_words", Measure("stop_words"), 2, None, "min_stop_words"),
)

_C4 = (
    Rule("lorem_ipsum", Measure("filler_lines"), None, 0, "C4QualityFilter.filter_lorem_ipsum"),
    Rule("curly_bracket", Measure("bracket_lines"), None, 0, "C4QualityFilter.filter_curly_bracket"),
    Rule("too_few_sentences", Measure("sentences"), 5, None, "C4QualityFilter.min_num_sentences"),
    removed_share("kept_chars"),
)


def _fineweb(
    reason: str, count: str, per: str, least: float | None, most: float | None, argument: str
) -> Rule:
    return Rule(reason, Measure(count, per=per), least, most, f"FineWebQualityFilter.{argument}")


_FINEWEB = (
    Rule("empty", Measure("lines"), 1, None, "FineWebQualityFilter.filter"),
    _fineweb("line_punct_ratio", "ended_lines", "lines", 0.12, None, "line_punct_thr"),
    _fineweb("short_line_ratio", "short_lines", "lines", None, 0.67, "short_line_thr"),
    _fineweb("char_dup_ratio", "copied_line_chars", "line_chars", None, 0.01, "char_duplicates_ratio"),
    _fineweb("list_ratio", "newlines", "words", None, 0.3, "new_line_ratio"),
)


def _profile(name: str, module: str, rules: tuple[Rule, ...]) -> Profile:
    full = f"datatrove.{name}"
    return Profile(full, _SOURCE.format(module), rules, family=full, edits=rules is _C4)


GOPHER_REPETITION = _profile("gopher_repetition", "gopher_repetition_filter", _REPETITION)
GOPHER_QUALITY = _profile("gopher_quality", "gopher_quality_filter", _QUALITY)
C4_QUALITY = _profile("c4_quality", "c4_filters", _C4)
C4_KEEP_UNPUNCTUATED = _profile("c4_quality_keep_unpunctuated", "c4_filters", _C4)
FINEWEB_QUALITY = _profile("fineweb_quality", "fineweb_quality_filter", _FINEWEB)

#: All filters with their defaults, in the order of examples/fineweb.py.
DATATROVE = (GOPHER_REPETITION, GOPHER_QUALITY, C4_QUALITY, FINEWEB_QUALITY)
#: As that script runs them: lines need no end mark.
FINEWEB = (GOPHER_REPETITION, GOPHER_QUALITY, C4_KEEP_UNPUNCTUATED, FINEWEB_QUALITY)
