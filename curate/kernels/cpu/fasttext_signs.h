// Signs of many rows at once.
#pragma once
#include "fasttext_drift.h"
#include "targets.h"

namespace curate::cpu {

#if defined(__x86_64__)
CURATE_AVX512 inline void fasttext_add_signs_avx512(const i32* rows, i64 count, FastTextSigns* signs) {
  const __m512i factor = _mm512_set1_epi64(static_cast<i64>(FastTextSigns::FACTOR));
  const __m512i each = _mm512_set1_epi64(static_cast<i64>(FastTextSigns::EACH));
  __m512i low = _mm512_setzero_si512(), high = low;
  for (i64 i = 0; i < count; i += 8) {
    const __mmask8 in = count - i >= 8 ? 0xFF : static_cast<__mmask8>((1 << (count - i)) - 1);
    const __m512i tokens = _mm512_cvtepu32_epi64(_mm256_maskz_loadu_epi32(in, rows + i));  // 0 has no positive sign
    const __m512i bits = _mm512_mullo_epi64(tokens, factor);
    low = _mm512_add_epi64(low, _mm512_and_si512(_mm512_srli_epi64(bits, FastTextSigns::LOW), each));
    high = _mm512_add_epi64(high, _mm512_and_si512(_mm512_srli_epi64(bits, FastTextSigns::HIGH), each));
  }
  signs->low += static_cast<u64>(_mm512_reduce_add_epi64(low));
  signs->high += static_cast<u64>(_mm512_reduce_add_epi64(high));
}
#endif

// Adds the signs of rows of the input matrix; wide: only on machines that has_avx512.
inline void fasttext_add_signs(const i32* rows, i64 count, bool wide, FastTextSigns* signs) {
#if defined(__x86_64__)
  if (count >= 8 && wide) return fasttext_add_signs_avx512(rows, count, signs);
#endif
  for (i64 i = 0; i < count; ++i) signs->add(static_cast<u32>(rows[i]));
}

}  // namespace curate::cpu
