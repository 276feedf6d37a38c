// Rows of a fastText model's input matrix: asked for ahead, and added up.
#pragma once
#include <cstring>

#include "fasttext.h"

namespace curate::cpu {

typedef float FourFloats __attribute__((vector_size(16)));
typedef float TwoFloats __attribute__((vector_size(8)));

template <typename Floats>
inline Floats floats(const u8* at) {
  Floats values;
  std::memcpy(&values, at, sizeof values);
  return values;
}

// Adds part of `count` vectors to the same part of a sum.
template <typename Floats, typename Place>
inline void add_part(i64 count, Place&& place, i64 at, u8* sums) {
  Floats total = floats<Floats>(sums + at);
  for (i64 i = 0; i < count; ++i) total += floats<Floats>(place(i) + at);
  std::memcpy(sums + at, &total, sizeof total);
}

// Adds `count` vectors of `dim` floats to `sum`, one after the other; place(i): where vector i is.
template <typename Place>
void add_vectors(i32 dim, i64 count, Place&& place, float* sum) {
  u8* sums = reinterpret_cast<u8*>(sum);
  i64 at = 0;
  const i64 size = static_cast<i64>(dim) * 4;
  for (; at + 64 <= size; at += 64) {  // not a loop of four: GCC would put its sums on the stack
    FourFloats a = floats<FourFloats>(sums + at), b = floats<FourFloats>(sums + at + 16);
    FourFloats c = floats<FourFloats>(sums + at + 32), d = floats<FourFloats>(sums + at + 48);
    for (i64 i = 0; i < count; ++i) {
      const u8* term = place(i) + at;
      a += floats<FourFloats>(term);
      b += floats<FourFloats>(term + 16);
      c += floats<FourFloats>(term + 32);
      d += floats<FourFloats>(term + 48);
    }
    std::memcpy(sums + at, &a, 16);
    std::memcpy(sums + at + 16, &b, 16);
    std::memcpy(sums + at + 32, &c, 16);
    std::memcpy(sums + at + 48, &d, 16);
  }
  for (; at + 16 <= size; at += 16) add_part<FourFloats>(count, place, at, sums);
  if (at + 8 <= size) {
    add_part<TwoFloats>(count, place, at, sums);
    at += 8;
  }
  if (at < size) add_part<float>(count, place, at, sums);
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
  if (reinterpret_cast<std::uintptr_t>(address) % 64 + size > 64) CURATE_PREFETCH(address + size - 1);
}

// Adds rows of the input matrix to hidden, in the order given.
inline void fasttext_add_rows(const FastTextView& m, const i32* rows, i64 count, float* hidden) {
  const i64 stride = static_cast<i64>(m.dim) * 4;
  if (m.codes)
    fasttext_add_codes(m, rows, count, hidden);
  else
    add_vectors(m.dim, count, [&](i64 i) { return m.rows + rows[i] * stride; }, hidden);
}

// Rows on their way to a sum: many are asked for before the first is added.
class FastTextRows {
 public:
  static constexpr i32 MOST = 512;

  explicit FastTextRows(const FastTextView& m) : m_(m) {}

  void add(i32 row, float* sum) {
    fasttext_prefetch_row(m_, row);
    rows_[waiting_++] = row;
    if (waiting_ == MOST) add_waiting(sum);
  }

  // Adds those that still wait; how many rows there were in all.
  i64 finish(float* sum) {
    add_waiting(sum);
    const i64 added = added_;
    added_ = 0;
    return added;
  }

 private:
  void add_waiting(float* sum) {
    fasttext_add_rows(m_, rows_, waiting_, sum);
    added_ += waiting_;
    waiting_ = 0;
  }

  const FastTextView& m_;
  i64 added_ = 0;
  i32 waiting_ = 0;
  i32 rows_[MOST];
};

}  // namespace curate::cpu
