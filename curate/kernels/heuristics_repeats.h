// Repetition inside a document: equal lines and paragraphs, word n-grams. Exact: hashes only choose slots.
#pragma once
#include "hash.h"
#include "heuristics_scan.h"

namespace curate::heuristics {

constexpr int LONGEST_GRAM = 10;

// A hash table of items 0 .. n-1 of a list, with open addressing; holds the first of each set of equal items.
class FirstTable {
 public:
  CURATE_HD FirstTable(u64* keys, u32* items) : keys_(keys), items_(items), mask_(0), shift_(64) {}

  CURATE_HD static i64 slots(i64 items) {
    i64 slots = 16;
    while (slots < 2 * items) slots *= 2;
    return slots;
  }

  CURATE_HD void clear(i64 items) {
    const i64 n = slots(items);
    mask_ = static_cast<u64>(n - 1);
    for (shift_ = 64; i64(1) << (64 - shift_) < n;) --shift_;
    for (i64 i = 0; i < n; ++i) keys_[i] = FREE;
  }

  // The first item added that is equal to `item`, which is `item` itself where there is none. Equal items
  // have equal keys, of which none is FREE; `same(a, b)` decides about items with equal keys.
  template <typename Same>
  CURATE_HD u32 add(u64 key, u32 item, Same same) {
    u64 slot = (key ^ key >> 32) * kGolden >> shift_;
    for (;; slot = (slot + 1) & mask_) {
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

  static constexpr u64 FREE = ~u64(0);

 private:
  u64* keys_;
  u32* items_;
  u64 mask_;
  int shift_;
};

// Which of many hashes are seen more than once, and a few others: those whose bits are those of another. Without a
// branch for each, so that what stands alone, which most n-grams do, never comes near a hash table.
class Sieve {
 public:
  // `memory` holds a value an item and four more.
  CURATE_HD Sieve(u64* memory, i64 items) : bits_(memory), mask_(63) {
    while (mask_ < static_cast<u64>(16 * items)) mask_ = mask_ << 1 | 1;
    for (u64 i = 0; i <= mask_ >> 5; ++i) bits_[i] = 0;
  }

  CURATE_HD void add(u32 hash) {
    u64& bits = bits_[(hash & mask_) >> 5];
    const int shift = 2 * static_cast<int>(hash & 31);
    bits |= (1 | (bits >> shift & 1) << 1) << shift;
  }

  CURATE_HD bool again(u32 hash) const { return bits_[(hash & mask_) >> 5] >> (2 * (hash & 31)) & 2; }

 private:
  u64* bits_;
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

// The place of a common word of n bytes as a bit, 0 for other words. `start` has its bytes and any after them.
CURATE_HD u32 common_word(u64 start, i64 n) {
  const u64 word = low_bytes(start, n);
  const u64 place = word * COMMON_WORD_FACTOR >> 61;
  const bool ends = start >> 8 * ((n < 8 ? n : 8) - 1) & 0xFF;  // zeros after a common word would not tell in `word`
  return static_cast<u32>((COMMON_WORDS[place] == word) & ends) << place;
}

CURATE_HD bool same_bytes(const u8* a, const u8* b, i64 n) {
  if (n < 8) return load_few(a, n) == load_few(b, n);
  for (i64 i = 0; i + 8 < n; i += 8)
    if (load8(a + i) != load8(b + i)) return false;
  return load8(a + n - 8) == load8(b + n - 8);
}

// Never FirstTable::FREE.
CURATE_HD u64 hash_bytes(const u8* s, i64 n) {
  u64 hash = static_cast<u64>(n) * 0xD1342543DE82EF95u;
  u64 rest;
  if (n < 8) {
    rest = load_few(s, n);
  } else {
    rest = load8(s + n - 8) >> 1 >> (63 - 8 * (n & 7));
    for (; n >= 8; s += 8, n -= 8) {
      hash = (hash ^ load8(s)) * kGolden;
      hash ^= hash >> 29;
    }
  }
  hash = (hash ^ rest) * 0xBF58476D1CE4E5B9u;
  return (hash ^ hash >> 32) >> 1;
}

struct SameParts {
  const u8* text;
  const Parts& parts;

  CURATE_HD bool operator()(u32 a, u32 b) const {
    const i64 n = parts.end[a] - parts.begin[a];
    return n == parts.end[b] - parts.begin[b] && same_bytes(text + parts.begin[a], text + parts.begin[b], n);
  }
};

// How many parts are copies of an earlier one, and their code points.
CURATE_HD_CALLED void count_copies(const Outline& outline, const Parts& parts, FirstTable& table, i64* copies,
                            i64* chars) {
  *copies = *chars = 0;
  if (parts.count < 2) return;
  const u8* text = outline.text;
  table.clear(parts.count);
  for (i64 i = 0; i < parts.count; ++i) {
    const u8* part = text + parts.begin[i];
    const i64 n = parts.end[i] - parts.begin[i];
    if (table.add(hash_bytes(part, n), static_cast<u32>(i), SameParts{text, parts}) == i) continue;
    ++*copies;
    *chars += outline.ascii ? n : count_code_points(part, n);
  }
}

// How many parts are equal to another, and their code points. `seen` holds a value a part.
CURATE_HD_CALLED void count_repeats(const Outline& outline, const Parts& parts, FirstTable& table, u32* seen,
                             i64* repeats, i64* chars) {
  *repeats = *chars = 0;
  if (parts.count < 2) return;
  const u8* text = outline.text;
  table.clear(parts.count);
  for (i64 i = 0; i < parts.count; ++i) {
    const u8* part = text + parts.begin[i];
    const i64 n = parts.end[i] - parts.begin[i];
    const u32 first = table.add(hash_bytes(part, n), static_cast<u32>(i), SameParts{text, parts});
    seen[i] = 1;
    if (first == i) continue;
    const i64 counted = seen[first];  // the first of its like is counted with the second
    seen[first] = 0;
    *repeats += 1 + counted;
    *chars += (1 + counted) * (outline.ascii ? n : count_code_points(part, n));
  }
}

// Words and n-grams by where they first occur: first[i] is the first place of the gram that starts at word i,
// count[first[i]] is how often it occurs.
class Grams {
 public:
  // Each array holds one value a word and one more.
  CURATE_HD Grams(const Outline& outline, FirstTable& table, u32* first, u32* count, u32* places,
                  u32* chars_before)
      : outline_(outline),
        table_(table),
        first_(first),
        count_(count),
        places_(places),
        chars_before_(chars_before) {}

  CURATE_HD i64 words() const { return outline_.words.count; }
  CURATE_HD i64 chars(i64 word) const { return chars_before_[word + 1] - chars_before_[word]; }
  CURATE_HD i64 all_chars() const { return chars_before_[words()]; }

  // Words as they stand in the outline, from which `lengthen` goes on.
  CURATE_HD_CALLED void list_words() {
    chars_before_[0] = 0;
    for (i64 i = 0; i < words(); ++i) chars_before_[i + 1] = chars_before_[i] + static_cast<u32>(word_chars(i));
    length_ = 1;
  }

  // From grams of `length` words to those of one word more. A longer gram that occurs again starts where both
  // shorter ones in it do; all other places are left out.
  CURATE_HD_CALLED void lengthen() {
    if (length_++ == 1) return group_pairs();
    i64 kept = 0;
    u32 place = places_[0];
    bool again = candidates_ > 0 && count_[first_[place]] > 1;
    for (i64 c = 1; c < candidates_; ++c) {
      const u32 next = places_[c];
      const bool next_again = count_[first_[next]] > 1;
      places_[kept] = place;
      kept += (next == place + 1) & again & next_again;
      place = next;
      again = next_again;
    }
    candidates_ = kept;
    table_.clear(kept);
    for (i64 c = 0; c < kept; ++c) {
      const u32 place = places_[c];
      const u64 key = static_cast<u64>(first_[place]) << 32 | first_[place + 1];
      note(place, table_.add(key, place, [](u32, u32) { return true; }));
    }
  }

  // Code points that leave the text with all occurrences of its most frequent gram, words joined by one space
  // each; of equally frequent grams the one that starts first.
  CURATE_HD_CALLED i64 top_chars() const {
    const Top top = most_frequent([](u32, u32) { return false; });
    return occurrences(top.place) * (gram_chars(top.place) + length_ - 1);
  }

  // Code points of words in all occurrences of the most frequent gram; of equals the one that starts first.
  CURATE_HD i64 top_word_chars() const {
    const Top top = most_frequent([](u32, u32) { return false; });
    return gram_chars(top.place) * top.count;
  }

  // The same for a gram that occurs more than once, of equals the longest; 0 where none does.
  CURATE_HD i64 longest_top_word_chars() const {
    const Top top = most_frequent([this](u32 a, u32 b) { return gram_chars(a) > gram_chars(b); });
    return top.count > 1 ? gram_chars(top.place) * top.count : 0;
  }

  // Code points of words in the grams that occur more than once, every occurrence on its own.
  CURATE_HD i64 repeated_word_chars() const {
    i64 chars = 0;
    for (i64 c = 0; c < candidates_; ++c)
      if (count_[first_[places_[c]]] > 1) chars += gram_chars(places_[c]);
    return chars;
  }

  // The same, each word counted once.
  CURATE_HD i64 covered_word_chars() const {
    i64 chars = 0, covered = 0;
    for (i64 c = 0; c < candidates_; ++c) {
      const i64 place = places_[c], end = place + length_;
      if (count_[first_[place]] < 2) continue;
      chars += chars_before_[end] - chars_before_[place < covered ? covered : place];
      covered = end;
    }
    return chars;
  }

  // Code points of words in all grams: what ends behind the first words less what ends before the last.
  CURATE_HD i64 every_word_chars() const {
    i64 chars = 0;
    for (i64 i = 0; i < length_; ++i) {
      chars += chars_before_[words() - i];
      chars -= chars_before_[i];
    }
    return chars;
  }

  // Code points of the grams that occurred before, with the spaces between words, each word counted once.
  CURATE_HD_CALLED i64 copy_chars() const {
    i64 chars = 0, covered = 0;
    for (i64 c = 0; c < candidates_; ++c) {
      const i64 place = places_[c], end = place + length_;
      if (first_[place] == place) continue;
      const i64 from = place < covered ? covered : place;
      chars += chars_before_[end] - chars_before_[from];
      chars += end - from < length_ ? end - from : length_ - 1;
      covered = end;
    }
    return chars;
  }

 private:
  struct Top {
    u32 place;
    u32 count;
  };

  // The gram that occurs most often; of equals the one that is `better`, or else the one that starts first.
  // Grams that are no candidates occur once: the first of the text stands for them.
  template <typename Better>
  CURATE_HD Top most_frequent(Better better) const {
    Top top = {0, 1};
    for (i64 c = 0; c < candidates_; ++c) {
      const u32 place = places_[c], count = count_[place];
      if (first_[place] != place || count < 2) continue;
      if (count > top.count || (count == top.count && better(place, top.place))) top = {place, count};
    }
    return top;
  }

  CURATE_HD i64 gram_chars(i64 place) const { return chars_before_[place + length_] - chars_before_[place]; }

  CURATE_HD i64 word_chars(i64 word) const {
    const i64 begin = outline_.words.begin[word], n = outline_.words.end[word] - begin;
    if (outline_.ascii) return n;
    const u8* s = outline_.text + begin;
    return begin + 16 <= outline_.size ? count_word_code_points(s, n) : count_code_points(s, n);
  }

  CURATE_HD void note(i64 place, u32 first) {
    first_[place] = first;
    count_[place] = 0;
    ++count_[first];
  }

  CURATE_HD void group_pairs() {
    const i64 pairs = words() - 1;
    Sieve sieve(table_.memory(), pairs);
    u64 hash = word_hash(0);
    for (i64 i = 0; i < pairs; ++i) {
      const u64 next = word_hash(i + 1);
      first_[i] = static_cast<u32>((hash ^ rotl(next, 23)) * kGolden >> 32);
      sieve.add(first_[i]);
      hash = next;
    }
    candidates_ = 0;
    for (i64 i = 0; i < pairs; ++i) {
      places_[candidates_] = static_cast<u32>(i);
      candidates_ += sieve.again(first_[i]);
    }
    auto same = [&](u32 a, u32 b) { return same_word(a, b) && same_word(a + 1, b + 1); };
    table_.clear(candidates_);
    for (i64 c = 0; c < candidates_; ++c) note(places_[c], table_.add(first_[places_[c]], places_[c], same));
  }

  CURATE_HD bool same_word(u32 a, u32 b) const {
    const Parts& words = outline_.words;
    const i64 n = words.end[b] - words.begin[b];
    return n == words.end[a] - words.begin[a] &&
           same_bytes(outline_.text + words.begin[a], outline_.text + words.begin[b], n);
  }

  CURATE_HD u64 word_hash(i64 i) const {
    const i64 begin = outline_.words.begin[i], n = outline_.words.end[i] - begin;
    const u8* word = outline_.text + begin;
    if (n > 16) return hash_bytes(word, n);
    u64 first, second;
    if (begin + 16 <= outline_.size) {
      first = low_bytes(load8(word), n);
      second = low_bytes(load8(word + 8), n - 8);
    } else {
      first = n < 8 ? load_few(word, n) : load8(word);
      second = n < 16 ? load_few(word + 8, n - 8) : load8(word + 8);
    }
    const u64 mixed = (first ^ second * 0xBF58476D1CE4E5B9u) * 0xD1342543DE82EF95u;
    return mixed ^ mixed >> 32;
  }

  // How often str.replace finds the gram at `place`, joined by spaces. Its first word may end a longer word,
  // its last may start one: an occurrence begins inside of the word before a single space.
  CURATE_HD i64 occurrences(i64 place) const {
    const Parts& words = outline_.words;
    const i64 lead = words.end[place] - words.begin[place];
    u64 mask;
    const u64 start = joined_start(place, &mask);
    i64 found = 0, free_from = 0;
    for (i64 i = 0; i + length_ <= words.count; ++i) {
      const i64 begin = static_cast<i64>(words.end[i]) - lead;
      if (begin < free_from) continue;
      if (begin + 8 <= outline_.size && (load8(outline_.text + begin) & mask) != start) continue;
      const i64 end = joined_at(place, begin);
      if (end < 0) continue;
      ++found;
      free_from = end;
    }
    return found;
  }

  // The first bytes, up to 8, of the gram at `place` joined by spaces, and which bytes of a word these are.
  CURATE_HD u64 joined_start(i64 place, u64* mask) const {
    u64 start = 0;
    int bytes = 0;
    for (i64 w = place; w < place + length_; ++w) {
      if (w > place && bytes < 8) start |= static_cast<u64>(' ') << 8 * bytes++;
      for (i64 at = outline_.words.begin[w]; at < outline_.words.end[w] && bytes < 8; ++at)
        start |= static_cast<u64>(outline_.text[at]) << 8 * bytes++;
    }
    *mask = bytes < 8 ? (u64(1) << 8 * bytes) - 1 : ~u64(0);
    return start;
  }

  // Where the gram at `place`, joined by spaces, ends if it stands at byte `at`; -1 if it does not.
  CURATE_HD i64 joined_at(i64 place, i64 at) const {
    const Parts& words = outline_.words;
    for (i64 w = place; w < place + length_; ++w) {
      const i64 n = words.end[w] - words.begin[w];
      if (w > place && outline_.text[at++] != ' ') return -1;
      if (at + n > outline_.size) return -1;
      if (!same_bytes(outline_.text + words.begin[w], outline_.text + at, n)) return -1;
      at += n;
    }
    return at;
  }

  const Outline& outline_;
  FirstTable& table_;
  u32 *first_, *count_, *places_, *chars_before_;
  i64 candidates_ = 0, length_ = 0;
};

}  // namespace curate::heuristics
