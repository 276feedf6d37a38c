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

// How many of a gram's first bytes are compared, by a quarter of its bytes.
CURATE_TABLE u32 HEADS[13] = {0, 0, 8, 12, 16, 16, 24, 24, 32, 32, 32, 32, 48};

// datatrove joins the words of a longer n-gram without spaces and compares the strings, so that words may be cut
// elsewhere. It goes from left to right, and after a copy on from the end of it.
//
// A gram that occurs twice starts twice with the same bytes: most grams whose first bytes, as many as they have of
// HEADS, start no other word are left out.
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
    const HashKey key = table_.hash_key();
    table_.clear(count_);
    i64 chars = 0, next = 0;
    for (i64 c = 0; c < count_; ++c) {
      const i64 i = candidates_[c];
      if (i < next) continue;
      const i64 size = size_of(i, n);
      if (table_.add(hash_bytes(s_ + begin_[i], size, key), static_cast<u32>(i), same) == i) continue;
      chars += document_.chars(s_ + begin_[i], size);
      next = i + n;
    }
    return chars;
  }

 private:
  static constexpr i64 SHORTEST = 5;  // words
  static constexpr i64 LONGEST_HEAD = 48;

  // The longest head of a gram of so many bytes.
  CURATE_HD static u32 head_of(i64 size) {
    return HEADS[(size < LONGEST_HEAD ? size : LONGEST_HEAD) / 4];
  }
  CURATE_HD i64 size_of(i64 i, i64 words) const { return begin_[i + words] - begin_[i]; }

  CURATE_HD void find_candidates() {
    const i64 starts = words_.count - SHORTEST + 1;
    if (starts <= 0) return;
    list_starts(starts);
    // Grams under 16 bytes are equal to others under 16 bytes only.
    raise<8>([&](i64 i) { return size_of(i, SHORTEST) < 16; });
    raise<12>([&](i64 i) { return size_of(i, SHORTEST) < 16 && repeated_[i] >= 8; });
    keep([&](i64 i) {
      const u32 head = head_of(size_of(i, SHORTEST));
      return repeated_[i] >= (head < 16 ? head : 16);
    });
    raise<24>([&](i64 i) { return repeated_[i] >= 16; });
    raise<32>([&](i64 i) { return repeated_[i] >= 24; });
    raise<LONGEST_HEAD>([&](i64 i) { return repeated_[i] >= 32; });
  }

  // Words whose first 16 bytes may start another, and those that short grams start at. Heads that go on behind the
  // text, in zeros, are of shorter grams only: that they are counted does no harm.
  CURATE_HD void list_starts(i64 starts) {
    CountBounds bounds(table_.memory(), starts);
    u32 *hashes = hashes_, *repeated = repeated_, *candidates = candidates_;
    const u32* begin = begin_;
    const u8* text = s_;
    for (i64 i = 0; i < starts; ++i) {
      const u8* s = text + begin[i];
      hashes[i] = static_cast<u32>((load8(s) ^ load8(s + 8) * 0xD1342543DE82EF95u) * kGolden >> 32);
      bounds.add(hashes[i]);
    }
    i64 count = 0;
    for (i64 i = 0; i < starts; ++i) {
      const bool again = bounds.of(hashes[i]) > 1;
      candidates[count] = static_cast<u32>(i);
      repeated[i] = again ? 16 : 0;
      count += again | (begin[i + SHORTEST] - begin[i] < 16);
    }
    count_ = count;
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

  // Notes which candidates may start with the same BYTES bytes as another, among those that `has` holds for.
  template <i64 BYTES, typename Has>
  CURATE_HD void raise(Has has) {
    const HashKey key = table_.hash_key();
    CountBounds bounds(table_.memory(), count_);
    for (i64 c = 0; c < count_; ++c) {
      const u32 i = candidates_[c];
      hashes_[c] = static_cast<u32>(hash_bytes(s_ + begin_[i], BYTES, key));
      bounds.add(hashes_[c], has(i));
    }
    for (i64 c = 0; c < count_; ++c) {
      const u32 i = candidates_[c];
      const bool raised = has(i) & (bounds.of(hashes_[c]) > 1) & (repeated_[i] < BYTES);
      repeated_[i] = raised ? BYTES : repeated_[i];
    }
  }

  Document& document_;
  const spacy::Words& words_;
  const u8* s_;
  const u32* begin_;
  FirstTable table_;
  u32* candidates_ = document_.list(Document::FREE_LIST);
  u32* repeated_ = document_.list(Document::FREE_LIST + 1);  // bytes at a word that another may start with as well
  u32* hashes_ = document_.list(Document::FREE_LIST + 2);
  i64 count_ = 0;
};

// The most frequent n-gram of 2, then 3, then 4 words; of equally frequent ones the one that starts first.
class TopGrams {
 public:
  CURATE_HD TopGrams(Document& document)
      : document_(document),
        words_(document.words()),
        table_(document.table()),
        groups_(list(0), list(1), list(2), list(3), list(4), list(5), table_) {
    const u8* s = words_.joined;
    const u32* begin = words_.begin;
    u32* hashes = groups_.words();
    const HashKey key = table_.hash_key();
    for (i64 i = 0; i < words_.count; ++i) {
      const i64 n = begin[i + 1] - begin[i];
      hashes[i] = hash_word(load_word_bytes(s + begin[i], n, spacy::PADDING), s + begin[i], n, key);
    }
    groups_.start(words_.count);
    lengthen();
  }

  // Code points of all occurrences of the most frequent gram, its words joined by spaces; 0 where there is none.
  CURATE_HD_CALLED i64 chars() const {
    if (words_.count < length_) return 0;
    const GramGroups::Top top = groups_.top([](u32, u32) { return false; });
    const u32* begin = words_.begin + top.place;
    return top.count * (document_.chars(words_.joined + begin[0], begin[length_] - begin[0]) + length_ - 1);
  }

  CURATE_HD_CALLED void lengthen() {
    if (++length_ > words_.count) return;
    groups_.lengthen([this](u32 a, u32 b, int n) {
      const u32 *x = words_.begin + a, *y = words_.begin + b;
      for (int k = 1; k <= n; ++k)
        if (x[k] - x[0] != y[k] - y[0]) return false;
      return same_bytes(words_.joined + x[0], words_.joined + y[0], x[n] - x[0]);
    });
  }

 private:
  CURATE_HD u32* list(int place) { return document_.list(Document::FREE_LIST + place); }

  Document& document_;
  const spacy::Words& words_;
  FirstTable table_;
  GramGroups groups_;
  i64 length_ = 1;
};

}  // namespace curate::heuristics
