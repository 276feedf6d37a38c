#include "heuristics.h"

#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>

#include "arrays.h"

namespace curate::cpu {

using namespace curate::heuristics;

constexpr size_t STATISTICS = sizeof(Statistics) / sizeof(i64);

static Out<i64> heuristics_rows(In<u8> data, In<i64> offsets, In<i64> rows) {
  TextView texts(data, offsets);
  check_rows(rows, texts.count);
  const size_t count = rows.shape(0);
  i64 longest = 0;
  for (size_t i = 0; i < count; ++i) longest = std::max(longest, texts.size(rows.data()[i]));
  if (longest > LONGEST_TEXT) throw std::invalid_argument("a text is longer than 2 GiB");
  Fresh<i64> statistics(count, STATISTICS);
  {
    nb::gil_scoped_release unlocked;
    std::unique_ptr<u64[]> scratch(new u64[scratch_words(longest)]);
    for (size_t i = 0; i < count; ++i) {
      const i64 row = rows.data()[i];
      const Statistics of = measure(texts.begin(row), texts.size(row), scratch.get());
      std::copy_n(reinterpret_cast<const i64*>(&of), STATISTICS, statistics.data() + i * STATISTICS);
    }
  }
  return statistics.numpy();
}

// Masks and counts of 64 bytes, both ways, so that a test can hold them against each other.
static std::vector<std::pair<u64, u64>> heuristics_blocks(In<u8> bytes) {
  if (bytes.shape(0) != BLOCK_BYTES) throw std::invalid_argument("a block is 64 bytes");
  const Block a = classify_portable(bytes.data()), b = classify(bytes.data());
  return {{a.space, b.space},         {a.newline, b.newline},           {a.anchor, b.anchor},
          {a.high, b.high},           {a.continuation, b.continuation}, {a.wide, b.wide},
          {a.prose, b.prose},         {a.digits, b.digits},             {a.blanks, b.blanks},
          {a.parentheses, b.parentheses}};
}

void bind_heuristics(nb::module_& m) {
  m.def("heuristics", &heuristics_rows, nb::arg("data"), nb::arg("offsets"), nb::arg("rows"));
  m.def("heuristics_blocks", &heuristics_blocks, nb::arg("bytes"));
  std::vector<std::pair<std::string, std::string>> names = {
#define CURATE_NAME(name, meaning) {#name, meaning},
      CURATE_HEURISTICS(CURATE_NAME)
#undef CURATE_NAME
  };
  m.attr("UNICODE_VERSION") = UNICODE_VERSION;
  m.attr("HEURISTIC_STATISTICS") = nb::cast(names);
}

}  // namespace curate::cpu
