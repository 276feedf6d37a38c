#include <nanobind/stl/string.h>

#include "arrays.h"
#include "jaccard_scratch.h"

namespace curate::cpu {

static Out<double> jaccard_pairs(In<u8> data_a, In<i64> offsets_a, In<u8> data_b, In<i64> offsets_b,
                                 const std::string& unit, i64 length) {
  TextView a(data_a, offsets_a), b(data_b, offsets_b);
  if (a.count != b.count) throw std::invalid_argument("there must be as many texts b as texts a");
  if (unit != "char" && unit != "word") throw std::invalid_argument("unit must be 'char' or 'word'");
  if (length < 1) throw std::invalid_argument("length must be at least 1");
  Fresh<double> similarity(a.count);
  {
    nb::gil_scoped_release unlocked;
    JaccardScratch scratch;
    for (i64 i = 0; i < a.count; ++i)
      similarity.data()[i] = scratch.compare(a.begin(i), a.size(i), b.begin(i), b.size(i), unit == "word", length);
  }
  return similarity.numpy();
}

void bind_jaccard(nb::module_& m) {
  m.def("jaccard", &jaccard_pairs, nb::arg("data_a"), nb::arg("offsets_a"), nb::arg("data_b"), nb::arg("offsets_b"),
        nb::arg("unit"), nb::arg("length"));
}

}  // namespace curate::cpu
