#include "arrays.h"
#include "utf8.h"

namespace curate::cpu {

static Out<bool> utf8_valid_rows(In<u8> data, In<i64> offsets) {
  TextView texts(data, offsets);
  Fresh<bool> valid(texts.count);
  {
    nb::gil_scoped_release unlocked;
    for (i64 i = 0; i < texts.count; ++i) valid.data()[i] = utf8_valid(texts.begin(i), texts.size(i));
  }
  return valid.numpy();
}

void bind_texts(nb::module_& m) { m.def("utf8_valid", &utf8_valid_rows, nb::arg("data"), nb::arg("offsets")); }

}  // namespace curate::cpu
