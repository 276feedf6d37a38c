// The output layer of a fastText model: from a hidden vector to the best labels and their probabilities.
//
// A label's score is ln(p + 0.00001), rounded to float, as in fastText, and its probability e to that score:
// so probabilities stand 0.00001 above the model's own. Of equal scores the later label goes first.
#pragma once
#include "fasttext.h"

namespace curate {

CURATE_HD float fasttext_log(float p) { return static_cast<float>(exact_log(static_cast<double>(p) + 1e-5)); }

CURATE_HD float fasttext_expf(float x) { return static_cast<float>(exact_exp(static_cast<double>(x))); }

// The k best labels so far, best first; scores below `count` are filled in.
struct FastTextBest {
  i32* labels;
  float* scores;
  i32 k, count;

  CURATE_HD bool full() const { return count == k; }
  CURATE_HD void offer(i32 label, float score) {
    if (count == k && score < scores[k - 1]) return;
    i32 at = count < k ? count++ : k - 1;
    for (; at > 0 && !(score < scores[at - 1]); --at) {
      labels[at] = labels[at - 1];
      scores[at] = scores[at - 1];
    }
    labels[at] = label;
    scores[at] = score;
  }
};

// Walks the tree of a hierarchical softmax from its root, left before right, leaving out branches whose
// probability is below 0.00001 or that cannot reach the k best. False if an inner product is not a number.
CURATE_HD bool fasttext_tree(const FastTextView& m, const FastTextScratch& s, FastTextBest* best) {
  float floor = fasttext_log(0.0f);
  i64 depth = 0;
  s.nodes[depth] = 2 * m.labels - 2;
  s.node_scores[depth++] = 0.0f;
  while (depth > 0) {
    i32 node = s.nodes[--depth];
    float score = s.node_scores[depth];
    if (score < floor || (best->full() && score < best->scores[best->k - 1])) continue;
    if (node < m.labels) {
      best->offer(node, score);
      continue;
    }
    i32 inner = node - m.labels;
    const float* weights = m.output + static_cast<i64>(inner) * m.dim;
    float dot = 0.0f;
    for (i32 j = 0; j < m.dim; ++j) dot += weights[j] * s.hidden[j];
    if (m.output_norms) dot *= m.output_norms[inner];
    if (!(dot == dot)) return false;
    float right = static_cast<float>(1.0 / static_cast<double>(1.0f + fasttext_expf(-dot)));
    s.nodes[depth] = m.right[inner];
    s.node_scores[depth++] = score + fasttext_log(right);
    s.nodes[depth] = m.left[inner];
    s.node_scores[depth++] = score + fasttext_log(static_cast<float>(1.0 - static_cast<double>(right)));
  }
  return true;
}

// Inner products of hidden with every row of the output matrix, which a folded model's hidden vector is already. False
// if one is not finite.
CURATE_HD bool fasttext_logits(const FastTextView& m, const FastTextScratch& s) {
  for (i32 i = 0; i < m.labels; ++i) s.logits[i] = m.output ? 0.0f : s.hidden[i];
  for (i32 j = 0; m.output && j < m.dim; ++j) {
    const float* weights = m.output + static_cast<i64>(j) * m.labels;
    float x = s.hidden[j];
    for (i32 i = 0; i < m.labels; ++i) s.logits[i] += weights[i] * x;
  }
  if (m.output_norms)
    for (i32 i = 0; i < m.labels; ++i) s.logits[i] *= m.output_norms[i];
  for (i32 i = 0; i < m.labels; ++i)
    if (!(s.logits[i] - s.logits[i] == 0.0f)) return false;
  return true;
}

CURATE_HD void fasttext_softmax(const FastTextView& m, float* logits) {
  float top = logits[0], sum = 0.0f;
  for (i32 i = 1; i < m.labels; ++i) top = logits[i] < top ? top : logits[i];
  for (i32 i = 0; i < m.labels; ++i) {
    logits[i] = fasttext_expf(logits[i] - top);
    sum += logits[i];
  }
  for (i32 i = 0; i < m.labels; ++i) logits[i] /= sum;
}

// The logistic function from a table of 513 values over [-8, 8], as in fastText; 0 and 1 outside.
CURATE_HD float fasttext_sigmoid(const FastTextView& m, float x) {
  if (x < -8.0f) return 0.0f;
  if (x > 8.0f) return 1.0f;
  return m.sigmoid[static_cast<i32>((x + 8.0f) * 512.0f / 8.0f / 2.0f)];
}

CURATE_HD float fasttext_sigmoid_entry(i32 i) {
  float x = static_cast<float>(i * 16) / 512.0f - 8.0f;
  return static_cast<float>(1.0 / (1.0 + static_cast<double>(fasttext_expf(-x))));
}

// The k best labels for the hidden vector in s: indices, -1 where there is none, and probabilities, 0 there.
CURATE_HD void fasttext_best(const FastTextView& m, const FastTextScratch& s, i32 k, i32* labels,
                             float* scores) {
  FastTextBest best{labels, scores, k, 0};
  bool sound = true;
  if (m.loss == HIERARCHICAL) {
    sound = fasttext_tree(m, s, &best);
  } else if ((sound = fasttext_logits(m, s))) {
    if (m.loss == SOFTMAX) fasttext_softmax(m, s.logits);
    double least = 0.0;  // a probability under this cannot be among the best: saves most logarithms
    for (i32 i = 0; i < m.labels; ++i) {
      float p = m.loss == SOFTMAX ? s.logits[i] : fasttext_sigmoid(m, s.logits[i]);
      if (static_cast<double>(p) + 1e-5 < least) continue;
      best.offer(i, fasttext_log(p));
      if (best.full()) least = exact_exp(static_cast<double>(scores[k - 1])) * 0.9999;
    }
  }
  if (!sound) best.count = 0;
  for (i32 i = 0; i < best.count; ++i) scores[i] = fasttext_expf(scores[i]);
  for (i32 i = best.count; i < k; ++i) {
    labels[i] = -1;
    scores[i] = 0.0f;
  }
}

}  // namespace curate
