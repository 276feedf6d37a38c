// Equal slots of two signatures of one byte a slot, and which documents of a cluster stay.
#pragma once
#include "portable.h"

namespace curate {

constexpr u64 kStays = ~0ULL;

struct PlainMatches {
  static CURATE_HD int count(const u8* a, const u8* b, int hashes) {
    int equal = 0;
    for (int i = 0; i < hashes; ++i) equal += a[i] == b[i];
    return equal;
  }
};

// Documents of one cluster, best first: names, signatures side by side, and which of them cannot be dropped.
struct Cluster {
  const u64* docs;
  const u8* signatures;
  const bool* pinned;
  i64 size;
  int hashes;

  CURATE_HD const u8* signature(i64 i) const { return signatures + i * hashes; }
  CURATE_HD u64 source(i64 i) const { return docs[i] >> 56; }
  // Whether only duplicates between sources count, and the two are not between sources.
  CURATE_HD bool apart(i64 i, i64 j) const { return !pinned[i] && !pinned[j] && source(i) == source(j); }
};

template <class Matches>
struct BySignature {
  const Cluster& cluster;
  int needed;    // matching slots that make a duplicate
  int* matches;  // of each document that goes

  CURATE_HD bool operator()(i64 kept, i64 i) const {
    const int equal = Matches::count(cluster.signature(kept), cluster.signature(i), cluster.hashes);
    if (equal < needed) return false;
    matches[i] = equal;
    return true;
  }
};

// Each document that is not pinned goes if it is similar to a better one that stays; the best such is its witness.
// With `across`, only documents of other sources count. kept: scratch of cluster.size entries.
template <class Similar>
CURATE_HD void keep_dissimilar(const Cluster& cluster, bool across, i64* kept, u64* witness, Similar&& similar) {
  i64 stay = 0;
  for (i64 i = 0; i < cluster.size; ++i) {
    witness[i] = kStays;
    for (i64 j = 0; j < stay && !cluster.pinned[i]; ++j) {
      if (across && cluster.apart(kept[j], i)) continue;
      if (!similar(kept[j], i)) continue;
      witness[i] = cluster.docs[kept[j]];
      break;
    }
    if (witness[i] == kStays) kept[stay++] = i;
  }
}

// The best document stays, so do those pinned, with `across` all of its source; the others go with the best as
// witness, similar or not.
template <class Matches>
CURATE_HD void keep_best(const Cluster& cluster, bool across, u64* witness, int* matches) {
  for (i64 i = 0; i < cluster.size; ++i) {
    const bool stays = i == 0 || cluster.pinned[i] || (across && cluster.apart(0, i));
    witness[i] = stays ? kStays : cluster.docs[0];
    matches[i] = stays ? -1 : Matches::count(cluster.signature(0), cluster.signature(i), cluster.hashes);
  }
}

}  // namespace curate
