// Sketch and match loops for the instruction sets of x86-64, chosen at run time; all give the same bits.
#pragma once
#include <stdexcept>
#include <string>
#include <vector>

#include "similarity.h"
#include "sketch.h"

#if defined(__x86_64__)
#include <immintrin.h>
#define CURATE_AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt")))
#define CURATE_AVX512 __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,bmi,bmi2,popcnt")))
#define CURATE_AVX512VBMI \
  __attribute__((target("avx512vbmi,avx512vbmi2,avx512f,avx512dq,avx512bw,avx512vl,avx2,bmi,bmi2,popcnt")))
#endif

namespace curate::cpu {

enum class Instructions { baseline, avx2, avx512, avx512vbmi };

// What this machine can run, the plainest first.
inline std::vector<std::string> instruction_sets() {
  std::vector<std::string> names = {"baseline"};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2")) names.push_back("avx2");
  if (names.size() == 2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
    names.push_back("avx512");
  if (names.size() == 3 && __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2"))
    names.push_back("avx512vbmi");
#endif
  return names;
}

// The named set, or the best there is for an empty name.
inline Instructions instructions(const std::string& name) {
  const std::vector<std::string> names = instruction_sets();
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i] == (name.empty() ? names.back() : name)) return static_cast<Instructions>(i);
  throw std::invalid_argument("this machine cannot run the instruction set '" + name + "'");
}

#if defined(__x86_64__)

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

struct Avx2Matches {
  CURATE_AVX2 static int count(const u8* a, const u8* b, int hashes) {
    int equal = 0, i = 0;
    for (; i + 32 <= hashes; i += 32) {
      const __m256i x = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(a + i));
      const __m256i y = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(b + i));
      equal += __builtin_popcount(static_cast<u32>(_mm256_movemask_epi8(_mm256_cmpeq_epi8(x, y))));
    }
    return equal + PlainMatches::count(a + i, b + i, hashes - i);
  }
};

struct Avx512Matches {
  CURATE_AVX512 static int count(const u8* a, const u8* b, int hashes) {
    int equal = 0;
    for (int i = 0; i < hashes; i += 64) {
      const __mmask64 in = hashes - i >= 64 ? ~0ULL : (1ULL << (hashes - i)) - 1;
      const __m512i x = _mm512_maskz_loadu_epi8(in, a + i), y = _mm512_maskz_loadu_epi8(in, b + i);
      equal += static_cast<int>(__builtin_popcountll(_mm512_mask_cmpeq_epi8_mask(in, x, y)));
    }
    return equal;
  }
};

#endif

// Calls act with the loops (or matches) of an instruction set.
template <class Act>
void with_loops(Instructions set, Act act) {
#if defined(__x86_64__)
  if (set == Instructions::avx512vbmi) return act(Avx512VbmiLoops{});
  if (set == Instructions::avx512) return act(Avx512Loops{});
  if (set == Instructions::avx2) return act(Avx2Loops{});
#endif
  (void)set;
  act(PlainLoops{});
}

template <class Act>
void with_matches(Instructions set, Act act) {
#if defined(__x86_64__)
  if (set >= Instructions::avx512) return act(Avx512Matches{});
  if (set == Instructions::avx2) return act(Avx2Matches{});
#endif
  (void)set;
  act(PlainMatches{});
}

}  // namespace curate::cpu
