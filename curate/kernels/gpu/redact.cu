// How many e-mail addresses, IP addresses and telephone numbers are in texts. Each text is one thread's, from left to right,
// as findings do not overlap; texts come sorted by size, so that the threads of a warp end together.
#include "device.h"
#include "redact.h"

// emails, ips, all_ips, phones: what is looked for, 0 or 1. counts: kRedactKinds of them a place.
extern "C" __global__ void __launch_bounds__(128, 8)
    redact_counts(const curate::u8* data, const curate::i64* offsets, const curate::i64* rows,
                  const curate::i64* places, curate::i64 count, int emails, int ips, int all_ips, int phones,
                  curate::i64* counts) {
  using namespace curate;
  const gpu::Texts texts = {data, offsets};
  const RedactWhat what = {emails != 0, phones != 0, ips != 0, all_ips != 0};
  for (i64 item = gpu::first_thread(); item < count; item += gpu::all_threads()) {
    i64* const of = counts + kRedactKinds * places[item];
    for (int kind = 0; kind < kRedactKinds; ++kind) of[kind] = 0;
    RedactScanner scan(texts.begin(rows[item]), texts.size(rows[item]), what);
    for (RedactFinding found; scan.next(found);) ++of[found.kind];
  }
}
