// The working memory of jaccard(), kept from pair to pair.
#pragma once
#include <algorithm>
#include <vector>

#include "jaccard.h"

namespace curate::cpu {

class JaccardScratch {
 public:
  double compare(const u8* a, i64 na, const u8* b, i64 nb, int unit, i64 length) {
    a_.resize(static_cast<size_t>(na));
    b_.resize(static_cast<size_t>(nb));
    const i64 in_a = shingle_hashes(a, na, unit, length, a_.data());
    const i64 in_b = shingle_hashes(b, nb, unit, length, b_.data());
    const i64 slots = jaccard_slots(in_a, in_b);
    table_.assign(static_cast<size_t>(slots), 0);
    shared_.assign(static_cast<size_t>(slots), 0);
    return jaccard(a_.data(), in_a, b_.data(), in_b, table_.data(), shared_.data(), slots);
  }

 private:
  std::vector<u64> a_, b_, table_;
  std::vector<u8> shared_;
};

}  // namespace curate::cpu
