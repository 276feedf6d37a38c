// What spaCy's English tokeniser splits off the start and the end of a piece of text, and inside of it.
#pragma once
#if !defined(__CUDACC_RTC__)
#include <cstring>
#endif

#include "spacy_tables.h"
#include "unicode.h"

namespace curate::spacy {

constexpr int SEQUENCE_COUNT = sizeof(SEQUENCES) / sizeof(Sequence);
constexpr int LONGEST_UNIT = 10;  // bytes

CURATE_HD constexpr u32 properties(u32 code) {
  return CLASS_PROPERTIES[CLASSES[CLASS_BLOCK[code >> 8]][code & 255]];
}

CURATE_HD bool is_digit(u8 byte) { return byte >= '0' && byte <= '9'; }

// The code point that ends at byte `end` of s, end > 0.
CURATE_HD CodePoint decode_before(const u8* s, i64 end) {
  if (s[end - 1] < 0x80) return {s[end - 1], 1};
  i64 at = end - 1;
  while (at > 0 && end - at < 4 && is_continuation(s[at])) --at;
  const CodePoint code = decode(s + at, end - at);
  return code.size == end - at ? code : CodePoint{0xFFFD, 1};
}

CURATE_HD u32 properties_before(const u8* s, i64 end) { return end > 0 ? properties(decode_before(s, end).value) : 0; }

CURATE_HD u32 properties_at(const u8* s, i64 at, i64 end) {
  return at < end ? properties(decode(s + at, end - at).value) : 0;
}

// Bytes of the prefix of the n bytes at s, 0 where there is none.
CURATE_HD i64 prefix_size(const u8* s, i64 n) {
  if (n <= 0) return 0;
  const CodePoint code = decode(s, n);
  if (properties(code.value) & PREFIX) return code.size;
  if (s[0] == '+') return n > 1 && is_digit(s[1]) ? 0 : 1;
  if (s[0] == '.') {
    i64 dots = 1;
    while (dots < n && s[dots] == '.') ++dots;
    return dots > 1 ? dots : 0;
  }
  if ((s[0] == 'C' || s[0] == 'A') && n > 1 && s[1] == '$') return 2;
  return s[0] == 'U' && n > 2 && s[1] == 'S' && s[2] == '$' ? 3 : 0;
}

// Bytes of the unit or currency that ends the n bytes at s after a digit. No unit has a digit in it.
CURATE_HD i64 unit_size(const u8* s, i64 n) {
  const u8 last = s[n - 1];
  if (last < 0x80 && last != '%' && last != '$' && !((last | 0x20) >= 'a' && (last | 0x20) <= 'z')) return 0;
  i64 size = 0;
  while (size <= LONGEST_UNIT && size < n && !is_digit(s[n - 1 - size])) ++size;
  if (size == 0 || size > LONGEST_UNIT || size == n) return 0;
  for (const char* unit : UNITS) {
    i64 i = 0;
    while (i < size && unit[i] && s[n - size + i] == static_cast<u8>(unit[i])) ++i;
    if (i == size && !unit[i]) return size;
  }
  return 0;
}

// Whether the full stop at byte `at` of s is split off.
CURATE_HD bool is_final_stop(const u8* s, i64 at) {
  if (at == 0) return false;
  const CodePoint before = decode_before(s, at);
  const u32 has = properties(before.value);
  if (has & BEFORE_STOP) return true;
  const i64 rest = at - before.size;
  if (has & UPPER && properties_before(s, rest) & UPPER) return true;
  const u8 degrees = before.value < 0x80 ? static_cast<u8>(before.value | 0x20) : 0;
  return (degrees == 'f' || degrees == 'c' || degrees == 'k') && rest > 0 && decode_before(s, rest).value == 0xB0;
}

// Bytes of the suffix of the n bytes at s, 0 where there is none; the longest of those that there are.
CURATE_HD i64 suffix_size(const u8* s, i64 n) {
  if (n <= 0) return 0;
  const CodePoint code = decode_before(s, n);
  i64 size = properties(code.value) & SUFFIX ? code.size : 0;
  if (code.value == '.') {
    i64 dots = 1;
    while (dots < n && s[n - 1 - dots] == '.') ++dots;
    if (dots > 1) return dots;
    return is_final_stop(s, n - 1) ? 1 : 0;
  }
  if (code.value == 0x2026 && n >= 6 && decode_before(s, n - 3).value == 0x2026) return 6;
  if (code.value == '+' && n > 1 && is_digit(s[n - 2])) return 1;
  if ((code.value | 0x20) == 's' && n > 1) {
    const CodePoint before = decode_before(s, n - 1);
    if (before.value == '\'' || before.value == 0x2019) return 1 + before.size;
  }
  const i64 unit = unit_size(s, n);
  return unit > size ? unit : size;
}

CURATE_HD i64 hyphens_size(const u8* s, i64 at, i64 end) {
  i64 size = 1;
  if (s[at] == '-') {
    while (size < 4 && at + size < end && s[at + size] == '-') ++size;
    if (size > 3) return 0;
  } else if (s[at] >= 0x80) {
    size = 3;
    if (decode(s + at, end - at).value == 0x2014 && at + 6 <= end && decode(s + at + 3, end - at - 3).value == 0x2014)
      size = 6;
  }
  return properties_at(s, at + size, end) & ALPHA ? size : 0;
}

CURATE_HD constexpr bool is_hyphen(u32 code) { return code == '-' || code == '~' || code == 0x2013 || code == 0x2014; }

// Bytes of the infix at byte `at` of the piece s[begin .. end], 0 where there is none.
CURATE_HD i64 infix_size(const u8* s, i64 begin, i64 at, i64 end) {
  const u8 c = s[at];
  if (is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')) return 0;
  const CodePoint code = decode(s + at, end - at);
  if (properties(code.value) & ICON) return code.size;
  if (c == '.') {
    i64 dots = 1;
    while (at + dots < end && s[at + dots] == '.') ++dots;
    if (dots > 1) return dots;
    return properties_before(s + begin, at - begin) & (LOWER | QUOTE) &&
           properties_at(s, at + 1, end) & (UPPER | QUOTE);
  }
  if (at == begin) return 0;
  if ((c == '+' || c == '-' || c == '*' || c == '^') && is_digit(s[at - 1]) && at + 1 < end &&
      (is_digit(s[at + 1]) || s[at + 1] == '-'))
    return 1;
  const bool alpha = properties_before(s + begin, at - begin) & ALPHA;
  if (c == ',') return alpha && properties_at(s, at + 1, end) & ALPHA;
  if (!alpha && !is_digit(s[at - 1])) return 0;
  if (is_hyphen(code.value)) return hyphens_size(s, at, end);
  const bool mark = c == ':' || c == '<' || c == '>' || c == '=' || c == '/';
  return mark && properties_at(s, at + 1, end) & ALPHA;
}

}  // namespace curate::spacy
