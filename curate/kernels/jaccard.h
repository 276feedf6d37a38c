// Exact Jaccard similarity of two sets of shingles, a shingle being known by its 64-bit hash (shingle.h).
// Two shingles of a pair of texts share a hash with probability about n^2 / 2^65: below 1e-9 for 100 kB each.
#pragma once
#include "hash.h"

namespace curate {

// Slots of the table that jaccard() needs: a power of two, at most half full.
CURATE_HD i64 jaccard_slots(i64 na, i64 nb) {
  i64 slots = 16;
  while (slots < 2 * (na + nb)) slots *= 2;
  return slots;
}

// The slot of a hash, or the empty slot where it belongs. Zero marks empty slots, so the hash 0 counts as 1.
CURATE_HD u64 jaccard_slot(const u64* table, u64 mask, int shift, u64 hash, u64 factor) {
  for (u64 at = hash * factor >> shift;; at = (at + 1) & mask) {
    CURATE_SLOT_LOOK();
    if (table[at] == 0 || table[at] == hash) return at;
  }
}

// |A and B| / |A or B| of two lists of hashes, repeats allowed; 1 for two empty lists, as the sets are equal.
// key: of slots. table, in_a: `slots` zeroes each.
CURATE_HD double jaccard(const u64* a, i64 na, const u64* b, i64 nb, HashKey key, u64* table, u8* in_a,
                         i64 slots) {
  const u64 mask = static_cast<u64>(slots) - 1, factor = key.first | 1;
  int shift = 64;
  for (i64 n = slots; n > 1; n /= 2) --shift;
  i64 all = 0, common = 0;
  for (i64 i = 0; i < na; ++i) {
    const u64 hash = a[i] ? a[i] : 1, at = jaccard_slot(table, mask, shift, hash, factor);
    all += table[at] == 0;
    table[at] = hash;
    in_a[at] = 1;
  }
  for (i64 i = 0; i < nb; ++i) {
    const u64 hash = b[i] ? b[i] : 1, at = jaccard_slot(table, mask, shift, hash, factor);
    all += table[at] == 0;
    common += in_a[at];
    table[at] = hash;
    in_a[at] = 0;
  }
  return all ? static_cast<double>(common) / static_cast<double>(all) : 1.0;
}

}  // namespace curate
