#include "redact.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <vector>

#include "arrays.h"

namespace curate::cpu {

static RedactWhat what_of(bool emails, bool ips, bool all_ips, bool phones) {
  return {emails, phones, ips, all_ips};
}

// How many of each kind are in each text, int64 (rows, 4).
static Out<i64> redact_counts(In<u8> data, In<i64> offsets, In<i64> rows, bool emails, bool ips, bool all_ips,
                              bool phones) {
  TextView texts(data, offsets);
  check_rows(rows, texts.count);
  const size_t count = rows.shape(0);
  Fresh<i64> counts(count, kRedactKinds);
  {
    nb::gil_scoped_release unlocked;
    for (size_t i = 0; i < count; ++i) {
      i64* of = counts.data() + i * kRedactKinds;
      for (int kind = 0; kind < kRedactKinds; ++kind) of[kind] = 0;
      RedactScanner scan(texts.begin(rows.data()[i]), texts.size(rows.data()[i]),
                         what_of(emails, ips, all_ips, phones));
      for (RedactFinding found; scan.next(found);) ++of[found.kind];
    }
  }
  return counts.numpy();
}

// (data, offsets): the texts at `rows` with each finding replaced by the placeholder of its kind.
static nb::tuple redact_texts(In<u8> data, In<i64> offsets, In<i64> rows, bool emails, bool ips, bool all_ips,
                              bool phones, std::vector<std::string> placeholders) {
  TextView texts(data, offsets);
  check_rows(rows, texts.count);
  if (placeholders.size() != kRedactKinds) throw std::invalid_argument("a placeholder a kind");
  const size_t count = rows.shape(0);
  Fresh<i64> bounds(count + 1);
  std::vector<u8> made;
  {
    nb::gil_scoped_release unlocked;
    bounds.data()[0] = 0;
    for (size_t i = 0; i < count; ++i) {
      const u8* text = texts.begin(rows.data()[i]);
      const i64 size = texts.size(rows.data()[i]);
      RedactScanner scan(text, size, what_of(emails, ips, all_ips, phones));
      i64 done = 0;
      for (RedactFinding found; scan.next(found); done = found.end) {
        made.insert(made.end(), text + done, text + found.begin);
        const std::string& by = placeholders[found.kind];
        made.insert(made.end(), by.begin(), by.end());
      }
      made.insert(made.end(), text + done, text + size);
      bounds.data()[i + 1] = static_cast<i64>(made.size());
    }
  }
  Fresh<u8> bytes(made.size());
  std::copy(made.begin(), made.end(), bytes.data());
  return nb::make_tuple(bytes.numpy(), bounds.numpy());
}

void bind_redact(nb::module_& m) {
  m.attr("REDACT_KINDS") = static_cast<int>(kRedactKinds);
  m.def("redact_counts", &redact_counts, nb::arg("data"), nb::arg("offsets"), nb::arg("rows"), nb::arg("emails"),
        nb::arg("ips"), nb::arg("all_ips"), nb::arg("phones"));
  m.def("redact_texts", &redact_texts, nb::arg("data"), nb::arg("offsets"), nb::arg("rows"), nb::arg("emails"),
        nb::arg("ips"), nb::arg("all_ips"), nb::arg("phones"), nb::arg("placeholders"));
}

}  // namespace curate::cpu
