// Which bytes of a text belong to words (docs/sketch.md, "Symbols"), one byte at a time.
#pragma once
#include "portable.h"

namespace curate {

// Separators that are not ASCII: U+00A0; U+2000 to U+207F and U+3000 to U+3002.
CURATE_HD u8 starts_separator2(u8 a, u8 b) { return (a == 0xC2) & (b == 0xA0); }
CURATE_HD u8 starts_separator3(u8 a, u8 b, u8 c) {
  return ((a == 0xE2) & ((b & 0xFE) == 0x80) & ((c & 0xC0) == 0x80)) |
         ((a == 0xE3) & (b == 0x80) & (static_cast<u8>(c - 0x80) < 3));
}

// Whether c is of a separator of several bytes, given the two bytes before it and the two after (0 outside of the text).
CURATE_HD u8 in_separator(u8 a, u8 b, u8 c, u8 d, u8 e) {
  return starts_separator3(c, d, e) | starts_separator3(b, c, d) | starts_separator3(a, b, c) |
         starts_separator2(c, d) | starts_separator2(b, c);
}

// Whether c can be of a word.
CURATE_HD u8 is_word_byte(u8 c) {
  const u8 letter = (static_cast<u8>((c | 32) - 'a') < 26) | (c >= 128);
  return letter | (static_cast<u8>(c - '0') < 10);
}

// 1 where c belongs to a word, given the bytes around it.
CURATE_HD u8 in_word(u8 a, u8 b, u8 c, u8 d, u8 e) { return is_word_byte(c) & (in_separator(a, b, c, d, e) ^ 1); }

}  // namespace curate
