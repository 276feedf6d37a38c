// Scores texts one after the other on one thread, as fasttext.h defines it.
#pragma once
#include <algorithm>
#include <utility>
#include <vector>

#include "fasttext_ordered.h"
#include "fasttext_model.h"
#include "fasttext_signs.h"
#include "fasttext_words.h"

namespace curate::cpu {

class FastTextScorer {
 public:
  explicit FastTextScorer(const FastTextModel& model)
      : m_(model.view), remembered_(m_.dim), new_sums_(static_cast<size_t>(WordBounds::MOST + 1) * m_.dim),
        vectors_(m_), ordered_(model.unfolded) {}

  // The k best labels of texts and their probabilities, k a text; -1 and 0 where there are fewer. text(i): where text i
  // begins, and its size.
  template <typename Text>
  void score(i64 count, Text&& text, i32 k, i32* labels, float* scores) {
    i64 started = 0;
    const auto take = [&](Batch* batch) {
      if (!in_text_ && started == count) return;
      if (!in_text_) start(text(started++));
      take_batch(batch);
    };
    Batch *now = &batches_[0], *next = &batches_[1];
    take(now);
    for (i64 done = 0; done < count; std::swap(now, next)) {
      take(next);  // before the present one is added, so that what it reads is on its way
      add_batch(now);
      if (!now->last) continue;
      finish(*now, k, labels + done * k, scores + done * k);
      if (++done < count && remembered_.grow()) find_slots(next);
    }
  }

 private:
  static constexpr i64 MOST_COUNTED = 255;
  static constexpr i32 ROWS = 512;  // are asked for before the first is added

  enum State : u8 { REMEMBERED, NEW, COUNTED, LABEL };

  struct Word {
    const u8* spelling;
    i64 size;
    WordKey key;
    u32 slot, hash;
    i32 entry, first;  // in the dictionary; among the rows
    State state;
    i64 rows, counted;  // rows; signs of a new one
    u64 signs;          // of a new one
    float* sum;
  };

  struct Batch {
    Word words[WordBounds::MOST + 1];
    i32 count = 0;
    bool last = false;  // of its text
    bool in_order = false;  // the whole text, which has no other batch
    const u8* text;
    i64 size;
  };

  void start(std::pair<const u8*, i64> text) {
    text_ = text.first;
    text_end_ = text.first + text.second;
    bounds_.start(text.first, text.second);
    in_text_ = true;
  }

  void take_batch(Batch* batch) {
    batch->count = 0;
    batch->text = text_;
    batch->size = text_end_ - text_;
    batch->in_order = fasttext_in_order(m_, batch->size);
    if (batch->in_order) {
      batch->last = true;
      in_text_ = false;
      return;
    }
    const i32 found = bounds_.next();
    bool ended = false;
    while (batch->count < found && !ended) {
      const i32 i = batch->count++;
      const u8* spelling = text_ + bounds_.begin(i);
      take_word(&batch->words[i], spelling, bounds_.end(i) - bounds_.begin(i), text_end_);
      ended = fasttext_end_of_sentence(spelling, batch->words[i].size);
    }
    batch->last = ended || bounds_.finished();
    in_text_ = !batch->last;
    if (batch->last && !ended)
      take_word(&batch->words[batch->count++], FASTTEXT_END_OF_SENTENCE, 4, FASTTEXT_END_OF_SENTENCE + 4);
  }

  void take_word(Word* word, const u8* spelling, i64 size, const u8* text_end) {
    word->spelling = spelling;
    word->size = size;
    word->slot = 0;
    if (size > RememberedWords::LONGEST) return;
    word->key = RememberedWords::key(spelling, size, text_end);
    word->slot = remembered_.slot(word->key, spelling);
    remembered_.prefetch(word->slot);
  }

  void find_slots(Batch* batch) {
    for (i32 i = 0; i < batch->count; ++i) {
      Word& word = batch->words[i];
      if (word.size <= RememberedWords::LONGEST) word.slot = remembered_.slot(word.key, word.spelling);
    }
  }

  void finish(const Batch& batch, i32 k, i32* labels, float* scores) {
    bool in_order = batch.in_order;
    if (!in_order) {
      new_signs_.pass_to(&repeats_);
      if (m_.word_ngrams > 1) add_word_ngrams();
      vectors_.best(m_, added_, k, labels, scores);
      const FastTextScratch scratch = vectors_.scratch();
      in_order = fasttext_may_stray(m_, scratch, repeats_.count, added_) &&
                 fasttext_strays(m_, scratch, repeats_.squares(), added_, labels[0], scores[0]);
    }
    if (in_order) ordered_.score(batch.text, batch.size, k, labels, scores);
    std::fill(vectors_.hidden.begin(), vectors_.hidden.end(), 0.0f);
    hashes_.clear();
    added_ = 0;
    repeats_ = {};
  }

  // Adds the words in their order; the sums of those that are not remembered are made first, side by side.
  void add_batch(Batch* batch) {
    unknown_.clear();
    FastTextPackedSigns signs;
    for (i32 i = 0; i < batch->count; ++i) {
      Word& word = batch->words[i];
      word.hash = remembered_.hash(word.slot);
      word.rows = remembered_.rows(word.slot);
      word.sum = remembered_.sum(word.slot);
      word.state = REMEMBERED;
      if (word.size > RememberedWords::LONGEST || !remembered_.holds(word.slot, word.key, word.spelling))
        unknown_.push_back(&word);
      else
        signs.add(remembered_.signs(word.slot), remembered_.counted(word.slot), &repeats_);
    }
    signs.pass_to(&repeats_);
    sum_unknown();
    add_sums(*batch);
    for (const Word* word : unknown_)
      if (word->state == NEW && word->size <= RememberedWords::LONGEST)
        remembered_.remember(word->slot, word->key, word->spelling, word->hash, word->rows, word->signs,
                             word->counted, word->sum);
  }

  void sum_unknown() {
    for (Word* word : unknown_) {
      i64 at = 0;
      word->state = most_rows(*word) < MOST_COUNTED ? NEW : COUNTED;
      fasttext_next_word(word->spelling, word->size, &at, &word->hash);
      CURATE_PREFETCH(m_.word_slots + fasttext_slot(word->hash, m_.word_shift));
    }
    std::fill(new_sums_.begin(), new_sums_.begin() + static_cast<i64>(unknown_.size()) * m_.dim, 0.0f);
    for (size_t i = 0; i < unknown_.size(); ++i)
      unknown_[i]->sum = new_sums_.data() + static_cast<i64>(i) * m_.dim;
    for (size_t i = 0; i < unknown_.size();) {
      const size_t first = i;
      for (i64 room = ROWS; i < unknown_.size() && unknown_[i]->state == NEW && most_rows(*unknown_[i]) <= room; ++i)
        room -= most_rows(*unknown_[i]);
      if (i > first)
        sum_words(first, i);
      else
        sum_long_word(unknown_[i++]);
    }
  }

  i64 most_rows(const Word& word) const { return 1 + (word.size + 1) * std::max(m_.max_n, 0); }

  // Sums words whose rows are few enough to ask for all of them first. A row for the word itself goes before the others
  // and is found last: the dictionary is several reads away.
  void sum_words(size_t first, size_t last) {
    i32 listed = 0;
    for (size_t i = first; i < last; ++i) {
      Word& word = *unknown_[i];
      word.first = listed++;
      find_slot(&word);
      fasttext_word_rows(m_, word.spelling, word.size, -1, [&](i32 row) {
        fasttext_prefetch_row(m_, row);
        rows_[listed++] = row;
      });
      word.rows = listed - word.first;
      if (word.entry >= 0) CURATE_PREFETCH(m_.spelling + m_.begin[word.entry]);
    }
    look_up(first, last);
    for (size_t i = first; i < last; ++i) {
      Word& word = *unknown_[i];
      if (word.state == LABEL) continue;
      count_signs(&word);
      const bool own = word.entry >= 0;
      rows_[word.first] = word.entry;
      word.rows -= !own;
      fasttext_add_rows(m_, rows_ + word.first + !own, word.rows, word.sum);
    }
  }

  // Those of its hash and its n-grams, while its rows are listed.
  void count_signs(Word* word) {
    FastTextSigns signs;
    signs.add(word->hash);
    fasttext_add_signs(rows_ + word->first + 1, word->rows - 1, &signs);
    word->counted = word->rows;
    word->signs = signs.packed(word->counted);
    if (word->signs == FastTextSigns::NOT_PACKED)
      count_apart(word, &signs);
    else
      new_signs_.add(word->signs, word->counted, &repeats_);
  }

  void sum_long_word(Word* word) {
    word->rows = 0;
    word->entry = fasttext_entry(m_, word->spelling, word->size, word->hash);
    if (fasttext_is_label(m_, word->spelling, word->size, word->entry)) {
      word->state = LABEL;
      return;
    }
    FastTextSigns signs;
    signs.add(word->hash);
    word->counted = 1;
    const auto take = [&](i32 row) {
      ++word->rows;
      add_row(row, word->sum);
    };
    if (word->entry >= 0) take(word->entry);
    fasttext_word_rows(m_, word->spelling, word->size, -1, [&](i32 row) {
      take(row);
      signs.add(static_cast<u32>(row));
      if (++word->counted == FastTextSigns::MOST) count_apart(word, &signs);
    });
    count_apart(word, &signs);
    add_rows(word->sum);
  }

  // The entry that a word has if its hash is the first in its slot, else -1; asks for what `look_up` reads.
  void find_slot(Word* word) {
    const u64 held = m_.word_slots[fasttext_slot(word->hash, m_.word_shift)];
    word->entry = held >> 32 == word->hash ? static_cast<i32>(static_cast<u32>(held)) - 1 : -1;
    if (word->entry < 0) return;
    CURATE_PREFETCH(m_.begin + word->entry);
    CURATE_PREFETCH(m_.end + word->entry);
    fasttext_prefetch_row(m_, word->entry);
  }

  void look_up(size_t first, size_t last) {
    for (size_t i = first; i < last; ++i) {
      Word& word = *unknown_[i];
      word.entry = fasttext_entry(m_, word.spelling, word.size, word.hash);
      if (fasttext_is_label(m_, word.spelling, word.size, word.entry)) word.state = LABEL;
    }
  }

  // Counts signs that are not remembered.
  void count_apart(Word* word, FastTextSigns* signs) {
    word->state = COUNTED;
    repeats_.add(*signs, 0);
    repeats_.count += word->counted;
    word->counted = 0;
    *signs = {};
  }

  void add_row(i32 row, float* sum) {
    fasttext_prefetch_row(m_, row);
    rows_[waiting_++] = row;
    if (waiting_ == ROWS) add_rows(sum);
  }

  void add_rows(float* sum) {
    fasttext_add_rows(m_, rows_, waiting_, sum);
    waiting_ = 0;
  }

  void add_sums(const Batch& batch) {
    const float* sums[WordBounds::MOST + 1];
    i32 counted = 0;
    for (i32 i = 0; i < batch.count; ++i) {
      const Word& word = batch.words[i];
      if (word.state == LABEL) continue;
      sums[counted++] = word.sum;
      added_ += word.rows;
      if (m_.word_ngrams > 1) hashes_.push_back(word.hash);
    }
    const auto place = [&](i64 i) { return reinterpret_cast<const u8*>(sums[i]); };
    add_vectors(m_.dim, counted, place, vectors_.hidden.data());
  }

  void add_word_ngrams() {
    fasttext_word_ngram_rows(m_, hashes_.data(), static_cast<i64>(hashes_.size()), [&](i32 row) {
      ++added_;
      add_row(row, vectors_.hidden.data());
    });
    add_rows(vectors_.hidden.data());
  }

  const FastTextView& m_;
  RememberedWords remembered_;
  WordBounds bounds_;
  std::vector<float> new_sums_;
  FastTextVectors vectors_;
  FastTextOrderedScorer ordered_;
  std::vector<u32> hashes_;
  FastTextRepeats repeats_;
  FastTextPackedSigns new_signs_;
  Batch batches_[2];
  std::vector<Word*> unknown_;
  const u8 *text_ = nullptr, *text_end_ = nullptr;
  bool in_text_ = false;
  i32 waiting_ = 0;
  i32 rows_[ROWS];
  i64 added_ = 0;
};

}  // namespace curate::cpu
