// UTF-8 validation, by the table of the Unicode Standard (16.0, table 3-7).
#pragma once
#include "portable.h"

namespace curate {

CURATE_HD bool utf8_valid(const u8* s, i64 n) {
  i64 i = 0;
  while (i < n) {
    u8 c = s[i];
    if (c < 0x80) {
      ++i;
      continue;
    }
    int more;
    u8 low = 0x80, high = 0xBF;
    if (c >= 0xC2 && c <= 0xDF) {
      more = 1;
    } else if (c >= 0xE0 && c <= 0xEF) {
      more = 2;
      if (c == 0xE0) low = 0xA0;
      if (c == 0xED) high = 0x9F;
    } else if (c >= 0xF0 && c <= 0xF4) {
      more = 3;
      if (c == 0xF0) low = 0x90;
      if (c == 0xF4) high = 0x8F;
    } else {
      return false;
    }
    if (i + more >= n) return false;
    if (s[i + 1] < low || s[i + 1] > high) return false;
    for (int k = 2; k <= more; ++k)
      if ((s[i + k] & 0xC0) != 0x80) return false;
    i += more + 1;
  }
  return true;
}

}  // namespace curate
