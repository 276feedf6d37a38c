#include "line_sieve.h"

#include <cstring>

#include "arrays.h"

namespace curate::cpu {

// Of the texts at `rows`, which have a line that passes; bool. The other arrays: fields of LineSieve.
static Out<bool> lines_may_match(In<u8> data, In<i64> offsets, In<i64> rows, In<u32> folded, In<u32> beginnings,
                                 In<int> buckets, In<u64> slots, i64 max_chars) {
  TextView texts(data, offsets);
  check_rows(rows, texts.count);
  if (buckets.shape(0) != kBeginningBuckets + 1) throw std::invalid_argument("a bucket for each kind of beginning");
  const size_t count = rows.shape(0);
  Fresh<bool> found(count);
  {
    nb::gil_scoped_release unlocked;
    const LineSieve sieve = {folded.data(),  static_cast<u32>(folded.shape(0)), beginnings.data(),
                             buckets.data(), slots.shape(0) ? slots.data() : nullptr, slots.shape(0) - 1,
                             max_chars};
    for (size_t i = 0; i < count; ++i) {
      const u8* const text = texts.begin(rows.data()[i]);
      const i64 size = texts.size(rows.data()[i]);
      bool passes = false;
      for (i64 at = 0; at < size && !passes;) {
        passes = SievedLine(sieve, text, size, at).passes();
        const void* end = std::memchr(text + at, '\n', static_cast<size_t>(size - at));
        at = end ? static_cast<const u8*>(end) - text + 1 : size;
      }
      found.data()[i] = passes;
    }
  }
  return found.numpy();
}

// The hash of a line of these code points.
static u64 line_hash(In<u32> codes) {
  u64 hash = kGolden;
  for (size_t i = 0; i < codes.shape(0); ++i) hash = add_to_line_hash(hash, codes.data()[i]);
  return line_hash_of(hash);
}

void bind_line_sieve(nb::module_& m) {
  m.attr("LINE_END") = kLineEnd;
  m.attr("DIGIT_RUN") = kDigitRun;
  m.attr("NO_WORD_FOLLOWS") = kNoWordFollows;
  m.attr("SPACE_MARK") = kSpaceMark;
  m.attr("BEGINNING_BUCKETS") = kBeginningBuckets;
  m.def("lines_may_match", &lines_may_match, nb::arg("data"), nb::arg("offsets"), nb::arg("rows"), nb::arg("folded"),
        nb::arg("beginnings"), nb::arg("buckets"), nb::arg("slots"), nb::arg("max_chars"));
  m.def("line_hash", &line_hash, nb::arg("codes"));
}

}  // namespace curate::cpu
