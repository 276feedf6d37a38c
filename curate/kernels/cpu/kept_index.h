// Finds the first kept document of a cluster that a signature matches, without looking at all of them.
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

template <class Matches>
class KeptIndex {
 public:
  // needed: equal slots that make a match.
  KeptIndex(const Cluster& cluster, int needed, bool across)
      : cluster_(cluster), needed_(needed), across_(across), groups_(cluster.hashes - needed + 1) {}

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

  // The place among the filed of the first that document i matches, -1 for none; sets how many slots are equal.
  i64 find(i64 i, int* equal) {
    const i64 filed = size();
    i64 best = filed, steps = 0;
    const u8* signature = cluster_.signature(i);
    for (int group = 0; group < groups_; ++group) {
      for (u32 entry = heads_[place(signature, group)]; entry; entry = next_[entry - 1]) {
        // Where most share their groups, a plain walk is faster.
        if (++steps > filed) return scan(i, best, equal);
        const i64 j = (entry - 1) / groups_;
        if (j >= best || seen_[j] == i) continue;
        seen_[j] = i;
        if (matches(j, i, equal)) best = j;
      }
    }
    if (best == filed) return -1;
    matches(best, i, equal);
    return best;
  }

 private:
  i64 scan(i64 i, i64 until, int* equal) const {
    for (i64 j = 0; j < until; ++j)
      if (matches(j, i, equal)) return j;
    return until < size() && matches(until, i, equal) ? until : -1;
  }

  bool matches(i64 j, i64 i, int* equal) const {
    const i64 kept = kept_[j];
    if (across_ && cluster_.apart(kept, i)) return false;
    *equal = Matches::count(cluster_.signature(kept), cluster_.signature(i), cluster_.hashes);
    return *equal >= needed_;
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
  const int needed_;
  const bool across_;
  const int groups_;
  std::vector<i64> kept_, seen_;    // by place: the document, and the last one compared with it
  std::vector<u32> heads_, next_;  // chains of entries: place * groups_ + group, plus one
};

// As keep_dissimilar, in time that grows with the members, not with members x kept members.
template <class Matches>
void keep_dissimilar_of_many(const Cluster& cluster, int needed, bool across, u64* witness, int* matches) {
  KeptIndex<Matches> index(cluster, needed, across);
  for (i64 i = 0; i < cluster.size; ++i) {
    int equal = -1;
    const i64 found = index.size() && !cluster.pinned[i] ? index.find(i, &equal) : -1;
    witness[i] = found < 0 ? kStays : cluster.docs[index.document(found)];
    matches[i] = found < 0 ? -1 : equal;
    if (found < 0) index.add(i);
  }
}

}  // namespace curate::cpu
