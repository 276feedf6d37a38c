// Word n-grams of some texts, looked up in others in O(1) a word. A match is certain: whatever shares a hash is
// compared letter by letter.
#pragma once
#include "words.h"

namespace curate {

constexpr int kLongestNgram = 64;  // words
constexpr u32 kNoGram = 0xFFFFFFFF;

struct NgramSlot {
  u64 hash;
  u32 gram;  // kNoGram: the slot is free
};

// The grams of one number of words. Filters are apart because those of short grams are few and stay in cache.
struct NgramLength {
  int words;
  const u64* filter;  // a bit a gram: spares most words of a text the look at the slots
  u64 filter_mask;    // over bits
};

// A gram is known by its first occurrence in `texts`, from byte gram_begin to gram_end.
struct NgramIndexView {
  const u8* texts;
  const i64 *gram_begin, *gram_end;
  const NgramSlot* slots;  // open addressing; one slot at least is free
  u64 slot_mask;
  const NgramLength* lengths;  // increasing
  int length_count;
  WordBreaks breaks;
};

CURATE_HD_CALLED bool same_words(const u8* a, i64 a_size, const u8* b, i64 b_size, WordBreaks breaks) {
  WordScanner left(a, a_size, breaks), right(b, b_size, breaks);
  for (;;) {
    const bool more = left.next();
    if (more != right.next()) return false;
    if (!more) return true;
    if (!left.same(right)) return false;
  }
}

// The slot of the gram that is written in `text`, or the free one where it belongs.
CURATE_HD u64 find_slot(const NgramIndexView& index, u64 hash, const u8* text, i64 size) {
  u64 at = hash >> 20 & index.slot_mask;
  for (;; at = (at + 1) & index.slot_mask) {
    const NgramSlot& slot = index.slots[at];
    if (slot.gram == kNoGram) return at;
    const i64 begin = index.gram_begin[slot.gram];
    if (slot.hash == hash &&
        same_words(index.texts + begin, index.gram_end[slot.gram] - begin, text, size, index.breaks))
      return at;
  }
}

struct Gram {
  u64 hash;
  i64 begin, end, first;  // bytes of the text, words before its first
  int length;             // which of the lengths
};

// Calls visit(gram) for each gram of the text, of each of the lengths, from left to right by where they end.
// Returns the words of the text.
template <class Visit>
CURATE_HD i64 each_gram(const NgramLength* lengths, int count, WordBreaks breaks, const u8* text, i64 size,
                        Visit visit) {
  u64 codes[kLongestNgram], rolled[kLongestNgram] = {};
  i64 begins[kLongestNgram], words = 0;
  WordScanner scan(text, size, breaks);
  for (; scan.next(); ++words) {
    begins[words & (kLongestNgram - 1)] = scan.begin;
    for (int k = 0; k < count; ++k) {
      const int n = lengths[k].words;
      u64 hash = rotl(rolled[k], 1) ^ scan.code;
      if (words >= n) hash ^= rotl(codes[(words - n) & (kLongestNgram - 1)], static_cast<unsigned>(n));
      rolled[k] = hash;
      const i64 first = words - n + 1;
      if (first >= 0)
        visit(Gram{fmix64(hash + kGolden * n), begins[first & (kLongestNgram - 1)], scan.end, first, k});
    }
    codes[words & (kLongestNgram - 1)] = scan.code;
  }
  return words;
}

CURATE_HD void fetch_early(const void* address) {
#if defined(__GNUC__) && !defined(__CUDACC__)
  __builtin_prefetch(address);
#else
  (void)address;
#endif
}

// Gathers grams so that the memory they are looked up in arrives while others are made.
template <class Hit>
class MatchQueue {
 public:
  CURATE_HD MatchQueue(const NgramIndexView& index, const u8* text, Hit& hit)
      : index_(index), text_(text), hit_(hit) {}

  CURATE_HD void add(const Gram& gram) {
    const NgramLength& length = index_.lengths[gram.length];
    if (length.filter_mask < kSmallFilter && !passes(gram)) return;
    fetch_early(length.filter + ((gram.hash & length.filter_mask) >> 6));
    grams_[count_] = gram;
    if (++count_ == kQueue) look_up();
  }

  CURATE_HD void look_up() {
    int left = 0;
    for (int i = 0; i < count_; ++i) {
      if (!passes(grams_[i])) continue;
      fetch_early(index_.slots + (grams_[i].hash >> 20 & index_.slot_mask));
      grams_[left++] = grams_[i];
    }
    for (int i = 0; i < left; ++i) {
      const Gram& gram = grams_[i];
      const u64 slot = find_slot(index_, gram.hash, text_ + gram.begin, gram.end - gram.begin);
      if (index_.slots[slot].gram != kNoGram) hit_(index_.slots[slot].gram, gram);
    }
    count_ = 0;
  }

 private:
  static constexpr int kQueue = 256;
  static constexpr u64 kSmallFilter = 1 << 18;  // bits that are in cache anyway

  CURATE_HD bool passes(const Gram& gram) const {
    const NgramLength& length = index_.lengths[gram.length];
    const u64 bit = gram.hash & length.filter_mask;
    return length.filter[bit >> 6] >> (bit & 63) & 1;
  }

  const NgramIndexView& index_;
  const u8* text_;
  Hit& hit_;
  Gram grams_[kQueue];
  int count_ = 0;
};

// Calls hit(number of the gram, gram) for each gram of the text that the index has, from left to right by where
// they end. Returns the words of the text.
template <class Hit>
CURATE_HD i64 each_match(const NgramIndexView& index, const u8* text, i64 size, Hit hit) {
  MatchQueue<Hit> queue(index, text, hit);
  const i64 words = each_gram(index.lengths, index.length_count, index.breaks, text, size,
                              [&](const Gram& gram) { queue.add(gram); });
  queue.look_up();
  return words;
}

}  // namespace curate
