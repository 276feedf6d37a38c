// Texts side by side of which some are replaced by others. A block copies a text.
#include "device.h"

// sources: of each text, its row among the texts, or if negative, from -1 down, its row among the others. bounds: where
// each goes, and where the last one ends.
extern "C" __global__ void replaced_texts(const curate::u8* data, const curate::i64* offsets,
                                          const curate::u8* other_data, const curate::i64* other_offsets,
                                          const curate::i64* sources, curate::i64 count, curate::u8* out,
                                          const curate::i64* bounds) {
  using namespace curate;
  const gpu::Texts texts = {data, offsets}, others = {other_data, other_offsets};
  for (i64 item = blockIdx.x; item < count; item += gridDim.x) {
    const i64 source = sources[item], size = bounds[item + 1] - bounds[item];
    const u8* const from = source < 0 ? others.begin(-1 - source) : texts.begin(source);
    for (i64 i = threadIdx.x; i < size; i += blockDim.x) out[bounds[item] + i] = from[i];
  }
}
