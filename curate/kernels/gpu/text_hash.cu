// 128-bit hashes of texts. MurmurHash3 is one chain over a text's bytes, so a text is one thread's; texts come sorted
// by size, so that the threads of a warp end together.
#include "device.h"
#include "hash.h"

// rows, places: of the texts in the order of work. hashes: two words a place.
extern "C" __global__ void text_hash(const curate::u8* data, const curate::i64* offsets, const curate::i64* rows,
                                     const curate::i64* places, curate::i64 count, curate::u64* hashes) {
  using namespace curate;
  const gpu::Texts texts = {data, offsets};
  for (i64 item = gpu::first_thread(); item < count; item += gpu::all_threads()) {
    const u8* text = texts.begin(rows[item]);
    const i64 size = texts.size(rows[item]);
    gpu::WordStream words(text);
    Murmur128 hash;
    i64 at = 0;
    for (; at + 16 <= size; at += 16) {
      const u64 first = words.next();
      hash.add(first, words.next());
    }
    u64 first = 0, second = 0;
    for (i64 i = size; i-- > at + 8;) second = second << 8 | text[i];
    for (i64 i = size < at + 8 ? size : at + 8; i-- > at;) first = first << 8 | text[i];
    const Hash128 found = hash.finish(first, second, size);
    hashes[2 * places[item]] = found.first;
    hashes[2 * places[item] + 1] = found.second;
  }
}
