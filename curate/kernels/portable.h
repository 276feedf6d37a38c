// What every kernel header shares: one spelling for host and device, and the fixed-width names.
#pragma once
#include <cstddef>
#include <cstdint>

#if defined(__CUDACC__)
#define CURATE_HD __host__ __device__ inline
// A function that a GPU calls: registers of one are not live in another, and what is inlined nowhere compiles faster.
#define CURATE_HD_CALLED __host__ __device__ __noinline__
#define CURATE_TABLE static __device__ constexpr
#else
#define CURATE_HD inline
#define CURATE_HD_CALLED inline
#define CURATE_TABLE static constexpr
#endif

#if defined(__GNUC__) && !defined(__clang__) && !defined(__CUDACC__)
#define CURATE_PRAGMA(text) _Pragma(#text)
#define CURATE_UNROLL(times) CURATE_PRAGMA(GCC unroll times)
#else
#define CURATE_UNROLL(times) _Pragma("unroll")
#endif

namespace curate {

using u8 = std::uint8_t;
using u16 = std::uint16_t;
using u32 = std::uint32_t;
using u64 = std::uint64_t;
using i64 = std::int64_t;

}  // namespace curate
