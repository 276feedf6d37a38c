// The CPU extension: each group of kernels binds itself from its own file.
#include <nanobind/nanobind.h>

namespace curate::cpu {
void bind_jaccard(nanobind::module_&);
void bind_synth(nanobind::module_&);
void bind_texts(nanobind::module_&);
}  // namespace curate::cpu

NB_MODULE(_cpu, m) {
  using namespace curate::cpu;
  bind_jaccard(m);
  bind_synth(m);
  bind_texts(m);
}
