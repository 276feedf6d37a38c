// Words met before and the sums of their rows.
#pragma once
#include <algorithm>
#include <cstring>
#include <utility>

#include "fasttext_drift.h"
#include "huge_pages.h"

namespace curate::cpu {

// What tells one word from another without reading it again: up to 16 bytes its bytes, zeros behind them (no word holds
// a zero), else its first and last 8.
struct WordKey {
  u64 head, tail;
  u32 size;
};

// The last word of each slot. Most words of a text are repeats, and one look-up replaces hashing their n-grams and
// fetching their rows from a large matrix. What is remembered never changes a result.
class RememberedWords {
 public:
  static constexpr i64 LONGEST = 56;

  explicit RememberedWords(i32 dim) : dim_(dim) {
    i32 bits = FIRST_BITS;
    while (bits > FEWEST_BITS && bytes_a_word() << bits > MOST_BYTES) --bits;
    clear(bits);
  }

  // The key of a word of at most LONGEST bytes; text_end: how far the text may be read.
  static WordKey key(const u8* word, i64 size, const u8* text_end) {
    WordKey found;
    found.size = static_cast<u32>(size);
    if (size > 16) {
      std::memcpy(&found.head, word, 8);
      std::memcpy(&found.tail, word + size - 8, 8);
      return found;
    }
    u8 copy[16] = {};
    if (text_end - word < 16) word = static_cast<u8*>(std::memcpy(copy, word, static_cast<size_t>(size)));
    std::memcpy(&found.head, word, 8);
    std::memcpy(&found.tail, word + 8, 8);
    found.head &= size < 8 ? (u64(1) << (8 * size)) - 1 : ~u64(0);
    found.tail &= size <= 8 ? 0 : ~u64(0) >> (128 - 8 * size);
    return found;
  }

  u32 slot(const WordKey& key, const u8* word) const {
    u64 mixed = (key.head ^ key.size) * 0x9E3779B97F4A7C15ull;
    for (i64 at = 8; at + 8 < key.size && key.size > 16; at += 8) {
      u64 piece;
      std::memcpy(&piece, word + at, 8);
      mixed = ((mixed ^ mixed >> 32) + piece) * 0x9E3779B97F4A7C15ull;
    }
    return static_cast<u32>((((mixed ^ mixed >> 32) + key.tail) * 0xD6E8FEB86659FD93ull) >> shift_);
  }

  void prefetch(u32 slot) const {
    CURATE_PREFETCH(&words_[slot]);
    CURATE_PREFETCH(sum(slot));
    CURATE_PREFETCH(sum(slot) + dim_ - 1);
  }
  bool holds(u32 slot, const WordKey& key, const u8* word) const {
    return words_[slot].is(key) && (key.size <= 16 || std::memcmp(middle(slot), word + 8, key.size - 16) == 0);
  }
  u32 hash(u32 slot) const { return words_[slot].hash; }
  i64 rows(u32 slot) const { return words_[slot].rows; }
  u64 signs(u32 slot) const { return words_[slot].signs; }
  i32 counted(u32 slot) const { return words_[slot].counted; }
  const float* sum(u32 slot) const { return sums_.data() + static_cast<i64>(slot) * dim_; }
  float* sum(u32 slot) { return sums_.data() + static_cast<i64>(slot) * dim_; }

  // signs, counted: of `counted` signs the sums, packed.
  void remember(u32 slot, const WordKey& key, const u8* word, u32 hash, i64 rows, u64 signs, i64 counted,
                const float* sum) {
    filled_ += words_[slot].size == 0;
    words_[slot] = {key.head,
                    key.tail,
                    signs,
                    hash,
                    static_cast<u16>(rows),
                    static_cast<u8>(counted),
                    static_cast<u8>(key.size)};
    if (key.size > 16) std::memcpy(middle(slot), word + 8, key.size - 16);
    std::copy(sum, sum + dim_, sums_.data() + static_cast<i64>(slot) * dim_);
  }

  // Makes room for more words if it is getting narrow; whether it did: then slots are others.
  bool grow() {
    const i32 bits = 64 - shift_;
    if (filled_ < i64(1) << (bits - 1) || bits >= MOST_BITS || bytes_a_word() << (bits + 2) > MOST_BYTES) return false;
    const HugePages<Word> words = std::move(words_);
    const HugePages<float> sums = std::move(sums_);
    clear(bits + 2);
    for (size_t i = 0; i < words.size(); ++i) {
      const Word& word = words[i];
      if (word.size == 0 || word.size > 16) continue;  // longer ones are met again
      const WordKey key = {word.head, word.tail, word.size};
      const u8* spelling = reinterpret_cast<const u8*>(&word.head);
      remember(slot(key, spelling), key, spelling, word.hash, word.rows, word.signs, word.counted,
               sums.data() + i * dim_);
    }
    return true;
  }

 private:
  static constexpr i64 MOST_BYTES = i64(80) << 20, MIDDLE = LONGEST - 16;
  static constexpr i32 FEWEST_BITS = 6, FIRST_BITS = 11, MOST_BITS = 19;

  struct Word {
    u64 head, tail, signs;
    u32 hash;
    u16 rows;
    u8 counted, size;  // size 0: none

    bool is(const WordKey& key) const { return ((head ^ key.head) | (tail ^ key.tail) | (size ^ key.size)) == 0; }
  };
  static_assert(sizeof(Word) == 32);

  i64 bytes_a_word() const { return static_cast<i64>(sizeof(Word)) + MIDDLE + static_cast<i64>(dim_) * 4; }
  const u8* middle(u32 slot) const { return middles_.data() + static_cast<i64>(slot) * MIDDLE; }
  u8* middle(u32 slot) { return middles_.data() + static_cast<i64>(slot) * MIDDLE; }

  void clear(i32 bits) {
    filled_ = 0;
    shift_ = 64 - bits;
    words_ = HugePages<Word>::zeros(size_t(1) << bits);
    middles_ = HugePages<u8>::zeros(static_cast<size_t>(MIDDLE) << bits);
    sums_ = HugePages<float>::zeros(static_cast<size_t>(dim_) << bits);
  }

  i32 dim_, shift_;
  i64 filled_;
  HugePages<Word> words_;
  HugePages<u8> middles_;  // of words over 16 bytes
  HugePages<float> sums_;
};

}  // namespace curate::cpu
