// What heuristic filters count in a document, in groups that are computed together.
#pragma once
#include "portable.h"

namespace curate::heuristics {

// The scan is always made; its statistics are there whatever is asked for.
enum Group : u32 { SCAN, LINES, WORDS, GRAMS, KINDS, REPEATS, RAW_LINES, STRIPPED, MARKS, BREAKS };

// group, name, what it counts
#define CURATE_HEURISTICS(X)                                                                                 \
  X(SCAN, chars, "code points")                                                                              \
  X(SCAN, prose_chars, "code points of [a-zA-Z0-9\\n?!,.]")                                                  \
  X(SCAN, digits, "code points of [0-9]")                                                                    \
  X(SCAN, blanks, "tabs, line feeds, carriage returns, backspaces and spaces")                               \
  X(SCAN, parentheses, "round, square and curly brackets, and U+27E8 U+27E9")                                \
  X(SCAN, url_chars, "code points of URLs")                                                                  \
  X(SCAN, paragraphs, "pieces between double line feeds, empty ones included")                               \
  X(SCAN, paragraph_chars, "code points of paragraphs")                                                      \
  X(LINES, copied_paragraphs, "paragraphs equal to an earlier one")                                          \
  X(LINES, copied_paragraph_chars, "code points of copied_paragraphs")                                       \
  X(SCAN, policy_paragraphs, "paragraphs with a policy notice")                                              \
  X(SCAN, filler, "1 where \"lorem ipsum\" occurs")                                                          \
  X(SCAN, lines, "pieces between line feeds that hold a word")                                               \
  X(SCAN, line_chars, "code points of lines")                                                                \
  X(LINES, copied_lines, "lines equal to an earlier one")                                                    \
  X(LINES, copied_line_chars, "code points of copied_lines")                                                 \
  X(LINES, ended_lines, "lines whose last character but white space is one of . ? ! \" '")                   \
  X(LINES, ellipsis_lines, "lines that end with an ellipsis or \"read more\"")                               \
  X(LINES, bullet_lines, "lines that start with a bullet")                                                   \
  X(SCAN, words, "words")                                                                                    \
  X(WORDS, word_chars, "code points of words")                                                               \
  X(WORDS, longest_word, "code points of the longest word")                                                  \
  X(WORDS, symbol_words, "words that are an ellipsis, or more than half runs of #")                          \
  X(WORDS, alphabetic_words, "words with an alphabetic character")                                           \
  X(WORDS, common_words, "words that are one of the be to of and that have with")                            \
  X(GRAMS, top_2_gram_chars, "code points that go with all occurrences of the most frequent 2-gram")         \
  X(GRAMS, top_3_gram_chars, "code points that go with all occurrences of the most frequent 3-gram")         \
  X(GRAMS, top_4_gram_chars, "code points that go with all occurrences of the most frequent 4-gram")         \
  X(GRAMS, copied_5_gram_chars, "code points of 5-grams that occurred before, overlaps once")                \
  X(GRAMS, copied_6_gram_chars, "code points of 6-grams that occurred before, overlaps once")                \
  X(GRAMS, copied_7_gram_chars, "code points of 7-grams that occurred before, overlaps once")                \
  X(GRAMS, copied_8_gram_chars, "code points of 8-grams that occurred before, overlaps once")                \
  X(GRAMS, copied_9_gram_chars, "code points of 9-grams that occurred before, overlaps once")                \
  X(GRAMS, copied_10_gram_chars, "code points of 10-grams that occurred before, overlaps once")

#define CURATE_WORD_HEURISTICS(X)                                                                            \
  X(KINDS, letter_words, "words with a letter (str.isalpha)")                                                \
  X(KINDS, marked_words, "words that hold # or U+2026")                                                      \
  X(KINDS, middle_word_chars, "code points of the two middle words by length, or of the one twice")          \
  X(KINDS, folded_common_words, "common_words of any ASCII case")                                            \
  X(KINDS, distinct_common_words, "different words among folded_common_words")                               \
  X(REPEATS, top_2_gram_word_chars, "code points of words in all occurrences of the most frequent 2-gram")   \
  X(REPEATS, top_3_gram_word_chars, "code points of words in all occurrences of the most frequent 3-gram")   \
  X(REPEATS, top_4_gram_word_chars, "code points of words in all occurrences of the most frequent 4-gram")   \
  X(REPEATS, repeated_5_gram_word_chars, "code points of words in all 5-grams that occur more than once")    \
  X(REPEATS, repeated_6_gram_word_chars, "code points of words in all 6-grams that occur more than once")    \
  X(REPEATS, repeated_7_gram_word_chars, "code points of words in all 7-grams that occur more than once")    \
  X(REPEATS, repeated_8_gram_word_chars, "code points of words in all 8-grams that occur more than once")    \
  X(REPEATS, repeated_9_gram_word_chars, "code points of words in all 9-grams that occur more than once")    \
  X(REPEATS, repeated_10_gram_word_chars, "code points of words in all 10-grams that occur more than once")  \
  X(REPEATS, every_5_gram_word_chars, "code points of words in all 5-grams")                                 \
  X(REPEATS, every_6_gram_word_chars, "code points of words in all 6-grams")                                 \
  X(REPEATS, every_7_gram_word_chars, "code points of words in all 7-grams")                                 \
  X(REPEATS, every_8_gram_word_chars, "code points of words in all 8-grams")                                 \
  X(REPEATS, every_9_gram_word_chars, "code points of words in all 9-grams")                                 \
  X(REPEATS, every_10_gram_word_chars, "code points of words in all 10-grams")                               \
  X(REPEATS, covered_5_gram_word_chars, "code points of words in repeated 5-grams, each word once")          \
  X(REPEATS, covered_6_gram_word_chars, "code points of words in repeated 6-grams, each word once")          \
  X(REPEATS, covered_7_gram_word_chars, "code points of words in repeated 7-grams, each word once")          \
  X(REPEATS, covered_8_gram_word_chars, "code points of words in repeated 8-grams, each word once")          \
  X(REPEATS, covered_9_gram_word_chars, "code points of words in repeated 9-grams, each word once")          \
  X(REPEATS, covered_10_gram_word_chars, "code points of words in repeated 10-grams, each word once")

#define CURATE_RAW_LINE_HEURISTICS(X)                                                                        \
  X(RAW_LINES, raw_lines, "pieces between line feeds")                                                       \
  X(RAW_LINES, packed_lines, "pieces between runs of line feeds")                                            \
  X(RAW_LINES, dash_lines, "raw_lines that start with * or -")                                               \
  X(RAW_LINES, trailing_lines, "raw_lines that end with U+2026")                                             \
  X(RAW_LINES, repeated_raw_lines, "raw_lines that occur more than once, every occurrence")                  \
  X(RAW_LINES, repeated_packed_lines, "packed_lines that occur more than once, every occurrence")            \
  X(RAW_LINES, repeated_raw_line_chars, "code points of repeated_raw_lines")

#define CURATE_STRIPPED_HEURISTICS(X)                                                                        \
  X(STRIPPED, stripped_line_chars, "code points of lines without white space around")                        \
  X(STRIPPED, repeated_lines, "lines equal to another, but for white space around")                          \
  X(STRIPPED, repeated_line_chars, "code points of repeated_lines without that")                             \
  X(STRIPPED, stripped_paragraphs, "paragraphs that hold a word, without white space around")                \
  X(STRIPPED, stripped_paragraph_chars, "code points of stripped_paragraphs")                                \
  X(STRIPPED, repeated_paragraphs, "stripped_paragraphs equal to another, but for that")                     \
  X(STRIPPED, repeated_paragraph_chars, "code points of repeated_paragraphs without that")                   \
  X(STRIPPED, listed_lines, "lines whose first character but white space is one of * - U+2022 U+25CF")       \
  X(STRIPPED, dotted_lines, "lines that end with ... or . . . or U+2026, but for white space")               \
  X(MARKS, hashes, "the character #")                                                                        \
  X(MARKS, ellipses, "occurrences of ... and of . . . and of U+2026, each sought on its own")                \
  X(MARKS, blank_words, "pieces between fastText's white space that start with a letter or number")          \
  X(BREAKS, uax_words, "words between Unicode word boundaries that start with a letter or number")           \
  X(BREAKS, uax_word_chars, "code points of uax_words")                                                      \
  X(BREAKS, uax_top_2_gram_chars, "code points of uax_words in the top 2-gram, if it occurs again")          \
  X(BREAKS, uax_top_3_gram_chars, "code points of uax_words in the top 3-gram, if it occurs again")          \
  X(BREAKS, uax_top_4_gram_chars, "code points of uax_words in the top 4-gram, if it occurs again")          \
  X(BREAKS, uax_covered_5_gram_chars, "code points of uax_words in repeated 5-grams, each word once")        \
  X(BREAKS, uax_covered_6_gram_chars, "code points of uax_words in repeated 6-grams, each word once")        \
  X(BREAKS, uax_covered_7_gram_chars, "code points of uax_words in repeated 7-grams, each word once")        \
  X(BREAKS, uax_covered_8_gram_chars, "code points of uax_words in repeated 8-grams, each word once")        \
  X(BREAKS, uax_covered_9_gram_chars, "code points of uax_words in repeated 9-grams, each word once")        \
  X(BREAKS, uax_covered_10_gram_chars, "code points of uax_words in repeated 10-grams, each word once")

#define CURATE_EVERY_HEURISTIC(X) \
  CURATE_HEURISTICS(X)            \
  CURATE_WORD_HEURISTICS(X)       \
  CURATE_RAW_LINE_HEURISTICS(X)   \
  CURATE_STRIPPED_HEURISTICS(X)

struct Statistics {
#define CURATE_FIELD(group, name, meaning) i64 name;
  CURATE_EVERY_HEURISTIC(CURATE_FIELD)
#undef CURATE_FIELD
};

}  // namespace curate::heuristics
