// The integer statistics of documents. Each text is one thread's, measured by the CPU's own code in scratch memory of
// its own; texts come sorted by size, so that the threads of a warp end together.
#include "device.h"
#include "heuristics.h"

// begins: where each thread's part of scratch begins, enough for the first text that it takes, its largest.
// statistics: a row of Statistics a place.
extern "C" __global__ void __launch_bounds__(128, 4)
    heuristic_statistics(const curate::u8* data, const curate::i64* offsets, const curate::i64* rows,
                         const curate::i64* places, curate::i64 count, curate::u32 groups, curate::u64* scratch,
                         const curate::i64* begins, curate::i64 threads, curate::u64 hash_secret,
                         curate::heuristics::Statistics* statistics) {
  using namespace curate;
  const HashKey key(hash_secret);
  const gpu::Texts texts = {data, offsets};
  const i64 thread = gpu::first_thread();
  if (thread >= threads) return;
  for (i64 item = thread; item < count; item += threads)
    statistics[places[item]] =
        heuristics::measure(texts.begin(rows[item]), texts.size(rows[item]), scratch + begins[thread], groups, key);
}
