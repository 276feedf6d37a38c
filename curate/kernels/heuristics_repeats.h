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
    for (; keys_[slot] != FREE; slot = (slot + 1) & mask_)
      if (keys_[slot] == key && same(items_[slot], item)) return items_[slot];
    keys_[slot] = key;
    items_[slot] = item;
    return item;
  }

  static constexpr u64 FREE = ~u64(0);

 private:
  u64* keys_;
  u32* items_;
  u64 mask_;
  int shift_;
};

CURATE_HD u64 load8(const u8* s) {
  u64 value;
  memcpy(&value, s, 8);
  return value;
}

CURATE_HD bool same_bytes(const u8* a, const u8* b, i64 n) {
  i64 i = 0;
  for (; i + 8 <= n; i += 8)
    if (load8(a + i) != load8(b + i)) return false;
  for (; i < n; ++i)
    if (a[i] != b[i]) return false;
  return true;
}

// Never FirstTable::FREE.
CURATE_HD u64 hash_bytes(const u8* s, i64 n) {
  u64 hash = static_cast<u64>(n) * 0xD1342543DE82EF95u;
  for (; n >= 8; s += 8, n -= 8) {
    hash = (hash ^ load8(s)) * kGolden;
    hash ^= hash >> 29;
  }
  u64 rest = 0;
  for (i64 i = 0; i < n; ++i) rest |= static_cast<u64>(s[i]) << 8 * i;
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
CURATE_HD void count_copies(const Outline& outline, const Parts& parts, FirstTable& table, i64* copies,
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
CURATE_HD void count_repeats(const Outline& outline, const Parts& parts, FirstTable& table, u32* seen,
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
  // The first places of different words and how often each occurs, until grams are longer than a word.
  CURATE_HD i64 distinct_words() const { return distinct_; }
  CURATE_HD i64 distinct_word(i64 i) const { return places_[i]; }
  CURATE_HD u32 count(i64 place) const { return count_[place]; }
  CURATE_HD i64 chars(i64 word) const { return chars_before_[word + 1] - chars_before_[word]; }
  CURATE_HD i64 all_chars() const { return chars_before_[words()]; }

  // In place of group_words where no longer grams are asked for: each word stands for itself.
  CURATE_HD void list_words() {
    const Parts& words = outline_.words;
    chars_before_[0] = 0;
    for (i64 i = 0; i < words.count; ++i) {
      places_[i] = static_cast<u32>(i);
      count_[i] = 1;
      chars_before_[i + 1] = chars_before_[i] + static_cast<u32>(word_chars(i));
    }
    distinct_ = words.count;
    length_ = 1;
  }

  CURATE_HD void group_words() {
    const Parts& words = outline_.words;
    auto same = [&](u32 a, u32 b) {
      const i64 n = words.end[b] - words.begin[b];
      return n < 8 || (n == words.end[a] - words.begin[a] &&
                       same_bytes(outline_.text + words.begin[a], outline_.text + words.begin[b], n));
    };
    table_.clear(words.count);
    distinct_ = 0;
    chars_before_[0] = 0;
    for (i64 i = 0; i < words.count; ++i) {
      const i64 n = words.end[i] - words.begin[i];
      const u64 key = word_key(words.begin[i], n);
      const u32 first = table_.add(key, static_cast<u32>(i), same);
      note(i, first);
      places_[distinct_] = static_cast<u32>(i);
      distinct_ += first == i;
      chars_before_[i + 1] = chars_before_[i] + static_cast<u32>(word_chars(i));
    }
    length_ = 1;
    candidates_ = words.count;
  }

  // From grams of `length` words to those of one word more. A longer gram that occurs again starts where both
  // shorter ones in it do; all other places are left out.
  CURATE_HD void lengthen() {
    i64 kept = 0;
    u32 place = length_ == 1 || candidates_ == 0 ? 0 : places_[0];
    bool again = candidates_ > 0 && count_[first_[place]] > 1;
    for (i64 c = 1; c < candidates_; ++c) {
      const u32 next = length_ == 1 ? static_cast<u32>(c) : places_[c];
      const bool next_again = count_[first_[next]] > 1;
      places_[kept] = place;
      kept += (next == place + 1) & again & next_again;
      place = next;
      again = next_again;
    }
    candidates_ = kept;
    ++length_;
    table_.clear(kept);
    for (i64 c = 0; c < kept; ++c) {
      const u32 place = places_[c];
      const u64 key = static_cast<u64>(first_[place]) << 32 | first_[place + 1];
      note(place, table_.add(key, place, [](u32, u32) { return true; }));
    }
  }

  // Code points that leave the text with all occurrences of its most frequent gram, words joined by one space
  // each; of equally frequent grams the one that starts first.
  CURATE_HD i64 top_chars() const {
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
  CURATE_HD i64 copy_chars() const {
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
    return outline_.ascii ? n : count_code_points(outline_.text + begin, n);
  }

  CURATE_HD void note(i64 place, u32 first) {
    first_[place] = first;
    count_[place] = 0;
    ++count_[first];
  }

  // Words under 8 bytes are their own key; the top byte, 0 to 7 or at least 0x40, keeps longer ones apart.
  CURATE_HD u64 word_key(i64 begin, i64 n) const {
    const u8* word = outline_.text + begin;
    if (n >= 8) return hash_bytes(word, n) >> 2 | u64(1) << 62;
    u64 bytes = 0;
    if (begin + 8 <= outline_.size) {
      bytes = load8(word) & ((u64(1) << 8 * n) - 1);
    } else {
      for (i64 i = 0; i < n; ++i) bytes |= static_cast<u64>(word[i]) << 8 * i;
    }
    return bytes | static_cast<u64>(n) << 56;
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
  i64 distinct_ = 0, candidates_ = 0, length_ = 0;
};

}  // namespace curate::heuristics
