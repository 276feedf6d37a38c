// The integer statistics behind datatrove 0.10's filters for English: GopherRepetition, GopherQuality, FineWebQuality.
//
// Words are spaCy's (spacy_words.h), lengths are in code points.
#pragma once
#include "heuristics_datatrove_repeats.h"

namespace curate::heuristics {

#define CURATE_DATATROVE_REPETITION(X)                                                             \
  X(chars, "code points")                                                                          \
  X(paragraphs, "pieces of the stripped text between runs of two or more line feeds")              \
  X(copied_paragraphs, "paragraphs equal to an earlier one")                                       \
  X(copied_paragraph_chars, "code points of copied_paragraphs")                                    \
  X(lines, "pieces between runs of line feeds, an empty one at either end included")               \
  X(copied_lines, "lines equal to an earlier one")                                                 \
  X(copied_line_chars, "code points of copied_lines")                                              \
  X(top_2_gram_chars, "code points of the most frequent 2-gram, words joined by spaces, times its count") \
  X(top_3_gram_chars, "code points of the most frequent 3-gram, words joined by spaces, times its count") \
  X(top_4_gram_chars, "code points of the most frequent 4-gram, words joined by spaces, times its count") \
  X(copied_5_gram_chars, "code points of 5-grams that occurred before, without overlap")           \
  X(copied_6_gram_chars, "code points of 6-grams that occurred before, without overlap")           \
  X(copied_7_gram_chars, "code points of 7-grams that occurred before, without overlap")           \
  X(copied_8_gram_chars, "code points of 8-grams that occurred before, without overlap")           \
  X(copied_9_gram_chars, "code points of 9-grams that occurred before, without overlap")           \
  X(copied_10_gram_chars, "code points of 10-grams that occurred before, without overlap")

#define CURATE_DATATROVE_QUALITY(X)                                                 \
  X(words, "words")                                                                 \
  X(alphabetic_words, "words with a letter")                                        \
  X(non_symbol_words, "words with a character that is not punctuation or control")  \
  X(non_symbol_chars, "code points of non_symbol_words")                            \
  X(stop_words, "how many of the be to of and that have with are words")            \
  X(hashes, "# characters")                                                         \
  X(ellipses, "three full stops, and ellipsis characters")                          \
  X(lines, "lines as str.splitlines() gives them")                                  \
  X(bullet_lines, "lines that start with a bullet or a hyphen")                     \
  X(ellipsis_lines, "lines that end with an ellipsis")

#define CURATE_DATATROVE_FINEWEB(X)                                \
  X(words, "words")                                                \
  X(newlines, "line feeds")                                        \
  X(lines, "pieces between line feeds that are not blank")         \
  X(line_chars, "code points but line feeds")                      \
  X(ended_lines, "lines whose last character ends a sentence")     \
  X(short_lines, "lines of at most 30 code points")                \
  X(copied_line_chars, "code points of lines equal to an earlier one")

#define CURATE_FIELD(name, meaning) i64 name;
struct DatatroveRepetition {
  CURATE_DATATROVE_REPETITION(CURATE_FIELD)
};
struct DatatroveQuality {
  CURATE_DATATROVE_QUALITY(CURATE_FIELD)
};
struct DatatroveFineweb {
  CURATE_DATATROVE_FINEWEB(CURATE_FIELD)
};
#undef CURATE_FIELD

CURATE_HD_CALLED DatatroveRepetition measure_datatrove_repetition(Document& document) {
  DatatroveRepetition out = {};
  const u8* text = document.text();
  FirstTable table = document.table();
  const int free = Document::FREE_LIST;
  const Outline outline = {text, document.size(), document.ascii(), {}, {}, nullptr, nullptr, {}};
  Parts paragraphs = {document.list(free), document.list(free + 1), 0}, lines = paragraphs;
  const Span inside = stripped(text, 0, document.size());
  split_at_runs(text, inside.begin, inside.end, 2, paragraphs);
  count_copies(outline, paragraphs, table, &out.copied_paragraphs, &out.copied_paragraph_chars);
  split_at_runs(text, 0, document.size(), 1, lines);
  count_copies(outline, lines, table, &out.copied_lines, &out.copied_line_chars);
  out.chars = document.chars();
  out.paragraphs = paragraphs.count;
  out.lines = lines.count;
  TopGrams top(document);
  out.top_2_gram_chars = top.chars();
  top.lengthen();
  out.top_3_gram_chars = top.chars();
  top.lengthen();
  out.top_4_gram_chars = top.chars();
  CopiedGrams copied(document);
  i64* const chars[] = {&out.copied_5_gram_chars, &out.copied_6_gram_chars, &out.copied_7_gram_chars,
                        &out.copied_8_gram_chars, &out.copied_9_gram_chars, &out.copied_10_gram_chars};
  for (int n = 5; n <= 10; ++n) *chars[n - 5] = copied.chars(n);
  return out;
}

struct WordKind {
  bool letter, symbol;  // has a letter; has nothing but punctuation and control characters
};

CURATE_HD WordKind kind_of(const u8* word, i64 n) {
  WordKind kind = {false, true};
  for (i64 at = 0; at < n && (!kind.letter || kind.symbol);) {
    const CodePoint code = decode(word + at, n - at);
    const u32 has = spacy::properties(code.value);
    kind.letter |= (has & spacy::LETTER) != 0;
    kind.symbol &= (has & spacy::SYMBOL) != 0;
    at += code.size;
  }
  return kind;
}

CURATE_HD_CALLED void take_words(Document& document, DatatroveQuality& out) {
  const spacy::Words& words = document.words();
  const i64 count = words.count;
  const u32* begin = words.begin;
  u32* others = document.list(Document::FREE_LIST);  // words that do not start with an ASCII letter
  i64 other_count = 0;
  for (i64 i = 0; i < count; ++i) {
    const u8 low = words.joined[begin[i]] | 0x20;
    others[other_count] = static_cast<u32>(i);
    other_count += (low < 'a') | (low > 'z');
  }
  out.words = out.alphabetic_words = out.non_symbol_words = count;
  out.non_symbol_chars = document.chars(words.joined, begin[count]);
  for (i64 k = 0; k < other_count; ++k) {
    const u32 i = others[k];
    const u8* word = words.joined + begin[i];
    const WordKind kind = kind_of(word, begin[i + 1] - begin[i]);
    out.alphabetic_words -= !kind.letter;
    out.non_symbol_words -= kind.symbol;
    out.non_symbol_chars -= kind.symbol ? document.word_chars(word, begin[i + 1] - begin[i]) : 0;
  }
  u32 stop_words = 0;
  for (i64 i = 0; i < count && stop_words != EVERY_COMMON_WORD; ++i)
    stop_words |= common_word(load8(words.joined + begin[i]), begin[i + 1] - begin[i]);
  out.stop_words = count_bits(stop_words);
}

// Counts # and ellipses, from left to right.
class Symbols {
 public:
  CURATE_HD Symbols(Document& document, DatatroveQuality& out) : s_(document.text()), size_(document.size()), out_(out) {}

  CURATE_HD void take() {
    i64 at = 0;
#if defined(CURATE_HEURISTICS_SSE2)
    using namespace sse2;
    for (; at + 16 <= size_; at += 16) {
      const __m128i x = load(s_ + at);
      const __m128i symbols = either(is(x, '#'), either(is(x, '.'), is(x, static_cast<char>(0xE2))));
      for (u64 rest = mask(symbols, 0); rest; rest &= rest - 1) take_byte(at + lowest_bit(rest));
    }
#endif
    for (; at < size_; ++at) take_byte(at);
  }

 private:
  CURATE_HD void take_byte(i64 at) {
    const u8 c = s_[at];
    out_.hashes += c == '#';
    out_.ellipses += c == 0xE2 && at + 2 < size_ && s_[at + 1] == 0x80 && s_[at + 2] == 0xA6;
    if (c != '.') return;
    dots_ = at == after_dots_ ? dots_ + 1 : 1;
    after_dots_ = at + 1;
    if (dots_ < 3) return;
    ++out_.ellipses;
    dots_ = 0;
  }

  const u8* s_;
  i64 size_;
  DatatroveQuality& out_;
  i64 dots_ = 0, after_dots_ = -1;
};

CURATE_HD_CALLED DatatroveQuality measure_datatrove_quality(Document& document) {
  DatatroveQuality out = {};
  heuristics::take_words(document, out);
  Symbols(document, out).take();
  const u8* s = document.text();
  for (i64 at = 0, next = 0; at < document.size(); at = next) {
    const Span line = stripped(s, at, line_end(s, document.size(), at, &next));
    const u8* begin = s + line.begin;
    const i64 n = line.end - line.begin;
    ++out.lines;
    out.bullet_lines += n > 0 && (begin[0] == '-' || (n > 2 && spacy::equal(begin, "\xE2\x80\xA2", 3)));
    out.ellipsis_lines += ends_with(begin, n, "...", 3) || ends_with(begin, n, "\xE2\x80\xA6", 3);
  }
  return out;
}

CURATE_HD_CALLED DatatroveFineweb measure_datatrove_fineweb(Document& document) {
  constexpr i64 SHORT = 30;
  DatatroveFineweb out = {};
  const u8* s = document.text();
  const int free = Document::FREE_LIST;
  Parts lines = {document.list(free), document.list(free + 1), 0};
  for (i64 at = 0; at <= document.size();) {
    const void* found = memchr(s + at, '\n', static_cast<size_t>(document.size() - at));
    const i64 end = found ? static_cast<const u8*>(found) - s : document.size();
    out.newlines += found != nullptr;
    const i64 n = end - at;
    if (stripped(s, at, end).begin < end) {
      add_part(lines, at, end);
      out.ended_lines += (spacy::properties_before(s + at, n) & spacy::TERMINAL) != 0;
      out.short_lines += n <= SHORT || (n <= 4 * SHORT && document.chars(s + at, n) <= SHORT);
    }
    at = end + 1;
  }
  const Outline outline = {s, document.size(), document.ascii(), {}, {}, nullptr, nullptr, {}};
  FirstTable table = document.table();
  i64 copies;
  count_copies(outline, lines, table, &copies, &out.copied_line_chars);
  out.lines = lines.count;
  out.line_chars = document.chars() - out.newlines;
  out.words = document.word_count();
  return out;
}

}  // namespace curate::heuristics
