// Scores texts one after the other on one thread, as fasttext.h defines it.
#pragma once
#include <algorithm>
#include <vector>

#include "fasttext_bounds.h"
#include "fasttext_output.h"
#include "fasttext_rows.h"
#include "fasttext_words.h"

namespace curate::cpu {

class FastTextScorer {
 public:
  explicit FastTextScorer(const FastTextView& model)
      : m_(model), remembered_(model.dim), new_sums_(static_cast<size_t>(WordBounds::MOST) * model.dim),
        hidden_(model.dim), logits_(model.labels), node_scores_(model.labels + 1), nodes_(model.labels + 1),
        output_{hidden_.data(), logits_.data(), nodes_.data(), node_scores_.data()} {}

  // The k best labels of a text, and their probabilities; -1 and 0 where there are fewer.
  void score(const u8* text, i64 size, i32 k, i32* labels, float* scores) {
    std::fill(hidden_.begin(), hidden_.end(), 0.0f);
    hashes_.clear();
    added_ = 0;
    remembered_.grow();
    add_words(text, size);
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
  static constexpr i32 ROWS = 512;  // are asked for before the first is added

  enum State : u8 { REMEMBERED, NEW, LABEL };

  struct Word {
    const u8* spelling;
    i64 size;
    WordKey key;
    u32 slot, hash;
    i32 entry;
    State state;
    i64 rows;
    const float* sum;
  };

  void add_words(const u8* text, i64 size) {
    bounds_.start(text, size);
    bool ended = false;
    while (!ended) {
      count_ = bounds_.next();
      if (count_ == 0) break;
      for (i32 i = 0; i < count_ && !ended; ++i) {
        take_word(i, text + bounds_.begin(i), bounds_.end(i) - bounds_.begin(i), text + size);
        ended = fasttext_end_of_sentence(words_[i].spelling, words_[i].size);
        if (ended) count_ = i + 1;
      }
      add_batch();
    }
    if (ended) return;
    take_word(0, FASTTEXT_END_OF_SENTENCE, 4, FASTTEXT_END_OF_SENTENCE + 4);
    count_ = 1;
    add_batch();
  }

  void take_word(i32 place, const u8* spelling, i64 size, const u8* text_end) {
    Word& word = words_[place];
    word.spelling = spelling;
    word.size = size;
    word.slot = 0;
    if (size > RememberedWords::LONGEST) return;
    word.key = RememberedWords::key(spelling, size, text_end);
    word.slot = remembered_.slot(word.key, spelling);
    remembered_.prefetch(word.slot);
  }

  // Adds the words in their order; the sums of those that are not remembered are made first, side by side.
  void add_batch() {
    i32 unknown[WordBounds::MOST], unknowns = 0;
    for (i32 i = 0; i < count_; ++i) {
      Word& word = words_[i];
      const bool known =
          word.size <= RememberedWords::LONGEST && remembered_.holds(word.slot, word.key, word.spelling);
      unknown[unknowns] = i;
      unknowns += !known;
      word.state = known ? REMEMBERED : NEW;
      word.hash = remembered_.hash(word.slot);
      word.rows = remembered_.rows(word.slot);
      word.sum = remembered_.sum(word.slot);
    }
    look_up(unknown, unknowns);
    sum_rows(unknown, unknowns);
    add_sums();
    for (i32 i = 0; i < unknowns; ++i) {
      const Word& word = words_[unknown[i]];
      if (word.state == NEW && word.size <= RememberedWords::LONGEST)
        remembered_.remember(word.slot, word.key, word.spelling, word.hash, word.rows, word.sum);
    }
  }

  // Finds words in the dictionary. Each step asks for the memory that the next one reads.
  void look_up(const i32* places, i32 count) {
    for (i32 i = 0; i < count; ++i) {
      Word& word = words_[places[i]];
      i64 at = 0;
      fasttext_next_word(word.spelling, word.size, &at, &word.hash);
      CURATE_PREFETCH(m_.word_slots + fasttext_slot(word.hash, m_.word_shift));
    }
    for (i32 i = 0; i < count; ++i) {
      Word& word = words_[places[i]];
      word.entry = static_cast<i32>(m_.word_slots[fasttext_slot(word.hash, m_.word_shift)]) - 1;
      if (word.entry < 0) continue;
      CURATE_PREFETCH(m_.hashes + word.entry);
      CURATE_PREFETCH(m_.begin + word.entry);
      CURATE_PREFETCH(m_.end + word.entry);
    }
    for (i32 i = 0; i < count; ++i) {
      const Word& word = words_[places[i]];
      if (word.entry >= 0) CURATE_PREFETCH(m_.spelling + m_.begin[word.entry]);
    }
    for (i32 i = 0; i < count; ++i) {
      Word& word = words_[places[i]];
      word.entry = fasttext_entry(m_, word.spelling, word.size, word.hash);
      if (fasttext_is_label(m_, word.spelling, word.size, word.entry)) word.state = LABEL;
    }
  }

  void sum_rows(const i32* places, i32 count) {
    std::fill(new_sums_.begin(), new_sums_.begin() + static_cast<i64>(count) * m_.dim, 0.0f);
    i32 first = 0;  // whose rows may be waiting
    for (i32 i = 0; i < count; ++i) {
      Word& word = words_[places[i]];
      float* sum = new_sums_.data() + static_cast<i64>(i) * m_.dim;
      word.sum = sum;
      word.rows = 0;
      if (word.state == LABEL) continue;
      const i64 most = 1 + (word.size + 1) * std::max(m_.max_n, 0);
      if (most > ROWS - waiting_) {
        add_waiting(places, first, i);
        first = i;
      }
      fasttext_word_rows(m_, word.spelling, word.size, word.entry, [&](i32 row) {
        if (waiting_ == ROWS) add_rows(sum);
        fasttext_prefetch_row(m_, row);
        rows_[waiting_++] = row;
        ++word.rows;
      });
      if (most > ROWS) {
        add_rows(sum);
        first = i + 1;
      }
    }
    add_waiting(places, first, count);
  }

  // Adds the waiting rows, which are all those of the words from `first` on, to these words' sums.
  void add_waiting(const i32* places, i32 first, i32 last) {
    const i32* rows = rows_;
    for (i32 i = first; i < last; ++i) {
      const Word& word = words_[places[i]];
      fasttext_add_rows(m_, rows, word.rows, new_sums_.data() + static_cast<i64>(i) * m_.dim);
      rows += word.rows;
    }
    waiting_ = 0;
  }

  void add_rows(float* sum) {
    fasttext_add_rows(m_, rows_, waiting_, sum);
    waiting_ = 0;
  }

  void add_sums() {
    const float* sums[WordBounds::MOST];
    i32 counted = 0;
    for (i32 i = 0; i < count_; ++i) {
      const Word& word = words_[i];
      if (word.state == LABEL) continue;
      sums[counted++] = word.sum;
      added_ += word.rows;
      if (m_.word_ngrams > 1) hashes_.push_back(word.hash);
    }
    add_vectors(m_.dim, counted, [&](i64 i) { return reinterpret_cast<const u8*>(sums[i]); }, hidden_.data());
  }

  void add_word_ngrams() {
    fasttext_word_ngram_rows(m_, hashes_.data(), static_cast<i64>(hashes_.size()), [&](i32 row) {
      fasttext_prefetch_row(m_, row);
      rows_[waiting_++] = row;
      ++added_;
      if (waiting_ == ROWS) add_rows(hidden_.data());
    });
    add_rows(hidden_.data());
  }

  const FastTextView& m_;
  RememberedWords remembered_;
  WordBounds bounds_;
  std::vector<float> new_sums_, hidden_, logits_, node_scores_;
  std::vector<i32> nodes_;
  std::vector<u32> hashes_;
  FastTextScratch output_;
  Word words_[WordBounds::MOST];
  i32 count_ = 0, waiting_ = 0;
  i32 rows_[ROWS];
  i64 added_ = 0;
};

}  // namespace curate::cpu
