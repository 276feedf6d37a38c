// Which n-grams of a document's words are equal. Exact: hashes only choose slots and leave out what stands alone.
#pragma once
#include "heuristics_hashing.h"

namespace curate::heuristics {

constexpr int LONGEST_GRAM = 10;
constexpr int LONGEST_TOP_GRAM = 4;  // of longer ones all that occur again are asked for, not the most frequent

// The n-grams of 2, 3 and so on words by where they first occur. Places are words that a gram starts at. Up to
// LONGEST_TOP_GRAM words only the most frequent grams are told apart, then all that may occur more than once.
class GramGroups {
 public:
  // Each array holds one value a word. What the table holds is lost with each lengthening.
  CURATE_HD GramGroups(u32* words, u32* hashes, u32* places, u32* tops, u32* first, u32* count, FirstTable& table)
      : words_(words), hashes_(hashes), places_(places), tops_(tops), first_(first), count_(count), table_(table) {}

  // Where hashes of words are written before `start`, and what they are to be hashed with.
  CURATE_HD u32* words() { return words_; }
  CURATE_HD HashKey hash_key() const { return table_.hash_key(); }

  CURATE_HD void start(i64 words) {
    word_count_ = words;
    length_ = 1;
  }

  // To grams of one word more, of which the text has some. `same(a, b, n)`: the n words at a are those at b.
  template <typename Same>
  CURATE_HD void lengthen(Same same) {
    if (++length_ > LONGEST_TOP_GRAM + 1) return lengthen_grouped();
    {
      CountBounds bounds(table_.memory(), length_ == 2 ? word_count_ - 1 : listed_);
      list_repeated(bounds, length_ == 2 ? add_pairs(bounds) : add_longer(bounds));
    }
    if (length_ <= LONGEST_TOP_GRAM)
      group_tops(same);
    else
      group(places_, listed_, same);
  }

  // The places whose gram may occur more than once, in order; from LONGEST_TOP_GRAM + 1 words on with their groups.
  CURATE_HD i64 listed() const { return listed_; }
  CURATE_HD u32 place(i64 listed) const { return places_[listed]; }
  CURATE_HD u32 first(u32 place) const { return first_[place]; }
  // How often the gram at a listed place occurs.
  CURATE_HD u32 count(u32 place) const { return count_[first_[place]]; }

  struct Top {
    u32 place;
    u32 count;
  };

  // The gram of up to LONGEST_TOP_GRAM words that occurs most often; of equals the one that is `better`, or else the
  // one that starts first. Where none occurs twice, the first of the text.
  template <typename Better>
  CURATE_HD Top top(Better better) const {
    Top top = {0, 1};
    for (i64 c = 0; c < topped_; ++c) {
      const u32 place = tops_[c], count = count_[place];
      if (first_[place] != place || count < 2) continue;
      if (count > top.count || (count == top.count && better(place, top.place))) top = {place, count};
    }
    return top;
  }

 private:
  CURATE_HD static u32 join(u32 gram, u32 word) {
    return static_cast<u32>((gram + word * 0xD1342543DE82EF95u) * kGolden >> 32);
  }

  // Adds all grams of two words. Gives how often the most frequent occurs, at most, and at least 2.
  CURATE_HD u32 add_pairs(CountBounds& bounds) {
    const u32* words = words_;
    u32 *hashes = hashes_, *places = places_;
    listed_ = word_count_ - 1;
    u32 most = 2;
    for (i64 i = 0; i < listed_; ++i) {
      hashes[i] = join(words[i], words[i + 1]);
      places[i] = static_cast<u32>(i);
      const u32 bound = bounds.add(hashes[i]);
      most = bound > most ? bound : most;
    }
    return most;
  }

  // The same of longer grams, those that start where both shorter ones in them are listed.
  CURATE_HD u32 add_longer(CountBounds& bounds) {
    const u32* added = words_ + length_ - 1;
    u32 *hashes = hashes_, *places = places_;
    i64 kept = 0;
    u32 most = 2;
    for (i64 c = 0; c + 1 < listed_; ++c) {
      const u32 place = places[c], hash = join(hashes[place], added[place]);
      const bool follows = places[c + 1] == place + 1;
      hashes[place] = hash;
      places[kept] = place;
      kept += follows;
      const u32 bound = bounds.add(hash, follows);
      most = bound > most ? bound : most;
    }
    listed_ = kept;
    return most;
  }

  // Leaves those places listed whose gram may occur more than once; tops are those where it may `least` times.
  CURATE_HD void list_repeated(const CountBounds& bounds, u32 least) {
    const u32* hashes = hashes_;
    u32 *places = places_, *tops = tops_;
    i64 kept = 0, topped = 0;
    for (i64 c = 0; c < listed_; ++c) {
      const u32 place = places[c], bound = bounds.of(hashes[place]);
      places[kept] = place;
      kept += bound > 1;
      tops[topped] = place;
      topped += bound >= least;
    }
    listed_ = kept;
    topped_ = topped;
    most_ = least;
  }

  // Several grams that share a place of the bounds may each occur less often than it says, and so than others do.
  template <typename Same>
  CURATE_HD void group_tops(Same same) {
    group(tops_, topped_, same);
    const u32 found = top([](u32, u32) { return false; }).count;
    if (found >= most_ || most_ == 2) return;
    CountBounds bounds(table_.memory(), listed_);
    for (i64 c = 0; c < listed_; ++c) bounds.add(hashes_[places_[c]]);
    list_repeated(bounds, found > 2 ? found : 2);
    group(tops_, topped_, same);
  }

  template <typename Same>
  CURATE_HD void group(const u32* places, i64 count, Same same) {
    const int length = length_;
    table_.clear(count);
    for (i64 c = 0; c < count; ++c)
      note(places[c], table_.add(hashes_[places[c]], places[c], [&](u32 a, u32 b) { return same(a, b, length); }));
  }

  // A longer gram that occurs again starts where both shorter ones in it do; all other places are left out.
  CURATE_HD void lengthen_grouped() {
    i64 kept = 0;
    u32 place = places_[0];
    bool again = listed_ > 0 && count(place) > 1;
    for (i64 c = 1; c < listed_; ++c) {
      const u32 next = places_[c];
      const bool next_again = count(next) > 1;
      places_[kept] = place;
      kept += (next == place + 1) & again & next_again;
      place = next;
      again = next_again;
    }
    listed_ = kept;
    table_.clear(kept);
    for (i64 c = 0; c < kept; ++c) {
      const u32 place = places_[c];
      const u64 key = static_cast<u64>(first_[place]) << 32 | first_[place + 1];
      note(place, table_.add(key, place, [](u32, u32) { return true; }));
    }
  }

  CURATE_HD void note(u32 place, u32 first) {
    first_[place] = first;
    count_[place] = 0;
    ++count_[first];
  }

  u32 *words_, *hashes_, *places_, *tops_, *first_, *count_;
  FirstTable& table_;
  i64 word_count_ = 0, listed_ = 0, topped_ = 0;
  u32 most_ = 0;
  int length_ = 0;
};

}  // namespace curate::heuristics
