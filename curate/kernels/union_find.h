// Disjoint sets over indices 0 .. n; the root of a set is its member of smallest name.
#pragma once
#include "portable.h"

namespace curate {

// Halves the path on the way (van Leeuwen, van der Weide 1977).
CURATE_HD u32 find_root(u32* parents, u32 x) {
  while (parents[x] != x) x = parents[x] = parents[parents[x]];
  return x;
}

CURATE_HD void unite(u32* parents, const u64* names, u32 a, u32 b) {
  a = find_root(parents, a);
  b = find_root(parents, b);
  if (names[a] < names[b])
    parents[b] = a;
  else
    parents[a] = b;
}

}  // namespace curate
