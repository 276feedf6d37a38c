"""Families of heuristic rules as tables: which statistic each rule looks at, and the bounds it must keep.

A profile names the implementation it follows, since implementations that cite one paper disagree. Its rules
stand in the order of that implementation. A family is a name for several profiles, applied one after the other.
"""

from __future__ import annotations

from curate.stages.heuristic_datatrove import C4_KEEP_UNPUNCTUATED, DATATROVE, FINEWEB
from curate.stages.heuristic_dclm import DCLM
from curate.stages.heuristic_dolma import DOLMA, DOLMA_V2
from curate.stages.heuristic_gopher import GOPHER
from curate.stages.heuristic_lines import C4, DOLMA_C4, REFINEDWEB_LINES
from curate.stages.heuristic_multilingual import MULTILINGUAL
from curate.stages.heuristic_rules import Measure, Profile, Rule


def _top_gram(n: int, maximum: float) -> Rule:
    measure = Measure(f"top_{n}_gram_chars", per="chars", least_words=n)
    source = f"RepeatingTopNGramsFilter(n={n}).max_repeating_ngram_ratio"
    return Rule(f"repeating_top_{n}grams", measure, None, maximum, source)


def _copied_gram(n: int, maximum: float) -> Rule:
    measure = Measure(f"copied_{n}_gram_chars", per="chars", least_words=n)
    source = f"RepeatingDuplicateNGramsFilter(n={n}).max_repeating_duplicate_ngram_ratio"
    return Rule(f"repeating_dup_{n}gram", measure, None, maximum, source)


NEMO = Profile(
    name="nemo",
    source="NeMo Curator 1.3.0, nemo_curator/config/text/heuristic_filter_english_pipeline.yaml",
    rules=(
        Rule(
            "alpha_numeric",
            Measure("chars", less="prose_chars", per="chars", undefined=1.0),
            None,
            0.25,
            "NonAlphaNumericFilter.max_non_alpha_numeric_to_text_ratio",
        ),
        Rule(
            "symbol_to_word",
            Measure("symbol_words", per="words"),
            None,
            0.1,
            "SymbolsToWordsFilter.max_symbol_to_word_ratio",
        ),
        Rule(
            "numbers_ratio",
            Measure("digits", per="chars", undefined=1.0),
            None,
            0.15,
            "NumbersFilter.max_number_to_text_ratio",
        ),
        Rule(
            "urls_ratio",
            Measure("url_chars", per="chars", undefined=1.0),
            None,
            0.2,
            "UrlsFilter.max_url_to_text_ratio",
        ),
        Rule(
            "white_space",
            Measure("blanks", per="chars", undefined=1.0),
            None,
            0.25,
            "WhiteSpaceFilter.max_white_space_ratio",
        ),
        Rule(
            "parentheses_ratio",
            Measure("parentheses", per="chars", undefined=1.0),
            None,
            0.1,
            "ParenthesesFilter.max_parentheses_ratio",
        ),
        Rule(
            "boilerplate_string_ratio",
            Measure("policy_paragraphs", per="paragraphs", always="filler"),
            None,
            0.4,
            "BoilerPlateStringFilter.max_boilerplate_string_ratio",
        ),
        Rule(
            "repeated_lines",
            Measure("lines", less="copied_lines", per="lines"),
            0.7,
            None,
            "RepeatedLinesFilter.max_repeated_line_fraction",
        ),
        Rule(
            "repeated_paragraphs",
            Measure("paragraphs", less="copied_paragraphs", per="paragraphs"),
            0.7,
            None,
            "RepeatedParagraphsFilter.max_repeated_paragraphs_ratio",
        ),
        Rule(
            "repeated_lines_char",
            Measure("line_chars", less="copied_line_chars", per="line_chars"),
            0.8,
            None,
            "RepeatedLinesByCharFilter.max_repeated_lines_char_ratio",
        ),
        Rule(
            "repeated_paragraphs_char",
            Measure("paragraph_chars", less="copied_paragraph_chars", per="paragraph_chars"),
            0.8,
            None,
            "RepeatedParagraphsByCharFilter.max_repeated_paragraphs_char_ratio",
        ),
        Rule("word_count", Measure("words"), 50, 100_000, "WordCountFilter.min_words, max_words"),
        Rule(
            "punctuation",
            Measure("lines", less="ended_lines", per="lines"),
            None,
            0.85,
            "PunctuationFilter.max_num_sentences_without_endmark_ratio",
        ),
        Rule(
            "words_without_alphabets",
            Measure("alphabetic_words", per="words"),
            0.8,
            None,
            "WordsWithoutAlphabetsFilter.min_words_with_alphabets",
        ),
        Rule(
            "common_english_words",
            Measure("common_words"),
            2,
            None,
            "CommonEnglishWordsFilter.min_num_common_words, stop_at_false",
            stops=True,
        ),
        Rule(
            "mean_word_length",
            Measure("word_chars", per="words"),
            3,
            10,
            "MeanWordLengthFilter.min_mean_word_length, max_mean_word_length",
        ),
        Rule(
            "max_word_length",
            Measure("longest_word", needs="words"),
            None,
            1000,
            "LongWordFilter.max_word_length",
        ),
        Rule(
            "ellipsis",
            Measure("ellipsis_lines", per="lines"),
            None,
            0.3,
            "EllipsisFilter.max_num_lines_ending_with_ellipsis_ratio",
        ),
        _top_gram(2, 0.2),
        _top_gram(3, 0.18),
        _top_gram(4, 0.16),
        _copied_gram(5, 0.15),
        _copied_gram(6, 0.14),
        _copied_gram(7, 0.13),
        _copied_gram(8, 0.12),
        _copied_gram(9, 0.11),
        _copied_gram(10, 0.10),
        Rule(
            "bullet_ratio",
            Measure("bullet_lines", per="lines"),
            None,
            0.9,
            "BulletsFilter.max_bullet_lines_ratio",
        ),
    ),
)

PROFILES: dict[str, Profile] = {
    profile.name: profile
    for profile in (
        NEMO,
        *DATATROVE,
        C4_KEEP_UNPUNCTUATED,
        *DOLMA,
        *DOLMA_V2,
        *DCLM,
        *GOPHER,
        C4,
        DOLMA_C4,
        REFINEDWEB_LINES,
        *MULTILINGUAL,
    )
}
FAMILIES: dict[str, tuple[str, ...]] = {
    "datatrove": tuple(profile.name for profile in DATATROVE),
    "fineweb": tuple(profile.name for profile in FINEWEB),
    "dolma": tuple(profile.name for profile in DOLMA),
    "dolma.gopher_v2": tuple(profile.name for profile in DOLMA_V2),
    "dclm": tuple(profile.name for profile in (*DCLM, REFINEDWEB_LINES)),
    "gopher": tuple(profile.name for profile in GOPHER),
    "multilingual": tuple(profile.name for profile in MULTILINGUAL),
}
