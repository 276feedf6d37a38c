// Compares texts by one kind of shingle; the working memory is kept from pair to pair.
#pragma once
#include <vector>

#include "hash_secret.h"
#include "jaccard.h"
#include "shingle.h"

namespace curate::cpu {

template <class Shingles>
class JaccardScratch {
 public:
  using Unit = Shingles;

  // length: symbols in a shingle, 1 to kLongestShingle.
  explicit JaccardScratch(int length) { tables_.fill(kGolden, length); }

  double compare(const u8* a, i64 size_a, const u8* b, i64 size_b) {
    collect(a, size_a, a_);
    collect(b, size_b, b_);
    const i64 in_a = static_cast<i64>(a_.size()), in_b = static_cast<i64>(b_.size()),
              slots = jaccard_slots(in_a, in_b);
    table_.assign(static_cast<size_t>(slots), 0);
    marks_.assign(static_cast<size_t>(slots), 0);
    return jaccard(a_.data(), in_a, b_.data(), in_b, key_, table_.data(), marks_.data(), slots);
  }

 private:
  void collect(const u8* text, i64 size, std::vector<u64>& hashes) {
    hashes.clear();
    Shingles shingles(tables_);
    shingles.open(text, size);
    while (!shingles.done()) {
      const size_t before = hashes.size();
      hashes.resize(before + kShingleBlock);
      hashes.resize(before + static_cast<size_t>(shingles.next(hashes.data() + before)));
    }
  }

  const HashKey key_{hash_secret()};
  ShingleTables tables_;
  std::vector<u64> a_, b_, table_;
  std::vector<u8> marks_;
};

}  // namespace curate::cpu
