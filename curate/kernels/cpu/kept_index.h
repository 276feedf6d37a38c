// Finds the first kept document of a cluster that a document is similar to, without looking at all of them.
//
// Signatures that differ in at most d slots agree on at least one of any d + 1 groups of slots (pigeonhole), so
// documents are filed under the contents of d + 1 groups, and only those that share a group are compared: nothing
// is missed. Groups take every (d + 1)-th slot, as neighbours often agree together: they are a band's slots.
// A cluster of a million documents that share a band key and nothing else takes seconds; a plain walk, hours.
#pragma once
#include <vector>

#include "hash.h"
#include "similarity.h"

namespace curate::cpu {

class KeptIndex {
 public:
  // needed: equal slots without which documents are not similar.
  KeptIndex(const Cluster& cluster, int needed, bool across)
      : cluster_(cluster), across_(across), groups_(cluster.hashes - needed + 1) {}

  // Groups of one slot leave too many to compare; entries are numbered in 32 bits.
  bool worthwhile() const {
    return groups_ > 0 && 2 * groups_ <= cluster_.hashes && cluster_.size < 0xFFFFFFFF / groups_;
  }

  // Files document i, which comes after all that are filed.
  void add(i64 i) {
    kept_.push_back(i);
    seen_.push_back(-1);
    if (kept_.size() * static_cast<size_t>(groups_) > heads_.size())
      rebuild();
    else
      file(kept_.size() - 1);
  }

  i64 size() const { return static_cast<i64>(kept_.size()); }
  i64 document(i64 place) const { return kept_[place]; }

  // The place among the filed of the first that document i is similar to, -1 for none. similar(kept, i), which may
  // note what it found, is true of that one last.
  template <class Similar>
  i64 find(i64 i, Similar& similar) {
    const i64 filed = size();
    i64 best = filed, steps = 0;
    const u8* signature = cluster_.signature(i);
    for (int group = 0; group < groups_; ++group) {
      for (u32 entry = heads_[place(signature, group)]; entry; entry = next_[entry - 1]) {
        // Where most share their groups, a plain walk is faster.
        if (++steps > filed) return scan(i, best, similar);
        const i64 j = (entry - 1) / groups_;
        if (j >= best || seen_[j] == i) continue;
        seen_[j] = i;
        if (matches(j, i, similar)) best = j;
      }
    }
    return best < filed ? best : -1;
  }

 private:
  // The first similar one among those before `best`, else `best`, which is known to be or the end.
  template <class Similar>
  i64 scan(i64 i, i64 best, Similar& similar) const {
    for (i64 j = 0; j < best; ++j)
      if (seen_[j] != i && matches(j, i, similar)) return j;
    return best < size() ? best : -1;
  }

  template <class Similar>
  bool matches(i64 j, i64 i, Similar& similar) const {
    return !(across_ && cluster_.apart(kept_[j], i)) && similar(kept_[j], i);
  }

  size_t place(const u8* signature, int group) const {
    u64 h = static_cast<u64>(group);
    for (int slot = group; slot < cluster_.hashes; slot += groups_)
      h = (h ^ signature[slot]) * kGolden;
    return fmix64(h) & (heads_.size() - 1);
  }

  void file(size_t j) {
    const u8* signature = cluster_.signature(kept_[j]);
    next_.resize((j + 1) * groups_);
    for (int group = 0; group < groups_; ++group) {
      const size_t entry = j * groups_ + group;
      u32* head = &heads_[place(signature, group)];
      next_[entry] = *head;
      *head = static_cast<u32>(entry + 1);
    }
  }

  void rebuild() {
    size_t slots = 1024;
    while (slots < kept_.size() * static_cast<size_t>(groups_) * 2) slots *= 2;
    heads_.assign(slots, 0);
    for (size_t j = 0; j < kept_.size(); ++j) file(j);
  }

  const Cluster cluster_;
  const bool across_;
  const int groups_;
  std::vector<i64> kept_, seen_;    // by place: the document, and the last one compared with it
  std::vector<u32> heads_, next_;  // chains of entries: place * groups_ + group, plus one
};

// As keep_dissimilar, in time that grows with the members, not with members x kept members. needed: slots that are
// equal in any two documents that are similar.
template <class Similar>
void keep_dissimilar_of_many(const Cluster& cluster, int needed, bool across, u64* witness, Similar&& similar) {
  KeptIndex index(cluster, needed, across);
  for (i64 i = 0; i < cluster.size; ++i) {
    const i64 found = index.size() && !cluster.pinned[i] ? index.find(i, similar) : -1;
    witness[i] = found < 0 ? kStays : cluster.docs[index.document(found)];
    if (found < 0) index.add(i);
  }
}

}  // namespace curate::cpu
