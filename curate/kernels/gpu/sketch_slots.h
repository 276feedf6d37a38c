// What the sketch kernels share: where a shingle's hash goes, and signatures from slots.
//
// A slot is the least value that any shingle gives it in any round: a slot that has a value of round r cannot be lowered
// by a later round, so the rule "stop after the first round that leaves no slot empty" saves work and changes no bit. It
// follows that the sketch of a text is, slot by slot, the least of the sketches of its pieces.
#pragma once
#include "sketch.h"
#include "bands.h"
#include "device.h"

namespace curate::gpu {

struct SketchShape {
  int hashes, bands;
  bool minhash;
  // Rounds in which each shingle goes to one bin (fss) or to all (minhash).
  __device__ int rounds() const { return minhash ? 1 : hashes; }
};

// What one round does with a shingle.
class Bins {
 public:
  __device__ Bins(u64* slots, const SketchShape& shape, u64 round) : slots_(slots), shape_(shape), round_(round) {}

  __device__ void take(u64 shingle) const {
    const u64 hashes = static_cast<u64>(shape_.hashes);
    if (shape_.minhash) {
      for (u64 i = 0; i < hashes; ++i) lower_slot(slots_ + i, fmix64(shingle ^ i * kGolden));
      return;
    }
    const u64 y = fmix64(shingle ^ round_ * kGolden);
    const u64 bin = round_ < hashes ? (y >> 32) * hashes >> 32 : round_ - hashes;
    lower_slot(slots_ + bin, round_ << 32 | static_cast<u32>(y));
  }

 private:
  u64* slots_;
  const SketchShape& shape_;
  const u64 round_;
};

__device__ inline bool any_slot(const u64* slots, int hashes, bool empty) {
  int found = 0;
  for (int i = threadIdx.x; i < hashes; i += blockDim.x) found |= (slots[i] == kEmptySlot) == empty;
  return __syncthreads_or(found);
}

// Runs rounds until no slot is empty; `each_shingle(bins)` passes this thread's shingles to bins.take. The slots are
// the block's, and all of its threads call this. False, and empty slots, where there is no shingle.
template <class EachShingle>
__device__ bool fill_slots(u64* slots, const SketchShape& shape, EachShingle each_shingle) {
  for (int i = threadIdx.x; i < shape.hashes; i += blockDim.x) slots[i] = kEmptySlot;
  __syncthreads();
  for (int round = 0; round < shape.rounds(); ++round) {
    each_shingle(Bins(slots, shape, static_cast<u64>(round)));
    __syncthreads();
    if (!any_slot(slots, shape.hashes, true)) return true;
    if (round == 0 && !any_slot(slots, shape.hashes, false)) return false;
  }
  for (int bin = 0; bin < shape.hashes; ++bin) {
    const bool empty = slots[bin] == kEmptySlot;
    __syncthreads();
    if (empty) each_shingle(Bins(slots, shape, static_cast<u64>(shape.hashes + bin)));
    __syncthreads();
  }
  return true;
}

struct Sketched {
  u64* keys;  // band after band
  u8* signatures;
  u8* sketched;
  i64 count;  // documents

  // Writes the keys and bytes of one document from its slots, or zeros. The block's threads share the work.
  __device__ void write(i64 place, const u64* slots, const SketchShape& shape, bool has_shingles) const {
    const int rows = shape.hashes / shape.bands;
    for (int band = threadIdx.x; band < shape.bands; band += blockDim.x) {
      u64 key = band_start(band);
      for (int i = 0; i < rows; ++i) key = band_step(key, slots[band * rows + i]);
      keys[band * count + place] = has_shingles ? key : 0;
    }
    for (int i = threadIdx.x; i < shape.hashes; i += blockDim.x)
      signatures[place * shape.hashes + i] = has_shingles ? static_cast<u8>(fmix64(slots[i])) : 0;
    if (threadIdx.x == 0) sketched[place] = has_shingles;
  }
};

}  // namespace curate::gpu
