// Sketch loops (loops.h) for AVX-512 with VBMI and VBMI2.
#pragma once
#include "loops_avx.h"

#if defined(__x86_64__)
namespace curate::cpu {

// Bytes to pick out of two vectors: those of `parts` places after one another, of the first vector and the second.
struct Picked {
  alignas(64) u8 at[64] = {};
  constexpr Picked(int top, int bin, int step, int parts) {
    for (int i = 0; i < parts; ++i)
      for (int second = 0; second < 2; ++second) {
        at[i + second * parts] = static_cast<u8>(64 * second + top + step * i);
        at[2 * parts + i + second * parts] = static_cast<u8>(64 * second + bin + step * i);
      }
  }
};
static constexpr Picked kOfLanes{3, 4, 8, 8}, kOfPairs{0, 16, 1, 16};

// What lowers each slot of a Fast Similarity Sketch, of up to kMost slots, in two registers.
class SlotLimits {
 public:
  static constexpr int kMost = 128;

  // The upper 7 bits of what lowers a slot are at most its own; nothing lowers the slots of earlier rounds.
  CURATE_AVX512VBMI SlotLimits(const u64* slots, int hashes, u64 round) {
    alignas(64) int8_t limits[kMost] = {};
    for (int i = 0; i < hashes; i += 8) {
      const __m512i slot = _mm512_maskz_loadu_epi64(Avx512Loops::lanes(hashes - i), slots + i);
      const __mmask8 open =
          _mm512_cmpge_epu64_mask(slot, _mm512_set1_epi64(static_cast<i64>(round << 32)));
      const __m512i top = _mm512_and_si512(_mm512_srli_epi64(slot, 25), _mm512_set1_epi64(0x7F));
      _mm_storel_epi64(reinterpret_cast<__m128i*>(limits + i),
                       _mm512_cvtepi64_epi8(_mm512_mask_mov_epi64(_mm512_set1_epi64(-1), open, top)));
    }
    first_ = _mm512_load_si512(limits);
    second_ = _mm512_load_si512(limits + 64);
  }
  // Which of 64 values may lower their slots. `places`: of each value, its bin in byte 4 and its upper bits in byte 3.
  CURATE_AVX512VBMI u64 lowering(const __m512i* places) const {
    const __m512i of_lanes = _mm512_load_si512(kOfLanes.at), of_pairs = _mm512_load_si512(kOfPairs.at);
    __m512i pairs[4], fours[2];
    for (int j = 0; j < 4; ++j)
      pairs[j] = _mm512_permutex2var_epi8(places[2 * j], of_lanes, places[2 * j + 1]);
    for (int j = 0; j < 2; ++j) fours[j] = _mm512_permutex2var_epi8(pairs[2 * j], of_pairs, pairs[2 * j + 1]);
    const __m512i tops = _mm512_inserti64x4(fours[0], _mm512_castsi512_si256(fours[1]), 1);
    const __m512i bins = _mm512_shuffle_i64x2(fours[0], fours[1], 0xEE);
    const __m512i upper = _mm512_and_si512(_mm512_srli_epi16(tops, 1), _mm512_set1_epi8(0x7F));
    return _mm512_cmple_epi8_mask(upper, _mm512_permutex2var_epi8(first_, bins, second_));
  }

 private:
  __m512i first_, second_;
};

// The ASCII bytes that can be of a word, as 0xFF, and the numbers from 0 on.
struct ByteTables {
  alignas(64) u8 word[128] = {};
  alignas(64) u8 count[64] = {};
  constexpr ByteTables() {
    for (int c = 0; c < 128; ++c) {
      const bool letter = (c | 32) >= 'a' && (c | 32) <= 'z', digit = c >= '0' && c <= '9';
      word[c] = letter || digit ? 0xFF : 0;
    }
    for (int i = 0; i < 64; ++i) count[i] = static_cast<u8>(i);
  }
};
static constexpr ByteTables kByteTables;

// Which bytes are of separators of several bytes, chunk after chunk of 64.
class SeparatorBytes {
 public:
  // `first`: the first chunk, with two bytes before it.
  CURATE_AVX512VBMI explicit SeparatorBytes(const u8* first)
      : of_two_(u64{starts_separator2(first[-1], first[0])} << 63),
        of_three_(u64{starts_separator3(first[-1], first[0], first[1])} << 63 |
                  u64{starts_separator3(first[-2], first[-1], first[0])} << 62) {}

  // `high`: which bytes of the chunk are not ASCII. Two bytes after the chunk are looked at.
  CURATE_AVX512VBMI u64 next(const u8* s, __m512i a, u64 high) {
    u64 of_two = 0, of_three = 0;
    if (high) {
      const u64 c2 = _mm512_cmpeq_epi8_mask(a, all(0xC2)), e2 = _mm512_cmpeq_epi8_mask(a, all(0xE2));
      const u64 e3 = _mm512_cmpeq_epi8_mask(a, all(0xE3));
      if (c2 | e2 | e3) {
        const __m512i b = _mm512_loadu_si512(s + 1), c = _mm512_loadu_si512(s + 2);
        of_two = c2 & _mm512_cmpeq_epi8_mask(b, all(0xA0));
        const u64 general = e2 & _mm512_cmpeq_epi8_mask(_mm512_and_si512(b, all(0xFE)), all(0x80)) &
                            _mm512_cmpeq_epi8_mask(_mm512_and_si512(c, all(0xC0)), all(0x80));
        const u64 ideographic = e3 & _mm512_cmpeq_epi8_mask(b, all(0x80)) &
                                _mm512_cmplt_epu8_mask(_mm512_sub_epi8(c, all(0x80)), all(3));
        of_three = general | ideographic;
      }
    }
    const u64 bytes = of_two | of_two << 1 | of_two_ >> 63 | of_three | of_three << 1 | of_three << 2 |
                      of_three_ >> 63 | of_three_ >> 62;
    of_two_ = of_two;
    of_three_ = of_three;
    return bytes;
  }

 private:
  CURATE_AVX512VBMI static __m512i all(int byte) { return _mm512_set1_epi8(static_cast<char>(byte)); }

  u64 of_two_, of_three_;  // where they begin in the chunk before
};

// With tables in registers: of the bytes of words, and of all slots, so that a value is held against its own slot
// rather than the largest of all.
struct Avx512VbmiLoops : Avx512Loops {
  CURATE_AVX512VBMI static i64 word_bounds(const u8* padded, i64 chunks, u64 inside, u16* bounds) {
    const __m512i low = _mm512_load_si512(kByteTables.word), high = _mm512_load_si512(kByteTables.word + 64);
    const __m512i places = _mm512_load_si512(kByteTables.count);
    SeparatorBytes separators(padded + 2);
    i64 count = 0;
    for (i64 i = 0; i < chunks; ++i) {
      const u8* s = padded + 64 * i + 2;
      const __m512i c = _mm512_loadu_si512(s);
      const u64 beyond_ascii = _mm512_movepi8_mask(c);
      const u64 ascii = _mm512_movepi8_mask(_mm512_permutex2var_epi8(low, c, high));
      const u64 words = (ascii | beyond_ascii) & ~separators.next(s, c, beyond_ascii);
      const u64 changes = words ^ (words << 1 | inside);
      inside = words >> 63;
      const __m512i found = _mm512_maskz_compress_epi8(changes, places);
      const __m512i chunk = _mm512_set1_epi16(static_cast<short>(64 * i));
      write_places(_mm512_castsi512_si256(found), chunk, bounds + count);
      const i64 more = static_cast<i64>(_mm_popcnt_u64(changes));
      if (more > 32) write_places(_mm512_extracti64x4_epi64(found, 1), chunk, bounds + count + 32);
      count += more;
    }
    return count;
  }
  CURATE_AVX512VBMI static i64 mix_lowering(const u64* raw, i64 count, u64 round, const u64* slots, int hashes,
                                            u64* mixed) {
    if (hashes > SlotLimits::kMost) return Avx512Loops::mix_lowering(raw, count, round, slots, hashes, mixed);
    const SlotLimits limits(slots, hashes, round);
    const __m512i key = _mm512_set1_epi64(static_cast<i64>(round * kGolden)), bins = _mm512_set1_epi64(hashes);
    i64 kept = 0;
    for (i64 i = 0; i < count; i += 64) {
      __m512i y[8], places[8];
      for (int j = 0; j < 8; ++j) {
        const __mmask8 in = lanes(count - i - 8 * j);
        y[j] = fmix(_mm512_xor_si512(_mm512_maskz_loadu_epi64(in, raw + i + 8 * j), key));
        // Bytes 4 and 3 of a lane: the bin, and the top of what would go there.
        const __m512i bin = _mm512_mul_epu32(_mm512_srli_epi64(y[j], 32), bins);
        places[j] = _mm512_ternarylogic_epi64(_mm512_set1_epi64(0xFFFFFFFF), y[j], bin, 0xCA);
      }
      const u64 inside = count - i >= 64 ? ~0ULL : (1ULL << (count - i)) - 1;
      const u64 lower = limits.lowering(places) & inside;
      for (int j = 0; j < 8; ++j) {
        const __mmask8 keep = static_cast<__mmask8>(lower >> (8 * j));
        _mm512_storeu_si512(mixed + kept, _mm512_maskz_compress_epi64(keep, y[j]));
        kept += __builtin_popcount(keep);
      }
    }
    return kept;
  }

 private:
  CURATE_AVX512VBMI static void write_places(__m256i places, __m512i chunk, u16* to) {
    _mm512_storeu_si512(to, _mm512_add_epi16(_mm512_cvtepu8_epi16(places), chunk));
  }
};

}  // namespace curate::cpu

#endif
