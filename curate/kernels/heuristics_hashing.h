// Hash tables and hashes of bytes that repetition inside a document is found with. Hashes only choose slots, and are
// keyed: see HashKey.
#pragma once
#include "hash.h"
#include "unicode.h"

namespace curate::heuristics {

// A hash table of items 0 .. n-1 of a list, with open addressing; holds the first of each set of equal items.
class FirstTable {
 public:
  CURATE_HD FirstTable(u64* keys, u32* items, HashKey key)
      : keys_(keys), items_(items), key_(key), factor_(key.first | 1), mask_(0), shift_(64) {}

  CURATE_HD static i64 slots(i64 items) {
    i64 slots = 16;
    while (slots < 2 * items) slots *= 2;
    return slots;
  }

  CURATE_HD void clear(i64 items) {
    i64 n = 16;
    for (shift_ = 60; n < 2 * items; n *= 2) --shift_;
    mask_ = static_cast<u64>(n - 1);
    for (i64 i = 0; i < n; ++i) keys_[i] = FREE;
  }

  // The first item added that is equal to `item`, which is `item` itself where there is none. Equal items
  // have equal keys, of which none is FREE; `same(a, b)` decides about items with equal keys.
  template <typename Same>
  CURATE_HD u32 add(u64 key, u32 item, Same same) {
    u64 slot = (key ^ key >> 32) * factor_ >> shift_;
    for (;; slot = (slot + 1) & mask_) {
      CURATE_SLOT_LOOK();
      // Whether an item is new is a coin toss: no branch on it.
      const u64 found = keys_[slot];
      const u32 is_new = -static_cast<u32>(found == FREE);
      if ((found ^ key) & ~(static_cast<u64>(is_new) << 32 | is_new)) continue;
      const u32 first = (item & is_new) | (items_[slot] & ~is_new);
      if (!same(first, item)) continue;
      keys_[slot] = key;
      items_[slot] = first;
      return first;
    }
  }

  // What the keys are kept in, for other use until it is cleared: two values an item, of as many as there may be.
  CURATE_HD u64* memory() { return keys_; }

  // What the keys of its items are to be hashed with.
  CURATE_HD HashKey hash_key() const { return key_; }

  static constexpr u64 FREE = ~u64(0);

 private:
  u64* keys_;
  u32* items_;
  HashKey key_;
  u64 factor_, mask_;
  int shift_;
};

// How often each of many hashes has been added, at most: those that share a place are counted together. What stands
// alone, as most n-grams do, is told by one byte and never comes near a hash table.
class CountBounds {
 public:
  // `memory` holds two values an item and sixteen more.
  CURATE_HD CountBounds(u64* memory, i64 items) : bounds_(reinterpret_cast<u8*>(memory)), mask_(127) {
    while (mask_ < static_cast<u64>(8 * items)) mask_ = mask_ << 1 | 1;
    for (u64 i = 0; i <= mask_ >> 3; ++i) memory[i] = 0;
  }

  // The bound of the hash from now on, which is at most MANY: so often or more often.
  CURATE_HD u32 add(u32 hash, bool counts = true) {
    u8& bound = bounds_[hash & mask_];
    bound = static_cast<u8>(bound + (counts & (bound != MANY)));
    return bound;
  }

  CURATE_HD u32 of(u32 hash) const { return bounds_[hash & mask_]; }

  static constexpr u32 MANY = 255;

 private:
  u8* bounds_;
  u64 mask_;
};

CURATE_HD u64 load8(const u8* s) {
  u64 value;
  memcpy(&value, s, 8);
  return value;
}

CURATE_HD u64 load4(const u8* s) {
  u32 value;
  memcpy(&value, s, 4);
  return value;
}

// The n bytes at s as a number, 0 <= n < 8.
CURATE_HD u64 load_few(const u8* s, i64 n) {
  if (n >= 4) return load4(s) | load4(s + n - 4) << 8 * (n - 4);
  if (n <= 0) return 0;
  return s[0] | static_cast<u64>(s[n / 2]) << 8 * (n / 2) | static_cast<u64>(s[n - 1]) << 8 * (n - 1);
}

// The n bytes at s as a number, the first 8 of more, n >= 1; `left` >= n bytes may be read.
CURATE_HD u64 load_start(const u8* s, i64 n, i64 left) {
  if (left < 8) return load_few(s, n);
  return low_bytes(load8(s), n);
}

// The common words of Gopher's rule as numbers, each at the place that its product with COMMON_WORD_FACTOR starts with.
CURATE_TABLE u64 COMMON_WORDS[8] = {
    0x656874,  // the
    0x6562,  // be
    0x666F,  // of
    0x68746977,  // with
    0x74616874,  // that
    0x646E61,  // and
    0x6F74,  // to
    0x65766168,  // have
};
constexpr u64 COMMON_WORD_FACTOR = 0xC42DDDC22F41F7CDu;
constexpr u32 EVERY_COMMON_WORD = 0xFF;

// Their bytes, for zeros after a common word would not tell in the number.
CURATE_TABLE u8 COMMON_WORD_SIZES[8] = {3, 2, 2, 4, 4, 3, 2, 4};

// Whether a word of n bytes is a common word. `start` has its bytes and any after them.
CURATE_HD bool is_common_word(u64 start, i64 n) {
  const u64 word = low_bytes(start, n);
  const u64 place = word * COMMON_WORD_FACTOR >> 61;
  return (COMMON_WORDS[place] == word) & (COMMON_WORD_SIZES[place] == n);
}

// The place of a common word of n bytes as a bit, 0 for other words. `start` has its bytes and any after them.
CURATE_HD u32 common_word(u64 start, i64 n) {
  const u64 word = low_bytes(start, n);
  const u64 place = word * COMMON_WORD_FACTOR >> 61;
  return static_cast<u32>((COMMON_WORDS[place] == word) & (COMMON_WORD_SIZES[place] == n)) << place;
}

CURATE_HD bool same_bytes(const u8* a, const u8* b, i64 n) {
  if (n < 8) return load_few(a, n) == load_few(b, n);
  for (i64 i = 0; i + 8 < n; i += 8)
    if (load8(a + i) != load8(b + i)) return false;
  return load8(a + n - 8) == load8(b + n - 8);
}

// Never FirstTable::FREE.
CURATE_HD u64 hash_bytes(const u8* s, i64 n, HashKey key) {
  u64 hash = key.second + static_cast<u64>(n);
  if (n < 8) return folded_product(load_few(s, n) ^ key.first, hash) >> 1;
  const u8* const end = s + n;
  const u8* const last = n > 16 ? end - 16 : s;
  for (; s < last; s += 16) hash = folded_product(load8(s) ^ key.first, load8(s + 8) ^ hash);
  return folded_product(load8(last) ^ key.first, load8(end - 8) ^ hash) >> 1;
}

// The n bytes of a word as numbers: the first eight and the next eight.
struct WordBytes {
  u64 first, second;
};

// `left` >= n bytes may be read.
CURATE_HD WordBytes load_word_bytes(const u8* s, i64 n, i64 left) {
  if (left >= 16) return {low_bytes(load8(s), n), low_bytes(load8(s + 8), n - 8)};
  return {n < 8 ? load_few(s, n) : load8(s), n < 16 ? load_few(s + 8, n - 8) : 0};
}

CURATE_HD u32 hash_word(WordBytes bytes, const u8* s, i64 n, HashKey key) {
  if (n > 16) return static_cast<u32>(hash_bytes(s, n, key));
  return static_cast<u32>(folded_product(bytes.first ^ key.first, bytes.second ^ key.second));
}

}  // namespace curate::heuristics
