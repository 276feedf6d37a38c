// A fastText model's arrays, as a reader hands them over and has checked them, made ready for scoring.
#pragma once
#include <algorithm>
#include <stdexcept>
#include <vector>

#include "fasttext_output.h"
#include "fasttext_rows.h"
#include "huge_pages.h"

namespace curate::cpu {

template <typename T>
struct Span {
  const T* data = nullptr;
  size_t size = 0;
};

// What a model file holds. spelling: all of its bytes. Arrays that are views (all but output, label counts and what survived pruning) must outlive
// the model.
struct FastTextParts {
  i32 words, labels, min_n, max_n, word_ngrams, bucket, dim, loss, part;
  Span<u8> spelling;
  Span<i64> begin, end, label_counts;
  bool pruned;
  Span<i32> kept_buckets, kept_rows;
  Span<u8> rows, codes;
  Span<float> centroids, norms, output, output_norms;  // output: labels x dim
};

class FastTextModel {
 public:
  explicit FastTextModel(const FastTextParts& parts) : parts_(parts) {
    take_numbers();
    index_words();
    if (parts.pruned)
      index_kept();
    else
      kept_filter.assign(1, ~u64(0));
    view.kept_filter = kept_filter.data();
    view.kept_mask = static_cast<u32>(kept_filter.size() * 64 - 1);
    for (i32 i = 0; i <= 512; ++i) sigmoid[i] = fasttext_sigmoid_entry(i);
    view.sigmoid = sigmoid;
    if (view.loss == HIERARCHICAL) build_tree();
    take_output();
    unfolded = view;
    if (folds() && fold_output()) return;
    if (!view.codes && parts.rows.size <= MOST_COPIED) copy_rows();
    unfolded = view;
  }
  FastTextModel(const FastTextModel&) = delete;
  FastTextModel& operator=(const FastTextModel&) = delete;

  FastTextView view = {};
  FastTextView unfolded = {};  // the same, or where the output layer is folded into the rows, before that
  HugePages<u64> word_slots;
  std::vector<u64> kept_slots, kept_filter;
  std::vector<float> output;
  HugePages<float> folded;
  std::vector<i32> left, right;
  float sigmoid[513];

 private:
  // Larger matrices stay where they are.
  static constexpr size_t MOST_COPIED = size_t(1) << 30;

  static i32 bits_for(u64 slots) {
    i32 bits = 4;
    while ((u64(1) << bits) < slots) ++bits;
    return bits;
  }

  void take_numbers() {
    view.spelling = parts_.spelling.data;
    view.begin = parts_.begin.data;
    view.end = parts_.end.data;
    view.words = parts_.words;
    view.labels = parts_.labels;
    view.min_n = parts_.min_n;
    view.max_n = parts_.max_n;
    view.word_ngrams = parts_.word_ngrams;
    view.bucket = static_cast<u32>(parts_.bucket);
    view.bucket_inverse = view.bucket ? ~u64(0) / view.bucket + 1 : 0;
    view.dim = parts_.dim;
    view.loss = parts_.loss;
    view.rows = parts_.rows.data;
    view.codes = parts_.codes.size ? parts_.codes.data : nullptr;
    view.centroids = parts_.centroids.data;
    view.norms = parts_.norms.size ? parts_.norms.data : nullptr;
    view.part = parts_.part;
    view.parts = view.part ? (view.dim + view.part - 1) / view.part : 0;
  }

  void index_words() {
    const size_t entries = parts_.begin.size;
    const i32 bits = bits_for(2 * entries + 1);
    word_slots = HugePages<u64>::zeros(size_t(1) << bits);
    view.word_shift = 64 - bits;
    view.word_slots = word_slots.data();
    const u32 mask = static_cast<u32>(word_slots.size() - 1);
    for (size_t i = 0; i < entries; ++i) {
      u32 hash = FASTTEXT_HASH_SEED;
      for (i64 at = view.begin[i]; at < view.end[i]; ++at) hash = fasttext_hash(hash, view.spelling[at]);
      if (fasttext_entry(view, view.spelling + view.begin[i], view.end[i] - view.begin[i], hash) >= 0)
        throw std::invalid_argument("a word stands twice in the dictionary");
      u32 slot = fasttext_slot(hash, view.word_shift);
      while (word_slots[slot]) slot = (slot + 1) & mask;
      word_slots[slot] = static_cast<u64>(hash) << 32 | (i + 1);
    }
  }

  void index_kept() {
    const size_t count = parts_.kept_buckets.size;
    const i32 bits = bits_for(2 * count + 1);
    kept_slots.assign(size_t(1) << bits, 0);
    kept_filter.assign(size_t(1) << (bits_for(16 * count + 64) - 6), 0);
    view.pruned = true;
    view.kept_shift = 64 - bits;
    const u32 mask = static_cast<u32>(kept_slots.size() - 1);
    for (size_t i = 0; i < count; ++i) {
      const u32 bucket = static_cast<u32>(parts_.kept_buckets.data[i]);
      const u32 bit = bucket & static_cast<u32>(kept_filter.size() * 64 - 1);
      kept_filter[bit >> 6] |= u64(1) << (bit & 63);
      u32 slot = fasttext_slot(bucket, view.kept_shift);
      while (kept_slots[slot] && (kept_slots[slot] - 1) >> 32 != bucket) slot = (slot + 1) & mask;
      kept_slots[slot] = (u64(bucket) << 32 | static_cast<u32>(view.words + parts_.kept_rows.data[i])) + 1;
    }
    view.kept_slots = kept_slots.data();
  }

  // Huffman's tree as fastText builds it from the labels' counts, which it expects to fall from label to label.
  void build_tree() {
    const i64 labels = view.labels;
    std::vector<i64> counts(2 * labels - 1, i64(1000000000000000));
    for (i64 i = 0; i < labels; ++i) counts[i] = parts_.label_counts.data[i];
    left.resize(labels);
    right.resize(labels);
    i64 leaf = labels - 1, node = labels;
    for (i64 i = labels; i < 2 * labels - 1; ++i) {
      i64 least[2];
      for (i64& choice : least) {
        choice = leaf >= 0 && counts[leaf] < counts[node] ? leaf-- : node++;
        if (choice >= i) throw std::invalid_argument("the labels' counts make no tree");
      }
      left[i - labels] = static_cast<i32>(least[0]);
      right[i - labels] = static_cast<i32>(least[1]);
      counts[i] = counts[least[0]] + counts[least[1]];
    }
    view.left = left.data();
    view.right = right.data();
  }

  i64 row_count() const {
    return static_cast<i64>(view.codes ? parts_.codes.size / view.parts : parts_.rows.size / (4 * view.dim));
  }

  // Whether the output layer goes into the rows. Bounded so that work and memory stay in proportion to the file, and
  // independent of how a quantised matrix is handed over.
  bool folds() const {
    const i64 bytes = row_count() * view.labels * 4;
    return view.loss != HIERARCHICAL && view.labels <= std::min(32, view.dim / 2) &&
           bytes <= std::max(i64(64) << 20, static_cast<i64>(parts_.spelling.size));
  }

  static double sum_of_squares(const float* values, i64 count) {
    double sum = 0.0;
    for (i64 i = 0; i < count; ++i) sum += static_cast<double>(values[i]) * static_cast<double>(values[i]);
    return sum;
  }

  // Copies the output matrix in the order that its loss reads it.
  void take_output() {
    const i64 labels = view.labels, dim = view.dim;
    output.resize(labels * dim);
    for (i64 i = 0; i < labels; ++i)
      for (i64 j = 0; j < dim; ++j)
        output[view.loss == HIERARCHICAL ? i * dim + j : j * labels + i] = parts_.output.data[i * dim + j];
    view.output = output.data();
    view.output_norms = parts_.output_norms.size ? parts_.output_norms.data : nullptr;
    for (i64 i = 0; i < labels; ++i) {
      const double norm = view.output_norms ? static_cast<double>(view.output_norms[i]) : 1.0;
      const double squares = sum_of_squares(parts_.output.data + i * dim, dim) * norm * norm;
      view.reach = std::max(view.reach, squares);
    }
  }

  // A row then lies in as few cache lines as it can.
  void copy_rows() {
    rows_ = HugePages<u8>(parts_.rows.size);
    std::copy(parts_.rows.data, parts_.rows.data + parts_.rows.size, rows_.data());
    view.rows = rows_.data();
  }

  // Replaces each row by its products with the output matrix; false, and nothing is replaced, if one is not finite.
  bool fold_output() {
    const i64 labels = view.labels, dim = view.dim, count = row_count();
    folded = HugePages<float>(count * labels);
    std::vector<float> row(dim);
    for (i64 i = 0; i < count; ++i) {
      const i32 index = static_cast<i32>(i);
      std::fill(row.begin(), row.end(), 0.0f);
      fasttext_add_rows(view, &index, 1, row.data());
      for (i64 label = 0; label < labels; ++label) {
        const float* weights = parts_.output.data + label * dim;
        double dot = 0.0;
        for (i64 j = 0; j < dim; ++j) dot += static_cast<double>(row[j]) * static_cast<double>(weights[j]);
        if (parts_.output_norms.size) dot *= static_cast<double>(parts_.output_norms.data[label]);
        const float product = static_cast<float>(dot);
        if (!(product - product == 0.0f)) {
          folded = {};
          return false;
        }
        folded[i * labels + label] = product;
      }
    }
    view.dim = view.labels;
    view.rows = reinterpret_cast<const u8*>(folded.data());
    view.codes = nullptr;
    view.centroids = view.norms = view.output = view.output_norms = nullptr;
    view.part = view.parts = 0;
    view.reach = sum_of_squares(folded.data(), count * labels) / static_cast<double>(std::max(count, i64(1)));
    return true;
  }

  FastTextParts parts_;
  HugePages<u8> rows_;
};

}  // namespace curate::cpu
