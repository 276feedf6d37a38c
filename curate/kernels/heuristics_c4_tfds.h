// The integer statistics behind C4 as TensorFlow Datasets makes it (text/c4_utils.py, clean_page), and the text left.
//
// Sentences are those that spaCy's sentencizer counts in each line; the reference has nltk's Punkt model there.
#pragma once
#include "heuristics_c4.h"
#include "heuristics_lines.h"

namespace curate::heuristics {

#define CURATE_C4(X)                                                                              \
  X(chars, "code points")                                                                         \
  X(lines, "lines as str.splitlines() gives them")                                                \
  X(kept_lines, "lines that stay")                                                                \
  X(kept_chars, "code points of the text that stays")                                             \
  X(sentences, "sentences of the lines that stay")                                                \
  X(filler_lines, "lines with \"lorem ipsum\" that would stay otherwise, before any curly bracket") \
  X(bracket_lines, "lines with a curly bracket that would stay otherwise")

#define CURATE_FIELD(name, meaning) i64 name;
struct C4 {
  CURATE_C4(CURATE_FIELD)
};
#undef CURATE_FIELD

namespace c4 {

constexpr i64 LEAST_LINE_WORDS = 5;

CURATE_HD bool is_ended_line(const u8* s, i64 n) { return is_ended(s, n) && s[n - 1] != '\''; }

}  // namespace c4

class C4Page {
 public:
  CURATE_HD explicit C4Page(Document& document)
      : document_(document), edited_(document.edited()), marks_(document.marks()), out_() {}

  CURATE_HD C4 run() {
    const u8* s = document_.text();
    out_.chars = document_.chars();
    for (i64 at = 0, next = 0; at < document_.size(); at = next) {
      take_line(stripped(s, at, line_end(s, document_.size(), at, &next)));
      ++out_.lines;
    }
    const Span left = stripped(edited_, 0, end_);
    document_.open_edited(left.begin, left.end - left.begin, -1);
    out_.kept_chars = document_.chars();
    return out_;
  }

 private:
  CURATE_HD void take_line(Span line) {
    const c4::PlainWords plain = c4::plain_words(marks_, document_.text(), line.begin, line.end);
    if (plain.too_long) return;
    const i64 begin = end_ + (out_.kept_lines > 0), size = line.end - line.begin;
    u8* to = edited_ + begin;
    const i64 n = c4::copy_uncited(document_.text() + line.begin, size, to);
    const i64 least = c4::LEAST_LINE_WORDS;
    if (!c4::is_ended_line(to, n) || (n == size ? plain.words : count_words(to, n, least)) < least) return;
    const c4::LineFinds found = c4::find_in_line(to, n, n + spacy::PADDING);
    out_.filler_lines += found.filler && out_.bracket_lines == 0;
    if (found.filler || found.script) return;
    out_.bracket_lines += found.bracket;
    if (found.bracket || found.policy) return;
    const spacy::Words words = document_.words_of(to, n);
    out_.sentences += c4::sentences(words, 0, words.count, words.white_after);
    if (out_.kept_lines++ > 0) edited_[end_] = '\n';
    end_ = begin + n;
  }

  Document& document_;
  u8* edited_;
  const spacy::TextMarks& marks_;
  C4 out_;
  i64 end_ = 0;  // of the text that stays
};

// The document becomes the text that stays.
CURATE_HD_CALLED C4 measure_c4(Document& document) { return C4Page(document).run(); }

}  // namespace curate::heuristics
