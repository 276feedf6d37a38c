// Band keys: a chain of mixing steps over the slots of a band (docs/sketch.md).
#pragma once
#include "hash.h"

namespace curate {

constexpr u64 kBandStart = 0xD6E8FEB86659FD93ULL;

CURATE_HD u64 band_start(int band) { return kBandStart + static_cast<u64>(band) * kGolden; }

CURATE_HD u64 band_step(u64 key, u64 slot) { return fmix64(key ^ slot); }

// Key j comes from slots [j * rows, (j + 1) * rows); all bands advance together as each chain is serial.
CURATE_HD void band_keys(const u64* slots, int bands, int rows, u64* keys) {
  for (int j = 0; j < bands; ++j) keys[j] = band_start(j);
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < bands; ++j) keys[j] = band_step(keys[j], slots[static_cast<i64>(j) * rows + i]);
}

}  // namespace curate
