// What this process keys its hashes with.
#pragma once
#include <random>

#include "portable.h"

namespace curate::cpu {

inline u64 hash_secret() {
  static const u64 secret = [] {
    std::random_device random;
    return static_cast<u64>(random()) << 32 | random();
  }();
  return secret;
}

}  // namespace curate::cpu
