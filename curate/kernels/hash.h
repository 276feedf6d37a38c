// Mixing functions that every sketch, key and partition rests on. All arithmetic is modulo 2^64.
#pragma once
#if !defined(__CUDACC_RTC__)
#include <cstring>
#endif

#include "portable.h"

// Tests count the looks at slots of hash tables.
#if !defined(CURATE_SLOT_LOOK)
#define CURATE_SLOT_LOOK()
#endif

namespace curate {

constexpr u64 kGolden = 0x9E3779B97F4A7C15ULL;  // 2^64 / golden ratio, odd

CURATE_HD u64 rotl(u64 x, unsigned bits) { return (x << (bits & 63)) | (x >> ((64 - bits) & 63)); }

// The place of the lowest bit of x, which is not zero.
CURATE_HD unsigned lowest_bit(u64 x) {
#if defined(__CUDA_ARCH__)
  return static_cast<unsigned>(__ffsll(static_cast<long long>(x)) - 1);
#else
  return static_cast<unsigned>(__builtin_ctzll(x));
#endif
}

// Finaliser of MurmurHash3 (Austin Appleby, public domain): a bijection that mixes every bit into every bit.
CURATE_HD u64 fmix64(u64 h) {
  h ^= h >> 33;
  h *= 0xFF51AFD7ED558CCDULL;
  h ^= h >> 33;
  h *= 0xC4CEB9FE1A85EC53ULL;
  h ^= h >> 33;
  return h;
}

// Next value of the SplitMix64 stream (Steele, Lea, Flood, OOPSLA 2014).
CURATE_HD u64 splitmix64(u64& state) {
  u64 z = (state += kGolden);
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
  return z ^ (z >> 31);
}

// The halves of a 128-bit product folded into one: every bit of either factor reaches every bit of it.
CURATE_HD u64 folded_product(u64 a, u64 b) {
#if defined(__CUDA_ARCH__)
  return a * b ^ __umul64hi(a, b);
#else
  const unsigned __int128 product = static_cast<unsigned __int128>(a) * b;
  return static_cast<u64>(product) ^ static_cast<u64>(product >> 64);
#endif
}

// What hashes that only choose places in tables are keyed with. A process draws its secret when it starts, so that
// nobody can write texts that make its tables slow; no result depends on it. Folded products with secret factors are
// what Go's runtime hashes strings with where a processor has no AES, for the same reason.
struct HashKey {
  CURATE_HD explicit HashKey(u64 secret) : first(splitmix64(secret)), second(splitmix64(secret)) {}

  u64 first, second;
};

struct Hash128 {
  u64 first, second;
};

// MurmurHash3_x64_128 with seed 0 (Austin Appleby, public domain), for little-endian processors.
class Murmur128 {
 public:
  // The next 16 bytes.
  CURATE_HD void add(u64 first, u64 second) {
    a_ ^= rotl(first * kFirst, 31) * kSecond;
    a_ = (rotl(a_, 27) + b_) * 5 + 0x52DCE729;
    b_ ^= rotl(second * kSecond, 33) * kFirst;
    b_ = (rotl(b_, 31) + a_) * 5 + 0x38495AB5;
  }

  // The last size % 16 bytes, zero behind them.
  CURATE_HD Hash128 finish(u64 first, u64 second, i64 size) {
    u64 b = (b_ ^ rotl(second * kSecond, 33) * kFirst) ^ static_cast<u64>(size);
    u64 a = (a_ ^ rotl(first * kFirst, 31) * kSecond) ^ static_cast<u64>(size);
    a += b;
    b += a;
    a = fmix64(a);
    b = fmix64(b);
    a += b;
    b += a;
    return {a, b};
  }

 private:
  static constexpr u64 kFirst = 0x87C37B91114253D5ULL, kSecond = 0x4CF5AD432745937FULL;
  u64 a_ = 0, b_ = 0;
};

CURATE_HD Hash128 murmur128(const u8* s, i64 size) {
  Murmur128 hash;
  i64 i = 0;
  for (; i + 16 <= size; i += 16) {
    u64 word[2];
    memcpy(word, s + i, 16);
    hash.add(word[0], word[1]);
  }
  u64 rest[2] = {0, 0};
  if (i < size) memcpy(rest, s + i, static_cast<size_t>(size - i));
  return hash.finish(rest[0], rest[1], size);
}

}  // namespace curate
