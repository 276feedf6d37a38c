// Scoring text with a supervised fastText model, defined operation by operation.
//
// A text becomes rows of the model's input matrix: for each word its own row and those of its character n-grams, then
// those of neighbouring words' hashes. The hidden vector is their sum divided by their number. In a text of up to
// FASTTEXT_BY_WORDS bytes the rows of a word are added up first, from 0 on and in fastText's order, then the words' sums
// one after the other, then the rows of neighbouring words. So a word's sum depends on the word alone and may be
// remembered. A longer text, and one whose repetitions would carry its score away from fastText's (fasttext_drift.h), is
// added row after row as fastText does it, because its single-precision sum drifts and only the same order drifts alike.
// Scores depend neither on batch, thread nor machine; exp and log are those of exact_math.h.
//
// A model with few labels (FastTextModel::folds) is folded: each row becomes its products with the output layer's rows, and
// the hidden vector the logits. Both are linear, so this changes the last bits alone; it saves most of the memory that
// a text touches. Row after row, it is the model's own rows that are added.
//
// The one other departure from fastText is that a line feed is a space like any other, where fastText reads no further
// than the first; the end-of-sentence word that fastText finds there is added after the last word.
//
// File format and semantics: fastText 0.9.2 (Joulin et al. 2016, "Bag of Tricks" and "FastText.zip").
#pragma once
#include "exact_math.h"
#include "portable.h"

#if defined(__CUDACC__)
#define CURATE_PREFETCH(address)
#else
// GCC drops calls of functions that do nothing but prefetch, as if they had no effect: the empty statement is one.
#define CURATE_PREFETCH(address)  \
  do {                            \
    __builtin_prefetch(address);  \
    __asm__ volatile("");         \
  } while (false)
#endif

namespace curate {

using i32 = std::int32_t;

enum FastTextLoss : i32 { HIERARCHICAL = 1, NEGATIVE = 2, SOFTMAX = 3, ONE_VS_ALL = 4 };

// A model as plain arrays. Everything is read only.
struct FastTextView {
  // Dictionary: entry i (words first, then labels) is spelling[begin[i] .. end[i]); `word_slots` holds
  // hash << 32 | entry + 1 (0 is empty) by linear probing from fasttext_slot(hash).
  const u8* spelling;
  const i64 *begin, *end;
  const u64* word_slots;
  i32 word_shift;
  i32 words, labels;
  // N-grams.
  i32 min_n, max_n, word_ngrams;
  u32 bucket;
  u64 bucket_inverse;  // 2^64 / bucket + 1, see fasttext_bucket
  // N-grams that survived pruning: a bit filter (all ones when nothing was pruned), then `kept_slots` with
  // (bucket << 32 | row) + 1 by linear probing.
  bool pruned;
  const u64* kept_filter;
  u32 kept_mask;
  const u64* kept_slots;
  i32 kept_shift;
  // Input matrix: either rows of `dim` floats at any alignment, or codes of a product quantiser.
  i32 dim;
  const u8* rows;
  const u8* codes;
  const float* centroids;  // for part p, code c: 256 * p * part + c * (width of part p)
  const float* norms;      // a factor for each row, or null
  i32 part, parts;
  // Output layer. Hierarchical softmax: labels x dim; otherwise dim x labels; null where it is folded into the rows.
  i32 loss;
  const float* output;
  const float* output_norms;  // a factor for each row of the output matrix, or null
  double reach;  // the greatest squared length of an output row; of folded rows, the mean
  const i32 *left, *right;    // children of the tree's inner nodes; nodes below `labels` are leaves
  const float* sigmoid;       // 513 values
};

// Working memory for one text at a time.
struct FastTextScratch {
  float* hidden;       // dim
  float* logits;       // labels
  i32* nodes;          // labels + 1
  float* node_scores;  // labels + 1
};

constexpr u32 FASTTEXT_HASH_SEED = 2166136261u;

// One step of FNV-1a over 32 bits; bytes from 0x80 are sign-extended first, as in all published models.
CURATE_HD u32 fasttext_hash(u32 hash, u8 byte) {
  return (hash ^ static_cast<u32>(static_cast<i32>(static_cast<std::int8_t>(byte)))) * 16777619u;
}

// Longer texts are added in fastText's order: docs/classifiers.md has the measurements.
constexpr i64 FASTTEXT_BY_WORDS = 32768;

// Whether a text of this size is added row after row. Folded rows are sums already, to which no order of fastText's applies.
CURATE_HD bool fasttext_in_order(const FastTextView& m, i64 size) { return m.output && size > FASTTEXT_BY_WORDS; }

CURATE_HD bool fasttext_space(u8 c) { return c <= 32 && ((u64(0x100003E01) >> c) & 1); }

CURATE_HD bool fasttext_continuation(u8 c) { return (c & 0xC0) == 0x80; }

CURATE_HD u32 fasttext_slot(u32 hash, i32 shift) {
  return static_cast<u32>((hash * 0x9E3779B97F4A7C15ull) >> shift);
}

CURATE_HD u64 fasttext_high_product(u64 a, u64 b) {
#if defined(__CUDACC__)
  return __umul64hi(a, b);
#else
  return static_cast<u64>(static_cast<unsigned __int128>(a) * b >> 64);
#endif
}

// hash modulo bucket without a division (Lemire, Kaser, Kurz 2019), exact for all 32-bit numbers.
CURATE_HD u32 fasttext_bucket(const FastTextView& m, u32 hash) {
  return static_cast<u32>(fasttext_high_product(m.bucket_inverse * hash, m.bucket));
}

// The same for all 64-bit numbers: the quotient by an inverse rounded down is right or one too small.
CURATE_HD u32 fasttext_wide_bucket(const FastTextView& m, u64 hash) {
  const u64 rest = hash - fasttext_high_product(hash, m.bucket_inverse - 1) * m.bucket;
  return static_cast<u32>(rest < m.bucket ? rest : rest - m.bucket);
}

// How many bytes the first `characters` code points of a text take (well-formed UTF-8).
CURATE_HD i64 fasttext_prefix(const u8* text, i64 size, i64 characters) {
  if (size <= characters) return size;
  i64 seen = 0, i = 0;
  for (; i + 64 <= size && seen + 64 <= characters; i += 64) {
    i32 starts = 0;
    for (i32 k = 0; k < 64; ++k) starts += !fasttext_continuation(text[i + k]);
    seen += starts;
  }
  for (; i < size; ++i) {
    if (fasttext_continuation(text[i])) continue;
    if (seen == characters) return i;
    ++seen;
  }
  return size;
}

// The next word from *at on, its length (0: there is none) and hash; *at moves behind it.
CURATE_HD i64 fasttext_next_word(const u8* text, i64 size, i64* at, u32* hash) {
  i64 i = *at;
  while (i < size && fasttext_space(text[i])) ++i;
  i64 start = i;
  u32 h = FASTTEXT_HASH_SEED;
  while (i < size && !fasttext_space(text[i])) h = fasttext_hash(h, text[i++]);
  *at = i;
  *hash = h;
  return i - start;
}

template <typename Word>
CURATE_HD bool fasttext_same_ends(const u8* a, const u8* b, i64 size) {
  Word head_a, head_b, tail_a, tail_b;
  __builtin_memcpy(&head_a, a, sizeof(Word));
  __builtin_memcpy(&head_b, b, sizeof(Word));
  __builtin_memcpy(&tail_a, a + size - sizeof(Word), sizeof(Word));
  __builtin_memcpy(&tail_b, b + size - sizeof(Word), sizeof(Word));
  return head_a == head_b && tail_a == tail_b;
}

// Whether two words of `size` bytes are equal, by overlapping loads.
CURATE_HD bool fasttext_same(const u8* a, const u8* b, i64 size) {
  if (size < 4) return size < 2 ? size < 1 || a[0] == b[0] : fasttext_same_ends<u16>(a, b, size);
  if (size < 8) return fasttext_same_ends<u32>(a, b, size);
  for (i64 i = 0; i + 16 < size; i += 8)
    if (!fasttext_same_ends<u64>(a + i, b + i, 8)) return false;
  const i64 start = size <= 16 ? 0 : size - 16;
  return fasttext_same_ends<u64>(a + start, b + start, size - start);
}

CURATE_TABLE u8 FASTTEXT_END_OF_SENTENCE[] = {'<', '/', 's', '>'};

CURATE_HD bool fasttext_end_of_sentence(const u8* word, i64 size) {
  return size == 4 && word[0] == '<' && word[1] == '/' && word[2] == 's' && word[3] == '>';
}

CURATE_HD bool fasttext_label_prefix(const u8* word, i64 size) {
  if (size < 9 || word[0] != '_') return false;
  const char prefix[10] = "__label__";
  for (i32 i = 0; i < 9; ++i)
    if (word[i] != static_cast<u8>(prefix[i])) return false;
  return true;
}

// Whether a word is a label or spelt like one, and so counts for nothing; `entry` is its dictionary entry or -1.
CURATE_HD bool fasttext_is_label(const FastTextView& m, const u8* word, i64 size, i32 entry) {
  return entry >= m.words || (entry < 0 && fasttext_label_prefix(word, size));
}

// The dictionary entry of a word, or -1.
CURATE_HD i32 fasttext_entry(const FastTextView& m, const u8* word, i64 size, u32 hash) {
  u32 mask = static_cast<u32>((u64(1) << (64 - m.word_shift)) - 1);
  for (u32 slot = fasttext_slot(hash, m.word_shift);; slot = (slot + 1) & mask) {
    const u64 held = m.word_slots[slot];
    if (held == 0) return -1;
    if (held >> 32 != hash) continue;
    const i32 entry = static_cast<i32>(static_cast<u32>(held) - 1);
    if (m.end[entry] - m.begin[entry] == size && fasttext_same(m.spelling + m.begin[entry], word, size)) return entry;
  }
}

// Passes the row of an n-gram's bucket that the filter let through to `row`, unless it was pruned away after
// all.
template <typename Row>
CURATE_HD void fasttext_kept_row(const FastTextView& m, u32 bucket, Row&& row) {
  u32 mask = static_cast<u32>((u64(1) << (64 - m.kept_shift)) - 1);
  for (u32 slot = fasttext_slot(bucket, m.kept_shift);; slot = (slot + 1) & mask) {
    u64 held = m.kept_slots[slot];
    if (held == 0) return;
    if ((held - 1) >> 32 == bucket) {
      row(static_cast<i32>((held - 1) & 0xFFFFFFFFu));
      return;
    }
  }
}

// Passes the row of an n-gram's bucket to `row`, unless it was pruned away.
template <typename Row>
CURATE_HD void fasttext_bucket_row(const FastTextView& m, u32 bucket, Row&& row) {
  const u32 bit = bucket & m.kept_mask;
  if (!((m.kept_filter[bit >> 6] >> (bit & 63)) & 1)) return;
  if (m.pruned)
    fasttext_kept_row(m, bucket, row);
  else
    row(m.words + static_cast<i32>(bucket));
}

// Passes the buckets of the n-grams of <word> from one character on, short ones first, to `add`. `start` is where
// the character begins, -1 for the mark <.
template <typename Add>
CURATE_HD void fasttext_ngrams_from(const FastTextView& m, const u8* word, i64 size, i64 start, Add&& add) {
  i64 at = start + 1;
  u32 hash = fasttext_hash(FASTTEXT_HASH_SEED, start < 0 ? u8('<') : word[start]);
  for (i32 n = 1;; ++n) {
    while (at < size && fasttext_continuation(word[at])) hash = fasttext_hash(hash, word[at++]);
    if (n >= m.min_n && !(n == 1 && start < 0)) add(fasttext_bucket(m, hash));
    if (n >= m.max_n || at > size) break;
    hash = fasttext_hash(hash, at < size ? word[at] : u8('>'));
    ++at;
  }
}

// Passes the buckets of the runs of 2 to `word_ngrams` words from word i on to `add`, from the words' hashes
// (sign-extended, as fastText does).
template <typename Add>
CURATE_HD void fasttext_word_ngrams_from(const FastTextView& m, const u32* hashes, i64 count, i64 i, Add&& add) {
  u64 hash = static_cast<u64>(static_cast<i64>(static_cast<i32>(hashes[i])));
  for (i64 j = i + 1; j < count && j < i + m.word_ngrams; ++j) {
    hash = hash * 116049371u + static_cast<u64>(static_cast<i64>(static_cast<i32>(hashes[j])));
    add(fasttext_wide_bucket(m, hash));
  }
}

// N-grams of a pruned model on their way to rows. Whether one survived pruning is as good as random, so the
// filter's answer moves the end of a list instead of choosing a branch.
struct FastTextNgrams {
  static constexpr i32 ROOM = 256;
  u32 buckets[ROOM];
  i32 count = 0;

  CURATE_HD void add(const FastTextView& m, u32 bucket) {
    u32 bit = bucket & m.kept_mask;
    buckets[count] = bucket;
    count += static_cast<i32>((m.kept_filter[bit >> 6] >> (bit & 63)) & 1);
  }
  // Makes room for at least `wanted` more by passing on what is there.
  template <typename Row>
  CURATE_HD void make_room(const FastTextView& m, i32 wanted, Row&& row) {
    if (count + wanted <= ROOM) return;
    for (i32 i = 0; i < count; ++i) CURATE_PREFETCH(m.kept_slots + fasttext_slot(buckets[i], m.kept_shift));
    for (i32 i = 0; i < count; ++i) fasttext_kept_row(m, buckets[i], row);
    count = 0;
  }
};

// The character n-grams of <word>, from each character on, short ones first. A character is a byte and the
// continuation bytes behind it; the marks < and > alone are no n-grams.
template <typename Row>
CURATE_HD void fasttext_subwords(const FastTextView& m, const u8* word, i64 size, Row&& row) {
  FastTextNgrams ngrams;
  for (i64 start = -1; start < size; ++start) {
    if (start >= 0 && fasttext_continuation(word[start])) continue;
    if (!m.pruned) {
      fasttext_ngrams_from(m, word, size, start, [&](u32 bucket) { row(m.words + static_cast<i32>(bucket)); });
      continue;
    }
    ngrams.make_room(m, m.max_n + 1, row);
    fasttext_ngrams_from(m, word, size, start, [&](u32 bucket) { ngrams.add(m, bucket); });
  }
  ngrams.make_room(m, FastTextNgrams::ROOM, row);
}

// The rows of one word: itself if known, then its character n-grams. A word that is spelt like a label has
// none.
template <typename Row>
CURATE_HD void fasttext_word_rows(const FastTextView& m, const u8* word, i64 size, i32 entry, Row&& row) {
  if (entry >= 0) row(entry);
  if (m.max_n > 0 && !fasttext_end_of_sentence(word, size)) fasttext_subwords(m, word, size, row);
}

// Rows for runs of 2 to `word_ngrams` words.
template <typename Row>
CURATE_HD void fasttext_word_ngram_rows(const FastTextView& m, const u32* hashes, i64 count, Row&& row) {
  FastTextNgrams ngrams;
  for (i64 i = 0; i < count; ++i) {
    if (!m.pruned) {
      fasttext_word_ngrams_from(m, hashes, count, i, [&](u32 bucket) { row(m.words + static_cast<i32>(bucket)); });
      continue;
    }
    ngrams.make_room(m, m.word_ngrams, row);
    fasttext_word_ngrams_from(m, hashes, count, i, [&](u32 bucket) { ngrams.add(m, bucket); });
  }
  ngrams.make_room(m, FastTextNgrams::ROOM, row);
}

}  // namespace curate
