// How far rounding may carry a score from fastText's, and so which texts are added in fastText's order.
//
// fastText adds a text's rows one by one in single precision. Each addition rounds to the last place of the sum so far,
// and a row that comes again is rounded alike, so that the errors of a row that comes c times are c times one of them. A
// sum strays by about 2^-24 * sqrt(F) of itself, where F is the sum of c * c over the rows: as many as there are rows if
// all are different, and their square if all are the same. Sums by word round at other places and stray otherwise.
//
// F is estimated from random signs (Alon, Matias and Szegedy 1996): where every row has a sign, the square of the
// signs' sum over the text is F on average; here it is the mean over FASTTEXT_LANES signs. Such sums add up, so those of
// a word are remembered with it. What has signs are words, by their hashes, and the rows of their character n-grams.
// Runs of words come again only where their words do: F is taken as many times as there are words in a run.
#pragma once
#include "fasttext_output.h"

namespace curate {

constexpr i32 FASTTEXT_LANES = 12;

// How many of up to MOST words and rows have a positive sign, 10 bits for each lane.
struct FastTextSigns {
  static constexpr i64 MOST = 1023;
  static constexpr u64 EACH = 0x0004010040100401ull;  // the lowest bit of each lane
  static constexpr u64 FACTOR = 0x9E3779B97F4A7C15ull;
  static constexpr i32 LOW = 9, HIGH = 4;
  u64 low = 0, high = 0;

  CURATE_HD void add(u32 token) {
    const u64 bits = token * FACTOR;
    low += bits >> LOW & EACH;
    high += bits >> HIGH & EACH;
  }
  // The counts less half of all that were added, in 5 bits for each lane; NOT_PACKED if they do not fit.
  static constexpr u64 NOT_PACKED = ~u64(0);
  CURATE_HD u64 packed(i64 count) const {
    const u64 base = (static_cast<u64>(16) - static_cast<u64>(count >> 1)) * EACH;
    const u64 from_low = low + base, from_high = high + base;
    return (from_low | from_high) & ~(31 * EACH) ? NOT_PACKED : from_low | from_high << 5;
  }
};

// The same of a whole text.
struct FastTextRepeats {
  i64 positive[FASTTEXT_LANES] = {};
  i64 count = 0;

  // counts: of signs. less: what each lane counts too much.
  CURATE_HD void add(const FastTextSigns& counts, i64 less) {
    for (i32 lane = 0; lane < FASTTEXT_LANES / 2; ++lane) {
      positive[2 * lane] += static_cast<i64>(counts.low >> 10 * lane & 1023) - less;
      positive[2 * lane + 1] += static_cast<i64>(counts.high >> 10 * lane & 1023) - less;
    }
  }

  // The mean over the lanes of the squared sum of signs: F.
  CURATE_HD double squares() const {
    double sum = 0.0;
    for (i32 lane = 0; lane < FASTTEXT_LANES; ++lane) {
      const double signs = static_cast<double>(2 * positive[lane] - count);
      sum += signs * signs;
    }
    return sum / FASTTEXT_LANES;
  }
};

// The same of up to MOST words whose signs are packed, on their way to a text's.
class FastTextPackedSigns {
 public:
  static constexpr i32 MOST = FastTextSigns::MOST / 31;

  CURATE_HD void add(u64 packed) {
    sums_.low += packed & (31 * FastTextSigns::EACH);
    sums_.high += packed >> 5 & (31 * FastTextSigns::EACH);
  }
  // words: how many were added; count: of all their signs; halves: the sum of half of each word's, rounded down.
  CURATE_HD void pass_to(i32 words, i64 count, i64 halves, FastTextRepeats* text) const {
    text->add(sums_, 16 * words - halves);
    text->count += count;
  }

 private:
  FastTextSigns sums_;
};

// A score whose standard deviation is estimated above this is added in fastText's order.
constexpr double FASTTEXT_DEVIATION = 1.2e-5;
// A step of the table of fasttext_sigmoid counts as in reach from this many standard deviations.
constexpr double FASTTEXT_STEP_DEVIATIONS = 5.0;

// The squares of a label's weights times the hidden vector, dimension by dimension, summed: what a relative error of 1 in
// each dimension does to the logit, squared. `second`: a label whose weights to take from the first's, or -1.
CURATE_HD double fasttext_logit_squares(const FastTextView& m, const float* hidden, i32 first, i32 second) {
  const double first_norm = m.output_norms ? static_cast<double>(m.output_norms[first]) : 1.0;
  const double second_norm = m.output_norms && second >= 0 ? static_cast<double>(m.output_norms[second]) : 1.0;
  double squares = 0.0;
  for (i64 d = 0; d < m.dim; ++d) {
    double weight = first_norm * static_cast<double>(m.output[d * m.labels + first]);
    if (second >= 0) weight -= second_norm * static_cast<double>(m.output[d * m.labels + second]);
    weight *= static_cast<double>(hidden[d]);
    squares += weight * weight;
  }
  return squares;
}

// The same of the nodes of the tree above the best label: what a logit's error moves between a node's sides.
CURATE_HD double fasttext_tree_squares(const FastTextView& m, const FastTextScratch& s, i32 label, double probability) {
  double squares = 0.0;
  i32 node = label;
  for (i32 inner = 0; inner < m.labels - 1; ++inner) {  // a node stands behind its children
    if (m.left[inner] != node && m.right[inner] != node) continue;
    const float* weights = m.output + static_cast<i64>(inner) * m.dim;
    const float norm = m.output_norms ? m.output_norms[inner] : 1.0f;
    float dot = 0.0f, of_logit = 0.0f;
    for (i32 j = 0; j < m.dim; ++j) {
      const float product = weights[j] * s.hidden[j];
      dot += product;
      of_logit += product * product;
    }
    dot *= norm;
    const double away = 1.0 / (1.0 + exact_exp(static_cast<double>(m.right[inner] == node ? dot : -dot)));
    const double moved = probability * away;
    squares += moved * moved * static_cast<double>(norm * norm * of_logit);
    if (away < 1.0) probability /= 1.0 - away;
    node = inner + m.labels;
  }
  return squares;
}

// The best label's probability moves as p times the mean, by the others' probabilities, of its logit less theirs; the
// square of that mean is at most the mean square.
CURATE_HD double fasttext_softmax_squares(const FastTextView& m, const FastTextScratch& s, i32 label) {
  const double best = static_cast<double>(s.logits[label]);
  double squares = 0.0;
  for (i32 other = 0; other < m.labels; ++other) {
    const double probability = static_cast<double>(s.logits[other]);
    if (other == label || probability < 1e-4) continue;
    squares += probability * fasttext_logit_squares(m, s.hidden, label, other);
  }
  return best * best * (1.0 - best) * squares;
}

// fasttext_sigmoid is a table: whether an error of the logits, whose squared standard deviation is `drift` times its
// squares, may change an entry.
CURATE_HD bool fasttext_steps_in_reach(const FastTextView& m, const FastTextScratch& s, double drift, double most) {
  const double reach = FASTTEXT_STEP_DEVIATIONS * FASTTEXT_STEP_DEVIATIONS * drift;
  for (i32 label = 0; label < m.labels; ++label) {
    const double entry = (static_cast<double>(s.logits[label]) + 8.0) * 32.0;
    if (!(entry > -1.0 && entry < 513.0)) continue;
    const double far = (entry - static_cast<double>(static_cast<i32>(entry + 0.5))) / 32.0;
    if (far * far > reach * most) continue;
    if (!m.output || far * far <= reach * fasttext_logit_squares(m, s.hidden, label, -1)) return true;
  }
  return false;
}

// The first label of such a text where it is left to somebody else.
constexpr i32 FASTTEXT_STRAYS = -2;

// How much a relative error of 1 in each dimension may move a logit, squared.
CURATE_HD double fasttext_most_squares(const FastTextView& m, const float* hidden, double squares, i64 rows) {
  double length = 0.0;
  for (i32 j = 0; j < m.dim; ++j) length += static_cast<double>(hidden[j]) * static_cast<double>(hidden[j]);
  if (m.output) return m.reach * length;
  // Logits alone do not say how long the hidden vector is: that of n unlike rows is as a row's over the root of n.
  return length + m.reach * squares / (static_cast<double>(rows) * static_cast<double>(rows));
}

// Whether the scores that fasttext_best found for sums by word may lie more than 1e-5 from fastText's. rows: how many
// made up the hidden vector; label, probability: the best.
CURATE_HD bool fasttext_strays(const FastTextView& m, const FastTextScratch& s, double squares, i64 rows, i32 label,
                               float probability) {
  if (label < 0 || squares == 0.0) return false;
  if (m.word_ngrams > 1) squares *= m.word_ngrams;
  const double drift = squares * 0x1p-48, most = fasttext_most_squares(m, s.hidden, squares, rows);
  const double p = static_cast<double>(probability) - 1e-5, enough = FASTTEXT_DEVIATION * FASTTEXT_DEVIATION;
  if (m.loss != HIERARCHICAL && m.loss != SOFTMAX) return fasttext_steps_in_reach(m, s, drift, most);
  if (!m.output) return p * (1.0 - p) * p * (1.0 - p) * most * drift > enough;
  // No row of the output layer does more, and few do as much: saves going through them for most texts.
  const double moves = p > 0.5 ? p * (1.0 - p) : 0.25;
  if (moves * moves * most * drift < enough * m.dim) return false;
  const double moved = m.loss == SOFTMAX ? fasttext_softmax_squares(m, s, label) : fasttext_tree_squares(m, s, label, p);
  return moved * drift > enough;
}

// Whether fasttext_strays can be true however alike the `count` words and rows are that have signs: saves estimating F
// for short texts.
CURATE_HD bool fasttext_may_stray(const FastTextView& m, const FastTextScratch& s, i64 count, i64 rows) {
  if (m.loss != HIERARCHICAL && m.loss != SOFTMAX) return true;
  double squares = static_cast<double>(count) * static_cast<double>(count);
  if (m.word_ngrams > 1) squares *= m.word_ngrams;
  // A probability times its complement is at most 1/4. A tenth more is for rounding.
  const double most = fasttext_most_squares(m, s.hidden, squares, rows) * squares * 0x1p-48 * 1.1;
  return !(most < 16.0 * FASTTEXT_DEVIATION * FASTTEXT_DEVIATION * (m.output ? m.dim : 1));
}

}  // namespace curate
