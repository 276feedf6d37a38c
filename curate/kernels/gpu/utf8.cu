// Which texts are well-formed UTF-8. A warp takes a text, each thread 8 bytes at a time, of which most are ASCII; every
// other byte is judged by its neighbours alone, so no thread waits for another.
#include "device.h"

namespace curate::gpu {

__device__ inline bool continues(u8 byte) { return (byte & 0xC0) == 0x80; }

// Bytes of the sequence that this one starts; 0 where none can start with it (Unicode 16.0, table 3-7).
__device__ inline int sequence_bytes(u8 byte) {
  if (byte < 0x80) return 1;
  if (byte < 0xC2 || byte > 0xF4) return 0;
  return byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

// Whether the byte at `at` starts a sequence that is whole, or belongs to one.
__device__ inline bool in_sequence(const u8* text, i64 size, i64 at) {
  const u8 byte = text[at];
  if (continues(byte)) {
    for (int back = 1; back <= 3 && back <= at; ++back)
      if (!continues(text[at - back])) return sequence_bytes(text[at - back]) > back;
    return false;
  }
  const int bytes = sequence_bytes(byte);
  if (bytes == 0 || at + bytes > size) return false;
  for (int next = 1; next < bytes; ++next)
    if (!continues(text[at + next])) return false;
  if (byte == 0xE0) return text[at + 1] >= 0xA0;
  if (byte == 0xED) return text[at + 1] <= 0x9F;
  if (byte == 0xF0) return text[at + 1] >= 0x90;
  return byte != 0xF4 || text[at + 1] <= 0x8F;
}

}  // namespace curate::gpu

// broken: zeros; becomes 1 at the places of texts that are not well-formed.
extern "C" __global__ void utf8_broken(const curate::u8* data, const curate::i64* offsets, const curate::i64* rows,
                                       const curate::i64* places, curate::i64 count, curate::u8* broken) {
  using namespace curate;
  const gpu::Texts texts = {data, offsets};
  for (i64 item = blockIdx.x; item < count; item += gridDim.x) {
    const u8* text = texts.begin(rows[item]);
    const i64 size = texts.size(rows[item]), before = static_cast<i64>(reinterpret_cast<u64>(text) & 7);
    for (i64 at = 8 * static_cast<i64>(threadIdx.x) - before; at < size; at += 8 * static_cast<i64>(blockDim.x)) {
      // The aligned word may reach beyond the text; only bytes of the text are judged.
      if ((*reinterpret_cast<const u64*>(text + at) & 0x8080808080808080u) == 0) continue;
      for (i64 i = at < 0 ? 0 : at; i < at + 8 && i < size; ++i)
        if (text[i] >= 0x80 && !gpu::in_sequence(text, size, i)) broken[places[item]] = 1;
    }
  }
}
