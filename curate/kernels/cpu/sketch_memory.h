// Sketches of the texts met last, by the 128-bit hash of each text, so that a text met again is not sketched again.
#pragma once
#include <algorithm>
#include <stdexcept>
#include <vector>

#include "hash.h"

namespace curate::cpu {

class SketchMemory {
 public:
  // texts: how many it holds; one more, and it starts over from that one.
  SketchMemory(int hashes, int bands, i64 texts, u64 hash_secret)
      : key_(hash_secret), hashes_(hashes), bands_(bands), most_(static_cast<size_t>(texts)), places_(1024) {
    if (texts < 1 || texts > 0x7FFFFFFF) throw std::invalid_argument("texts must be 1 to 2^31 - 1");
  }

  bool fits(int hashes, int bands) const { return hashes == hashes_ && bands == bands_; }

  // How many texts were recalled.
  i64 recalled() const { return recalled_; }

  // Copies the sketch of the text of this hash out and tells whether there is one.
  bool recall(const Hash128& hash, u64* keys, u8* bytes, bool& sketched) {
    const u32 found = places_[place_of(hash)];
    if (!found) return false;
    const size_t i = found - 1;
    std::copy_n(keys_.data() + i * bands_, bands_, keys);
    std::copy_n(bytes_.data() + i * hashes_, hashes_, bytes);
    sketched = sketched_[i];
    ++recalled_;
    return true;
  }

  // Keeps the sketch of a text that was not recalled.
  void keep(const Hash128& hash, const u64* keys, const u8* bytes, bool sketched) {
    if (texts_.size() == most_) forget();
    keys_.insert(keys_.end(), keys, keys + bands_);
    bytes_.insert(bytes_.end(), bytes, bytes + hashes_);
    sketched_.push_back(sketched);
    texts_.push_back(hash);
    places_[place_of(hash)] = static_cast<u32>(texts_.size());
    if (2 * texts_.size() > places_.size()) grow();
  }

 private:
  // Where the hash stands in the table, or would.
  size_t place_of(const Hash128& hash) const {
    const size_t mask = places_.size() - 1;
    size_t place = folded_product(hash.first ^ key_.first, hash.second ^ key_.second) & mask;
    while (places_[place]) {
      const Hash128& other = texts_[places_[place] - 1];
      if (other.first == hash.first && other.second == hash.second) break;
      place = (place + 1) & mask;
    }
    return place;
  }

  void grow() {
    places_.assign(2 * places_.size(), 0);
    for (size_t i = 0; i < texts_.size(); ++i) places_[place_of(texts_[i])] = static_cast<u32>(i + 1);
  }

  void forget() {
    std::fill(places_.begin(), places_.end(), 0);
    texts_.clear();
    keys_.clear();
    bytes_.clear();
    sketched_.clear();
  }

  const HashKey key_;
  const int hashes_, bands_;
  const size_t most_;
  std::vector<u32> places_;  // hash table: number of a text plus one, zero where free
  std::vector<Hash128> texts_;
  std::vector<u64> keys_;
  std::vector<u8> bytes_;
  std::vector<bool> sketched_;
  i64 recalled_ = 0;
};

}  // namespace curate::cpu
