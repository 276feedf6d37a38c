#include "heuristics.h"

#include <nanobind/stl/pair.h>
#include <nanobind/stl/vector.h>

#include "arrays.h"

namespace curate::cpu {

using namespace curate::heuristics;

// Masks and counts of 64 bytes, both ways, so that a test can hold them against each other.
static std::vector<std::pair<u64, u64>> heuristics_blocks(In<u8> bytes) {
  if (bytes.shape(0) != BLOCK_BYTES) throw std::invalid_argument("a block is 64 bytes");
  const Block a = classify_portable(bytes.data()), b = classify(bytes.data());
  return {{a.space, b.space},         {a.newline, b.newline},           {a.anchor, b.anchor},
          {a.high, b.high},           {a.continuation, b.continuation}, {a.wide, b.wide},
          {a.prose, b.prose},         {a.digits, b.digits},             {a.blanks, b.blanks},
          {a.parentheses, b.parentheses}};
}

// Masks of 64 bytes that Unicode words and marks are found by, both ways.
static std::vector<std::pair<u64, u64>> word_masks(In<u8> bytes) {
  if (bytes.shape(0) != BLOCK_BYTES) throw std::invalid_argument("a block is 64 bytes");
  const word_break::Masks a = word_break::masks_portable(bytes.data());
  const word_break::Masks b = word_break::masks_of(bytes.data());
  const MarkMasks c = mark_masks_portable(bytes.data()), d = mark_masks(bytes.data());
  return {{a.letters, b.letters},
          {a.digits, b.digits},
          {a.connectors, b.connectors},
          {a.joins_letters, b.joins_letters},
          {a.joins_digits, b.joins_digits},
          {a.breaks, b.breaks},
          {a.high, b.high},
          {c.alphanumeric, d.alphanumeric},
          {c.blank, d.blank},
          {c.hash, d.hash},
          {c.dot, d.dot},
          {c.space, d.space},
          {c.dots, d.dots},
          {c.high, d.high}};
}

// Where the words between Unicode boundaries that start with a letter or number begin and end.
static std::vector<std::pair<u32, u32>> unicode_words(In<u8> text) {
  const i64 size = static_cast<i64>(text.shape(0)), most = parts_of(size);
  std::unique_ptr<u32[]> places(new u32[2 * most]);
  Parts words = {places.get(), places.get() + most, 0};
  word_break::Splitter(text.data(), size, words).run();
  std::vector<std::pair<u32, u32>> found;
  for (i64 i = 0; i < words.count; ++i) found.emplace_back(words.begin[i], words.end[i]);
  return found;
}

// Scratch memory that texts of so many bytes are measured in, in 64-bit words.
static Out<i64> heuristic_scratch_words(In<i64> sizes) {
  Fresh<i64> words(sizes.shape(0));
  for (size_t i = 0; i < sizes.shape(0); ++i) words.data()[i] = scratch_words(sizes.data()[i]);
  return words.numpy();
}

void bind_heuristics(nb::module_& m) {
  m.def("heuristic_scratch_words", &heuristic_scratch_words, nb::arg("sizes"));
  m.def("unicode_words", &unicode_words, nb::arg("text"));
  m.def("word_masks", &word_masks, nb::arg("bytes"));
  m.def("heuristics_blocks", &heuristics_blocks, nb::arg("bytes"));
  m.attr("UNICODE_VERSION") = UNICODE_VERSION;
  m.attr("WORD_BREAK_VERSION") = WORD_BREAK_VERSION;
}

}  // namespace curate::cpu
