"""`truth.parquet`: what was planted, one row a document, in the order of sources, files and rows."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curate.synth.layout import SOURCES, File, Layout

# In the order of the C++ enumerations `Kind` (edits.h), `Rule` (junk.h) and `Quality` (prose.h).
# The rules are those of the heuristics profile `nemo`.
KINDS = (
    "original",
    "exact",
    "word_edits",
    "char_edits",
    "truncation",
    "boilerplate",
    "reorder",
    "extraction",
    "chain",
    "other_language",
    "junk",
)
RULES = (
    "alpha_numeric",
    "symbol_to_word",
    "numbers_ratio",
    "urls_ratio",
    "white_space",
    "parentheses_ratio",
    "boilerplate_string_ratio",
    "repeated_lines",
    "repeated_paragraphs",
    "repeated_lines_char",
    "repeated_paragraphs_char",
    "word_count",
    "punctuation",
    "words_without_alphabets",
    "common_english_words",
    "mean_word_length",
    "max_word_length",
    "ellipsis",
    "repeating_top_2grams",
    "repeating_top_3grams",
    "repeating_top_4grams",
    "repeating_dup_5gram",
    "repeating_dup_6gram",
    "repeating_dup_7gram",
    "repeating_dup_8gram",
    "repeating_dup_9gram",
    "repeating_dup_10gram",
    "bullet_ratio",
)
QUALITIES = ("High", "Medium", "Low")
LANGUAGES = ("de", "fr", "es", "it", "pt", "nl", "pl", "ru", "zh", "ja", "ko", "ar")

TRUTH_SCHEMA = pa.schema(
    [
        pa.field("source", pa.string()),
        pa.field("file", pa.string()),
        pa.field("row", pa.int64()),
        pa.field("kind", pa.string()),
        pa.field("rule", pa.string()),
        pa.field("language", pa.string()),
        pa.field("quality", pa.string()),
        pa.field("duplicate_of_source", pa.string()),
        pa.field("duplicate_of_file", pa.string()),
        pa.field("duplicate_of_row", pa.int64()),
        pa.field("jaccard_char25", pa.float64()),
        pa.field("jaccard_word5", pa.float64()),
    ]
)


def truth_table(rows: dict[str, NDArray[Any]], file: File, start: int, layout: Layout) -> pa.Table:
    """The truth of a batch: `rows` as the generator gives them, the first being row `start` of the source.

    Positions of originals are rows of a source; here they become rows of its files.
    """
    count = len(rows["kind"])
    copied = rows["original_source"] >= 0
    paths, original_file, original_row = _positions(rows, layout)
    columns = {
        "source": pa.array([SOURCES[file.source].name]).take(pa.array(np.zeros(count, np.int8))),
        "file": pa.array([file.path]).take(pa.array(np.zeros(count, np.int8))),
        "row": pa.array(np.arange(count, dtype=np.int64) + start - file.start),
        "kind": _named(KINDS, rows["kind"]),
        "rule": _named(RULES, rows["rule"]),
        "language": _named(("en", *LANGUAGES), rows["language"] + 1),
        "quality": _named(
            QUALITIES, np.where(rows["quality"] < len(QUALITIES), rows["quality"].astype(np.int8), -1)
        ),
        "duplicate_of_source": _named(tuple(source.name for source in SOURCES), rows["original_source"]),
        "duplicate_of_file": _named(paths, original_file),
        "duplicate_of_row": pa.array(original_row, mask=~copied),
        "jaccard_char25": pa.array(rows["jaccard_char25"], mask=~copied),
        "jaccard_word5": pa.array(rows["jaccard_word5"], mask=~copied),
    }
    return pa.table(columns, TRUTH_SCHEMA)


def _named(names: tuple[str, ...], codes: NDArray[Any]) -> pa.Array:
    """Names of codes; negative codes become null."""
    return pa.array(names).take(pa.array(codes, mask=codes < 0))


def _positions(
    rows: dict[str, NDArray[Any]], layout: Layout
) -> tuple[tuple[str, ...], NDArray[np.int32], NDArray[np.int64]]:
    """All paths, and of each row's original the number of its path and its row there (-1 without one)."""
    original_file = np.full(len(rows["kind"]), -1, np.int32)
    original_row = np.full(len(rows["kind"]), -1, np.int64)
    sources = [file.source for file in layout.files]
    for source in range(len(SOURCES)):
        first, last = bisect_right(sources, source - 1), bisect_right(sources, source)
        starts = np.array([file.start for file in layout.files[first:last]], np.int64)
        here = rows["original_source"] == source
        at = rows["original_row"][here]
        index = np.searchsorted(starts, at, side="right") - 1
        original_file[here] = first + index
        original_row[here] = at - starts[index]
    return tuple(file.path for file in layout.files), original_file, original_row
