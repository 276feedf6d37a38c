// Code points of a text from any of its bytes on, so that threads need not wait for what comes before.
#pragma once
#include "device.h"
#include "unicode.h"

namespace curate::gpu {

// Whether `decode`, from the text's beginning on, comes to this byte. Only continuations are ever passed over: by a lead
// byte at most three before, if all of its sequence is there.
__device__ inline bool starts_code_point(const u8* text, i64 size, i64 at) {
  if (!is_continuation(text[at])) return true;
  for (int back = 1; back <= 3 && back <= at; ++back)
    if (!is_continuation(text[at - back])) return decode(text + at - back, size - at + back).size <= back;
  return true;
}

// Where the code point before `at`, at which one starts, starts. at > 0.
__device__ inline i64 code_point_before(const u8* text, i64 size, i64 at) {
  do --at;
  while (!starts_code_point(text, size, at));
  return at;
}

}  // namespace curate::gpu
