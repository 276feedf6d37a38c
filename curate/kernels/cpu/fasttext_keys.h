// What words are remembered by.
#pragma once
#include <cstring>

#include "fasttext_bounds.h"

namespace curate::cpu {

// Tells one word from another. Up to 16 bytes: the bytes, zeros behind them (no word holds a zero). More: a zero, the
// size, the first 6 and the last 8 bytes, which leaves the middle to be compared.
// Of words over LONGEST the size is 255.
struct WordKey {
  static constexpr i64 LONGEST = 56, LONGEST_MIDDLE = LONGEST - 14;

  u64 head, tail;

  bool operator==(const WordKey& other) const { return ((head ^ other.head) | (tail ^ other.tail)) == 0; }
  // Whether it does not say all of the word.
  bool abridged() const { return (head & 255) == 0; }
  bool end_of_sentence() const { return head == END_OF_SENTENCE && tail == 0; }
  u32 hash() const {
    const u64 mixed = head * 0x9E3779B97F4A7C15ull;
    return static_cast<u32>((((mixed ^ mixed >> 32) + tail) * 0xD6E8FEB86659FD93ull) >> 32);
  }

  static constexpr u64 END_OF_SENTENCE = 0x3E732F3C;  // "</s>"

  // A word of more than 16 bytes.
  static WordKey abridge(const u8* word, i64 size) {
    WordKey key;
    std::memcpy(&key.head, word, 8);
    std::memcpy(&key.tail, word + size - 8, 8);
    key.head = key.head << 16 | static_cast<u64>(size <= LONGEST ? size : 255) << 8;
    return key;
  }
  // What is left to compare of an abridged word that is not longer than LONGEST.
  static const u8* middle(const u8* word) { return word + 6; }
  size_t middle_size() const { return (head >> 8 & 255) - 14; }
};

// The keys of a text's words; bounds: where word i begins is at 2 * i, where it ends behind that.
class WordKeys {
 public:
  static void find(const u8* text, i64 size, const i64* bounds, i32 count, bool wide, WordKey* keys) {
#if defined(__x86_64__)
    if (wide) return find_wide(text, bounds, count, keys);
#endif
    for (i32 i = 0; i < count; ++i) keys[i] = one(text + bounds[2 * i], bounds[2 * i + 1] - bounds[2 * i], text + size);
  }

 private:
  static WordKey one(const u8* word, i64 size, const u8* text_end) {
    if (size > 16) return WordKey::abridge(word, size);
    u8 copy[16] = {};
    if (text_end - word < 16) word = static_cast<u8*>(std::memcpy(copy, word, static_cast<size_t>(size)));
    u64 head, tail, keep_head, keep_tail;
    std::memcpy(&head, word, 8);
    std::memcpy(&tail, word + 8, 8);
    std::memcpy(&keep_head, KEPT + 16 - size, 8);
    std::memcpy(&keep_tail, KEPT + 24 - size, 8);
    return {head & keep_head, tail & keep_tail};
  }

#if defined(__x86_64__)
  CURATE_AVX512 static void find_wide(const u8* text, const i64* bounds, i32 count, WordKey* keys) {
    i32 abridged[WordBounds::MOST], some = 0;
    for (i32 i = 0; i < count; ++i) {
      const i64 begin = bounds[2 * i], size = bounds[2 * i + 1] - begin;
      const __mmask16 in = static_cast<__mmask16>(_bzhi_u32(0xFFFF, static_cast<u32>(size < 16 ? size : 16)));
      _mm_storeu_si128(reinterpret_cast<__m128i*>(keys + i), _mm_maskz_loadu_epi8(in, text + begin));
      abridged[some] = i;
      some += size > 16;
    }
    for (i32 i = 0; i < some; ++i) {
      const i32 word = abridged[i];
      keys[word] = WordKey::abridge(text + bounds[2 * word], bounds[2 * word + 1] - bounds[2 * word]);
    }
  }
#endif

  static constexpr u8 KEPT[32] = {255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
};

}  // namespace curate::cpu
