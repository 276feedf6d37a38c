#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>

#include "arrays.h"
#include "heuristics.h"
#include "heuristics_c4.h"
#include "heuristics_c4_tfds.h"
#include "heuristics_dolma_c4.h"
#include "heuristics_refinedweb.h"

namespace curate::cpu {

using namespace curate::heuristics;
using Name = std::tuple<std::string, std::string, u32>;  // of a statistic, what it counts, its group

namespace {

// What families of statistics measure with, for texts up to `longest` bytes.
struct Memory {
  Memory(i64 longest, bool plain)
      : scratch(new u64[plain ? scratch_words(longest) : 0]),
        words(new u64[Document::memory_words(longest)]),
        document(longest, words.get()) {}

  std::unique_ptr<u64[]> scratch, words;
  Document document;
};

// Statistics that are measured together. Only those of PLAIN come in groups that can be asked for.
struct Family {
  const char* name;
  std::vector<Name> statistics;
  void (*measure)(Memory&, u32 groups, i64* out);
};

struct Step {
  const Family* family;
  u32 groups;
};

constexpr const char* PLAIN = "plain";

template <typename T>
void write(const T& statistics, i64* out) {
  std::copy_n(reinterpret_cast<const i64*>(&statistics), sizeof(T) / sizeof(i64), out);
}

#define CURATE_GROUPED(group, name, meaning) {#name, meaning, group},
#define CURATE_NAME(name, meaning) {#name, meaning, 0},
const Family FAMILIES[] = {
    {PLAIN,
     {CURATE_EVERY_HEURISTIC(CURATE_GROUPED)},
     [](Memory& m, u32 groups, i64* out) {
       write(measure(m.document.text(), m.document.size(), m.scratch.get(), groups), out);
     }},
    {"datatrove.gopher_repetition",
     {CURATE_DATATROVE_REPETITION(CURATE_NAME)},
     [](Memory& m, u32, i64* out) { write(measure_datatrove_repetition(m.document), out); }},
    {"datatrove.gopher_quality",
     {CURATE_DATATROVE_QUALITY(CURATE_NAME)},
     [](Memory& m, u32, i64* out) { write(measure_datatrove_quality(m.document), out); }},
    {"datatrove.c4_quality",
     {CURATE_DATATROVE_C4(CURATE_NAME)},
     [](Memory& m, u32, i64* out) { write(measure_datatrove_c4(m.document, false), out); }},
    {"datatrove.c4_quality_keep_unpunctuated",
     {CURATE_DATATROVE_C4(CURATE_NAME)},
     [](Memory& m, u32, i64* out) { write(measure_datatrove_c4(m.document, true), out); }},
    {"datatrove.fineweb_quality",
     {CURATE_DATATROVE_FINEWEB(CURATE_NAME)},
     [](Memory& m, u32, i64* out) { write(measure_datatrove_fineweb(m.document), out); }},
    {"c4", {CURATE_C4(CURATE_NAME)}, [](Memory& m, u32, i64* out) { write(measure_c4(m.document), out); }},
    {"dclm.refinedweb_lines",
     {CURATE_REFINEDWEB_LINES(CURATE_NAME)},
     [](Memory& m, u32, i64* out) { write(measure_refinedweb_lines(m.document), out); }},
    {"dolma.c4",
     {CURATE_DOLMA_C4(CURATE_NAME)},
     [](Memory& m, u32, i64* out) { write(measure_dolma_c4(m.document), out); }},
};
#undef CURATE_GROUPED
#undef CURATE_NAME

std::vector<Step> steps_of(const std::vector<std::pair<std::string, u32>>& names) {
  std::vector<Step> steps;
  for (const auto& [name, groups] : names) {
    const Family* family = std::find_if(std::begin(FAMILIES), std::end(FAMILIES),
                                        [&wanted = name](const Family& each) { return wanted == each.name; });
    if (family == std::end(FAMILIES)) throw std::invalid_argument("there is no family of statistics " + name);
    steps.push_back({family, groups});
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
                    const std::vector<std::pair<std::string, u32>>& names) {
  TextView texts(data, offsets);
  check_rows(rows, texts.count);
  const std::vector<Step> steps = steps_of(names);
  const i64 longest = longest_of(texts, rows);
  size_t columns = 0;
  bool plain = false;
  for (const Step& step : steps) {
    columns += step.family->statistics.size();
    plain |= step.family == FAMILIES;
  }
  Fresh<i64> statistics(rows.shape(0), columns);
  {
    nb::gil_scoped_release unlocked;
    Memory memory(longest, plain);
    i64* out = statistics.data();
    for (size_t i = 0; i < rows.shape(0); ++i) {
      const i64 row = rows.data()[i];
      memory.document.open(texts.begin(row), texts.size(row));
      for (const Step& step : steps) {
        step.family->measure(memory, step.groups, out);
        out += step.family->statistics.size();
      }
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
  size_t widest = 0;
  for (const Step& step : steps) widest = std::max(widest, step.family->statistics.size());
  Fresh<i64> bounds(rows.shape(0) + 1);
  std::vector<u8> left;
  {
    nb::gil_scoped_release unlocked;
    Memory memory(longest, false);
    std::vector<i64> statistics(widest);
    bounds.data()[0] = 0;
    for (size_t i = 0; i < rows.shape(0); ++i) {
      const i64 row = rows.data()[i];
      memory.document.open(texts.begin(row), texts.size(row));
      for (const Step& step : steps) step.family->measure(memory, step.groups, statistics.data());
      left.insert(left.end(), memory.document.text(), memory.document.text() + memory.document.size());
      bounds.data()[i + 1] = static_cast<i64>(left.size());
    }
  }
  Fresh<u8> bytes(left.size());
  std::copy(left.begin(), left.end(), bytes.data());
  return nb::make_tuple(bytes.numpy(), bounds.numpy());
}

// The words that datatrove's filters count.
std::vector<std::string> spacy_words(const std::string& text) {
  std::unique_ptr<u64[]> memory(new u64[Document::memory_words(static_cast<i64>(text.size()))]);
  Document document(static_cast<i64>(text.size()), memory.get());
  document.open(reinterpret_cast<const u8*>(text.data()), static_cast<i64>(text.size()));
  const spacy::Words& words = document.words();
  std::vector<std::string> split;
  for (i64 i = 0; i < words.count; ++i)
    split.emplace_back(words.joined + words.begin[i], words.joined + words.begin[i + 1]);
  return split;
}

// White space and letters of 64 bytes, both ways, so that a test can hold them against each other.
std::vector<std::pair<u64, u64>> spacy_marks(In<u8> bytes) {
  if (bytes.shape(0) != BLOCK_BYTES) throw std::invalid_argument("a block is 64 bytes");
  const spacy::MarkBlock a = spacy::mark_portable(bytes.data()), b = spacy::mark(bytes.data());
  return {{a.white, b.white}, {a.letters, b.letters}, {a.perhaps, b.perhaps}};
}

}  // namespace

void bind_heuristic_families(nb::module_& m) {
  m.def("heuristics", &heuristics, nb::arg("data"), nb::arg("offsets"), nb::arg("rows"), nb::arg("steps"));
  m.def("heuristic_edits", &heuristic_edits, nb::arg("data"), nb::arg("offsets"), nb::arg("rows"),
        nb::arg("families"));
  m.def("spacy_marks", &spacy_marks, nb::arg("bytes"));
  m.def("spacy_words", &spacy_words, nb::arg("text"));
  std::vector<std::pair<std::string, std::vector<Name>>> families;
  for (const Family& family : FAMILIES) families.emplace_back(family.name, family.statistics);
  m.attr("HEURISTIC_FAMILIES") = nb::cast(families);
}

}  // namespace curate::cpu
