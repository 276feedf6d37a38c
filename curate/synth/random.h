// Hashes, random numbers and permutations of the generator: pure integer arithmetic, equal on every machine.
#pragma once
#include "../kernels/hash.h"

namespace curate::synth {

inline u64 mix(u64 x) { return splitmix64(x); }

inline u64 mix(u64 a, u64 b) { return mix(mix(a) ^ b); }
inline u64 mix(u64 a, u64 b, u64 c) { return mix(mix(a, b) ^ c); }

class Random {
 public:
  explicit Random(u64 seed) : state_(seed) {}
  u64 next() { return splitmix64(state_); }
  // Uniform in [0, n), n > 0 and below 2^32.
  u32 below(u64 n) { return static_cast<u32>(((next() >> 32) * n) >> 32); }
  // In [0, n), n below 2^16: the product of two uniforms, so that the first items are many times likelier.
  u32 skewed(u64 n) {
    u64 x = next();
    return static_cast<u32>(((((x >> 48) * ((x >> 32) & 0xFFFF)) >> 16) * n) >> 16);
  }
  u32 between(u32 low, u32 high) { return low + below(high - low + 1); }
  bool chance(u32 percent) { return below(100) < percent; }

 private:
  u64 state_;
};

// A permutation of [0, n) by a four-round Feistel network with cycle walking: needs no table, runs both ways.
class Permutation {
 public:
  Permutation(u64 n, u64 key) : n_(n), key_(key), half_(1) {
    while (half_ < 31 && (1ull << (2 * half_)) < n) ++half_;
  }
  u64 forward(u64 x) const {
    do x = rounds(x, false);
    while (x >= n_);
    return x;
  }
  u64 backward(u64 x) const {
    do x = rounds(x, true);
    while (x >= n_);
    return x;
  }

 private:
  u64 rounds(u64 x, bool reverse) const {
    const u64 mask = (1ull << half_) - 1;
    u64 left = x >> half_, right = x & mask;
    for (int i = 0; i < 4; ++i) {
      if (reverse) {
        u64 previous = left;
        left = right ^ (mix(key_ + 3 - i, left) & mask);
        right = previous;
      } else {
        u64 next = left ^ (mix(key_ + i, right) & mask);
        left = right;
        right = next;
      }
    }
    return (left << half_) | right;
  }
  u64 n_, key_;
  int half_;
};

}  // namespace curate::synth
