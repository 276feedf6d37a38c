// Normal forms of texts. A warp takes a text, tile by tile: what a code point becomes depends on it and on whether the one
// before it is of a gap, so each thread writes what becomes of its bytes, and a sum over the threads says where it goes.
#include "code_points.h"
#include "normalize.h"

namespace curate::gpu {

constexpr int kNormalBytes = 16;   // of a tile, a thread's
constexpr int kWrittenBytes = 24;  // more than those, a code point that reaches beyond them, and a space can become
constexpr u8 kGapByte = 0xFF;

class NormalText {
 public:
  // ascii: what becomes of each byte below 0x80, kGapByte where it is of a gap. counts: two a thread. written:
  // kWrittenBytes a thread.
  __device__ NormalText(int steps, const u8* text, i64 size, const u8* ascii, u32* counts, u8* written)
      : steps_(steps),
        text_(text),
        size_(size),
        ascii_(ascii),
        counts_(counts),
        own_(written + kWrittenBytes * threadIdx.x) {}

  // Writes the normal form to `out`, with a space before it where the text begins with a gap; returns the bytes.
  __device__ i64 run(u8* out) const {
    i64 done = 0;
    u32* counts = counts_;
    for (i64 tile = 0; tile < size_; tile += kNormalBytes * static_cast<i64>(blockDim.x)) {
      const u32 count = write_own(tile + kNormalBytes * static_cast<i64>(threadIdx.x));
      counts[threadIdx.x] = count;
      __syncthreads();
      i64 place = done;
      for (unsigned thread = 0; thread < blockDim.x; ++thread) {
        if (thread < threadIdx.x) place += counts[thread];
        done += counts[thread];
      }
      for (u32 i = 0; i < count; ++i) out[place + i] = own_[i];
      // The next tile's counts are others, so that no thread needs to wait until all have read these.
      counts = counts == counts_ ? counts_ + blockDim.x : counts_;
    }
    __syncthreads();
    return done;
  }

  __device__ bool gap_at(i64 at) const {
    const CodePoint point = decode(text_ + at, size_ - at);
    return text_[at] < 0x80 ? ascii_[text_[at]] == kGapByte : is_gap(steps_, point.value);
  }

 private:
  // What becomes of the code points that start in a thread's bytes; returns how many bytes.
  __device__ u32 write_own(i64 from) const {
    const i64 to = from + kNormalBytes < size_ ? from + kNormalBytes : size_;
    while (from < to && !starts_code_point(text_, size_, from)) ++from;
    if (from >= to) return 0;
    bool gap = from > 0 && gap_at(code_point_before(text_, size_, from));
    u8* end = own_;
    for (i64 at = from; at < to;) {
      const u8 byte = text_[at];
      const CodePoint point = byte < 0x80 ? CodePoint{byte, 1} : decode(text_ + at, size_ - at);
      const bool plain = byte < 0x80;
      if (plain ? ascii_[byte] == kGapByte : is_gap(steps_, point.value)) {
        gap = true;
      } else {
        if (gap) *end++ = ' ';
        gap = false;
        if (plain)
          *end++ = ascii_[byte];
        else
          end += write_normal(steps_, text_ + at, point, end);
      }
      at += point.size;
    }
    return static_cast<u32>(end - own_);
  }

  const int steps_;
  const u8* const text_;
  const i64 size_;
  const u8* const ascii_;
  u32* const counts_;
  u8* const own_;
};

}  // namespace curate::gpu

// begins: where in `out` the room of each place's text begins. bounds: of each place, where its normal form begins and
// ends.
extern "C" __global__ void __launch_bounds__(32, 32)
    normal_forms(const curate::u8* data, const curate::i64* offsets, const curate::i64* rows,
                 const curate::i64* places, curate::i64 count, int steps, curate::u8* out, const curate::i64* begins,
                 curate::i64* bounds) {
  using namespace curate;
  CURATE_SHARED(memory);
  u8* const ascii = reinterpret_cast<u8*>(memory);
  u32* const counts = reinterpret_cast<u32*>(ascii + 128);
  u8* const written = reinterpret_cast<u8*>(counts + 2 * blockDim.x);
  for (u32 c = threadIdx.x; c < 128; c += blockDim.x) ascii[c] = is_gap(steps, c) ? gpu::kGapByte : normal_byte(steps, c);
  __syncthreads();
  const gpu::Texts texts = {data, offsets};
  for (i64 item = blockIdx.x; item < count; item += gridDim.x) {
    const i64 place = places[item], size = texts.size(rows[item]);
    const gpu::NormalText text(steps, texts.begin(rows[item]), size, ascii, counts, written);
    const i64 bytes = text.run(out + begins[place]);
    if (threadIdx.x == 0) {
      bounds[2 * place] = begins[place] + (bytes > 0 && text.gap_at(0));
      bounds[2 * place + 1] = begins[place] + bytes;
    }
  }
}
