// Words met before and the sums of their rows.
#pragma once
#include <algorithm>
#include <cstring>
#include <vector>

#include "fasttext.h"

namespace curate::cpu {

// The last word of each slot. Most words of a text are repeats, and one look-up replaces hashing their n-grams and
// fetching their rows from a large matrix. What is remembered never changes a result.
class RememberedWords {
 public:
  static constexpr i64 LONGEST = 56;

  struct alignas(64) Word {
    u32 hash;
    u16 rows;
    u8 size;  // 0: none
    u8 spelling[LONGEST];
  };

  explicit RememberedWords(i32 dim) : dim_(dim) {
    i32 bits = 6;
    while (bits < 17 && (static_cast<i64>(sizeof(Word)) + dim * 4) << (bits + 1) <= MOST_BYTES) ++bits;
    shift_ = 64 - bits;
    words_.resize(size_t(1) << bits);
    sums_.resize(static_cast<size_t>(dim) << bits);
  }

  u32 slot(u32 hash) const { return fasttext_slot(hash, shift_); }

  void prefetch(u32 slot) const {
    CURATE_PREFETCH(&words_[slot]);
    CURATE_PREFETCH(sum(slot));
    CURATE_PREFETCH(sum(slot) + dim_ - 1);
  }
  bool holds(u32 slot, const u8* word, i64 size, u32 hash) const {
    const Word& held = words_[slot];
    return held.hash == hash && held.size == size && fasttext_same(held.spelling, word, size);
  }
  i64 rows(u32 slot) const { return words_[slot].rows; }
  const float* sum(u32 slot) const { return sums_.data() + static_cast<i64>(slot) * dim_; }

  void remember(u32 slot, const u8* word, i64 size, u32 hash, i64 rows, const float* sum) {
    Word& held = words_[slot];
    held.hash = hash;
    held.rows = static_cast<u16>(rows);
    held.size = static_cast<u8>(size);
    std::memcpy(held.spelling, word, static_cast<size_t>(size));
    std::copy(sum, sum + dim_, sums_.data() + static_cast<i64>(slot) * dim_);
  }

 private:
  static constexpr i64 MOST_BYTES = i64(16) << 20;
  i32 dim_, shift_;
  std::vector<Word> words_;
  std::vector<float> sums_;
};

}  // namespace curate::cpu
