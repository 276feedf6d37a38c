// Repetition inside a document: equal lines and paragraphs, word n-grams. Exact: hashes only choose slots.
#pragma once
#include "heuristics_grams.h"
#include "heuristics_scan.h"

namespace curate::heuristics {

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
  const HashKey key = table.hash_key();
  table.clear(parts.count);
  for (i64 i = 0; i < parts.count; ++i) {
    const u8* part = text + parts.begin[i];
    const i64 n = parts.end[i] - parts.begin[i];
    if (table.add(hash_bytes(part, n, key), static_cast<u32>(i), SameParts{text, parts}) == i) continue;
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
  const HashKey key = table.hash_key();
  table.clear(parts.count);
  for (i64 i = 0; i < parts.count; ++i) {
    const u8* part = text + parts.begin[i];
    const i64 n = parts.end[i] - parts.begin[i];
    const u32 first = table.add(hash_bytes(part, n, key), static_cast<u32>(i), SameParts{text, parts});
    seen[i] = 1;
    if (first == i) continue;
    const i64 counted = seen[first];  // the first of its like is counted with the second
    seen[first] = 0;
    *repeats += 1 + counted;
    *chars += (1 + counted) * (outline.ascii ? n : count_code_points(part, n));
  }
}

// Words and n-grams of an outline, whose lengths go from 1 word on.
class Grams {
 public:
  // `chars_before` holds one value a word and one more.
  CURATE_HD Grams(const Outline& outline, GramGroups groups, u32* chars_before)
      : outline_(outline), groups_(groups), chars_before_(chars_before) {}

  CURATE_HD i64 words() const { return outline_.words.count; }
  CURATE_HD i64 chars(i64 word) const { return chars_before_[word + 1] - chars_before_[word]; }
  CURATE_HD i64 all_chars() const { return chars_before_[words()]; }

  // Words as they stand in the outline, from which `lengthen` goes on.
  CURATE_HD_CALLED void list_words() {
    const i64 count = words();
    u32 *hashes = groups_.words(), *chars_before = chars_before_;
    const HashKey key = groups_.hash_key();
    u32 chars = 0;
    for (i64 i = 0; i < count; ++i) {
      const i64 begin = outline_.words.begin[i], n = outline_.words.end[i] - begin;
      const u8* word = outline_.text + begin;
      const WordBytes bytes = load_word_bytes(word, n, outline_.size - begin);
      hashes[i] = hash_word(bytes, word, n, key);
      chars_before[i] = chars;
      chars += static_cast<u32>(outline_.ascii ? n : count_word_chars(bytes, word, n));
    }
    chars_before[count] = chars;
    groups_.start(count);
    length_ = 1;
  }

  // From grams of `length` words to those of one word more.
  CURATE_HD_CALLED void lengthen() {
    ++length_;
    groups_.lengthen([this](u32 a, u32 b, int n) { return same_words(a, b, n); });
  }

  // Code points that leave the text with all occurrences of its most frequent gram, words joined by one space
  // each; of equally frequent grams the one that starts first.
  CURATE_HD_CALLED i64 top_chars() const {
    const u32 place = groups_.top([](u32, u32) { return false; }).place;
    return occurrences(place) * (gram_chars(place) + length_ - 1);
  }

  // Code points of words in all occurrences of the most frequent gram; of equals the one that starts first.
  CURATE_HD i64 top_word_chars() const {
    const GramGroups::Top top = groups_.top([](u32, u32) { return false; });
    return gram_chars(top.place) * top.count;
  }

  // The same for a gram that occurs more than once, of equals the longest; 0 where none does.
  CURATE_HD i64 longest_top_word_chars() const {
    const GramGroups::Top top = groups_.top([this](u32 a, u32 b) { return gram_chars(a) > gram_chars(b); });
    return top.count > 1 ? gram_chars(top.place) * top.count : 0;
  }

  // Code points of words in the grams that occur more than once, every occurrence on its own.
  CURATE_HD i64 repeated_word_chars() const {
    i64 chars = 0;
    for (i64 c = 0; c < groups_.listed(); ++c)
      if (groups_.count(groups_.place(c)) > 1) chars += gram_chars(groups_.place(c));
    return chars;
  }

  // The same, each word counted once.
  CURATE_HD i64 covered_word_chars() const {
    i64 chars = 0, covered = 0;
    for (i64 c = 0; c < groups_.listed(); ++c) {
      const i64 place = groups_.place(c), end = place + length_;
      if (groups_.count(groups_.place(c)) < 2) continue;
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
    for (i64 c = 0; c < groups_.listed(); ++c) {
      const i64 place = groups_.place(c), end = place + length_;
      if (groups_.first(groups_.place(c)) == place) continue;
      const i64 from = place < covered ? covered : place;
      chars += chars_before_[end] - chars_before_[from];
      chars += end - from < length_ ? end - from : length_ - 1;
      covered = end;
    }
    return chars;
  }

 private:
  CURATE_HD i64 gram_chars(i64 place) const { return chars_before_[place + length_] - chars_before_[place]; }

  CURATE_HD static i64 count_word_chars(WordBytes bytes, const u8* word, i64 n) {
    if (n > 16) return count_code_points(word, n);
    if (!((bytes.first | bytes.second) & 0x8080808080808080u)) return n;
    return n - count_continuations(bytes.first) - count_continuations(bytes.second);
  }

  CURATE_HD bool same_words(u32 a, u32 b, int n) const {
    for (int i = 0; i < n; ++i)
      if (!same_word(a + i, b + i)) return false;
    return true;
  }

  CURATE_HD bool same_word(u32 a, u32 b) const {
    const Parts& words = outline_.words;
    const i64 n = words.end[b] - words.begin[b];
    return n == words.end[a] - words.begin[a] &&
           same_bytes(outline_.text + words.begin[a], outline_.text + words.begin[b], n);
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
  GramGroups groups_;
  u32* chars_before_;
  i64 length_ = 0;
};

}  // namespace curate::heuristics
