// Edges between rows of equal key, in time linear in rows whatever the size of a bucket.
#pragma once
#include "hash.h"

namespace curate {

struct Key64 {
  u64 value;
  CURATE_HD u64 mixed(HashKey key) const { return folded_product(value ^ key.first, key.second); }
  CURATE_HD bool operator==(const Key64& other) const { return value == other.value; }
};

struct Key128 {
  u64 first, second;
  CURATE_HD u64 mixed(HashKey key) const { return folded_product(first ^ key.first, second ^ key.second); }
  CURATE_HD bool operator==(const Key128& other) const {
    return first == other.first && second == other.second;
  }
};

template <class Key>
struct KeyedDoc {
  Key key;
  u64 doc;
};

struct Edge {
  u64 from, to;  // to < from
};

// Groups rows by whole key; writes an edge from each row to the smallest doc of its key, or none from that.
//   places: the hash table, 2^bits zeros, more than there are rows. first, least: scratch, an entry a row.
//   key: of the hashes. skip: leading bits of the mixed key that all rows share. edges: room for an entry a row.
// Returns the number of edges (at most count - 1). Edges come in row order; a repeated row repeats its edge.
template <class Key>
CURATE_HD i64 key_edges(const KeyedDoc<Key>* rows, i64 count, HashKey key, u32* places, int bits, int skip,
                        u32* first, u64* least, Edge* edges) {
  const u64 mask = (1ULL << bits) - 1;
  for (i64 i = 0; i < count; ++i) {
    u64 place = rows[i].key.mixed(key) >> (64 - skip - bits) & mask;
    for (;; place = (place + 1) & mask) {
      CURATE_SLOT_LOOK();
      if (!places[place] || rows[places[place] - 1].key == rows[i].key) break;
    }
    if (!places[place]) {
      places[place] = static_cast<u32>(i + 1);
      least[i] = rows[i].doc;
    }
    const u32 group = first[i] = places[place] - 1;
    if (rows[i].doc < least[group]) least[group] = rows[i].doc;
  }
  i64 made = 0;
  for (i64 i = 0; i < count; ++i)
    if (rows[i].doc != least[first[i]]) edges[made++] = {rows[i].doc, least[first[i]]};
  return made;
}

}  // namespace curate
