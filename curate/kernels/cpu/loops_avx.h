// Sketch loops (loops.h) for AVX2 and AVX-512.
#pragma once
#include "loops.h"
#include "targets.h"

#if defined(__x86_64__)

namespace curate::cpu {

struct Avx2Loops {
  CURATE_AVX2 static void mix(const u64* raw, i64 count, u64 round, u64* mixed) {
    PlainLoops::mix(raw, count, round, mixed);
  }
  CURATE_AVX2 static i64 mix_lowering(const u64* raw, i64 count, u64 round, const u64* slots, int hashes,
                                      u64* mixed) {
    return PlainLoops::mix_lowering(raw, count, round, slots, hashes, mixed);
  }
  CURATE_AVX2 static u64 mix_least(const u64* raw, i64 count, u64 round) {
    return PlainLoops::mix_least(raw, count, round);
  }
  CURATE_AVX2 static u64 largest(const u64* values, i64 count) { return PlainLoops::largest(values, count); }
  CURATE_AVX2 static u64 roll(const u64* codes, const u64* leaving, const u8* in, const u8* out, i64 count, u64 h,
                               u64* hashes) {
    return PlainLoops::roll(codes, leaving, in, out, count, h, hashes);
  }
  CURATE_AVX2 static i64 word_bounds(const u8* padded, i64 chunks, u64 inside, u16* bounds) {
    constexpr int kUsual = 24;  // of a chunk of English; fewer are written as many, and the surplus overwritten
    i64 count = 0;
    for (i64 i = 0; i < chunks; ++i) {
      const u64 words = word_bytes(padded + 64 * i + 2);
      u64 changes = words ^ (words << 1 | inside);
      inside = words >> 63;
      const i64 found = static_cast<i64>(_mm_popcnt_u64(changes));
      u16* to = bounds + count;
      for (int k = 0; k < kUsual; ++k, changes &= changes - 1)
        to[k] = static_cast<u16>(64 * static_cast<u64>(i) + _tzcnt_u64(changes));
      for (int k = kUsual; k < found; ++k, changes &= changes - 1)
        to[k] = static_cast<u16>(64 * static_cast<u64>(i) + _tzcnt_u64(changes));
      count += found;
    }
    return count;
  }
  CURATE_AVX2 static void hash_prefixes(const u64* codes, const u8* bytes, i64 chunks, u64* upto) {
    PlainLoops::hash_prefixes(codes, bytes, chunks, upto);
  }

 private:
  struct Separators {
    u64 of_two, of_three;  // where they begin
  };
  CURATE_AVX2 static __m256i load(const u8* s) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(s));
  }
  CURATE_AVX2 static __m256i all(int byte) { return _mm256_set1_epi8(static_cast<char>(byte)); }
  CURATE_AVX2 static u64 bits(__m256i bytes, int half) {
    return static_cast<u64>(static_cast<u32>(_mm256_movemask_epi8(bytes))) << (32 * half);
  }
  CURATE_AVX2 static u64 word_bytes(const u8* s) {
    u64 ascii = 0;
    const u64 words = word_chunk(s, ascii);
    if (ascii == ~0ULL) return words;
    // Separators that begin two bytes before the chunk reach one byte into it.
    const Separators here = separators(s), before = separators(s - 2);
    const u64 of_two = here.of_two | here.of_two << 1 | (before.of_two >> 1 & 1);
    return words & ~of_two &
           ~(here.of_three | here.of_three << 1 | (before.of_three >> 1 & 1) | before.of_three);
  }
  // Which of 64 bytes are of a word where there are no separators of several bytes; and which are ASCII.
  CURATE_AVX2 static u64 word_chunk(const u8* s, u64& ascii) {
    u64 words = 0, high = 0;
    for (int half = 0; half < 2; ++half) {
      const __m256i c = load(s + 32 * half), lower = _mm256_or_si256(c, all(32));
      // The comparisons are signed: bytes from 0x80 on are negative.
      const __m256i letter =
          _mm256_and_si256(_mm256_cmpgt_epi8(lower, all('a' - 1)), _mm256_cmpgt_epi8(all('z' + 1), lower));
      const __m256i digit =
          _mm256_and_si256(_mm256_cmpgt_epi8(c, all('0' - 1)), _mm256_cmpgt_epi8(all('9' + 1), c));
      words |= bits(_mm256_or_si256(letter, digit), half);
      high |= bits(c, half);
    }
    ascii = ~high;
    return words | high;
  }
  CURATE_AVX2 static Separators separators(const u8* s) {
    Separators found{0, 0};
    for (int half = 0; half < 2; ++half) {
      const __m256i a = load(s + 32 * half), b = load(s + 32 * half + 1), c = load(s + 32 * half + 2);
      const __m256i nbsp =
          _mm256_and_si256(_mm256_cmpeq_epi8(a, all(0xC2)), _mm256_cmpeq_epi8(b, all(0xA0)));
      const __m256i b_fits = _mm256_cmpeq_epi8(_mm256_and_si256(b, all(0xFE)), all(0x80));
      const __m256i c_fits = _mm256_cmpeq_epi8(_mm256_and_si256(c, all(0xC0)), all(0x80));
      const __m256i general =
          _mm256_and_si256(_mm256_cmpeq_epi8(a, all(0xE2)), _mm256_and_si256(b_fits, c_fits));
      const __m256i c_least = _mm256_and_si256(_mm256_cmpgt_epi8(all(0x83), c), c_fits);
      const __m256i ideographic = _mm256_and_si256(
          _mm256_cmpeq_epi8(a, all(0xE3)), _mm256_and_si256(_mm256_cmpeq_epi8(b, all(0x80)), c_least));
      found.of_two |= bits(nbsp, half);
      found.of_three |= bits(_mm256_or_si256(general, ideographic), half);
    }
    return found;
  }
};

struct Avx512Loops {
  CURATE_AVX512 static __m512i fmix(__m512i h) {
    h = _mm512_xor_si512(h, _mm512_srli_epi64(h, 33));
    h = _mm512_mullo_epi64(h, _mm512_set1_epi64(static_cast<i64>(0xFF51AFD7ED558CCDULL)));
    h = _mm512_xor_si512(h, _mm512_srli_epi64(h, 33));
    h = _mm512_mullo_epi64(h, _mm512_set1_epi64(static_cast<i64>(0xC4CEB9FE1A85EC53ULL)));
    return _mm512_xor_si512(h, _mm512_srli_epi64(h, 33));
  }
  // The lanes of a last, shorter step.
  static __mmask8 lanes(i64 left) {
    return left >= 8 ? 0xFF : left > 0 ? static_cast<__mmask8>((1 << left) - 1) : 0;
  }

  CURATE_AVX512 static void mix(const u64* raw, i64 count, u64 round, u64* mixed) {
    const __m512i key = _mm512_set1_epi64(static_cast<i64>(round));
    for (i64 i = 0; i < count; i += 8) {
      const __mmask8 in = lanes(count - i);
      const __m512i h = _mm512_xor_si512(_mm512_maskz_loadu_epi64(in, raw + i), key);
      _mm512_mask_storeu_epi64(mixed + i, in, fmix(h));
    }
  }
  CURATE_AVX512 static i64 mix_below(const u64* raw, i64 count, u64 round, u32 ceiling, u64* mixed) {
    const __m512i key = _mm512_set1_epi64(static_cast<i64>(round)), most = _mm512_set1_epi64(ceiling);
    const __m512i low = _mm512_set1_epi64(0xFFFFFFFF);
    i64 kept = 0;
    for (i64 i = 0; i < count; i += 8) {
      const __mmask8 in = lanes(count - i);
      const __m512i y = fmix(_mm512_xor_si512(_mm512_maskz_loadu_epi64(in, raw + i), key));
      const __mmask8 keep = _mm512_mask_cmple_epu64_mask(in, _mm512_and_si512(y, low), most);
      const int more = __builtin_popcount(keep);
      // Not a compressing store: these are slow on some processors.
      _mm512_mask_storeu_epi64(mixed + kept, lanes(more), _mm512_maskz_compress_epi64(keep, y));
      kept += more;
    }
    return kept;
  }
  CURATE_AVX512 static i64 mix_lowering(const u64* raw, i64 count, u64 round, const u64* slots, int hashes,
                                        u64* mixed) {
    const u64 most = largest(slots, hashes);
    if (most >> 32 != round) {
      mix(raw, count, round * kGolden, mixed);
      return count;
    }
    return mix_below(raw, count, round * kGolden, static_cast<u32>(most), mixed);
  }
  CURATE_AVX512 static u64 mix_least(const u64* raw, i64 count, u64 round) {
    const __m512i key = _mm512_set1_epi64(static_cast<i64>(round));
    __m512i least = _mm512_set1_epi64(-1);
    for (i64 i = 0; i < count; i += 8) {
      const __mmask8 in = lanes(count - i);
      const __m512i y = fmix(_mm512_xor_si512(_mm512_maskz_loadu_epi64(in, raw + i), key));
      least = _mm512_mask_min_epu64(least, in, least, y);
    }
    return _mm512_reduce_min_epu64(least);
  }
  CURATE_AVX512 static u64 largest(const u64* values, i64 count) {
    __m512i most = _mm512_setzero_si512();
    for (i64 i = 0; i < count; i += 8)
      most = _mm512_max_epu64(most, _mm512_maskz_loadu_epi64(lanes(count - i), values + i));
    return _mm512_reduce_max_epu64(most);
  }
  CURATE_AVX512 static u64 roll(const u64* codes, const u64* leaving, const u8* in, const u8* out, i64 count, u64 h,
                                 u64* hashes) {
    return Avx2Loops::roll(codes, leaving, in, out, count, h, hashes);
  }
  CURATE_AVX512 static i64 word_bounds(const u8* padded, i64 chunks, u64 inside, u16* bounds) {
    return Avx2Loops::word_bounds(padded, chunks, inside, bounds);
  }
  CURATE_AVX512 static void hash_prefixes(const u64* codes, const u8* bytes, i64 chunks, u64* upto) {
    Avx2Loops::hash_prefixes(codes, bytes, chunks, upto);
  }
};

}  // namespace curate::cpu

#endif
