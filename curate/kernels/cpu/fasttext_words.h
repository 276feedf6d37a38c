// Words met before and the sums of their rows.
#pragma once
#include <algorithm>
#include <cstring>
#include <utility>

#include "fasttext_drift.h"
#include "fasttext_keys.h"
#include "huge_pages.h"

namespace curate::cpu {

// A word's record but for its sum.
struct RememberedWord {
  WordKey key;  // zeros: there is none
  u64 signs;    // packed
  u32 hash;     // of its bytes, fastText's
  u32 tally;    // WordTally::of the word; in the first of a set also SECOND_LAST

  static constexpr u32 SECOND_LAST = u32(1) << 31;  // the second was asked for last

  bool empty() const { return key.head == 0; }
};
static_assert(sizeof(RememberedWord) == 32);

// Numbers of rows and signs of up to MOST words, added up in one addition.
class WordTally {
 public:
  static constexpr i32 MOST = 63;
  static constexpr i64 MOST_SIGNS = 255;

  // Of one word. rows: as many as there are signs, or one less.
  static u32 of(i64 signs, i64 rows) {
    return static_cast<u32>(signs) | static_cast<u32>(signs & 1) << ODD | static_cast<u32>(signs - rows) << LESS |
           u32(1) << WORDS;
  }
  void add(u32 tally) { sum_ += tally; }
  i32 words() const { return static_cast<i32>(sum_ >> WORDS & 63); }
  i64 signs() const { return sum_ & 0x3FFF; }
  // The sum of half of each word's signs, rounded down.
  i64 halves() const { return (signs() - (sum_ >> ODD & 63)) / 2; }
  i64 rows() const { return signs() - (sum_ >> LESS & 63); }

 private:
  static constexpr i32 ODD = 14, LESS = 20, WORDS = 26;
  static_assert(MOST_SIGNS * MOST < 1 << ODD && FastTextPackedSigns::MOST <= MOST);
  u32 sum_ = 0;
};

// Words in sets of two, of which the one that was not found last makes room. Most words of a text are repeats, and a
// look-up replaces hashing their n-grams and fetching their rows from a large matrix. What is remembered changes no
// result. The sums stand beside the words: where pages are small, each further page is a miss of its own.
class RememberedWords {
 public:
  struct Found {
    const RememberedWord* word;  // null: it is not remembered
    const float* sum;
  };

  explicit RememberedWords(i32 dim) : dim_(dim), set_size_((2 * (RECORD + 4 * dim_) + LINE - 1) / LINE * LINE) {
    i32 bits = FIRST_BITS;
    while (bits > FEWEST_BITS && bytes(bits) > MOST_BYTES) --bits;
    clear(bits);
  }

  // Asks for what finding a word reads; hash: of its key.
  void prefetch(u32 hash) const { CURATE_PREFETCH(sets_.data() + set_number(hash) * set_size_); }
  void prefetch_sum(const float* sum) const {
    CURATE_PREFETCH(sum);
    if (4 * dim_ > LINE) CURATE_PREFETCH(sum + dim_ - 1);
  }

  // Notes which of its set it was; the first's tally is then without SECOND_LAST.
  Found find(const WordKey& key, u32 hash, const u8* spelling) {
    RememberedWord* words = set(hash);
    // Which of the two it is cannot be foretold, and so is no branch.
    const bool first = words[0].key == key, second = words[1].key == key;
    if (!(first | second)) return {};
    if (key.abridged() && std::memcmp(middle(hash, second), key.middle(spelling), key.middle_size()) != 0) return {};
    if (words->tally >> 31 != second) words->tally ^= RememberedWord::SECOND_LAST;
    return {words + second, sums(words) + (second ? dim_ : 0)};
  }

  // spelling: null where the key is not abridged.
  void remember(RememberedWord word, const u8* spelling, const float* sum) {
    word.tally &= ~RememberedWord::SECOND_LAST;
    const u32 hash = word.key.hash();
    if (find(word.key, hash, spelling).word) return;
    RememberedWord* words = set(hash);
    const bool second = !words[0].empty() && (words[1].empty() || words[0].tally >> 31 == 0);
    filled_ += words[second].empty();
    words[second] = word;
    words->tally = (words->tally & ~RememberedWord::SECOND_LAST) | static_cast<u32>(second) << 31;
    if (word.key.abridged()) std::memcpy(middle(hash, second), word.key.middle(spelling), word.key.middle_size());
    std::copy(sum, sum + dim_, sums(words) + (second ? dim_ : 0));
  }

  // Makes room for more words if it is getting narrow: pointers found before then dangle.
  void grow() {
    const i32 bits = 33 - shift_;
    if (filled_ < i64(1) << (bits - 1) || bits >= MOST_BITS || bytes(bits + 2) > MOST_BYTES) return;
    const HugePages<u8> sets = std::move(sets_);
    clear(bits + 2);
    for (size_t at = 0; at < sets.size(); at += static_cast<size_t>(set_size_)) {
      const RememberedWord* words = reinterpret_cast<const RememberedWord*>(sets.data() + at);
      for (i32 i = 0; i < 2; ++i)
        if (!words[i].empty() && !words[i].key.abridged())  // longer ones are met again
          remember(words[i], nullptr, reinterpret_cast<const float*>(words + 2) + i * dim_);
    }
  }

 private:
  static constexpr i64 MOST_BYTES = i64(144) << 20, LINE = 64, RECORD = sizeof(RememberedWord);
  static constexpr i32 FEWEST_BITS = 6, FIRST_BITS = 12, MOST_BITS = 20;  // of the number of words

  i64 bytes(i32 bits) const { return (set_size_ / 2 + WordKey::LONGEST_MIDDLE) << bits; }
  i64 set_number(u32 hash) const { return hash >> shift_; }
  RememberedWord* set(u32 hash) {
    return reinterpret_cast<RememberedWord*>(sets_.data() + set_number(hash) * set_size_);
  }
  static float* sums(RememberedWord* words) { return reinterpret_cast<float*>(words + 2); }
  u8* middle(u32 hash, bool second) {
    return middles_.data() + (2 * set_number(hash) + second) * WordKey::LONGEST_MIDDLE;
  }

  void clear(i32 bits) {
    filled_ = 0;
    shift_ = 33 - bits;
    sets_ = HugePages<u8>::zeros(static_cast<size_t>(set_size_) << (bits - 1));
    middles_ = HugePages<u8>(static_cast<size_t>(WordKey::LONGEST_MIDDLE) << bits);
  }

  const i64 dim_, set_size_;
  i32 shift_;
  i64 filled_;
  HugePages<u8> sets_;     // each two words, then their sums
  HugePages<u8> middles_;  // of abridged words
};

}  // namespace curate::cpu
