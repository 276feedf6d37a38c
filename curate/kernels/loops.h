// The loops of shingling and sketching that processors have instructions for. PlainLoops says what they compute; a
// processor's own loops must give the same bits.
#pragma once
#include "hash.h"
#include "word_bytes.h"

namespace curate {

struct PlainLoops {
  static CURATE_HD void mix(const u64* raw, i64 count, u64 round, u64* mixed) {
    for (i64 i = 0; i < count; ++i) mixed[i] = fmix64(raw[i] ^ round);
  }
  // As mix for that round of a Fast Similarity Sketch, but may leave out values that lower no slot; returns how many
  // there are. `mixed` has room for `count` up to a multiple of 64.
  static CURATE_HD i64 mix_lowering(const u64* raw, i64 count, u64 round, const u64* slots, int hashes, u64* mixed) {
    const u64 most = largest(slots, hashes);
    if (most >> 32 != round) {
      mix(raw, count, round * kGolden, mixed);
      return count;
    }
    return mix_below(raw, count, round * kGolden, static_cast<u32>(most), mixed);
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
  // Rolls a window of n bytes on by `count`: h = rotl(h, 1) ^ codes[byte in] ^ leaving[byte out], all of them to
  // `hashes`; returns the last. With rotl(h, -i) in place of h, what one byte waits for is one exclusive or.
  static CURATE_HD u64 roll(const u64* codes, const u64* leaving, const u8* in, const u8* out, i64 count, u64 h,
                            u64* hashes) {
    i64 i = 0;
    for (; i + 64 <= count; i += 64, in += 64, out += 64, hashes += 64) {
      CURATE_UNROLL(64)
      for (unsigned b = 0; b < 64; ++b) {
        h ^= rotl(codes[in[b]] ^ leaving[out[b]], 63 - b);
        hashes[b] = rotl(h, b + 1);
      }
    }
    for (; i < count; ++i) *hashes++ = h = rotl(h, 1) ^ codes[*in++] ^ leaving[*out++];
    return h;
  }
  // Where, in chunks of 64 bytes, words begin and end in turn; returns how many such places there are. `inside`: whether
  // the byte before is in a word. `padded` holds two bytes before the first and two after the last.
  static CURATE_HD i64 word_bounds(const u8* padded, i64 chunks, u64 inside, u16* bounds) {
    i64 count = 0;
    u8 in[65];
    in[0] = static_cast<u8>(inside);
    for (i64 i = 0; i < chunks; ++i, padded += 64) {
      for (int b = 0; b < 64; ++b) {
        const u8* s = padded + b;
        in[b + 1] = is_word_byte(s[2]) & (in_separator(s[0], s[1], s[2], s[3], s[4]) ^ 1);
      }
      for (int b = 0; b < 64; ++b) {
        bounds[count] = static_cast<u16>(64 * i + b);
        count += in[b] ^ in[b + 1];
      }
      in[0] = in[64];
    }
    return count;
  }
  // upto[i + 1] = upto[i] ^ rotl(codes[byte i], -7 (i + 1)) for chunks of 64 bytes.
  static CURATE_HD void hash_prefixes(const u64* codes, const u8* bytes, i64 chunks, u64* upto) {
    u64 x = *upto;
    for (i64 i = 0; i < chunks; ++i, bytes += 64, upto += 64) {
      CURATE_UNROLL(64)
      for (unsigned b = 0; b < 64; ++b) upto[b + 1] = x ^= rotl(codes[bytes[b]], 64 - 7 * (b + 1) % 64);
    }
  }
};

}  // namespace curate
