// Scores texts one after the other on one thread, as fasttext.h defines it.
#pragma once
#include <algorithm>
#include <utility>
#include <vector>

#include "fasttext_new_words.h"
#include "fasttext_ordered.h"

namespace curate::cpu {

// Words go through three steps, some dozens at a time: they are taken from the text, looked up, and added. What a step
// reads was asked for in the step before, and a step of another batch lies between the two.
class FastTextScorer {
 public:
  // wide: whether words are found in 64 bytes at once, which only machines that has_avx512vbmi can.
  explicit FastTextScorer(const FastTextModel& model, bool wide = has_avx512vbmi())
      : m_(model.view), wide_(wide), remembered_(m_.dim), new_words_(m_, wide), bounds_(wide), vectors_(m_), rows_(m_),
        ordered_(model.unfolded, wide) {}

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
    if (count == 0) return;
    Batch *taken = &batches_[0], *looked_up = &batches_[1], *added = &batches_[2];
    take(looked_up);
    look_up(*looked_up);
    take(taken);
    for (i64 done = 0;;) {
      std::swap(added, looked_up);
      std::swap(looked_up, taken);
      take(taken);
      add(*added);
      if (added->last) {
        finish(*added, k, labels + done * k, scores + done * k);
        if (++done == count) return;
        remembered_.grow();
      }
      look_up(*looked_up);
    }
  }

 private:
  struct Batch {
    i32 count = 0;
    bool last = false;      // of its text
    bool in_order = false;  // the whole text, which has no other batch
    const u8* text;
    i64 size;
    WordKey keys[WordBounds::MOST + 1];
    u32 hashes[WordBounds::MOST + 1];  // of the keys
    const u8* spellings[WordBounds::MOST + 1];
    i64 sizes[WordBounds::MOST + 1];
  };

  void start(std::pair<const u8*, i64> text) {
    text_ = text.first;
    size_ = text.second;
    bounds_.start(text_, size_);
    in_text_ = true;
  }

  void take_batch(Batch* batch) {
    batch->count = 0;
    batch->text = text_;
    batch->size = size_;
    batch->in_order = fasttext_in_order(m_, size_);
    if (batch->in_order) {
      batch->last = true;
      in_text_ = false;
      return;
    }
    const i32 found = bounds_.next();
    WordKeys::find(text_, size_, bounds_.bounds(), found, wide_, batch->keys);
    bool ended = false;
    for (i32 i = 0; i < found; ++i) {
      ended |= batch->keys[i].end_of_sentence();
      take_word(batch, text_ + bounds_.begin(i), bounds_.end(i) - bounds_.begin(i));
    }
    if (ended) {
      batch->count = 0;
      while (!batch->keys[batch->count++].end_of_sentence()) {}
    }
    batch->last = ended || bounds_.finished();
    in_text_ = !batch->last;
    if (!batch->last || ended) return;
    batch->keys[found] = {WordKey::END_OF_SENTENCE, 0};
    take_word(batch, FASTTEXT_END_OF_SENTENCE, 4);
  }

  void take_word(Batch* batch, const u8* spelling, i64 size) {
    const i32 i = batch->count++;
    batch->hashes[i] = batch->keys[i].hash();
    batch->spellings[i] = spelling;
    batch->sizes[i] = size;
    remembered_.prefetch(batch->hashes[i]);
  }

  void look_up(const Batch& batch) {
    new_words_.clear();
    for (i32 first = 0; first < batch.count; first += FastTextPackedSigns::MOST)
      look_up_words(batch, first, std::min(batch.count, first + FastTextPackedSigns::MOST));
    new_words_.list(&counts_);
  }

  void look_up_words(const Batch& batch, i32 first, i32 last) {
    FastTextPackedSigns signs;
    WordTally tally;
    for (i32 i = first; i < last; ++i) {
      const auto [word, sum] = remembered_.find(batch.keys[i], batch.hashes[i], batch.spellings[i]);
      if (!word) {
        new_words_.take(i, batch.keys[i], batch.spellings[i], batch.sizes[i]);
        continue;
      }
      remembered_.prefetch_sum(sum);
      sums_[i] = sum;
      hashes_[i] = word->hash;
      signs.add(word->signs);
      tally.add(word->tally);
    }
    counts_.rows += tally.rows();
    signs.pass_to(tally.words(), tally.signs(), tally.halves(), &counts_.repeats);
  }

  // Adds the words in their order.
  void add(const Batch& batch) {
    new_words_.add(&counts_);
    i32 count = batch.count;
    for (const NewWord& word : new_words_) {
      sums_[word.at] = word.label ? nullptr : word.sum;
      hashes_[word.at] = word.record.hash;
      count -= word.label;
    }
    if (count < batch.count) drop_labels(batch.count);
    if (m_.word_ngrams > 1) text_hashes_.insert(text_hashes_.end(), hashes_, hashes_ + count);
    const auto place = [&](i64 i) { return reinterpret_cast<const u8*>(sums_[i]); };
    add_vectors(m_.dim, count, place, vectors_.hidden.data());
    for (const NewWord& word : new_words_)
      if (word.kept) remembered_.remember(word.record, word.spelling, word.sum);
  }

  void drop_labels(i32 count) {
    for (i32 i = 0, kept = 0; i < count; ++i) {
      if (!sums_[i]) continue;
      hashes_[kept] = hashes_[i];
      sums_[kept++] = sums_[i];
    }
  }

  void finish(const Batch& batch, i32 k, i32* labels, float* scores) {
    bool in_order = batch.in_order;
    if (!in_order) {
      if (m_.word_ngrams > 1) add_word_ngrams();
      vectors_.best(m_, counts_.rows, k, labels, scores);
      const FastTextScratch scratch = vectors_.scratch();
      in_order = fasttext_may_stray(m_, scratch, counts_.repeats.count, counts_.rows) &&
                 fasttext_strays(m_, scratch, counts_.repeats.squares(), counts_.rows, labels[0], scores[0]);
    }
    if (in_order) ordered_.score(batch.text, batch.size, k, labels, scores);
    std::fill(vectors_.hidden.begin(), vectors_.hidden.end(), 0.0f);
    text_hashes_.clear();
    counts_ = {};
  }

  void add_word_ngrams() {
    float* hidden = vectors_.hidden.data();
    const i64 count = static_cast<i64>(text_hashes_.size());
    fasttext_word_ngram_rows(m_, text_hashes_.data(), count, [&](i32 row) { rows_.add(row, hidden); });
    counts_.rows += rows_.finish(hidden);
  }

  const FastTextView& m_;
  const bool wide_;
  RememberedWords remembered_;
  NewWords new_words_;  // of the batch looked up
  WordBounds bounds_;
  FastTextVectors vectors_;
  FastTextRows rows_;
  FastTextOrderedScorer ordered_;
  FastTextCounts counts_;  // of the text looked up
  std::vector<u32> text_hashes_;
  Batch batches_[3];
  const float* sums_[WordBounds::MOST + 1];  // of the batch looked up
  u32 hashes_[WordBounds::MOST + 1];
  const u8* text_ = nullptr;
  i64 size_ = 0;
  bool in_text_ = false;
};

}  // namespace curate::cpu
