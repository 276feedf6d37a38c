// Which instruction set of x86-64 sketches and matches are computed with, chosen at run time; all give the same bits.
#pragma once
#include <stdexcept>
#include <string>
#include <vector>

#include "loops_avx512vbmi.h"
#include "similarity.h"
#include "sketch.h"

namespace curate::cpu {

enum class Instructions { baseline, avx2, avx512, avx512vbmi };

// What this machine can run, the plainest first.
inline std::vector<std::string> instruction_sets() {
  std::vector<std::string> names = {"baseline"};
  if (has_avx2()) names.push_back("avx2");
  if (has_avx512()) names.push_back("avx512");
  if (has_avx512vbmi()) names.push_back("avx512vbmi");
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
