// NumPy arrays in and out of the CPU extension.
#pragma once
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <memory>
#include <stdexcept>

#include "portable.h"

namespace curate::cpu {

namespace nb = nanobind;

template <typename T>
using In = nb::ndarray<const T, nb::ndim<1>, nb::c_contig, nb::device::cpu>;

template <typename T>
using In2 = nb::ndarray<const T, nb::ndim<2>, nb::c_contig, nb::device::cpu>;

template <typename T>
using Out = nb::ndarray<nb::numpy, T, nb::c_contig>;

// A fresh array that Python owns; `data()` may be written with the GIL released.
template <typename T>
class Fresh {
 public:
  explicit Fresh(size_t rows) : Fresh(rows, 1, false) {}
  Fresh(size_t rows, size_t columns) : Fresh(rows, columns, true) {}
  T* data() { return values_.get(); }
  Out<T> numpy() {
    T* values = values_.release();
    nb::capsule owner(values, [](void* p) noexcept { delete[] static_cast<T*>(p); });
    size_t shape[2] = {rows_, columns_};
    return Out<T>(values, matrix_ ? 2 : 1, shape, owner);
  }

 private:
  Fresh(size_t rows, size_t columns, bool matrix)
      : rows_(rows), columns_(columns), matrix_(matrix), values_(new T[rows * columns + 1]) {}
  size_t rows_, columns_;
  bool matrix_;
  std::unique_ptr<T[]> values_;
};

// The texts of an Arrow array: row i is data[offsets[i] .. offsets[i+1]).
struct TextView {
  const u8* data;
  const i64* offsets;
  i64 count;

  TextView(const In<u8>& bytes, const In<i64>& bounds)
      : data(bytes.data()), offsets(bounds.data()), count(static_cast<i64>(bounds.shape(0)) - 1) {
    if (bounds.shape(0) < 1) throw std::invalid_argument("offsets must hold at least one value");
    for (i64 i = 0; i < count; ++i)
      if (offsets[i] > offsets[i + 1]) throw std::invalid_argument("offsets must not decrease");
    if (offsets[0] < 0 || offsets[count] > static_cast<i64>(bytes.shape(0)))
      throw std::invalid_argument("offsets reach outside of data");
  }
  const u8* begin(i64 row) const { return data + offsets[row]; }
  i64 size(i64 row) const { return offsets[row + 1] - offsets[row]; }
};

inline void check_rows(const In<i64>& rows, i64 count) {
  for (size_t i = 0; i < rows.shape(0); ++i)
    if (rows.data()[i] < 0 || rows.data()[i] >= count)
      throw std::invalid_argument("rows names a text that is not there");
}

}  // namespace curate::cpu
