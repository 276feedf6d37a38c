// Which bytes of a text belong to words (docs/sketch.md, "Symbols"), one byte at a time.
#pragma once
#include "portable.h"

namespace curate {

// Separators that are not ASCII: U+00A0; U+2000 to U+207F and U+3000 to U+3002.
CURATE_HD u8 separates2(u8 a, u8 b) { return (a == 0xC2) & (b == 0xA0); }
CURATE_HD u8 separates3(u8 a, u8 b, u8 c) {
  return ((a == 0xE2) & ((b & 0xFE) == 0x80) & ((c & 0xC0) == 0x80)) |
         ((a == 0xE3) & (b == 0x80) & (static_cast<u8>(c - 0x80) < 3));
}

// 1 where byte c belongs to a word, given the two bytes before it and the two after it (0 outside of the text).
CURATE_HD u8 in_word(u8 a, u8 b, u8 c, u8 d, u8 e) {
  const u8 letter = (static_cast<u8>((c | 32) - 'a') < 26) | (c >= 128);
  const u8 digit = static_cast<u8>(c - '0') < 10;
  const u8 in_three = separates3(c, d, e) | separates3(b, c, d) | separates3(a, b, c);
  const u8 in_two = separates2(c, d) | separates2(b, c);
  return (letter | digit) & ((in_three | in_two) ^ 1);
}

}  // namespace curate
