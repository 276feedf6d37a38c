"""The rules of Dolma's gopher taggers, by the names of their attributes, with the bounds of Dolma v1.5."""

from __future__ import annotations

from math import nan

from curate.stages.heuristic_rules import REPEATED_GRAMS, TOP_GRAMS, Measure, Profile, Rule

_SOURCE = "Dolma 1.2.1, {} of python/dolma/taggers/gopher.py with configs/dolma-v1_5/mixing/cc-head.yaml"


def _quality(tagger: str, lines: str) -> tuple[Rule, ...]:
    """lines: the statistic that the tagger takes for the number of lines."""

    def ratio(count: str, per: str) -> Measure:
        return Measure(count, per=per, floor=True)

    table: tuple[tuple[str, Measure, float | None, float | None], ...] = (
        ("word_count", Measure("words"), 50, 100_000),
        ("median_word_length", Measure("middle_word_chars", divisor=2), 3, 10),
        ("symbol_to_word_ratio", ratio("marked_words", "words"), None, 0.1),
        ("fraction_of_words_with_alpha_character", ratio("letter_words", "words"), 0.8, None),
        ("required_word_count", Measure("common_words"), 2, None),
        ("fraction_of_lines_starting_with_bullet_point", ratio("dash_lines", lines), None, 0.9),
        ("fraction_of_lines_ending_with_ellipsis", ratio("trailing_lines", lines), None, 0.3),
    )
    return tuple(Rule(*row, f"gopher_rules__{tagger}__{row[0]}") for row in table)


def _repetition(tagger: str, lines: str) -> tuple[Rule, ...]:
    """The mixing configuration calls the most common n-grams `2gram`, the tagger `2grams`: the same is meant."""

    def gram(count: str, per: str, n: int) -> Measure:
        return Measure(count, per=per, floor=True, least_words=n, short=nan)

    def rule(attribute: str, measure: Measure, most: float) -> Rule:
        source = f"gopher_rules__{tagger}__{attribute}"
        return Rule(attribute, measure, None, most, source, lenient=measure.least_words > 0)

    chars = "fraction_of_characters_in"
    copies = Measure(f"repeated_{lines}", per=lines, floor=True)
    copied_chars = Measure("repeated_raw_line_chars", per="word_chars", floor=True)
    return (
        rule("fraction_of_duplicate_lines", copies, 0.3),
        rule(f"{chars}_duplicate_lines", copied_chars, 0.3),
        *(
            rule(f"{chars}_most_common_{n}grams", gram(f"top_{n}_gram_word_chars", "word_chars", n), most)
            for n, most in TOP_GRAMS.items()
        ),
        *(
            rule(
                f"{chars}_duplicate_{n}grams",
                gram(f"repeated_{n}_gram_word_chars", f"every_{n}_gram_word_chars", n),
                most,
            )
            for n, most in REPEATED_GRAMS.items()
        ),
    )


DOLMA = (
    Profile("dolma.gopher_quality", _SOURCE.format("gopher_v1"), _quality("gopher_v1", "raw_lines")),
    Profile("dolma.gopher_repetition", _SOURCE.format("gopher_v1"), _repetition("gopher_v1", "raw_lines")),
)
DOLMA_V2 = (
    Profile("dolma.gopher_v2_quality", _SOURCE.format("gopher_v2"), _quality("gopher_v2", "packed_lines")),
    Profile(
        "dolma.gopher_v2_repetition", _SOURCE.format("gopher_v2"), _repetition("gopher_v2", "packed_lines")
    ),
)
