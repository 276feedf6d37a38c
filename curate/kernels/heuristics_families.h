// Families of statistics by number: what a list of steps measures of a document, on any device.
#pragma once
#include "heuristics.h"
#include "heuristics_c4.h"
#include "heuristics_c4_tfds.h"
#include "heuristics_dolma_c4.h"
#include "heuristics_refinedweb.h"

namespace curate::heuristics {

enum Family : u32 {
  PLAIN,
  DATATROVE_REPETITION,
  DATATROVE_QUALITY,
  DATATROVE_C4,
  DATATROVE_C4_KEEP_UNPUNCTUATED,
  DATATROVE_FINEWEB,
  C4,
  REFINEDWEB_LINES,
  DOLMA_C4,
  FAMILY_COUNT
};

template <typename T>
CURATE_HD i64* written(const T& statistics, i64* out) {
  const i64* from = reinterpret_cast<const i64*>(&statistics);
  for (unsigned i = 0; i < sizeof(T) / sizeof(i64); ++i) out[i] = from[i];
  return out + sizeof(T) / sizeof(i64);
}

// Writes the statistics of one family to `out`; returns where they end. groups, scratch: PLAIN's alone. A family that
// edits leaves the edited text in the document.
CURATE_HD i64* measure_family(u32 family, u32 groups, Document& document, u64* scratch, i64* out) {
  switch (family) {
    case PLAIN:
      return written(measure(document.text(), document.size(), scratch, groups, document.hash_key()), out);
    case DATATROVE_REPETITION:
      return written(measure_datatrove_repetition(document), out);
    case DATATROVE_QUALITY:
      return written(measure_datatrove_quality(document), out);
    case DATATROVE_C4:
      return written(measure_datatrove_c4(document, false), out);
    case DATATROVE_C4_KEEP_UNPUNCTUATED:
      return written(measure_datatrove_c4(document, true), out);
    case DATATROVE_FINEWEB:
      return written(measure_datatrove_fineweb(document), out);
    case C4:
      return written(measure_c4(document), out);
    case REFINEDWEB_LINES:
      return written(measure_refinedweb_lines(document), out);
    default:
      return written(measure_dolma_c4(document), out);
  }
}

}  // namespace curate::heuristics
