// The CPU extension: each group of kernels binds itself from its own file.
#include <nanobind/nanobind.h>

#include "hash_secret.h"

namespace curate::cpu {
void bind_decontaminate(nanobind::module_&);
void bind_fasttext(nanobind::module_&);
void bind_heuristic_families(nanobind::module_&);
void bind_heuristics(nanobind::module_&);
void bind_jaccard(nanobind::module_&);
void bind_join(nanobind::module_&);
void bind_normalize(nanobind::module_&);
void bind_line_sieve(nanobind::module_&);
void bind_redact(nanobind::module_&);
void bind_sketch(nanobind::module_&);
void bind_survivors(nanobind::module_&);
void bind_synth(nanobind::module_&);
void bind_texts(nanobind::module_&);
}  // namespace curate::cpu

NB_MODULE(_cpu, m) {
  using namespace curate::cpu;
  bind_decontaminate(m);
  bind_fasttext(m);
  bind_heuristic_families(m);
  bind_heuristics(m);
  bind_jaccard(m);
  bind_join(m);
  bind_normalize(m);
  bind_line_sieve(m);
  bind_redact(m);
  bind_sketch(m);
  bind_survivors(m);
  bind_synth(m);
  bind_texts(m);
  m.attr("HASH_SECRET") = hash_secret();
}
