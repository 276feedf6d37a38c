// Rows of a fastText model's input matrix: asked for ahead, and added up.
#pragma once
#include <cstring>

#include "fasttext.h"

namespace curate::cpu {

typedef float FourFloats __attribute__((vector_size(16)));

inline FourFloats four_floats(const u8* at) {
  FourFloats values;
  std::memcpy(&values, at, sizeof values);
  return values;
}

// Adds `count` vectors of `dim` floats to `sum`, one after the other; place(i): where vector i is.
template <typename Place>
void add_vectors(i32 dim, i64 count, Place&& place, float* sum) {
  u8* sums = reinterpret_cast<u8*>(sum);
  i64 at = 0;
  const i64 size = static_cast<i64>(dim) * 4;
  for (; at + 64 <= size; at += 64) {  // not a loop of four: GCC would put its sums on the stack
    FourFloats a = four_floats(sums + at), b = four_floats(sums + at + 16);
    FourFloats c = four_floats(sums + at + 32), d = four_floats(sums + at + 48);
    for (i64 i = 0; i < count; ++i) {
      const u8* term = place(i) + at;
      a += four_floats(term);
      b += four_floats(term + 16);
      c += four_floats(term + 32);
      d += four_floats(term + 48);
    }
    std::memcpy(sums + at, &a, 16);
    std::memcpy(sums + at + 16, &b, 16);
    std::memcpy(sums + at + 32, &c, 16);
    std::memcpy(sums + at + 48, &d, 16);
  }
  for (; at + 16 <= size; at += 16) {
    FourFloats a = four_floats(sums + at);
    for (i64 i = 0; i < count; ++i) a += four_floats(place(i) + at);
    std::memcpy(sums + at, &a, 16);
  }
  for (; at < size; at += 4) {
    float total = sum[at / 4];
    for (i64 i = 0; i < count; ++i) {
      float term;
      std::memcpy(&term, place(i) + at, 4);
      total += term;
    }
    sum[at / 4] = total;
  }
}

inline void fasttext_add_codes(const FastTextView& m, const i32* rows, i64 count, float* hidden) {
  for (i64 i = 0; i < count; ++i) {
    const u8* code = m.codes + static_cast<i64>(rows[i]) * m.parts;
    float norm = m.norms ? m.norms[rows[i]] : 1.0f;
    for (i32 p = 0, column = 0; p < m.parts; ++p) {
      i32 width = m.dim - column < m.part ? m.dim - column : m.part;
      i64 place = static_cast<i64>(256) * p * m.part + static_cast<i64>(code[p]) * width;
      const float* centroid = m.centroids + place;
      for (i32 k = 0; k < width; ++k, ++column) hidden[column] += norm * centroid[k];
    }
  }
}

// Asks for the memory of a row before it is needed.
inline void fasttext_prefetch_row(const FastTextView& m, i32 row) {
  const i64 size = m.codes ? m.parts : static_cast<i64>(m.dim) * 4;
  const u8* address = (m.codes ? m.codes : m.rows) + row * size;
  for (i64 at = 0; at < size; at += 64) CURATE_PREFETCH(address + at);
  CURATE_PREFETCH(address + size - 1);
}

// Adds rows of the input matrix to hidden, in the order given.
inline void fasttext_add_rows(const FastTextView& m, const i32* rows, i64 count, float* hidden) {
  const i64 stride = static_cast<i64>(m.dim) * 4;
  if (m.codes)
    fasttext_add_codes(m, rows, count, hidden);
  else
    add_vectors(m.dim, count, [&](i64 i) { return m.rows + rows[i] * stride; }, hidden);
}

}  // namespace curate::cpu
