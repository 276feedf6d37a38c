// The integer statistics behind datatrove 0.10's C4QualityFilter, and the text that it leaves behind.
#pragma once
#include "heuristics_datatrove.h"

namespace curate::heuristics {

#define CURATE_DATATROVE_C4(X)                                                                    \
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

CURATE_HD LineFinds find_in_line(const u8* s, i64 n) {
  LineFinds found;
  for (i64 at = 0; at < n; ++at) {
    const u8 c = s[at], low = lower(c);
    found.bracket |= c == '{';
    if (low != 'm' && low != 'v' && low != 'k' && !is_kelvin_sign(s + at, n - at)) continue;
    found.filler |= low == 'm' && FILLER_PHRASE.at(s, n, at);
    found.script |= low == 'v' && SCRIPT.at(s, n, at);
    for (const Phrase& policy : POLICIES) found.policy |= policy.at(s, n, at);
  }
  return found;
}

// Words as str.split() gives them; -1 where one is longer than LONGEST_WORD.
CURATE_HD i64 plain_words(const u8* s, i64 n) {
  i64 words = 0, chars = 0;
  for (i64 at = 0; at < n;) {
    const CodePoint code = decode(s + at, n - at);
    if (is_white_space(code.value)) {
      chars = 0;
    } else {
      words += chars++ == 0;
      if (chars > LONGEST_WORD) return -1;
    }
    at += code.size;
  }
  return words;
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

// Copies a line without its citations; the bytes written.
CURATE_HD i64 copy_uncited(const u8* s, i64 n, u8* to) {
  i64 size = 0;
  for (i64 at = 0; at < n;) {
    const i64 citation = s[at] == '[' ? citation_size(s + at, n - at) : 0;
    if (citation == 0) to[size++] = s[at++];
    at += citation;
  }
  return size;
}

CURATE_HD bool is_ended(const u8* s, i64 n) {
  return n > 0 && is_end_mark(s[n - 1]) && !ends_with(s, n, "...", 3);
}

// Sentences as spaCy's sentencizer counts them: one starts at the first word that is not punctuation after one that
// ends a sentence. White space that is a word starts one as well.
CURATE_HD i64 sentences(const spacy::Words& words) {
  i64 count = 1;
  bool ended = false;
  for (i64 i = 0; i < words.count; ++i) {
    const u8* word = words.joined + words.begin[i];
    const i64 n = words.begin[i + 1] - words.begin[i];
    bool punctuation = true;
    CodePoint code = {0, 0};
    for (i64 at = 0; at < n && punctuation; at += code.size) {
      code = decode(word + at, n - at);
      punctuation = (spacy::properties(code.value) & spacy::PUNCTUATION) != 0;
    }
    const bool ends = code.size == n && (spacy::properties(code.value) & spacy::SENTENCE_END);
    const bool starts = words.gap[i] == spacy::WHITE || !(punctuation || ends);
    count += ended && starts;
    ended = ends || (ended && !starts);
  }
  return count + (ended && words.white_after);
}

}  // namespace c4

// `unpunctuated`: lines without an end mark stay. The document becomes the text that stays: the lines, without
// white space around them and without citations, joined by line feeds.
CURATE_HD DatatroveC4 measure_datatrove_c4(Document& document, bool unpunctuated) {
  DatatroveC4 out = {};
  const u8* s = document.text();
  u8* edited = document.edited();
  i64 end = 0;
  for (i64 at = 0, next = 0; at < document.size(); at = next) {
    const Span line = stripped(s, at, line_end(s, document.size(), at, &next));
    ++out.lines;
    const i64 plain = c4::plain_words(s + line.begin, line.end - line.begin);
    if (plain < c4::LEAST_WORDS) continue;
    const i64 begin = end + (out.kept_lines > 0);
    u8* to = edited + begin;
    const i64 n = c4::copy_uncited(s + line.begin, line.end - line.begin, to);
    if (!unpunctuated && !c4::is_ended(to, n)) continue;
    const c4::LineFinds found = c4::find_in_line(to, n);
    out.filler_lines += found.filler && out.bracket_lines == 0;
    if (found.filler || found.script) continue;
    out.bracket_lines += found.bracket;
    if (found.bracket || found.policy) continue;
    const spacy::Words words = document.words_of(to, n);
    out.sentences += c4::sentences(words);
    out.words += words.count;
    if (out.kept_lines++ > 0) edited[end] = '\n';
    end = begin + n;
  }
  const Span left = stripped(edited, 0, end);
  document.open_edited(left.begin, left.end - left.begin, out.words);
  out.kept_chars = document.chars();
  return out;
}

}  // namespace curate::heuristics
