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

// Documents of one cluster, best first: names, and signatures side by side.
struct Cluster {
  const u64* docs;
  const u8* signatures;
  i64 size;
  int hashes;

  CURATE_HD const u8* signature(i64 i) const { return signatures + i * hashes; }
  CURATE_HD u64 source(i64 i) const { return docs[i] >> 56; }
};

// Each document goes if it matches a better one that stays in at least `needed` slots; the best such is its
// witness. With `across`, only documents of other sources count. kept: scratch of cluster.size entries.
template <class Matches>
CURATE_HD void keep_dissimilar(const Cluster& cluster, int needed, bool across, i64* kept, u64* witness,
                               int* matches) {
  i64 stay = 0;
  for (i64 i = 0; i < cluster.size; ++i) {
    witness[i] = kStays;
    matches[i] = -1;
    for (i64 j = 0; j < stay; ++j) {
      if (across && cluster.source(kept[j]) == cluster.source(i)) continue;
      const int equal = Matches::count(cluster.signature(kept[j]), cluster.signature(i), cluster.hashes);
      if (equal < needed) continue;
      witness[i] = cluster.docs[kept[j]];
      matches[i] = equal;
      break;
    }
    if (witness[i] == kStays) kept[stay++] = i;
  }
}

// The best document stays, with `across` all of its source; the others go with it as witness, similar or not.
template <class Matches>
CURATE_HD void keep_best(const Cluster& cluster, bool across, u64* witness, int* matches) {
  for (i64 i = 0; i < cluster.size; ++i) {
    const bool stays = i == 0 || (across && cluster.source(i) == cluster.source(0));
    witness[i] = stays ? kStays : cluster.docs[0];
    matches[i] = stays ? -1 : Matches::count(cluster.signature(0), cluster.signature(i), cluster.hashes);
  }
}

}  // namespace curate
