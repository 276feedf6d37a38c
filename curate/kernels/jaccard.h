// Exact Jaccard similarity of two texts' shingle sets, a shingle being known by a 64-bit hash.
// Two shingles of a pair share a hash with probability about n^2 / 2^65: below 1e-9 for texts of 100 kB.
#pragma once
#include "portable.h"

namespace curate {

constexpr u64 kShingleBase = 0x5851F42D4C957F2Dull;  // the multiplier of Knuth's MMIX generator: odd, well mixed

CURATE_HD u64 shingle_mix(u64 x) {
  x = (x ^ (x >> 32)) * 0xD6E8FEB86659FD93ull;
  x = (x ^ (x >> 32)) * 0xD6E8FEB86659FD93ull;
  return x ^ (x >> 32);
}

// Turns symbol codes into shingle hashes, in place; returns how many. Fewer symbols than `length` are one shingle.
CURATE_HD i64 roll_shingles(u64* codes, i64 n, i64 length) {
  if (n == 0) return 0;
  u64 leaving = 1, hash = 0;
  for (i64 i = 0; i < length - 1; ++i) leaving *= kShingleBase;
  if (n <= length) {
    for (i64 i = 0; i < n; ++i) hash = hash * kShingleBase + codes[i];
    codes[0] = shingle_mix(hash);
    return 1;
  }
  for (i64 i = 0; i < length - 1; ++i) hash = hash * kShingleBase + codes[i];
  for (i64 i = length - 1; i < n; ++i) {
    const i64 first = i - length + 1;
    hash = hash * kShingleBase + codes[i];
    const u64 left = codes[first];
    codes[first] = shingle_mix(hash);
    hash -= left * leaving;
  }
  return n - length + 1;
}

CURATE_HD i64 byte_codes(const u8* s, i64 n, u64* codes) {
  for (i64 i = 0; i < n; ++i) codes[i] = shingle_mix(s[i] + 1);
  return n;
}

// Bytes of the separator that starts at s: Unicode spaces and general punctuation (U+00A0, U+2000 to U+207F,
// U+3000 to U+3002), or ASCII other than letters and digits; 0 where a word goes on.
CURATE_HD i64 separator_bytes(const u8* s, i64 left) {
  const u8 c = s[0];
  if (c < 0x80) return !((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'));
  if (left >= 2 && c == 0xC2 && s[1] == 0xA0) return 2;
  if (left >= 3 && c == 0xE2 && (s[1] == 0x80 || s[1] == 0x81) && (s[2] & 0xC0) == 0x80) return 3;
  if (left >= 3 && c == 0xE3 && s[1] == 0x80 && s[2] >= 0x80 && s[2] <= 0x82) return 3;
  return 0;
}

// Words are maximal runs of ASCII letters and digits and bytes from 0x80 on, ASCII-lowercased.
CURATE_HD i64 word_codes(const u8* s, i64 n, u64* codes) {
  i64 count = 0, i = 0;
  while (i < n) {
    const i64 gap = separator_bytes(s + i, n - i);
    if (gap) {
      i += gap;
      continue;
    }
    u64 code = 0;
    for (; i < n && !separator_bytes(s + i, n - i); ++i)
      code = code * kShingleBase + (s[i] >= 'A' && s[i] <= 'Z' ? s[i] + 33 : s[i] + 1);
    codes[count++] = shingle_mix(code);
  }
  return count;
}

// Shingle hashes of a text; `hashes` has room for n. unit: 0 bytes, 1 words.
CURATE_HD i64 shingle_hashes(const u8* s, i64 n, int unit, i64 length, u64* hashes) {
  return roll_shingles(hashes, unit == 0 ? byte_codes(s, n, hashes) : word_codes(s, n, hashes), length);
}

// Slots of the table that jaccard() needs: a power of two, at most half full.
CURATE_HD i64 jaccard_slots(i64 na, i64 nb) {
  i64 slots = 16;
  while (slots < 2 * (na + nb)) slots *= 2;
  return slots;
}

// |A and B| / |A or B| of two lists of hashes (repeats allowed); 1 for two empty lists, as the sets are equal.
// `table` has `slots` zeroed values; `shared` as many zeroed flags.
CURATE_HD double jaccard(const u64* a, i64 na, const u64* b, i64 nb, u64* table, u8* shared, i64 slots) {
  const u64 mask = static_cast<u64>(slots) - 1;
  i64 all = 0, common = 0;
  for (i64 i = 0; i < na; ++i) {
    const u64 key = a[i] | 1;
    u64 at = (a[i] >> 20) & mask;
    while (table[at] && table[at] != key) at = (at + 1) & mask;
    all += table[at] == 0;
    table[at] = key;
    shared[at] = 1;
  }
  for (i64 i = 0; i < nb; ++i) {
    const u64 key = b[i] | 1;
    u64 at = (b[i] >> 20) & mask;
    while (table[at] && table[at] != key) at = (at + 1) & mask;
    all += table[at] == 0;
    common += shared[at] == 1;
    table[at] = key;
    shared[at] = 2;
  }
  return all ? static_cast<double>(common) / static_cast<double>(all) : 1.0;
}

}  // namespace curate
