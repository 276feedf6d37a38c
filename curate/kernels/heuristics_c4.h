// The integer statistics behind datatrove 0.10's C4QualityFilter, and the text that it leaves behind.
#pragma once
#include "heuristics_datatrove.h"

namespace curate::heuristics {

#define CURATE_DATATROVE_C4(X)                                                                    \
  X(chars, "code points")                                                                         \
  X(lines, "lines as str.splitlines() gives them")                                                \
  X(kept_lines, "lines that stay")                                                                \
  X(kept_chars, "code points of the text that stays")                                             \
  X(words, "words of the text that stays")                                                        \
  X(sentences, "sentences of the lines that stay")                                                \
  X(filler_lines, "lines with \"lorem ipsum\", up to the first one with a curly bracket")         \
  X(bracket_lines, "lines with a curly bracket that would stay otherwise")

#define CURATE_FIELD(name, meaning) i64 name;
struct DatatroveC4 {
  CURATE_DATATROVE_C4(CURATE_FIELD)
};
#undef CURATE_FIELD

namespace c4 {

constexpr i64 LONGEST_WORD = 1000, LEAST_WORDS = 3;

// datatrove's POLICY_SUBSTRINGS, and what drops a page or a line.
CURATE_TABLE Phrase POLICIES[] = {
    {"terms of use", 'm'}, {"privacy policy", 'v'}, {"cookie policy", 'k'},
    {"uses cookies", 'k'}, {"use of cookies", 'k'}, {"use cookies", 'k'},
};
CURATE_TABLE Phrase SCRIPT = {"javascript", 'v'};

struct LineFinds {
  bool filler = false, script = false, bracket = false, policy = false;
};

// Looks for the strings at s[at], where one may be recognised.
CURATE_HD void find_at(const u8* s, i64 n, i64 at, LineFinds& found) {
  const u8 low = lower(s[at]);
  found.bracket |= low == '{';
  found.filler |= low == 'm' && FILLER_PHRASE.at(s, n, at);
  found.script |= low == 'v' && SCRIPT.at(s, n, at);
  if (low == '{' || (low == 0xE2 && !is_kelvin_sign(s + at, n - at))) return;
  for (const Phrase& policy : POLICIES) found.policy |= policy.at(s, n, at);
}

CURATE_HD bool is_anchor(u8 c) {
  const u8 low = lower(c);
  return low == 'k' || low == 'm' || low == 'v' || c == '{' || c == 0xE2;
}

#if defined(CURATE_HEURISTICS_SSE2)

// Which of the 16 bytes at s are anchors that go on as the strings do: ki, va, ms, "m ", a curly bracket, and the
// first two bytes of the Kelvin sign. Some others are among them. Reads ANCHORS_READ bytes.
constexpr i64 ANCHORS_READ = 17;
inline u64 anchors(const u8* s) {
  using namespace sse2;
  const __m128i x = load(s), next = load(s + 1), fold = _mm_set1_epi8(0x20);
  const __m128i low = _mm_or_si128(x, fold), low_next = _mm_or_si128(next, fold);
  const __m128i k = _mm_and_si128(is(low, 'k'), is(low_next, 'i'));
  const __m128i v = _mm_and_si128(is(low, 'v'), is(low_next, 'a'));
  const __m128i m = _mm_and_si128(is(low, 'm'), either(is(low_next, 's'), is(low_next, ' ')));
  const __m128i kelvin = _mm_and_si128(is(x, static_cast<char>(0xE2)), is(next, static_cast<char>(0x84)));
  return mask(either(either(k, v), either(either(m, kelvin), is(x, '{'))), 0);
}

#endif

// `left` >= n bytes may be read.
CURATE_HD LineFinds find_in_line(const u8* s, i64 n, i64 left) {
  LineFinds found;
  i64 at = 0;
#if defined(CURATE_HEURISTICS_SSE2)
  for (; at < n && at + ANCHORS_READ <= left; at += 16) {
    u64 rest = anchors(s + at);
    if (n - at < 16) rest &= (u64(1) << (n - at)) - 1;
    for (; rest; rest &= rest - 1) find_at(s, n, at + lowest_bit(rest), found);
  }
#else
  (void)left;
#endif
  for (; at < n; ++at)
    if (is_anchor(s[at])) find_at(s, n, at, found);
  return found;
}

struct PlainWords {
  i64 words, bytes;  // bytes that are not white space
  bool too_long;     // one is longer than LONGEST_WORD
};

// Words as str.split() gives them, of s[begin .. end], a line of the text that the marks are of.
CURATE_HD PlainWords plain_words(const spacy::TextMarks& marks, const u8* s, i64 begin, i64 end) {
  const spacy::TextMarks::Pieces pieces = marks.pieces(begin, end);
  PlainWords out = {pieces.count, pieces.bytes, false};
  for (i64 at = begin; pieces.solid && at < end;) {
    const i64 chunk = marks.chunk_end(at), size = (chunk < end ? chunk : end) - at;
    out.too_long |= size > LONGEST_WORD && count_code_points(s + at, size) > LONGEST_WORD;
    at = marks.white_end(at + size);
  }
  return out;
}

// Bytes of the citation at s: [edit], [citation needed] or digits in square brackets.
CURATE_HD i64 citation_size(const u8* s, i64 n) {
  i64 at = 1;
  while (at < n) {
    const CodePoint code = decode(s + at, n - at);
    if (!(spacy::properties(code.value) & spacy::DIGIT)) break;
    at += code.size;
  }
  if (at < n && s[at] == ']') return at + 1;
  if (n >= 6 && spacy::equal(s, "[edit]", 6)) return 6;
  return n >= 17 && spacy::equal(s, "[citation needed]", 17) ? 17 : 0;
}

// Copies a line without its citations, to a place that may overlap it from below; the bytes written.
CURATE_HD i64 copy_uncited(const u8* s, i64 n, u8* to) {
  i64 size = 0;
  for (i64 at = 0; at < n;) {
    const void* found = memchr(s + at, '[', static_cast<size_t>(n - at));
    const i64 bracket = found ? static_cast<const u8*>(found) - s : n;
    const i64 citation = found ? citation_size(s + bracket, n - bracket) : 0;
    const i64 end = found && citation == 0 ? bracket + 1 : bracket;
    memmove(to + size, s + at, static_cast<size_t>(end - at));
    size += end - at;
    at = end + citation;
  }
  return size;
}

CURATE_HD bool is_ended(const u8* s, i64 n) {
  return n > 0 && is_end_mark(s[n - 1]) && !ends_with(s, n, "...", 3);
}

// Sentences of words first .. end as spaCy's sentencizer counts them: one starts at the first word that is not
// punctuation after one that ends a sentence. White space that is a word starts one as well.
CURATE_HD i64 sentences(const spacy::Words& words, i64 first, i64 end, bool white_after) {
  i64 count = 1;
  bool ended = false;
  for (i64 i = first; i < end; ++i) {
    const u8* word = words.joined + words.begin[i];
    const i64 n = words.begin[i + 1] - words.begin[i];
    bool punctuation = (*word | 0x20) < 'a' || (*word | 0x20) > 'z', ends = false;
    if (punctuation) {
      CodePoint code = {0, 0};
      for (i64 at = 0; at < n && punctuation; at += code.size) {
        code = decode(word + at, n - at);
        punctuation = (spacy::properties(code.value) & spacy::PUNCTUATION) != 0;
      }
      ends = code.size == n && (spacy::properties(code.value) & spacy::SENTENCE_END);
    }
    const bool starts = words.gap[i] == spacy::WHITE || !(punctuation || ends);
    count += ended && starts;
    ended = ends || (ended && !starts);
  }
  return count + (ended && white_after);
}

}  // namespace c4

// Goes through a document line by line and makes the text that stays.
class C4Lines {
 public:
  CURATE_HD C4Lines(Document& document, bool unpunctuated)
      : document_(document),
        unpunctuated_(unpunctuated),
        s_(document.text()),
        edited_(document.edited()),
        marks_(document.marks()),
        out_() {}

  CURATE_HD_CALLED DatatroveC4 run() {
    out_.chars = document_.chars();
    for (i64 at = 0, next = 0; at < document_.size(); at = next) {
      const Span line = stripped(s_, at, line_end(s_, document_.size(), at, &next));
      take_line(line);
      ++out_.lines;
    }
    const Span left = stripped(edited_, 0, end_);
    document_.open_edited(left.begin, left.end - left.begin, out_.words);
    out_.kept_chars = document_.chars();
    return out_;
  }

 private:
  CURATE_HD void take_line(Span line) {
    const i64 size = line.end - line.begin;
    const c4::PlainWords plain = c4::plain_words(marks_, s_, line.begin, line.end);
    const i64 bytes_before = bytes_before_;
    bytes_before_ += plain.bytes;
    if (plain.too_long || plain.words < c4::LEAST_WORDS) return;
    const i64 begin = end_ + (out_.kept_lines > 0);
    u8* to = edited_ + begin;
    const i64 n = c4::copy_uncited(s_ + line.begin, size, to);
    if (!unpunctuated_ && !c4::is_ended(to, n)) return;
    const c4::LineFinds found = c4::find_in_line(to, n, n + spacy::PADDING);
    out_.filler_lines += found.filler && out_.bracket_lines == 0;
    if (found.filler || found.script) return;
    out_.bracket_lines += found.bracket;
    if (found.bracket || found.policy) return;
    if (n == size && document_.has_words()) {
      take_known_words(bytes_before);
    } else {
      const spacy::Words words = document_.words_of(to, n);
      take_words(words, 0, words.count, words.white_after);
    }
    if (out_.kept_lines++ > 0) edited_[end_] = '\n';
    end_ = begin + n;
  }

  // The line's words are among those of the document, since the white space between lines is a word.
  CURATE_HD void take_known_words(i64 bytes_before) {
    const spacy::Words& words = document_.words();
    while (words.begin[word_] < bytes_before) ++word_;
    const i64 first = word_;
    while (words.begin[word_] < bytes_before_) ++word_;
    take_words(words, first, word_, false);
  }

  CURATE_HD void take_words(const spacy::Words& words, i64 first, i64 end, bool white_after) {
    out_.sentences += c4::sentences(words, first, end, white_after);
    out_.words += end - first;
  }

  Document& document_;
  bool unpunctuated_;
  const u8* s_;
  u8* edited_;
  const spacy::TextMarks& marks_;
  DatatroveC4 out_;
  i64 end_ = 0;           // of the text that stays
  i64 bytes_before_ = 0;  // the line, but for white space
  i64 word_ = 0;
};

// `unpunctuated`: lines without an end mark stay. The document becomes the text that stays: the lines, without
// white space around them and without citations, joined by line feeds.
CURATE_HD_CALLED DatatroveC4 measure_datatrove_c4(Document& document, bool unpunctuated) {
  return C4Lines(document, unpunctuated).run();
}

}  // namespace curate::heuristics
