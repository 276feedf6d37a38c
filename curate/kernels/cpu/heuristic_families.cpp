#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>

#include "arrays.h"
#include "hash_secret.h"
#include "heuristics_families.h"

namespace curate::cpu {

using namespace curate::heuristics;
using Name = std::tuple<std::string, std::string, u32>;  // of a statistic, what it counts, its group

namespace {

// What families of statistics measure with, for texts up to `longest` bytes.
struct Memory {
  Memory(i64 longest, bool plain, u64 hash_secret)
      : scratch(new u64[plain ? scratch_words(longest) : 0]),
        words(new u64[Document::memory_words(longest)]),
        document(longest, words.get(), HashKey(hash_secret)) {}

  std::unique_ptr<u64[]> scratch, words;
  Document document;
};

// Statistics that are measured together. Only those of PLAIN come in groups that can be asked for.
struct FamilyNames {
  const char* name;
  std::vector<Name> statistics;
};

struct Step {
  u32 family, groups;
  i64 width;  // how many statistics
};

#define CURATE_GROUPED(group, name, meaning) {#name, meaning, group},
#define CURATE_NAME(name, meaning) {#name, meaning, 0},
// By their numbers in heuristics_families.h.
const FamilyNames FAMILIES[FAMILY_COUNT] = {
    {"plain", {CURATE_EVERY_HEURISTIC(CURATE_GROUPED)}},
    {"datatrove.gopher_repetition", {CURATE_DATATROVE_REPETITION(CURATE_NAME)}},
    {"datatrove.gopher_quality", {CURATE_DATATROVE_QUALITY(CURATE_NAME)}},
    {"datatrove.c4_quality", {CURATE_DATATROVE_C4(CURATE_NAME)}},
    {"datatrove.c4_quality_keep_unpunctuated", {CURATE_DATATROVE_C4(CURATE_NAME)}},
    {"datatrove.fineweb_quality", {CURATE_DATATROVE_FINEWEB(CURATE_NAME)}},
    {"c4", {CURATE_C4(CURATE_NAME)}},
    {"dclm.refinedweb_lines", {CURATE_REFINEDWEB_LINES(CURATE_NAME)}},
    {"dolma.c4", {CURATE_DOLMA_C4(CURATE_NAME)}},
};
#undef CURATE_GROUPED
#undef CURATE_NAME

std::vector<Step> steps_of(const std::vector<std::pair<std::string, u32>>& names) {
  std::vector<Step> steps;
  for (const auto& [name, groups] : names) {
    const FamilyNames* family =
        std::find_if(std::begin(FAMILIES), std::end(FAMILIES),
                     [&wanted = name](const FamilyNames& each) { return wanted == each.name; });
    if (family == std::end(FAMILIES)) throw std::invalid_argument("there is no family of statistics " + name);
    steps.push_back({static_cast<u32>(family - FAMILIES), groups, static_cast<i64>(family->statistics.size())});
  }
  return steps;
}

i64 longest_of(const TextView& texts, const In<i64>& rows) {
  i64 longest = 0;
  for (size_t i = 0; i < rows.shape(0); ++i) longest = std::max(longest, texts.size(rows.data()[i]));
  if (longest > LONGEST_TEXT) throw std::invalid_argument("a text is longer than 2 GiB");
  return longest;
}

// The statistics of the families side by side. Each step sees the text that those before it leave behind.
Out<i64> heuristics(In<u8> data, In<i64> offsets, In<i64> rows,
                    const std::vector<std::pair<std::string, u32>>& names, u64 hash_secret) {
  TextView texts(data, offsets);
  check_rows(rows, texts.count);
  const std::vector<Step> steps = steps_of(names);
  const i64 longest = longest_of(texts, rows);
  i64 columns = 0;
  bool plain = false;
  for (const Step& step : steps) {
    columns += step.width;
    plain |= step.family == PLAIN;
  }
  Fresh<i64> statistics(rows.shape(0), static_cast<size_t>(columns));
  {
    nb::gil_scoped_release unlocked;
    Memory memory(longest, plain, hash_secret);
    i64* out = statistics.data();
    for (size_t i = 0; i < rows.shape(0); ++i) {
      const i64 row = rows.data()[i];
      memory.document.open(texts.begin(row), texts.size(row));
      for (const Step& step : steps)
        out = measure_family(step.family, step.groups, memory.document, memory.scratch.get(), out);
    }
  }
  return statistics.numpy();
}

// (data, offsets): the texts at `rows` as the families leave them behind, one after the other.
nb::tuple heuristic_edits(In<u8> data, In<i64> offsets, In<i64> rows, const std::vector<std::string>& names) {
  TextView texts(data, offsets);
  check_rows(rows, texts.count);
  std::vector<std::pair<std::string, u32>> asked;
  for (const std::string& name : names) asked.emplace_back(name, 0);
  const std::vector<Step> steps = steps_of(asked);
  const i64 longest = longest_of(texts, rows);
  i64 widest = 0;
  for (const Step& step : steps) widest = std::max(widest, step.width);
  Fresh<i64> bounds(rows.shape(0) + 1);
  std::vector<u8> left;
  {
    nb::gil_scoped_release unlocked;
    Memory memory(longest, false, cpu::hash_secret());
    std::vector<i64> statistics(static_cast<size_t>(widest));
    bounds.data()[0] = 0;
    for (size_t i = 0; i < rows.shape(0); ++i) {
      const i64 row = rows.data()[i];
      memory.document.open(texts.begin(row), texts.size(row));
      for (const Step& step : steps)
        measure_family(step.family, step.groups, memory.document, memory.scratch.get(), statistics.data());
      left.insert(left.end(), memory.document.text(), memory.document.text() + memory.document.size());
      bounds.data()[i + 1] = static_cast<i64>(left.size());
    }
  }
  Fresh<u8> bytes(left.size());
  std::copy(left.begin(), left.end(), bytes.data());
  return nb::make_tuple(bytes.numpy(), bounds.numpy());
}

// 64-bit words of memory that a document of so many bytes is measured in by families other than PLAIN.
Out<i64> document_memory_words(In<i64> sizes) {
  Fresh<i64> words(sizes.shape(0));
  for (size_t i = 0; i < sizes.shape(0); ++i) words.data()[i] = Document::memory_words(sizes.data()[i]);
  return words.numpy();
}

// The words that datatrove's filters count.
std::vector<std::string> spacy_words(const std::string& text) {
  std::unique_ptr<u64[]> memory(new u64[Document::memory_words(static_cast<i64>(text.size()))]);
  Document document(static_cast<i64>(text.size()), memory.get(), HashKey(hash_secret()));
  document.open(reinterpret_cast<const u8*>(text.data()), static_cast<i64>(text.size()));
  const spacy::Words& words = document.words();
  std::vector<std::string> split;
  for (i64 i = 0; i < words.count; ++i)
    split.emplace_back(words.joined + words.begin[i], words.joined + words.begin[i + 1]);
  return split;
}

// What kinds of bytes 64 are, both ways, so that a test can hold them against each other.
std::vector<std::pair<u64, u64>> spacy_marks(In<u8> bytes) {
  if (bytes.shape(0) != BLOCK_BYTES) throw std::invalid_argument("a block is 64 bytes");
  const spacy::MarkBlock a = spacy::mark_portable(bytes.data()), b = spacy::mark(bytes.data());
  return {{a.white, b.white}, {a.letters, b.letters}, {a.pairs, b.pairs},
          {a.others, b.others}, {a.seconds, b.seconds}};
}

}  // namespace

void bind_heuristic_families(nb::module_& m) {
  m.def("heuristics", &heuristics, nb::arg("data"), nb::arg("offsets"), nb::arg("rows"), nb::arg("steps"),
        nb::arg("hash_secret") = hash_secret());
  m.def("heuristic_edits", &heuristic_edits, nb::arg("data"), nb::arg("offsets"), nb::arg("rows"),
        nb::arg("families"));
  m.def("document_memory_words", &document_memory_words, nb::arg("sizes"));
  m.def("spacy_marks", &spacy_marks, nb::arg("bytes"));
  m.def("spacy_words", &spacy_words, nb::arg("text"));
  std::vector<std::pair<std::string, std::vector<Name>>> families;
  for (const FamilyNames& family : FAMILIES) families.emplace_back(family.name, family.statistics);
  m.attr("HEURISTIC_FAMILIES") = nb::cast(families);
}

}  // namespace curate::cpu
