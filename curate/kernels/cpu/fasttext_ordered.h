// Scores a text row after row in fastText's order, as fasttext.h defines it for long texts and those whose sums by word
// stray.
#pragma once
#include <algorithm>
#include <vector>

#include "fasttext_bounds.h"
#include "fasttext_output.h"
#include "fasttext_rows.h"

namespace curate::cpu {

// The vectors between a text's rows and its labels.
struct FastTextVectors {
  explicit FastTextVectors(const FastTextView& m)
      : hidden(m.dim), logits(m.labels), node_scores(m.labels + 1), nodes(m.labels + 1) {}

  FastTextScratch scratch() { return {hidden.data(), logits.data(), nodes.data(), node_scores.data()}; }

  // The k best labels for the mean of the rows whose sum hidden is; none where there are none.
  void best(const FastTextView& m, i64 rows, i32 k, i32* labels, float* scores) {
    if (rows == 0) {
      std::fill(labels, labels + k, -1);
      std::fill(scores, scores + k, 0.0f);
      return;
    }
    const float share = static_cast<float>(1.0 / static_cast<double>(rows));
    for (float& value : hidden) value *= share;
    fasttext_best(m, scratch(), k, labels, scores);
  }

  std::vector<float> hidden, logits, node_scores;
  std::vector<i32> nodes;
};

class FastTextOrderedScorer {
 public:
  // model: one that is not folded.
  FastTextOrderedScorer(const FastTextView& model, bool wide)
      : m_(model), vectors_(model), rows_(model), bounds_(wide) {}

  // The k best labels and their probabilities; -1 and 0 where there are fewer.
  void score(const u8* text, i64 size, i32 k, i32* labels, float* scores) {
    std::fill(vectors_.hidden.begin(), vectors_.hidden.end(), 0.0f);
    hashes_.clear();
    bounds_.start(text, size);
    bool ended = false;
    do ended = add_words(text, bounds_.next());
    while (!ended && !bounds_.finished());
    if (!ended) add_word(FASTTEXT_END_OF_SENTENCE, 4, end_of_sentence_hash());
    if (m_.word_ngrams > 1)
      fasttext_word_ngram_rows(m_, hashes_.data(), static_cast<i64>(hashes_.size()), [&](i32 row) { add_row(row); });
    const i64 rows = rows_.finish(vectors_.hidden.data());
    vectors_.best(m_, rows, k, labels, scores);
  }

 private:
  static u32 end_of_sentence_hash() {
    i64 at = 0;
    u32 hash;
    fasttext_next_word(FASTTEXT_END_OF_SENTENCE, 4, &at, &hash);
    return hash;
  }

  // Adds the words between the bounds found; whether one of them ends the text.
  bool add_words(const u8* text, i32 count) {
    u32 hashes[WordBounds::MOST + 1];
    for (i32 i = 0; i < count; ++i) {
      i64 at = bounds_.begin(i);
      fasttext_next_word(text, bounds_.end(i), &at, &hashes[i]);
      CURATE_PREFETCH(m_.word_slots + fasttext_slot(hashes[i], m_.word_shift));
    }
    for (i32 i = 0; i < count; ++i) {
      const u8* word = text + bounds_.begin(i);
      const i64 size = bounds_.end(i) - bounds_.begin(i);
      add_word(word, size, hashes[i]);
      if (fasttext_end_of_sentence(word, size)) return true;
    }
    return false;
  }

  void add_word(const u8* word, i64 size, u32 hash) {
    const i32 entry = fasttext_entry(m_, word, size, hash);
    if (fasttext_is_label(m_, word, size, entry)) return;
    if (m_.word_ngrams > 1) hashes_.push_back(hash);
    fasttext_word_rows(m_, word, size, entry, [&](i32 row) { add_row(row); });
  }

  void add_row(i32 row) { rows_.add(row, vectors_.hidden.data()); }

  const FastTextView& m_;
  FastTextVectors vectors_;
  FastTextRows rows_;
  WordBounds bounds_;
  std::vector<u32> hashes_;
};

}  // namespace curate::cpu
