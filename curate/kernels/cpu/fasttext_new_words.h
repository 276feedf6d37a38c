// Words that are not remembered: from their spelling to the sums of their rows.
#pragma once
#include <algorithm>
#include <vector>

#include "fasttext_model.h"
#include "fasttext_signs.h"
#include "fasttext_words.h"

namespace curate::cpu {

// What is counted of a text beside its sums.
struct FastTextCounts {
  i64 rows = 0;
  FastTextRepeats repeats;
};

struct NewWord {
  const u8* spelling;
  i64 size;
  i32 at;             // in the batch
  i32 first;          // of its rows among those listed; before the others stands one for the word itself
  i32 listed;         // how many; 0: they are too many
  bool kept;          // may be remembered
  bool label;         // counts for nothing
  RememberedWord record;
  float* sum;
};

// Those of a batch. Their rows are listed and asked for some time before they are added.
class NewWords {
 public:
  NewWords(const FastTextView& m, bool wide)
      : m_(m), wide_(wide), rows_(m), sums_(static_cast<size_t>(WordBounds::MOST + 1) * static_cast<size_t>(m.dim)) {}

  std::vector<NewWord>::const_iterator begin() const { return words_.begin(); }
  std::vector<NewWord>::const_iterator end() const { return words_.end(); }

  void clear() { words_.clear(); }

  void take(i32 at, const WordKey& key, const u8* spelling, i64 size) {
    NewWord word = {};
    word.spelling = spelling;
    word.size = size;
    word.at = at;
    word.record.key = key;
    words_.push_back(word);
  }

  // Hashes the words and lists their rows. Where there is no more room, the words before are added to their sums first.
  void list(FastTextCounts* counts) {
    std::fill_n(sums_.begin(), words_.size() * static_cast<size_t>(m_.dim), 0.0f);
    float* sum = sums_.data();
    for (NewWord& word : words_) {
      word.sum = sum;
      sum += m_.dim;
      i64 at = 0;
      fasttext_next_word(word.spelling, word.size, &at, &word.record.hash);
      CURATE_PREFETCH(m_.word_slots + fasttext_slot(word.record.hash, m_.word_shift));
    }
    added_ = 0;
    listed_ = 0;
    for (size_t i = 0; i < words_.size(); ++i) {
      NewWord& word = words_[i];
      const i64 most = 1 + (word.size + 1) * std::max(m_.max_n, 0);
      if (most > WordTally::MOST_SIGNS) continue;
      if (most > FastTextRows::MOST - listed_) add_up_to(i, counts);
      list_rows(&word);
      ask_for_entry(word);
    }
  }

  // Adds the rows of all words to their sums.
  void add(FastTextCounts* counts) { add_up_to(words_.size(), counts); }

 private:
  void list_rows(NewWord* word) {
    word->first = listed_++;
    fasttext_word_rows(m_, word->spelling, word->size, -1, [&](i32 row) {
      fasttext_prefetch_row(m_, row);
      list_[listed_++] = row;
    });
    word->listed = listed_ - word->first;
  }

  // Asks for what finding the word in the dictionary reads if its hash is the first in its slot.
  void ask_for_entry(const NewWord& word) {
    const u64 held = m_.word_slots[fasttext_slot(word.record.hash, m_.word_shift)];
    if (held == 0 || held >> 32 != word.record.hash) return;
    const i32 entry = static_cast<i32>(static_cast<u32>(held) - 1);
    CURATE_PREFETCH(m_.begin + entry);
    CURATE_PREFETCH(m_.end + entry);
    fasttext_prefetch_row(m_, entry);
  }

  void add_up_to(size_t last, FastTextCounts* counts) {
    for (; added_ < last; ++added_) {
      NewWord& word = words_[added_];
      const i32 entry = fasttext_entry(m_, word.spelling, word.size, word.record.hash);
      word.label = fasttext_is_label(m_, word.spelling, word.size, entry);
      if (word.label) continue;
      if (word.listed > 0)
        add_listed(&word, entry, counts);
      else
        add_unlisted(word, entry, counts);
    }
    listed_ = 0;
  }

  void add_listed(NewWord* word, i32 entry, FastTextCounts* counts) {
    FastTextSigns signs;
    signs.add(word->record.hash);
    fasttext_add_signs(list_ + word->first + 1, word->listed - 1, wide_, &signs);
    count_signs(word->listed, signs, counts);
    const bool known = entry >= 0;
    const i32 rows = word->listed - !known;
    list_[word->first] = entry;
    fasttext_add_rows(m_, list_ + word->first + !known, rows, word->sum);
    counts->rows += rows;
    word->record.signs = signs.packed(word->listed);
    word->record.tally = WordTally::of(word->listed, rows);
    word->kept = word->record.signs != FastTextSigns::NOT_PACKED && word->size <= WordKey::LONGEST;
  }

  void add_unlisted(const NewWord& word, i32 entry, FastTextCounts* counts) {
    FastTextSigns signs;
    signs.add(word.record.hash);
    i64 count = 1;
    if (entry >= 0) rows_.add(entry, word.sum);
    fasttext_word_rows(m_, word.spelling, word.size, -1, [&](i32 row) {
      rows_.add(row, word.sum);
      signs.add(static_cast<u32>(row));
      if (++count < FastTextSigns::MOST) return;
      count_signs(count, signs, counts);
      signs = {};
      count = 0;
    });
    count_signs(count, signs, counts);
    counts->rows += rows_.finish(word.sum);
  }

  static void count_signs(i64 count, const FastTextSigns& signs, FastTextCounts* counts) {
    counts->repeats.add(signs, 0);
    counts->repeats.count += count;
  }

  const FastTextView& m_;
  const bool wide_;
  FastTextRows rows_;  // of words that are not listed
  std::vector<NewWord> words_;
  std::vector<float> sums_;
  size_t added_ = 0;  // words
  i32 listed_ = 0;
  i32 list_[FastTextRows::MOST];
};

}  // namespace curate::cpu
