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

// A gram is known by its first occurrence in `texts`, from byte gram_begin to gram_end.
struct NgramIndexView {
  const u8* texts;
  const i64 *gram_begin, *gram_end;
  const NgramSlot* slots;  // open addressing; one slot at least is free
  const u64* bits;         // a bit a gram: spares most words the look at the slots
  u64 slot_mask, bit_mask;
  const int* lengths;  // words of grams, increasing
  int length_count;
  WordBreaks breaks;
};

CURATE_HD bool same_words(const u8* a, i64 a_size, const u8* b, i64 b_size, WordBreaks breaks) {
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

// Calls visit(hash, begin, end, words before its first, words in it) for each gram of the text, of each of the
// lengths, from left to right by where they end. Returns the words of the text.
template <class Visit>
CURATE_HD i64 each_gram(const int* lengths, int count, WordBreaks breaks, const u8* text, i64 size, Visit visit) {
  u64 codes[kLongestNgram], rolled[kLongestNgram] = {};
  i64 begins[kLongestNgram], words = 0;
  WordScanner scan(text, size, breaks);
  for (; scan.next(); ++words) {
    begins[words % kLongestNgram] = scan.begin;
    for (int k = 0; k < count; ++k) {
      const int n = lengths[k];
      u64 hash = rotl(rolled[k], 1) ^ scan.code;
      if (words >= n) hash ^= rotl(codes[(words - n) % kLongestNgram], static_cast<unsigned>(n));
      rolled[k] = hash;
      const i64 first = words - n + 1;
      if (first >= 0) visit(fmix64(hash + kGolden * n), begins[first % kLongestNgram], scan.end, first, n);
    }
    codes[words % kLongestNgram] = scan.code;
  }
  return words;
}

// Calls hit(gram, begin, end, words before its first, words in it) for each gram of the text that the index has.
template <class Hit>
CURATE_HD i64 each_match(const NgramIndexView& index, const u8* text, i64 size, Hit hit) {
  return each_gram(
      index.lengths, index.length_count, index.breaks, text, size,
      [&](u64 hash, i64 begin, i64 end, i64 first, int words) {
        const u64 bit = hash & index.bit_mask;
        if (!(index.bits[bit >> 6] >> (bit & 63) & 1)) return;
        const u32 gram = index.slots[find_slot(index, hash, text + begin, end - begin)].gram;
        if (gram != kNoGram) hit(gram, begin, end, first, words);
      });
}

}  // namespace curate
