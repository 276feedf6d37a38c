#include "normalize.h"

#include "arrays.h"
#include "url.h"

namespace curate::cpu {

// The rows' texts, each rewritten by `write(text, size, out)`; at most `growth` times as long and `more` bytes.
template <class Write>
static nb::tuple rewrite(const In<u8>& data, const In<i64>& bounds, const In<i64>& rows, i64 growth, i64 more,
                         Write write) {
  TextView texts(data, bounds);
  check_rows(rows, texts.count);
  const i64 count = static_cast<i64>(rows.shape(0));
  i64 room = 0;
  for (i64 i = 0; i < count; ++i) room += growth * texts.size(rows.data()[i]) + more;
  Fresh<u8> out(room);
  Fresh<i64> offsets(count + 1);
  {
    nb::gil_scoped_release unlocked;
    i64 end = 0;
    offsets.data()[0] = 0;
    for (i64 i = 0; i < count; ++i) {
      const i64 row = rows.data()[i];
      end += write(texts.begin(row), texts.size(row), out.data() + end);
      offsets.data()[i + 1] = end;
    }
  }
  return nb::make_tuple(out.numpy(), offsets.numpy());
}

static nb::tuple normalize(In<u8> data, In<i64> offsets, In<i64> rows, int steps) {
  const Normalizer normalizer(steps);
  return rewrite(data, offsets, rows, 1, 0,
                 [&](const u8* s, i64 n, u8* out) { return normalizer.write(s, n, out); });
}

static nb::tuple normalize_urls(In<u8> data, In<i64> offsets, In<i64> rows) {
  return rewrite(data, offsets, rows, 3, 1, [](const u8* s, i64 n, u8* out) { return write_url(s, n, out); });
}

void bind_normalize(nb::module_& m) {
  m.def("normalize", &normalize, nb::arg("data"), nb::arg("offsets"), nb::arg("rows"), nb::arg("steps"));
  m.def("normalize_urls", &normalize_urls, nb::arg("data"), nb::arg("offsets"), nb::arg("rows"));
}

}  // namespace curate::cpu
