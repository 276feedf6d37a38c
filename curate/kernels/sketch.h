// Signatures of a set of shingles: Fast Similarity Sketch (Dahlgaard, Knudsen, Thorup, FOCS 2017) and, as the
// reference, MinHash with one permutation a slot. docs/sketch.md is the definition.
//
// Both take a Shingles (shingle.h) and Loops (loops.h): how a block of hashes is mixed.
#pragma once
#include "loops.h"
#include "shingle.h"

namespace curate {

constexpr u64 kEmptySlot = ~0ULL;
constexpr int kMostHashes = 4096;
constexpr i64 kMixBlock = 256;
constexpr u32 kDistinctTable = 2 * kShingleBlock;

static_assert(kMostHashes <= kShingleBlock, "SketchScratch holds a block or a signature");

struct SketchScratch {
  u64 raw[kShingleBlock];
  u64 mixed[kShingleBlock];  // slot_bytes needs kMostHashes
  u32 places[kDistinctTable];
};

template <class Shingles, class Loops>
class Sketch {
 public:
  CURATE_HD Sketch(Shingles& shingles, int hashes, SketchScratch& scratch)
      : shingles_(shingles), hashes_(hashes), scratch_(scratch) {}

  // Fills slots[0 .. hashes); false for a text without shingles, whose slots stay empty.
  CURATE_HD bool fast_similarity(u64* slots) {
    start(slots);
    if (count_ == 0 && whole_) return false;
    i64 total = 0;
    bool looked_for_repeats = false;
    for (u64 r = 0; r < static_cast<u64>(hashes_); ++r) {
      const i64 seen = each_block(r, [&](i64 count) { throw_into_bins(r, count, slots); });
      if (seen == 0) return false;
      if (empty_ == 0) return true;
      total += seen;
      // Distinct shingles would have filled all bins by now: more rounds over repeats would change nothing.
      if (!looked_for_repeats && total > 16 * static_cast<i64>(hashes_)) {
        looked_for_repeats = true;
        keep_distinct();
      }
    }
    for (int bin = 0; bin < hashes_; ++bin)
      if (slots[bin] == kEmptySlot) slots[bin] = least_of_round(static_cast<u64>(hashes_ + bin));
    return true;
  }

  // Fills slots[0 .. hashes); false for a text without shingles, whose slots stay empty.
  CURATE_HD bool minhash(u64* slots) {
    start(slots);
    return each_block(0, [&](i64 count) {
             for (int i = 0; i < hashes_; ++i) {
               const u64 least = Loops::mix_least(scratch_.raw, count, static_cast<u64>(i) * kGolden);
               slots[i] = least < slots[i] ? least : slots[i];
             }
           }) > 0;
  }

 private:
  CURATE_HD void start(u64* slots) {
    for (int i = 0; i < hashes_; ++i) slots[i] = kEmptySlot;
    empty_ = hashes_;
    shingles_.rewind();
    count_ = shingles_.next(scratch_.raw);
    whole_ = shingles_.done();
  }

  // Calls act(count) for each block of hashes in scratch_.raw; returns how many hashes there were.
  // The first block of round 0 is already there, and stays there for good where it is the whole text.
  template <class Act>
  CURATE_HD i64 each_block(u64 round, Act act) {
    if (whole_) {
      act(count_);
      return count_;
    }
    i64 total = 0;
    if (round == 0) {
      act(count_);
      total = count_;
    } else {
      shingles_.rewind();
    }
    while (!shingles_.done()) {
      const i64 count = shingles_.next(scratch_.raw);
      act(count);
      total += count;
    }
    return total;
  }

  CURATE_HD void throw_into_bins(u64 round, i64 count, u64* slots) {
    // Slots fall fast in round 0 alone: what lowers them is looked up anew for each of its blocks.
    const i64 block = round == 0 ? kMixBlock : kShingleBlock;
    for (i64 from = 0; from < count; from += block) {
      const i64 left = count - from < block ? count - from : block;
      const i64 size = mix(scratch_.raw + from, left, round, slots);
      const u64 high = round << 32;
      int empty = empty_;
      for (i64 i = 0; i < size; ++i) {
        const u64 y = scratch_.mixed[i];
        u64* slot = slots + (((y >> 32) * static_cast<u64>(hashes_)) >> 32);
        const u64 value = high | static_cast<u32>(y), before = *slot;
        *slot = value < before ? value : before;
        empty -= before == kEmptySlot;
      }
      empty_ = empty;
    }
  }

  // To scratch_.mixed, without values that lower no slot; returns how many.
  CURATE_HD i64 mix(const u64* raw, i64 count, u64 round, const u64* slots) {
    if (empty_ < hashes_) return Loops::mix_lowering(raw, count, round, slots, hashes_, scratch_.mixed);
    Loops::mix(raw, count, round * kGolden, scratch_.mixed);
    return count;
  }

  CURATE_HD u64 least_of_round(u64 round) {
    u64 least = ~0ULL;
    each_block(round, [&](i64 count) {
      Loops::mix(scratch_.raw, count, round * kGolden, scratch_.mixed);
      for (i64 i = 0; i < count; ++i) {
        const u64 low = static_cast<u32>(scratch_.mixed[i]);
        least = low < least ? low : least;
      }
    });
    return round << 32 | least;
  }

  // Replaces the shingles by their distinct values, if these fit into one block.
  CURATE_HD void keep_distinct() {
    memset(scratch_.places, 0, sizeof scratch_.places);
    i64 kept = 0;
    if (whole_) {
      add_distinct(scratch_.raw, count_, scratch_.raw, kept);
    } else {
      shingles_.rewind();
      while (!shingles_.done())
        if (!add_distinct(scratch_.mixed, shingles_.next(scratch_.mixed), scratch_.raw, kept)) return;
    }
    count_ = kept;
    whole_ = true;
  }

  CURATE_HD bool add_distinct(const u64* from, i64 count, u64* to, i64& kept) {
    for (i64 i = 0; i < count; ++i) {
      const u64 h = from[i];
      u32* places = scratch_.places;
      u32 place = static_cast<u32>(fmix64(h)) % kDistinctTable;
      while (places[place] && to[places[place] - 1] != h) place = (place + 1) % kDistinctTable;
      if (places[place]) continue;
      if (kept == kShingleBlock) return false;
      to[kept++] = h;
      places[place] = static_cast<u32>(kept);
    }
    return true;
  }

  Shingles& shingles_;
  const int hashes_;
  SketchScratch& scratch_;
  int empty_ = 0;       // slots without a value
  i64 count_ = 0;       // hashes in scratch_.raw
  bool whole_ = false;  // these are all there are
};

// What is kept of a signature for verification: equal slots give equal bytes, others collide one time in 256.
template <class Loops>
CURATE_HD void slot_bytes(const u64* slots, int hashes, u64* mixed, u8* bytes) {
  Loops::mix(slots, hashes, 0, mixed);
  for (int i = 0; i < hashes; ++i) bytes[i] = static_cast<u8>(mixed[i]);
}

}  // namespace curate
