// Statistics of families that follow each other on a document, as heuristics.cu has those of one: each text is one
// thread's, measured by the CPU's own code, texts of like size side by side.
#include "device.h"
#include "heuristics_families.h"

// families, groups: of each of `steps` steps. begins: where each thread's part of memory begins, enough for the first
// text that it takes, its largest. scratch_words: of a part, what PLAIN takes. statistics: `width` of them a place.
// writes: whether what the families leave of the texts goes to `left`, where the room of each place begins at `rooms`;
// bounds: of each place, where it begins and ends there.
extern "C" __global__ void __launch_bounds__(128, 4)
    heuristic_families(const curate::u8* data, const curate::i64* offsets, const curate::i64* rows,
                       const curate::i64* places, curate::i64 count, const curate::u32* families,
                       const curate::u32* groups, int steps, curate::u64* memory, const curate::i64* begins,
                       const curate::i64* scratch_words, curate::i64 threads, curate::u64 hash_secret,
                       curate::i64 width, curate::i64* statistics, int writes, curate::u8* left,
                       const curate::i64* rooms, curate::i64* bounds) {
  using namespace curate;
  const gpu::Texts texts = {data, offsets};
  const i64 thread = gpu::first_thread();
  if (thread >= threads) return;
  u64* const own = memory + begins[thread];
  heuristics::Document document(texts.size(rows[thread]), own + scratch_words[thread], HashKey(hash_secret));
  for (i64 item = thread; item < count; item += threads) {
    document.open(texts.begin(rows[item]), texts.size(rows[item]));
    i64* out = statistics + places[item] * width;
    for (int step = 0; step < steps; ++step)
      out = heuristics::measure_family(families[step], groups[step], document, own, out);
    if (!writes) continue;
    const i64 place = places[item];
    for (i64 i = 0; i < document.size(); ++i) left[rooms[place] + i] = document.text()[i];
    bounds[2 * place] = rooms[place];
    bounds[2 * place + 1] = rooms[place] + document.size();
  }
}
