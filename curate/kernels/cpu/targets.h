// Instruction sets of x86-64 that functions may be compiled for beside the one that every machine has, and whether this
// machine has them.
#pragma once

#if defined(__x86_64__)
#include <immintrin.h>
#define CURATE_AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt")))
#define CURATE_AVX512 __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,bmi,bmi2,popcnt")))
#define CURATE_AVX512VBMI \
  __attribute__((target("avx512vbmi,avx512vbmi2,avx512f,avx512dq,avx512bw,avx512vl,avx2,bmi,bmi2,popcnt")))
#endif

namespace curate::cpu {

inline bool has_avx2() {
#if defined(__x86_64__)
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") &&
         __builtin_cpu_supports("popcnt");
#else
  return false;
#endif
}

inline bool has_avx512() {
#if defined(__x86_64__)
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
#else
  return false;
#endif
}

inline bool has_avx512vbmi() {
#if defined(__x86_64__)
  return has_avx512() && __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2");
#else
  return false;
#endif
}

}  // namespace curate::cpu
