// Which texts have a line that passes a sieve. A warp takes a text, each thread the lines that begin in its bytes, tile by tile.
#include "device.h"
#include "line_sieve.h"

namespace curate::gpu {

constexpr int kSievedBytes = 16;  // of a tile, a thread's

}  // namespace curate::gpu

// folded to max_chars: fields of LineSieve; slots: where slot_count is 0, there are none. passes: zeros; becomes 1 at the
// places of texts with such a line.
extern "C" __global__ void __launch_bounds__(32, 32)
    lines_may_match(const curate::u8* data, const curate::i64* offsets, const curate::i64* rows,
                    const curate::i64* places, curate::i64 count, const curate::u32* folded, curate::u32 fold_count,
                    const curate::u32* beginnings, const int* buckets, const curate::u64* slots,
                    curate::i64 slot_count, curate::i64 max_chars, curate::u8* passes) {
  using namespace curate;
  const LineSieve sieve = {folded,     fold_count, beginnings, buckets, slot_count ? slots : nullptr,
                           static_cast<u64>(slot_count - 1), max_chars};
  const gpu::Texts texts = {data, offsets};
  const i64 tile = gpu::kSievedBytes * static_cast<i64>(blockDim.x);
  for (i64 item = blockIdx.x; item < count; item += gridDim.x) {
    const u8* const text = texts.begin(rows[item]);
    const i64 size = texts.size(rows[item]);
    for (i64 from = gpu::kSievedBytes * static_cast<i64>(threadIdx.x); from < size; from += tile) {
      const i64 to = from + gpu::kSievedBytes < size ? from + gpu::kSievedBytes : size;
      if (any_line_passes(sieve, text, size, from, to)) passes[places[item]] = 1;
    }
  }
}
