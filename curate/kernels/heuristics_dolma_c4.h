// The integer statistics behind Dolma 1.2.1's tagger c4_v1, and the text without the lines that it marks as ended by
// no punctuation.
#pragma once
#include "heuristics_c4.h"
#include "heuristics_lines.h"

namespace curate::heuristics {

#define CURATE_DOLMA_C4(X)                                                         \
  X(chars, "code points")                                                          \
  X(raw_lines, "pieces between line feeds")                                        \
  X(unended_lines, "raw_lines that end with none of . ? ! \", but for white space") \
  X(brief_lines, "raw_lines of fewer than three words")                            \
  X(script_words, "words that are \"javascript\"")                                 \
  X(filler_lines, "raw_lines with \"lorem ipsum\"")                                \
  X(bracket_lines, "raw_lines with an opening curly bracket")                      \
  X(kept_chars, "code points of the text that stays")

#define CURATE_FIELD(name, meaning) i64 name;
struct DolmaC4 {
  CURATE_DOLMA_C4(CURATE_FIELD)
};
#undef CURATE_FIELD

class DolmaC4Page {
 public:
  CURATE_HD explicit DolmaC4Page(Document& document) : document_(document), out_() {}

  CURATE_HD DolmaC4 run() {
    const u8* s = document_.text();
    const i64 size = document_.size();
    i64 left = 0;
    out_.chars = document_.chars();
    for (i64 at = 0; at <= size;) {
      const i64 feed = feed_after(s, size, at), next = feed < size ? feed + 1 : feed;
      if (take_line(s + at, feed - at, size - at)) {
        memmove(document_.edited() + left, s + at, static_cast<size_t>(next - at));
        left += next - at;
      }
      at = feed + 1;
    }
    document_.open_edited(0, left, -1);
    out_.kept_chars = document_.chars();
    return out_;
  }

 private:
  // Whether the line stays. `left` >= n bytes may be read.
  CURATE_HD bool take_line(const u8* s, i64 n, i64 left) {
    const Span line = stripped(s, 0, n);
    const u8 last = line.end > line.begin ? s[line.end - 1] : 0;
    const bool ended = is_end_mark(last) && last != '\'';
    const c4::LineFinds found = c4::find_in_line(s, n, left);
    ++out_.raw_lines;
    out_.unended_lines += !ended;
    out_.brief_lines += count_words(s, n, c4::LEAST_WORDS) < c4::LEAST_WORDS;
    out_.filler_lines += found.filler;
    out_.bracket_lines += found.bracket;
    if (found.script) count_scripts(s, n);
    return ended;
  }

  CURATE_HD void count_scripts(const u8* s, i64 n) {
    int size = 1;
    for (i64 at = 0; at < n;) {
      i64 end = at;
      while (end < n && !is_white_at(s, n, end, &size)) end += size;
      out_.script_words += end - at == 10 && starts_folded(s, end, at, "javascript");
      at = end < n ? end + size : n;
    }
  }

  Document& document_;
  DolmaC4 out_;
};

// The document becomes the text that stays.
CURATE_HD_CALLED DolmaC4 measure_dolma_c4(Document& document) { return DolmaC4Page(document).run(); }

}  // namespace curate::heuristics
