// What Dolma's gopher taggers count: raw lines, kinds of words, repetition by characters of words.
#pragma once
#include "heuristics_repeats.h"
#include "heuristics_statistics.h"
#include "heuristics_strings.h"
#include "word_break.h"

namespace curate::heuristics {

CURATE_HD bool is_dots(const u8* s, i64 left) {  // U+2026
  return left >= 3 && s[0] == 0xE2 && s[1] == 0x80 && s[2] == 0xA6;
}

CURATE_HD bool has_letter(const u8* word, i64 n) {
  for (i64 i = 0; i < n;) {
    if (word_break::ascii_letter(word[i])) return true;
    const CodePoint code = decode(word + i, n - i);
    if (code.value >= 0x80 && is_letter(code.value)) return true;
    i += code.size;
  }
  return false;
}

// Which bytes of eight may be equal to `byte`: those are among the top bits set, others above them may be.
CURATE_HD u64 may_be(u64 bytes, u8 byte) {
  const u64 zero = bytes ^ 0x0101010101010101u * byte;
  return (zero - 0x0101010101010101u) & ~zero & 0x8080808080808080u;
}

// `left` bytes from the word on there is text: the word and what follows it.
CURATE_HD bool is_marked(const u8* word, i64 n, i64 left) {
  if (n <= 8 && left >= 8) {
    const u64 bytes = load8(word);
    const u64 inside = ~u64(0) >> 8 * (8 - n);
    if (((may_be(bytes, '#') | may_be(bytes, 0xE2)) & inside) == 0) return false;
  }
  for (i64 i = 0; i < n; ++i)
    if (word[i] == '#' || is_dots(word + i, n - i)) return true;
  return false;
}

// Which of the common words it is in any ASCII case, from 0; -1 if it is none.
CURATE_HD int folded_common_word(const u8* word, i64 n) {
  // A leading NUL would leave no trace in `folded`.
  if (n < 2 || n > 4 || word[0] == 0) return -1;
  u32 folded = 0;
  for (i64 i = 0; i < n; ++i) folded = folded << 8 | lower(word[i]);
  constexpr u32 common[] = {0x746865, 0x6265, 0x746F, 0x6F66, 0x616E64, 0x74686174, 0x68617665, 0x77697468};
  for (int i = 0; i < 8; ++i)
    if (common[i] == folded) return i;
  return -1;
}

// The sum of the lengths of words (n - 1) / 2 and n / 2 by length, of n words, with lengths from bins - 1 on
// taken for that. `histogram` is of `bins` values.
CURATE_HD i64 middle_chars_below(const Grams& grams, u32* histogram, i64 bins) {
  const i64 n = grams.words();
  for (i64 i = 0; i < bins; ++i) histogram[i] = 0;
  for (i64 i = 0; i < n; ++i) {
    const i64 chars = grams.chars(i);
    ++histogram[chars < bins ? chars : bins - 1];
  }
  i64 before = 0, length = 0, sum = 0;
  const i64 middle[] = {(n - 1) / 2, n / 2};
  for (const i64 place : middle) {
    while (before + histogram[length] <= place) before += histogram[length++];
    sum += length;
  }
  return sum;
}

// Twice the median of the words' lengths. With three words or more the two in the middle are not longer than
// half of the text, for which `histogram` has values: `bins` > size / 2.
CURATE_HD i64 middle_chars(const Grams& grams, u32* histogram, i64 bins) {
  const i64 n = grams.words();
  if (n < 3) return n == 0 ? 0 : grams.chars(0) + grams.chars(n - 1);
  const i64 ordinary = bins < 64 ? bins : 64;
  const i64 sum = middle_chars_below(grams, histogram, ordinary);
  return sum < ordinary - 1 ? sum : middle_chars_below(grams, histogram, bins);
}

// `histogram` and `bins` as middle_chars takes them.
CURATE_HD_CALLED void take_kinds(const Outline& outline, const Grams& grams, u32* histogram, i64 bins,
                          Statistics& out) {
  out.middle_word_chars = middle_chars(grams, histogram, bins);
  u32 seen = 0;
  for (i64 i = 0; i < grams.words(); ++i) {
    const u8* word = outline.text + outline.words.begin[i];
    const i64 n = outline.words.end[i] - outline.words.begin[i];
    out.letter_words += has_letter(word, n);
    out.marked_words += is_marked(word, n, outline.size - outline.words.begin[i]);
    const int common = folded_common_word(word, n);
    if (common < 0) continue;
    ++out.folded_common_words;
    out.distinct_common_words += !(seen >> common & 1);
    seen |= 1u << common;
  }
}

// The grams are of `n` words.
CURATE_HD_CALLED void take_repeats(const Grams& grams, int n, Statistics& out) {
  i64* const top[] = {&out.top_2_gram_word_chars, &out.top_3_gram_word_chars, &out.top_4_gram_word_chars};
  i64* const repeated[] = {&out.repeated_5_gram_word_chars, &out.repeated_6_gram_word_chars,
                           &out.repeated_7_gram_word_chars, &out.repeated_8_gram_word_chars,
                           &out.repeated_9_gram_word_chars, &out.repeated_10_gram_word_chars};
  i64* const every[] = {&out.every_5_gram_word_chars, &out.every_6_gram_word_chars,
                        &out.every_7_gram_word_chars, &out.every_8_gram_word_chars,
                        &out.every_9_gram_word_chars, &out.every_10_gram_word_chars};
  i64* const covered[] = {&out.covered_5_gram_word_chars, &out.covered_6_gram_word_chars,
                          &out.covered_7_gram_word_chars, &out.covered_8_gram_word_chars,
                          &out.covered_9_gram_word_chars, &out.covered_10_gram_word_chars};
  if (n <= 4) {
    *top[n - 2] = grams.top_word_chars();
  } else {
    *repeated[n - 5] = grams.repeated_word_chars();
    *every[n - 5] = grams.every_word_chars();
    *covered[n - 5] = grams.covered_word_chars();
  }
}

// Calls take(begin, end) for each piece between line feeds that holds a blank but no word: what the outline's
// lines leave of the text.
template <typename Take>
CURATE_HD void each_blank_line(const Outline& outline, Take take) {
  const Parts& lines = outline.lines;
  for (i64 i = 0; i <= lines.count; ++i) {
    i64 at = i == 0 ? 0 : lines.end[i - 1] + 1;
    const i64 end = i == lines.count ? outline.size : lines.begin[i];
    for (i64 begin = at; at < end; begin = ++at) {
      while (at < end && outline.text[at] != '\n') ++at;
      if (at > begin) take(begin, at);
    }
  }
}

// `pieces` and `seen` hold a value a piece between line feeds that is not empty.
CURATE_HD_CALLED void take_raw_lines(const Outline& outline, i64 newlines, FirstTable& table, Parts pieces,
                              u32* seen, Statistics& out) {
  const u8* text = outline.text;
  auto take = [&](i64 begin, i64 end) {
    pieces.begin[pieces.count] = static_cast<u32>(begin);
    pieces.end[pieces.count++] = static_cast<u32>(end);
  };
  for (i64 i = 0; i < outline.lines.count; ++i) {
    const i64 begin = outline.lines.begin[i], end = outline.lines.end[i];
    take(begin, end);
    out.dash_lines += text[begin] == '*' || text[begin] == '-';
    out.trailing_lines += end - begin >= 3 && is_dots(text + end - 3, 3);
  }
  each_blank_line(outline, take);
  count_repeats(outline, pieces, table, seen, &out.repeated_raw_lines, &out.repeated_raw_line_chars);

  const i64 size = outline.size;
  const i64 edges = size > 0 ? (text[0] == '\n') + (text[size - 1] == '\n') : 0;
  const i64 empty = newlines + 1 - pieces.count;
  out.raw_lines = newlines + 1;
  out.packed_lines = pieces.count + edges;
  out.repeated_packed_lines = out.repeated_raw_lines + (edges > 1 ? edges : 0);
  out.repeated_raw_lines += empty > 1 ? empty : 0;
}

}  // namespace curate::heuristics
