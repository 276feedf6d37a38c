// Scores texts one after the other on one thread, as fasttext.h defines it.
#pragma once
#include <algorithm>
#include <vector>

#include "fasttext_output.h"
#include "fasttext_words.h"

namespace curate::cpu {

class FastTextScorer {
 public:
  explicit FastTextScorer(const FastTextView& model)
      : m_(model), remembered_(model.dim), hidden_(model.dim), word_(model.dim), logits_(model.labels),
        node_scores_(model.labels + 1), nodes_(model.labels + 1),
        output_{hidden_.data(), logits_.data(), nodes_.data(), node_scores_.data()} {}

  // The k best labels of a text, and their probabilities; -1 and 0 where there are fewer.
  void score(const u8* text, i64 size, i32 k, i32* labels, float* scores) {
    std::fill(hidden_.begin(), hidden_.end(), 0.0f);
    hashes_.clear();
    added_ = 0;
    i64 at = 0;
    bool ended = false;
    while (!ended && find_words(text, size, &at, &ended)) {
      list_rows();
      for (i32 i = 0; i < found_; ++i) add_word(words_[i]);
    }
    if (!ended) add_end_of_sentence();
    if (m_.word_ngrams > 1) add_word_ngrams();
    if (added_ == 0) {
      std::fill(labels, labels + k, -1);
      std::fill(scores, scores + k, 0.0f);
      return;
    }
    const float share = static_cast<float>(1.0 / static_cast<double>(added_));
    for (float& value : hidden_) value *= share;
    fasttext_best(m_, output_, k, labels, scores);
  }

 private:
  static constexpr i32 WORDS = 32;  // are found, and what they need is asked for, before the first is added
  static constexpr i32 ROWS = 1024;  // that a list has room for
  static constexpr i32 WAITING = 256;  // rows without a list wait until they are added together

  enum State : i32 { REMEMBERED, LISTED, UNLISTED, LABEL };

  struct Found {
    const u8* word;
    i64 size;
    u32 hash, slot;
    State state;
    i32 first, rows;  // of its list
  };

  bool find_words(const u8* text, i64 size, i64* at, bool* ended) {
    for (found_ = 0; found_ < WORDS && !*ended; ++found_) {
      Found& next = words_[found_];
      next.size = fasttext_next_word(text, size, at, &next.hash);
      if (next.size == 0) break;
      next.word = text + *at - next.size;
      next.slot = remembered_.slot(next.hash);
      remembered_.prefetch(next.slot);
      *ended = fasttext_end_of_sentence(next.word, next.size);
    }
    return found_ > 0;
  }

  // Lists the rows of the words that are not remembered, so that all are on their way before the first is added.
  void list_rows() {
    i32 unknown[WORDS], count = 0;
    for (i32 i = 0; i < found_; ++i) {
      const bool known = remembered_.holds(words_[i].slot, words_[i].word, words_[i].size, words_[i].hash);
      words_[i].state = known ? REMEMBERED : UNLISTED;
      if (!known) CURATE_PREFETCH(m_.word_slots + fasttext_slot(words_[i].hash, m_.word_shift));
      unknown[count] = i;
      count += !known;
    }
    listed_ = 0;
    for (i32 i = 0; i < count; ++i) list_rows_of(words_[unknown[i]]);
  }

  void list_rows_of(Found& found) {
    const i64 most = 1 + (found.size + 1) * std::max(m_.max_n, 0);
    if (most > ROWS - listed_) return;
    const i32 entry = fasttext_entry(m_, found.word, found.size, found.hash);
    found.first = listed_;
    found.state = fasttext_is_label(m_, found.word, found.size, entry) ? LABEL : LISTED;
    if (found.state == LISTED)
      fasttext_word_rows(m_, found.word, found.size, entry, [&](i32 row) {
        fasttext_prefetch_row(m_, row);
        rows_[listed_++] = row;
      });
    found.rows = listed_ - found.first;
  }

  void add_end_of_sentence() {
    u32 hash = FASTTEXT_HASH_SEED;
    for (u8 c : FASTTEXT_END_OF_SENTENCE) hash = fasttext_hash(hash, c);
    add_word({FASTTEXT_END_OF_SENTENCE, 4, hash, remembered_.slot(hash), UNLISTED, 0, 0});
  }

  void add_word(const Found& found) {
    if (found.state == LABEL) return;
    if (remembered_.holds(found.slot, found.word, found.size, found.hash)) {
      add_sum(remembered_.sum(found.slot));
      added_ += remembered_.rows(found.slot);
    } else if (!add_new_word(found)) {
      return;
    }
    if (m_.word_ngrams > 1) hashes_.push_back(found.hash);
  }

  // False if the word counts for nothing because it is, or is spelt like, a label.
  bool add_new_word(const Found& found) {
    const i64 before = added_;
    std::fill(word_.begin(), word_.end(), 0.0f);
    if (found.state == LISTED) {
      fasttext_add_rows(m_, rows_ + found.first, found.rows, word_.data());
      added_ += found.rows;
    } else {
      const i32 entry = fasttext_entry(m_, found.word, found.size, found.hash);
      if (fasttext_is_label(m_, found.word, found.size, entry)) return false;
      fasttext_word_rows(m_, found.word, found.size, entry, [&](i32 row) { add_row(row, word_.data()); });
      add_rows(word_.data());
    }
    add_sum(word_.data());
    if (found.size <= RememberedWords::LONGEST)
      remembered_.remember(found.slot, found.word, found.size, found.hash, added_ - before, word_.data());
    return true;
  }

  void add_word_ngrams() {
    fasttext_word_ngram_rows(m_, hashes_.data(), static_cast<i64>(hashes_.size()),
                             [&](i32 row) { add_row(row, hidden_.data()); });
    add_rows(hidden_.data());
  }

  void add_sum(const float* sum) {
    for (i32 j = 0; j < m_.dim; ++j) hidden_[j] += sum[j];
  }

  void add_row(i32 row, float* sum) {
    fasttext_prefetch_row(m_, row);
    waiting_rows_[waiting_++] = row;
    if (waiting_ == WAITING) add_rows(sum);
  }

  void add_rows(float* sum) {
    fasttext_add_rows(m_, waiting_rows_, waiting_, sum);
    added_ += waiting_;
    waiting_ = 0;
  }

  const FastTextView& m_;
  RememberedWords remembered_;
  std::vector<float> hidden_, word_, logits_, node_scores_;
  std::vector<i32> nodes_;
  std::vector<u32> hashes_;
  FastTextScratch output_;
  Found words_[WORDS];
  i32 found_ = 0, listed_ = 0, waiting_ = 0;
  i32 rows_[ROWS], waiting_rows_[WAITING];
  i64 added_ = 0;
};

}  // namespace curate::cpu
