#include <nanobind/stl/string.h>

#include "arrays.h"
#include "jaccard_scratch.h"

namespace curate::cpu {

template <class Shingles>
static void compare_pairs(const TextView& a, const TextView& b, int length, double* similarity) {
  JaccardScratch<Shingles> scratch(length);
  for (i64 i = 0; i < a.count; ++i)
    similarity[i] = scratch.compare(a.begin(i), a.size(i), b.begin(i), b.size(i));
}

static Out<double> jaccard_pairs(In<u8> data_a, In<i64> offsets_a, In<u8> data_b, In<i64> offsets_b,
                                 const std::string& unit, int length) {
  TextView a(data_a, offsets_a), b(data_b, offsets_b);
  if (a.count != b.count) throw std::invalid_argument("there must be as many texts b as texts a");
  if (unit != "char" && unit != "word") throw std::invalid_argument("unit must be 'char' or 'word'");
  if (length < 1 || length > kLongestShingle) throw std::invalid_argument("length must be 1 to 64");
  Fresh<double> similarity(a.count);
  {
    nb::gil_scoped_release unlocked;
    if (unit == "char")
      compare_pairs<CharShingles>(a, b, length, similarity.data());
    else
      compare_pairs<WordShingles>(a, b, length, similarity.data());
  }
  return similarity.numpy();
}

void bind_jaccard(nb::module_& m) {
  m.def("jaccard", &jaccard_pairs, nb::arg("data_a"), nb::arg("offsets_a"), nb::arg("data_b"),
        nb::arg("offsets_b"), nb::arg("unit"), nb::arg("length"));
}

}  // namespace curate::cpu
