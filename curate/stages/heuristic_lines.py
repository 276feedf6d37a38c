"""Profiles that remove lines: C4 as TensorFlow Datasets makes it, RefinedWeb's as DCLM has them, Dolma's C4 tagger.

Later profiles, later stages and the output see the text that they leave; `removed`, always a column of the ledger, is
the share of its characters that went.
"""

from __future__ import annotations

from curate.stages.heuristic_rules import Measure, Profile, Rule, at_least, at_most, removed_share

_C4 = "clean_page: {}"
C4 = Profile(
    "c4",
    "TensorFlow Datasets 4.9.9, tensorflow_datasets/text/c4_utils.py",
    (
        at_most("too_long", Measure("chars"), 190_000, "is_valid_length: max_length"),
        at_most("lorem_ipsum", Measure("filler_lines"), 0, _C4.format("filtered-page-loremipsum")),
        at_most("curly_bracket", Measure("bracket_lines"), 0, _C4.format("filtered-page-squigglybracket")),
        at_least("too_few_sentences", Measure("sentences"), 3, _C4.format("min_num_sentences")),
        removed_share("kept_chars"),
    ),
    family="c4",
    edits=True,
)

REFINEDWEB_LINES = Profile(
    "dclm.refinedweb_lines",
    "DCLM 361714bd, baselines/baselines_configs/dclm_baseline_refinedweb.yaml",
    (
        at_least("empty", Measure("kept_chars"), 1, "uppercase_ratio_line_modifier and those after it"),
        at_most(
            "word_removal_ratio",
            Measure("words", less="kept_words", per="words"),
            0.05,
            "word_removal_ratio_filter.max_removed_ratio",
        ),
        removed_share("kept_chars"),
    ),
    family="dclm.refinedweb_lines",
    edits=True,
)

_TAGGER = "c4_v1__{}"
DOLMA_C4 = Profile(
    "dolma.c4",
    "Dolma 1.2.1, c4_v1 of python/dolma/taggers/c4.py; lines without end mark go as in Dolma v1.5 (C4 NoPunc)",
    (
        at_most("has_javascript", Measure("script_words"), 0, _TAGGER.format("has_javascript")),
        at_most("has_lorem_ipsum", Measure("filler_lines"), 0, _TAGGER.format("has_lorem_ipsum")),
        at_most("has_curly_brace", Measure("bracket_lines"), 0, _TAGGER.format("has_curly_brace")),
        at_least("empty", Measure("kept_chars"), 1, _TAGGER.format("lines_with_no_ending_punctuation")),
        Rule(
            "lines_with_too_few_words",
            Measure("brief_lines"),
            None,
            None,
            _TAGGER.format("lines_with_too_few_words"),
        ),
        removed_share("kept_chars"),
    ),
    family="dolma.c4",
    edits=True,
)
