// Texts side by side of which some are replaced by others. A block copies a text.
#include "device.h"

namespace curate::gpu {

// The threads of a block copy a text: the words of 8 bytes that are aligned in `out`, and the bytes around them.
__device__ void copy_text(const u8* from, i64 size, u8* out) {
  const i64 to_word = static_cast<i64>(-reinterpret_cast<u64>(out) & 7);
  const i64 head = to_word < size ? to_word : size, words = (size - head) / 8, tail = head + 8 * words;
  u64* const out_words = reinterpret_cast<u64*>(out + head);
  for (i64 i = threadIdx.x; i < words; i += blockDim.x) out_words[i] = WordStream(from + head + 8 * i).next();
  for (i64 i = threadIdx.x; i < head; i += blockDim.x) out[i] = from[i];
  for (i64 i = tail + threadIdx.x; i < size; i += blockDim.x) out[i] = from[i];
}

}  // namespace curate::gpu

// sources: of each text, its row among the texts, or if negative, from -1 down, its row among the others. bounds: where
// each goes, and where the last one ends.
extern "C" __global__ void replaced_texts(const curate::u8* data, const curate::i64* offsets,
                                          const curate::u8* other_data, const curate::i64* other_offsets,
                                          const curate::i64* sources, curate::i64 count, curate::u8* out,
                                          const curate::i64* bounds) {
  using namespace curate;
  const gpu::Texts texts = {data, offsets}, others = {other_data, other_offsets};
  for (i64 item = blockIdx.x; item < count; item += gridDim.x) {
    const i64 source = sources[item], begin = bounds[item];
    const u8* const from = source < 0 ? others.begin(-1 - source) : texts.begin(source);
    gpu::copy_text(from, bounds[item + 1] - begin, out + begin);
  }
}
