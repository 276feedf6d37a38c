// Repetition as datatrove 0.10's GopherRepetitionFilter measures it. Exact: hashes only choose slots.
#pragma once
#include "heuristics_document.h"

namespace curate::heuristics {

CURATE_HD void add_part(Parts& parts, i64 begin, i64 end) {
  parts.begin[parts.count] = static_cast<u32>(begin);
  parts.end[parts.count++] = static_cast<u32>(end);
}

// The pieces of s[begin .. end] between runs of at least `run` line feeds.
CURATE_HD void split_at_runs(const u8* s, i64 begin, i64 end, i64 run, Parts& parts) {
  i64 from = begin;
  for (i64 at = begin; at < end;) {
    const void* found = memchr(s + at, '\n', static_cast<size_t>(end - at));
    if (!found) break;
    const i64 newline = static_cast<const u8*>(found) - s;
    for (at = newline; at < end && s[at] == '\n';) ++at;
    if (at - newline < run) continue;
    add_part(parts, from, newline);
    from = at;
  }
  add_part(parts, from, end);
}

// datatrove joins the words of a longer n-gram without spaces and compares the strings, so that words may be cut
// elsewhere. It goes from left to right, and after a copy on from the end of it.
//
// A gram that occurs twice starts twice with the same bytes: grams whose first bytes, as many as they have of HEADS,
// start no other word are left out.
class CopiedGrams {
 public:
  CURATE_HD CopiedGrams(Document& document)
      : document_(document), words_(document.words()), s_(words_.joined), begin_(words_.begin), table_(document.table()) {
    find_candidates();
  }

  CURATE_HD i64 chars(i64 n) {
    auto same = [&](u32 a, u32 b) {
      const i64 size = size_of(b, n);
      return size == size_of(a, n) && same_bytes(s_ + begin_[a], s_ + begin_[b], size);
    };
    // What a gram lacks, every longer one at its place lacks as well.
    keep([&](i64 i) { return i + n <= words_.count && repeated_[i] >= head_of(size_of(i, n)); });
    table_.clear(count_);
    i64 chars = 0, next = 0;
    for (i64 c = 0; c < count_; ++c) {
      const i64 i = candidates_[c];
      if (i < next) continue;
      const i64 size = size_of(i, n);
      if (table_.add(hash_bytes(s_ + begin_[i], size), static_cast<u32>(i), same) == i) continue;
      chars += document_.chars(s_ + begin_[i], size);
      next = i + n;
    }
    return chars;
  }

 private:
  static constexpr i64 SHORTEST = 5;  // words
  static constexpr int HEAD_COUNT = 6;

  CURATE_HD static i64 head(int place) {
    const i64 heads[HEAD_COUNT] = {0, 8, 16, 24, 32, 48};
    return heads[place];
  }
  // The longest head of a gram of so many bytes.
  CURATE_HD static u32 head_of(i64 size) {
    const i64 shorter = size < 32 ? size & ~i64(7) : 32;
    return static_cast<u32>(size < 48 ? shorter : 48);
  }
  CURATE_HD i64 size_of(i64 i, i64 words) const { return begin_[i + words] - begin_[i]; }

  CURATE_HD void find_candidates() {
    const i64 end = begin_[words_.count];
    sieve();
    raise(16, [&](i64 i) { return begin_[i] + 16 <= end; });
    // Grams under 16 bytes are equal to others under 16 bytes only.
    keep([&](i64 i) { return repeated_[i] > 0 || size_of(i, SHORTEST) < 16; });
    raise(8, [&](i64 i) { return size_of(i, SHORTEST) < 16 && begin_[i] + 8 <= end; });
    for (int place = 3; place < HEAD_COUNT; ++place)
      raise(head(place), [&](i64 i) { return repeated_[i] >= head(place - 1) && begin_[i] + head(place) <= end; });
    keep([&](i64 i) { return repeated_[i] >= head_of(size_of(i, SHORTEST)); });
  }

  // Leaves out most of the long grams whose first 16 bytes start no other word: those whose hash is alone.
  CURATE_HD void sieve() {
    const i64 starts = words_.count - SHORTEST + 1;
    if (starts <= 0) return;
    Sieve sieve(table_.memory(), starts);
    for (i64 i = 0; i < starts; ++i) {
      const u8* s = s_ + begin_[i];
      repeated_[i] = static_cast<u32>((load8(s) ^ load8(s + 8) * 0xD1342543DE82EF95u) * kGolden >> 32);
      sieve.add(repeated_[i]);
    }
    for (i64 i = 0; i < starts; ++i) {
      candidates_[count_] = static_cast<u32>(i);
      count_ += sieve.again(repeated_[i]) | (size_of(i, SHORTEST) < 16);
      repeated_[i] = 0;
    }
  }

  template <typename Stays>
  CURATE_HD void keep(Stays stays) {
    i64 kept = 0;
    for (i64 c = 0; c < count_; ++c) {
      const u32 i = candidates_[c];
      candidates_[kept] = i;
      kept += stays(i);
    }
    count_ = kept;
  }

  // Notes which candidates start with the same `bytes` bytes as another, among those that `has` holds for.
  template <typename Has>
  CURATE_HD void raise(i64 bytes, Has has) {
    auto same = [&](u32 a, u32 b) { return same_bytes(s_ + begin_[a], s_ + begin_[b], bytes); };
    const u32 raised = static_cast<u32>(bytes);
    table_.clear(count_);
    for (i64 c = 0; c < count_; ++c) {
      const u32 i = candidates_[c];
      if (!has(i)) continue;
      const u32 first = table_.add(hash_bytes(s_ + begin_[i], bytes), i, same);
      if (first == i) continue;
      if (repeated_[first] < raised) repeated_[first] = raised;
      if (repeated_[i] < raised) repeated_[i] = raised;
    }
  }

  Document& document_;
  const spacy::Words& words_;
  const u8* s_;
  const u32* begin_;
  FirstTable table_;
  u32* candidates_ = document_.list(Document::FREE_LIST);
  u32* repeated_ = document_.list(Document::FREE_LIST + 1);  // bytes at a word that another starts with as well
  i64 count_ = 0;
};

// The most frequent n-gram of 2, then 3, then 4 words; of equally frequent ones the one that starts first.
class TopGrams {
 public:
  CURATE_HD TopGrams(Document& document)
      : document_(document), words_(document.words()), s_(words_.joined), begin_(words_.begin), table_(document.table()) {
    group_pairs();
  }

  // Code points of all occurrences of the most frequent gram, its words joined by spaces; 0 where there is none.
  CURATE_HD_CALLED i64 chars() const {
    if (words_.count < length_) return 0;
    u32 top = 0, most = 1;
    for (i64 c = 0; c < candidates_; ++c) {
      const u32 place = places_[c];
      if (first_[place] != place || count_[place] <= most) continue;
      most = count_[place];
      top = place;
    }
    const i64 chars = document_.chars(s_ + begin_[top], begin_[top + length_] - begin_[top]);
    return most * (chars + length_ - 1);
  }

  // A longer gram that occurs again starts where both shorter ones in it do; all other places are left out.
  CURATE_HD_CALLED void lengthen() {
    i64 kept = 0;
    for (i64 c = 0; c + 1 < candidates_; ++c) {
      const u32 place = places_[c], next = places_[c + 1];
      places_[kept] = place;
      kept += (next == place + 1) & (count_[first_[place]] > 1) & (count_[first_[next]] > 1);
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

 private:
  CURATE_HD void group_pairs() {
    auto same = [&](u32 a, u32 b) {
      const i64 size = begin_[b + 2] - begin_[b];
      return begin_[a + 1] - begin_[a] == begin_[b + 1] - begin_[b] && begin_[a + 2] - begin_[a] == size &&
             (size > 16 ? same_bytes(s_ + begin_[a], s_ + begin_[b], size) : same_short(a, b, size));
    };
    const i64 pairs = words_.count - 1;
    if (pairs < 1) return;
    Sieve sieve(table_.memory(), pairs);
    for (i64 i = 0; i < pairs; ++i) {
      first_[i] = hash_of(i);
      sieve.add(first_[i]);
    }
    for (i64 i = 0; i < pairs; ++i) {
      places_[candidates_] = static_cast<u32>(i);
      candidates_ += sieve.again(first_[i]);
    }
    table_.clear(candidates_);
    for (i64 c = 0; c < candidates_; ++c) note(places_[c], table_.add(first_[places_[c]], places_[c], same));
  }

  CURATE_HD bool same_short(u32 a, u32 b, i64 size) const {
    const u8 *x = s_ + begin_[a], *y = s_ + begin_[b];
    const u64 first = load8(x) ^ load8(y), second = load8(x + 8) ^ load8(y + 8);
    return (low_bytes(first, size) | low_bytes(second, size - 8)) == 0;
  }

  CURATE_HD u32 hash_of(i64 i) const {
    const u8* s = s_ + begin_[i];
    const i64 size = begin_[i + 2] - begin_[i], first_size = begin_[i + 1] - begin_[i];
    const u64 first = low_bytes(load8(s), size), second = low_bytes(load8(s + 8), size - 8);
    const u64 last = low_bytes(load8(s + (size > 8 ? size - 8 : 0)), size);
    const u64 mixed = (first ^ second * 0xD1342543DE82EF95u) + (last ^ static_cast<u64>(first_size) << 48) * 0xBF58476D1CE4E5B9u;
    return static_cast<u32>(mixed * kGolden >> 32);
  }

  CURATE_HD void note(i64 place, u32 first) {
    first_[place] = first;
    count_[place] = 0;
    ++count_[first];
  }

  Document& document_;
  const spacy::Words& words_;
  const u8* s_;
  const u32* begin_;
  FirstTable table_;
  u32* first_ = document_.list(Document::FREE_LIST);
  u32* count_ = document_.list(Document::FREE_LIST + 1);
  u32* places_ = document_.list(Document::FREE_LIST + 2);
  i64 candidates_ = 0, length_ = 2;
};

}  // namespace curate::heuristics
