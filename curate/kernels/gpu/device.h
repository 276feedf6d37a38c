// What every kernel of the device shares. A block is a team of threads that works on one item after another.
//
// Blocks share nothing but results that do not depend on order (least values), so the grid's size changes no bit.
#pragma once
#include "portable.h"

// The memory that threads of a block share, as many 64-bit words as the launch asks for.
#if !defined(CURATE_SHARED)
#define CURATE_SHARED(name) extern __shared__ curate::u64 name[]
#endif

namespace curate::gpu {

// Where the text of a work item lies, and where its result goes.
struct Texts {
  const u8* data;
  const i64* offsets;
  CURATE_HD const u8* begin(i64 row) const { return data + offsets[row]; }
  CURATE_HD i64 size(i64 row) const { return offsets[row + 1] - offsets[row]; }
};

__device__ inline i64 first_thread() { return static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; }
__device__ inline i64 all_threads() { return static_cast<i64>(gridDim.x) * blockDim.x; }

__device__ inline void lower_slot(u64* slot, u64 value) {
  // A stale value is never too small, as slots only fall: the plain read saves most of the atomics.
  if (value < *reinterpret_cast<volatile u64*>(slot))
    atomicMin(reinterpret_cast<unsigned long long*>(slot), static_cast<unsigned long long>(value));
}

// Reads a text byte after byte by aligned words of 8. A word is loaded only when one of its bytes is asked for, so
// nothing is read beyond the 8 bytes around a text's own.
class ByteStream {
 public:
  __device__ explicit ByteStream(const u8* text) {
    const u64 address = reinterpret_cast<u64>(text);
    next_ = reinterpret_cast<const u64*>(address & ~u64(7));
    skip_ = static_cast<int>(address & 7);
  }
  __device__ u8 next() {
    if (left_ == 0) {
      word_ = *next_++ >> 8 * skip_;
      left_ = 8 - skip_;
      skip_ = 0;
    }
    const u8 byte = static_cast<u8>(word_);
    word_ >>= 8;
    --left_;
    return byte;
  }

 private:
  const u64* next_;
  u64 word_ = 0;
  int left_ = 0, skip_;
};

// Reads a text by words of 8 bytes, whatever its alignment: two aligned words, shifted together.
class WordStream {
 public:
  __device__ explicit WordStream(const u8* text) {
    const u64 address = reinterpret_cast<u64>(text);
    at_ = reinterpret_cast<const u64*>(address & ~u64(7));
    shift_ = static_cast<unsigned>(address & 7) * 8;
  }
  // The next 8 bytes; all must belong to the text.
  __device__ u64 next() {
    if (shift_ == 0) return *at_++;
    if (!begun_) held_ = *at_++;
    begun_ = true;
    const u64 low = held_ >> shift_;
    held_ = *at_++;
    return low | held_ << (64 - shift_);
  }

 private:
  const u64* at_;
  u64 held_ = 0;
  unsigned shift_;
  bool begun_ = false;
};

}  // namespace curate::gpu
