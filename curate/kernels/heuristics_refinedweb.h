// RefinedWeb's line rules as DCLM 361714bd has them (baselines/mappers/modifiers.py), with the counts behind the rule
// on how much they remove, and the text that they leave.
#pragma once
#include "case_tables.h"
#include "heuristics_lines.h"
#include "word_break.h"

namespace curate::heuristics {

#define CURATE_REFINEDWEB_LINES(X)                                                      \
  X(chars, "code points")                                                               \
  X(kept_chars, "code points of the text that stays")                                   \
  X(words, "pieces between fastText's white space that start with a letter or number")  \
  X(kept_words, "words of the text that stays")

#define CURATE_FIELD(name, meaning) i64 name;
struct RefinedwebLines {
  CURATE_REFINEDWEB_LINES(CURATE_FIELD)
};
#undef CURATE_FIELD

namespace refinedweb {

constexpr i64 LEAST_WORDS = 2, LONGEST_NOTICE = 10;

CURATE_HD bool is_upper_case(u32 code) {
  return CASE_BITS[CASE_BLOCK[code >> 8]][0][code >> 6 & 3] >> (code & 63) & 1;
}
CURATE_HD bool is_digit(u32 code) { return CASE_BITS[CASE_BLOCK[code >> 8]][1][code >> 6 & 3] >> (code & 63) & 1; }

// Whether more than half of the line is upper case.
CURATE_HD bool is_shouted(const u8* s, i64 n) {
  i64 upper = 0, chars = 0;
  u8 high = 0;
  for (i64 i = 0; i < n; ++i) {
    upper += s[i] >= 'A' && s[i] <= 'Z';
    high |= s[i];
  }
  if (high < 0x80) return 2 * upper > n;
  upper = 0;
  for (i64 at = 0; at < n; ++chars) {
    const CodePoint code = decode(s + at, n - at);
    upper += is_upper_case(code.value);
    at += code.size;
  }
  return 2 * upper > chars;
}

CURATE_HD bool is_number(const u8* s, i64 n) {
  for (i64 at = 0; at < n;) {
    const CodePoint code = decode(s + at, n - at);
    if (!is_digit(code.value)) return false;
    at += code.size;
  }
  return n > 0;
}

// Bytes at s[at..] that fold to `letter`, as Python's re.IGNORECASE has it with `extra`, else as str.lower(); 0: none.
CURATE_HD int folded(const u8* s, i64 n, i64 at, u8 letter, bool extra) {
  if (at >= n) return 0;
  if (lower(s[at]) == letter) return 1;
  if (letter == 'k' && is_kelvin_sign(s + at, n - at)) return 3;
  if (!extra || at + 1 >= n) return 0;
  if (letter == 'i' && s[at] == 0xC4 && (s[at + 1] == 0xB0 || s[at + 1] == 0xB1)) return 2;
  return letter == 's' && s[at] == 0xC5 && s[at + 1] == 0xBF ? 2 : 0;
}

// Bytes of `wanted` at s[at..]; its full stops stand for any character, as in a pattern where `extra` is set.
CURATE_HD i64 phrase_size(const u8* s, i64 n, i64 at, const char* wanted, bool extra) {
  const i64 begin = at;
  for (; *wanted; ++wanted) {
    const int size = *wanted == '.' && at < n ? decode(s + at, n - at).size
                                              : folded(s, n, at, static_cast<u8>(*wanted), extra);
    if (size == 0) return 0;
    at += size;
  }
  return at - begin;
}

// While characters are (or are not) of re's \w, from `at`.
CURATE_HD i64 word_end(const u8* s, i64 n, i64 at, bool in_word) {
  while (at < n) {
    const CodePoint code = decode(s + at, n - at);
    if (((spacy::properties(code.value) & spacy::WORD) != 0) != in_word) break;
    at += code.size;
  }
  return at;
}

CURATE_TABLE const char* const COUNTED[] = {"likes",     "shares",  "comments",  "retweets",  "reposts", "quotes",
                                            "bookmarks", "upvotes", "downvotes", "downloads", "views",   "followers"};

// Whether the line counts likes, shares and so on, and has nothing else.
CURATE_HD bool is_counter(const u8* s, i64 n) {
  i64 at = word_end(s, n, 0, false);
  const i64 number = at;
  while (at < n) {
    const CodePoint code = decode(s + at, n - at);
    const bool digit = (spacy::properties(code.value) & spacy::DIGIT) != 0;
    if (!digit && (at == number || (code.value != ',' && code.value != '.'))) break;
    at += code.size;
  }
  if (at == number) return false;
  for (const u8 unit : {u8('k'), u8('m'), u8('b')}) {
    if (const int size = folded(s, n, at, unit, false)) {
      at += size;
      break;
    }
  }
  const i64 white = at;
  int size = 0;
  while (at < n && is_white_at(s, n, at, &size)) at += size;
  if (at == white) return false;
  for (const char* counted : COUNTED) {
    const i64 found = phrase_size(s, n, at, counted, false);
    if (found && word_end(s, n, at + found, false) == n) return true;
  }
  return false;
}

enum Place { ANYWHERE, AT_END, AT_START };

// Bytes of the notice at s[at..], with a white space before it, or after one AT_START; 0: it is not there.
CURATE_HD i64 notice_size(const u8* s, i64 n, i64 at, const char* notice, Place place) {
  int white = 0;
  if (place == AT_START) {
    i64 size = at == 0 ? phrase_size(s, n, 0, notice, true) : 0;
    if (size && size < n && is_white_at(s, n, size, &white)) size += white;
    return size;
  }
  i64 found = 0;
  if (is_white_at(s, n, at, &white) && (found = phrase_size(s, n, at + white, notice, true))) found += white;
  if (found && (place == ANYWHERE || at + found == n)) return found;
  found = phrase_size(s, n, at, notice, true);
  return found && (place == ANYWHERE || at + found == n) ? found : 0;
}

// The line without its notices, at `to`; GONE if nothing but white space is left of it.
CURATE_HD i64 without_notice(const u8* s, i64 n, u8* to, const char* notice, Place place) {
  if (count_words(s, n, LONGEST_NOTICE + 1) > LONGEST_NOTICE) return move_line(s, n, to);
  i64 size = 0;
  bool blank = true;
  for (i64 at = 0; at < n;) {
    if (const i64 found = notice_size(s, n, at, notice, place)) {
      at += found;
      continue;
    }
    const CodePoint code = decode(s + at, n - at);
    blank &= is_white_space(code.value);
    memmove(to + size, s + at, static_cast<size_t>(code.size));
    size += code.size;
    at += code.size;
  }
  return n > 0 && blank ? GONE : size;
}

// fastText's words that start with a letter or number.
CURATE_HD i64 count_blank_words(const u8* s, i64 n) {
  i64 words = 0;
  bool before = true;
  for (i64 at = 0; at < n; ++at) {
    const u8 c = s[at];
    const bool blank = c == ' ' || (c >= 9 && c <= 13) || c == 0;
    if (before && !blank) words += is_alphanumeric(decode(s + at, n - at).value);
    before = blank;
  }
  return words;
}

}  // namespace refinedweb

// The document becomes the text that stays. Each rule goes through all lines that the one before it left, and white
// space around the text goes in between, as there.
CURATE_HD_CALLED RefinedwebLines measure_refinedweb_lines(Document& document) {
  using namespace refinedweb;
  RefinedwebLines out = {};
  out.chars = document.chars();
  out.words = count_blank_words(document.text(), document.size());
  u8* s = document.edited();
  memmove(s, document.text(), static_cast<size_t>(document.size()));
  Span left = {0, document.size()};
  auto strip = [&](Span inside) { return stripped(s, inside.begin, inside.end); };
  left = strip(rewrite_lines(s, left, [](const u8* line, i64 n, u8* to) {
    return is_shouted(line, n) ? GONE : move_line(line, n, to);
  }));
  left = strip(rewrite_lines(s, left, [](const u8* line, i64 n, u8* to) {
    return is_number(line, n) ? GONE : move_line(line, n, to);
  }));
  left = strip(rewrite_lines(s, left, [](const u8* line, i64 n, u8* to) {
    return is_counter(line, n) ? GONE : move_line(line, n, to);
  }));
  left = rewrite_lines(s, left, [](const u8* line, i64 n, u8* to) {
    return n > 0 && count_words(line, n, LEAST_WORDS) < LEAST_WORDS ? GONE : move_line(line, n, to);
  });
  left = strip(rewrite_lines(s, left, [](const u8* line, i64 n, u8* to) {
    return without_notice(line, n, to, "items in cart", ANYWHERE);
  }));
  left = strip(rewrite_lines(s, left, [](const u8* line, i64 n, u8* to) {
    return without_notice(line, n, to, "read more...", AT_END);
  }));
  left = strip(rewrite_lines(s, left, [](const u8* line, i64 n, u8* to) {
    return without_notice(line, n, to, "sign-in", AT_START);
  }));
  document.open_edited(left.begin, left.end - left.begin, -1);
  out.kept_chars = document.chars();
  out.kept_words = count_blank_words(document.text(), document.size());
  return out;
}

}  // namespace curate::heuristics
