// Sorts edges by (to, from) and drops repeats: stable radix sort from the lowest digit, linear in edges.
#pragma once
#include <algorithm>
#include <vector>

#include "join.h"

namespace curate::cpu {

inline bool edge_before(const Edge& x, const Edge& y) { return x.to != y.to ? x.to < y.to : x.from < y.from; }

inline void radix_sort(std::vector<Edge>& edges) {
  constexpr int kBits = 11, kDigits = 12, kValues = 1 << kBits;  // six digits of each end
  if (edges.size() < 2 * kValues) return std::sort(edges.begin(), edges.end(), edge_before);
  const auto digit = [](const Edge& e, int d) {
    return (d < 6 ? e.from >> (kBits * d) : e.to >> (kBits * (d - 6))) & (kValues - 1);
  };
  std::vector<u64> starts(kDigits * kValues);
  for (const Edge& e : edges)
    for (int d = 0; d < kDigits; ++d) ++starts[d * kValues + digit(e, d)];
  std::vector<Edge> other(edges.size());
  for (int d = 0; d < kDigits; ++d) {
    u64* at = starts.data() + d * kValues;
    if (at[digit(edges[0], d)] == edges.size()) continue;  // a digit that all share
    u64 sum = 0;
    for (int v = 0; v < kValues; ++v) {
      const u64 count = at[v];
      at[v] = sum;
      sum += count;
    }
    for (const Edge& e : edges) other[at[digit(e, d)]++] = e;
    edges.swap(other);
  }
}

inline void sort_unique(std::vector<Edge>& edges) {
  radix_sort(edges);
  const auto same = [](const Edge& x, const Edge& y) { return x.from == y.from && x.to == y.to; };
  edges.erase(std::unique(edges.begin(), edges.end(), same), edges.end());
}

}  // namespace curate::cpu
