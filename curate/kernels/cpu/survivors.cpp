#include <nanobind/stl/string.h>

#include "arrays.h"
#include "instructions.h"
#include "kept_index.h"

namespace curate::cpu {

// From this size on an index pays, if only a little: results are the same.
constexpr i64 kManyMembers = 512;

static void check_clusters(const In<i64>& offsets, const In<u64>& docs) {
  if (offsets.shape(0) < 1 || offsets.data()[0] != 0)
    throw std::invalid_argument("offsets must begin with 0");
  const size_t clusters = offsets.shape(0) - 1;
  if (offsets.data()[clusters] != static_cast<i64>(docs.shape(0)))
    throw std::invalid_argument("offsets must end with the number of docs");
  for (size_t c = 0; c < clusters; ++c) {
    if (offsets.data()[c] > offsets.data()[c + 1]) throw std::invalid_argument("offsets must not decrease");
    for (i64 i = offsets.data()[c] + 1; i < offsets.data()[c + 1]; ++i)
      if (docs.data()[i - 1] >= docs.data()[i]) throw std::invalid_argument("docs of a cluster must ascend");
  }
}

// needed: matching slots that make a duplicate; negative: only the best of a cluster stays, unverified.
static nb::tuple resolve(In<i64> offsets, In<u64> docs, In2<u8> signatures, int needed, bool across,
                         const std::string& instruction_set) {
  check_clusters(offsets, docs);
  if (signatures.shape(0) != docs.shape(0))
    throw std::invalid_argument("as many signatures as docs are needed");
  const Instructions set = instructions(instruction_set);
  const int hashes = static_cast<int>(signatures.shape(1));
  Fresh<u64> witness(docs.shape(0));
  Fresh<int> matches(docs.shape(0));
  {
    nb::gil_scoped_release unlocked;
    std::vector<i64> kept(docs.shape(0));
    with_matches(set, [&](auto loops) {
      using Matches = decltype(loops);
      for (size_t c = 0; c + 1 < offsets.shape(0); ++c) {
        const i64 from = offsets.data()[c], size = offsets.data()[c + 1] - from;
        const Cluster cluster{docs.data() + from, signatures.data() + from * hashes, size, hashes};
        u64* to = witness.data() + from;
        if (needed < 0)
          keep_best<Matches>(cluster, across, to, matches.data() + from);
        else if (size >= kManyMembers && KeptIndex<Matches>(cluster, needed, across).worthwhile())
          keep_dissimilar_of_many<Matches>(cluster, needed, across, to, matches.data() + from);
        else
          keep_dissimilar<Matches>(cluster, needed, across, kept.data(), to, matches.data() + from);
      }
    });
  }
  return nb::make_tuple(witness.numpy(), matches.numpy());
}

static Out<int> count_matches(In2<u8> a, In2<u8> b, const std::string& instruction_set) {
  if (a.shape(0) != b.shape(0) || a.shape(1) != b.shape(1))
    throw std::invalid_argument("signatures to compare must have one shape");
  const Instructions set = instructions(instruction_set);
  const int hashes = static_cast<int>(a.shape(1));
  Fresh<int> matches(a.shape(0));
  {
    nb::gil_scoped_release unlocked;
    with_matches(set, [&](auto loops) {
      using Matches = decltype(loops);
      for (size_t i = 0; i < a.shape(0); ++i)
        matches.data()[i] = Matches::count(a.data() + i * hashes, b.data() + i * hashes, hashes);
    });
  }
  return matches.numpy();
}

void bind_survivors(nb::module_& m) {
  m.def("resolve", &resolve, nb::arg("offsets"), nb::arg("docs"), nb::arg("signatures"), nb::arg("needed"),
        nb::arg("across"), nb::arg("instruction_set") = "");
  m.def("count_matches", &count_matches, nb::arg("a"), nb::arg("b"), nb::arg("instruction_set") = "");
}

}  // namespace curate::cpu
