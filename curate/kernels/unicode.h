// Code points of UTF-8 text and their properties.
#pragma once
#include "portable.h"
#include "unicode_tables.h"

namespace curate {

CURATE_HD bool is_continuation(u8 byte) { return (byte & 0xC0) == 0x80; }

struct CodePoint {
  u32 value;
  int size;  // bytes
};

// The code point at s, with `left` >= 1 bytes to the end of the text. Of bytes that are not well-formed UTF-8
// this only promises to stay inside of the text; one that no code point can start at is U+FFFD on its own.
CURATE_HD CodePoint decode(const u8* s, i64 left) {
  const u8 lead = s[0];
  if (lead < 0x80) return {lead, 1};
  const int size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 0;
  if (size == 0 || lead >= 0xF8 || size > left) return {0xFFFD, 1};
  u32 value = lead & (0x7Fu >> size);
  for (int i = 1; i < size; ++i) {
    if (!is_continuation(s[i])) return {0xFFFD, 1};
    value = value << 6 | (s[i] & 0x3Fu);
  }
  return {value < 0x110000 ? value : 0xFFFD, size};
}

CURATE_HD bool has_property(u32 code, int property) {
  return UNICODE_BITS[UNICODE_BLOCK[code >> 8]][property][code >> 6 & 3] >> (code & 63) & 1;
}

// The derived property Alphabetic: [[:alpha:]] of Python's `regex`.
CURATE_HD bool is_alphabetic(u32 code) { return has_property(code, 0); }

// What Python's str.split, str.strip and str.isspace take for white space.
CURATE_HD bool is_white_space(u32 code) { return has_property(code, 1); }

// Continuation bytes among eight: those with the first bit set and the second clear.
CURATE_HD i64 count_continuations(u64 bytes) {
  return static_cast<i64>(((bytes & ~(bytes << 1)) >> 7 & 0x0101010101010101u) * 0x0101010101010101u >> 56);
}

// Code points of n bytes: all bytes but continuations.
CURATE_HD i64 count_code_points(const u8* s, i64 n) {
  i64 continuations = 0, i = 0;
  u64 bytes;
  for (; i + 8 <= n; i += 8) {
    __builtin_memcpy(&bytes, s + i, 8);
    continuations += count_continuations(bytes);
  }
  if (i == n) return n - continuations;
  if (n >= 8) {
    __builtin_memcpy(&bytes, s + n - 8, 8);
    return n - continuations - count_continuations(bytes >> 8 * (8 - (n - i)));
  }
  for (; i < n; ++i) continuations += is_continuation(s[i]);
  return n - continuations;
}

CURATE_TABLE u64 LOW_BYTES[9] = {0,
                                 0xFF,
                                 0xFFFF,
                                 0xFFFFFF,
                                 0xFFFFFFFF,
                                 0xFFFFFFFFFF,
                                 0xFFFFFFFFFFFF,
                                 0xFFFFFFFFFFFFFF,
                                 0xFFFFFFFFFFFFFFFF};

// The first n bytes of eight: none for n <= 0, all for n >= 8. Without a branch: words are as long as they please.
CURATE_HD u64 low_bytes(u64 bytes, i64 n) { return bytes & LOW_BYTES[n < 0 ? 0 : n < 8 ? n : 8]; }

// Code points of a word of n bytes, from which on 16 may be read.
CURATE_HD i64 count_word_code_points(const u8* s, i64 n) {
  if (n > 16) return count_code_points(s, n);
  u64 bytes[2];
  __builtin_memcpy(bytes, s, 16);
  return n - count_continuations(low_bytes(bytes[0], n)) - count_continuations(low_bytes(bytes[1], n - 8));
}

}  // namespace curate
