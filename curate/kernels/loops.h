// The loops of shingling and sketching that processors have instructions for. PlainLoops says what they compute; a
// processor's own loops must give the same bits.
#pragma once
#include "hash.h"

namespace curate {

struct PlainLoops {
  static CURATE_HD void mix(const u64* raw, i64 count, u64 round, u64* mixed) {
    for (i64 i = 0; i < count; ++i) mixed[i] = fmix64(raw[i] ^ round);
  }
  // As mix, but keeps only values whose low 32 bits are at most `ceiling`; returns how many.
  static CURATE_HD i64 mix_below(const u64* raw, i64 count, u64 round, u32 ceiling, u64* mixed) {
    i64 kept = 0;
    for (i64 i = 0; i < count; ++i) {
      mixed[kept] = fmix64(raw[i] ^ round);
      kept += static_cast<u32>(mixed[kept]) <= ceiling;
    }
    return kept;
  }
  static CURATE_HD u64 mix_least(const u64* raw, i64 count, u64 round) {
    u64 least = ~0ULL;
    for (i64 i = 0; i < count; ++i) {
      const u64 y = fmix64(raw[i] ^ round);
      least = y < least ? y : least;
    }
    return least;
  }
  static CURATE_HD u64 largest(const u64* values, i64 count) {
    u64 most = 0;
    for (i64 i = 0; i < count; ++i) most = values[i] > most ? values[i] : most;
    return most;
  }
  // Which bytes belong to a word: bit b of in_word[i] for byte 64 i + b. `padded` holds two bytes before the first of
  // them and two after the last. A byte of a separator of several bytes can be told from its neighbours.
  static CURATE_HD void word_bytes(const u8* padded, i64 chunks, u64* in_word) {
    for (i64 i = 0; i < chunks; ++i) {
      const u8* s = padded + 64 * i;
      u8 keep[64];
      for (int b = 0; b < 64; ++b)
        keep[b] = is_word_byte(s[b + 2]) & (in_separator(s[b], s[b + 1], s[b + 2], s[b + 3], s[b + 4]) ^ 1);
      in_word[i] = 0;
      for (int b = 0; b < 64; ++b) in_word[i] |= static_cast<u64>(keep[b]) << b;
    }
  }

 private:
  static CURATE_HD u8 is_word_byte(u8 c) {
    const u8 letter = (static_cast<u8>((c | 32) - 'a') < 26) | (c >= 128);
    return letter | (static_cast<u8>(c - '0') < 10);
  }
  static CURATE_HD u8 in_separator(u8 a, u8 b, u8 c, u8 d, u8 e) {
    return starts3(c, d, e) | starts3(b, c, d) | starts3(a, b, c) | starts2(c, d) | starts2(b, c);
  }
  static CURATE_HD u8 starts2(u8 a, u8 b) { return (a == 0xC2) & (b == 0xA0); }
  static CURATE_HD u8 starts3(u8 a, u8 b, u8 c) {
    return ((a == 0xE2) & ((b & 0xFE) == 0x80) & ((c & 0xC0) == 0x80)) |
           ((a == 0xE3) & (b == 0x80) & (static_cast<u8>(c - 0x80) < 3));
  }
};

}  // namespace curate
