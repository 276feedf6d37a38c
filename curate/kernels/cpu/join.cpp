#include "join.h"

#include <mutex>
#include <vector>

#include "arrays.h"
#include "hash_secret.h"
#include "radix.h"
#include "union_find.h"

namespace curate::cpu {

static int bits_over(i64 count) {
  int bits = 1;
  while ((1LL << bits) <= count) ++bits;
  return bits;
}

// Rows are split by their mixed key into parts whose rows and hash table stay in the second-level cache.
template <class Key, class KeyAt>
static std::vector<Edge> edges_of(KeyAt key_at, const u64* docs, i64 count, HashKey hash_key) {
  constexpr i64 kPartRows = 4096;
  constexpr int kMostPartBits = 12;
  const int part_bits = std::min(kMostPartBits, bits_over(count / kPartRows));
  const i64 parts = 1LL << part_bits;
  const auto part_of = [&](const Key& key) { return key.mixed(hash_key) >> (64 - part_bits); };

  std::vector<i64> starts(parts + 1);
  for (i64 i = 0; i < count; ++i) ++starts[part_of(key_at(i)) + 1];
  for (i64 p = 0; p < parts; ++p) starts[p + 1] += starts[p];
  std::unique_ptr<KeyedDoc<Key>[]> rows(new KeyedDoc<Key>[count]);
  std::vector<i64> next(starts.begin(), starts.end() - 1);
  for (i64 i = 0; i < count; ++i) {
    const Key key = key_at(i);
    rows[next[part_of(key)]++] = {key, docs[i]};
  }

  std::vector<u32> places, first;
  std::vector<u64> least;
  std::vector<Edge> edges;
  for (i64 p = 0; p < parts; ++p) {
    const i64 size = starts[p + 1] - starts[p];
    if (size < 2) continue;
    const int bits = bits_over(2 * size);
    places.assign(1LL << bits, 0);
    first.resize(size);
    least.resize(size);
    const size_t before = edges.size();
    edges.resize(before + size);
    const i64 made = key_edges(rows.get() + starts[p], size, hash_key, places.data(), bits, part_bits,
                               first.data(), least.data(), edges.data() + before);
    edges.resize(before + made);
  }
  rows.reset();
  sort_unique(edges);
  return edges;
}

static nb::tuple numpy_edges(const std::vector<Edge>& edges) {
  Fresh<u64> from(edges.size()), to(edges.size());
  for (size_t i = 0; i < edges.size(); ++i) {
    from.data()[i] = edges[i].from;
    to.data()[i] = edges[i].to;
  }
  return nb::make_tuple(from.numpy(), to.numpy());
}

static i64 row_count(size_t keys, size_t docs) {
  if (keys != docs) throw std::invalid_argument("as many keys as docs are needed");
  if (docs >= 0xFFFFFFFFULL) throw std::invalid_argument("more than 2^32 - 2 rows: split them by key");
  return static_cast<i64>(docs);
}

static nb::tuple bucket_edges(In<u64> keys, In<u64> docs, u64 hash_secret) {
  const i64 count = row_count(keys.shape(0), docs.shape(0));
  std::vector<Edge> edges;
  {
    nb::gil_scoped_release unlocked;
    const u64* values = keys.data();
    edges = edges_of<Key64>([values](i64 i) { return Key64{values[i]}; }, docs.data(), count,
                            HashKey(hash_secret));
  }
  return numpy_edges(edges);
}

static nb::tuple hash_edges(In2<u64> hashes, In<u64> docs, u64 hash_secret) {
  if (hashes.shape(1) != 2) throw std::invalid_argument("hashes must have two columns");
  const i64 count = row_count(hashes.shape(0), docs.shape(0));
  std::vector<Edge> edges;
  {
    nb::gil_scoped_release unlocked;
    const u64* values = hashes.data();
    const auto key_at = [values](i64 i) { return Key128{values[2 * i], values[2 * i + 1]}; };
    edges = edges_of<Key128>(key_at, docs.data(), count, HashKey(hash_secret));
  }
  return numpy_edges(edges);
}

class UnionFind {
 public:
  UnionFind() : places_(1024) {}

  void add(In<u64> a, In<u64> b) {
    if (a.shape(0) != b.shape(0)) throw std::invalid_argument("as many first as second ends are needed");
    nb::gil_scoped_release unlocked;
    const std::lock_guard<std::mutex> alone(mutex_);
    for (size_t i = 0; i < a.shape(0); ++i) {
      const u32 x = index(a.data()[i]), y = index(b.data()[i]);
      unite(parents_.data(), docs_.data(), x, y);
    }
  }

  size_t size() const { return docs_.size(); }

  // (docs, roots) sorted by root, then doc.
  nb::tuple clusters() {
    std::vector<Edge> members;
    {
      nb::gil_scoped_release unlocked;
      const std::lock_guard<std::mutex> alone(mutex_);
      members.resize(docs_.size());
      for (size_t i = 0; i < docs_.size(); ++i)
        members[i] = {docs_[i], docs_[find_root(parents_.data(), static_cast<u32>(i))]};
      radix_sort(members);
    }
    return numpy_edges(members);
  }

 private:
  u32 index(u64 doc) {
    const u64 mask = places_.size() - 1;
    u64 place = fmix64(doc) & mask;
    while (places_[place]) {
      if (docs_[places_[place] - 1] == doc) return places_[place] - 1;
      place = (place + 1) & mask;
    }
    if (docs_.size() == 0xFFFFFFFEULL)
      throw std::length_error("more than 2^32 - 2 documents have a duplicate");
    const u32 fresh = static_cast<u32>(docs_.size());
    docs_.push_back(doc);
    parents_.push_back(fresh);
    places_[place] = fresh + 1;
    if (2 * docs_.size() > places_.size()) grow();
    return fresh;
  }

  void grow() {
    std::vector<u32> wider(2 * places_.size());
    for (u32 i = 0; i < docs_.size(); ++i) {
      u64 place = fmix64(docs_[i]) & (wider.size() - 1);
      while (wider[place]) place = (place + 1) & (wider.size() - 1);
      wider[place] = i + 1;
    }
    places_.swap(wider);
  }

  std::vector<u32> places_;  // hash table: index of a doc plus one, zero where free
  std::vector<u64> docs_;
  std::vector<u32> parents_;
  std::mutex mutex_;
};

void bind_join(nb::module_& m) {
  m.def("bucket_edges", &bucket_edges, nb::arg("keys"), nb::arg("docs"), nb::arg("hash_secret") = hash_secret());
  m.def("hash_edges", &hash_edges, nb::arg("hashes"), nb::arg("docs"), nb::arg("hash_secret") = hash_secret());
  nb::class_<UnionFind>(m, "UnionFind")
      .def(nb::init<>())
      .def("add", &UnionFind::add, nb::arg("a"), nb::arg("b"))
      .def("clusters", &UnionFind::clusters)
      .def("__len__", &UnionFind::size);
}

}  // namespace curate::cpu
