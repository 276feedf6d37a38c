// The integer statistics behind datatrove 0.10's filters for English: GopherRepetition, GopherQuality, FineWebQuality.
//
// Words are spaCy's (spacy_words.h), lengths are in code points.
#pragma once
#include "heuristics_repeats.h"
#include "spacy_words.h"

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

// A text, its words once they are asked for, and memory to measure it with.
class Document {
 public:
  // 64-bit words of memory for texts of up to `bytes` bytes, of which ordinary text touches a fraction.
  CURATE_HD static i64 memory_words(i64 bytes) {
    const i64 parts = bytes + 2, slots = FirstTable::slots(parts);
    return slots + (slots + 10 * parts) / 2 + (5 * parts + 4 * spacy::PADDING) / 8 + 8;
  }

  CURATE_HD Document(i64 longest, u64* memory)
      : parts_(longest + 2), slots_(FirstTable::slots(parts_)), keys_(memory) {
    u32* at = reinterpret_cast<u32*>(memory + slots_);
    items_ = at;
    at += slots_;
    for (u32*& part : lists_) part = (at += parts_) - parts_;
    u8* bytes = reinterpret_cast<u8*>(at);
    auto take = [&] { return (bytes += parts_ + spacy::PADDING) - parts_ - spacy::PADDING; };
    words_memory_ = {take(), list(0), list(1), list(2), nullptr, nullptr, nullptr};
    edited_ = take();
    words_memory_.gap = bytes;
    words_memory_.other_gap = bytes + parts_;
    words_memory_.lengths = bytes + 2 * parts_;
  }

  CURATE_HD void open(const u8* text, i64 size) {
    text_ = text;
    size_ = size;
    chars_ = count_code_points(text, size);
    has_words_ = false;
    word_count_ = -1;
  }

  CURATE_HD const u8* text() const { return text_; }
  CURATE_HD i64 size() const { return size_; }
  CURATE_HD i64 chars() const { return chars_; }
  CURATE_HD bool ascii() const { return chars_ == size_; }
  CURATE_HD i64 chars(const u8* s, i64 n) const { return ascii() ? n : count_code_points(s, n); }

  CURATE_HD const spacy::Words& words() {
    if (!has_words_) {
      words_ = spacy::Tokenizer(words_memory_).run(text_, size_);
      has_words_ = true;
      word_count_ = words_.count;
    }
    return words_;
  }
  CURATE_HD i64 word_count() { return word_count_ >= 0 ? word_count_ : words().count; }

  // Words of another text, until words() or this is called again.
  CURATE_HD spacy::Words words_of(const u8* text, i64 size) {
    has_words_ = false;
    return spacy::Tokenizer(words_memory_).run(text, size);
  }

  // Room for an edited text, at most as long, that `open_edited` puts in place of this one.
  CURATE_HD u8* edited() { return edited_; }
  CURATE_HD void open_edited(i64 begin, i64 size, i64 words) {
    open(edited_ + begin, size);
    word_count_ = words;
  }

  CURATE_HD FirstTable table() { return FirstTable(keys_, items_); }

  // Lists 0 to 2 belong to the words; the others are free.
  static constexpr int FREE_LIST = 3, LISTS = 10;
  CURATE_HD u32* list(int place) { return lists_[place]; }

 private:
  i64 parts_, slots_;
  u64* keys_;
  u32* items_;
  u32* lists_[LISTS];
  u8* edited_;
  spacy::WordsMemory words_memory_;
  const u8* text_ = nullptr;
  i64 size_ = 0, chars_ = 0, word_count_ = -1;
  spacy::Words words_ = {};
  bool has_words_ = false;
};

// The end of the line that starts at `at` as str.splitlines() has it; `next` becomes where the next one starts.
CURATE_HD i64 line_end(const u8* s, i64 size, i64 at, i64* next) {
  for (; at < size; ++at) {
    const u8 c = s[at];
    if (c > 0x1E && c < 0x80) continue;
    i64 n = 0;
    if ((c >= 10 && c <= 13) || (c >= 0x1C && c <= 0x1E)) n = c == '\r' && at + 1 < size && s[at + 1] == '\n' ? 2 : 1;
    if (c == 0xC2 && at + 1 < size && s[at + 1] == 0x85) n = 2;
    if (c == 0xE2 && at + 2 < size && s[at + 1] == 0x80 && (s[at + 2] == 0xA8 || s[at + 2] == 0xA9)) n = 3;
    if (n == 0) continue;
    *next = at + n;
    return at;
  }
  *next = size;
  return size;
}

struct Span {
  i64 begin, end;
};

// Without white space at either end.
CURATE_HD Span stripped(const u8* s, i64 begin, i64 end) {
  while (begin < end) {
    const CodePoint code = decode(s + begin, end - begin);
    if (!is_white_space(code.value)) break;
    begin += code.size;
  }
  while (begin < end) {
    const CodePoint code = spacy::decode_before(s + begin, end - begin);
    if (!is_white_space(code.value)) break;
    end -= code.size;
  }
  return {begin, end};
}

CURATE_HD bool ends_with(const u8* s, i64 n, const char* wanted, i64 size) {
  return n >= size && spacy::equal(s + n - size, wanted, size);
}

CURATE_HD void add_part(Parts& parts, i64 begin, i64 end) {
  parts.begin[parts.count] = static_cast<u32>(begin);
  parts.end[parts.count++] = static_cast<u32>(end);
}

// The pieces of s[begin .. end] between runs of at least `run` line feeds.
CURATE_HD void split_at_runs(const u8* s, i64 begin, i64 end, i64 run, Parts& parts) {
  i64 from = begin;
  for (i64 at = begin; at < end;) {
    const void* found = memchr(s + at, '\n', static_cast<size_t>(end - at));
    if (!found) break;
    const i64 newline = static_cast<const u8*>(found) - s;
    for (at = newline; at < end && s[at] == '\n';) ++at;
    if (at - newline < run) continue;
    add_part(parts, from, newline);
    from = at;
  }
  add_part(parts, from, end);
}

// datatrove joins the words of a longer n-gram without spaces and compares the strings, so that words may be cut
// elsewhere. It goes from left to right, and after a copy on from the end of it.
class CopiedGrams {
 public:
  CURATE_HD CopiedGrams(Document& document) : document_(document), words_(document.words()), table_(document.table()) {
    find_candidates();
  }

  CURATE_HD i64 chars(i64 n) {
    const u8* s = words_.joined;
    const u32* begin = words_.begin;
    auto same = [&](u32 a, u32 b) {
      const i64 size = begin[b + n] - begin[b];
      return size == begin[a + n] - begin[a] && same_bytes(s + begin[a], s + begin[b], size);
    };
    table_.clear(count_);
    i64 chars = 0, next = 0;
    for (i64 c = 0; c < count_; ++c) {
      const i64 i = candidates_[c];
      if (i < next || i + n > words_.count) continue;
      const i64 size = begin[i + n] - begin[i];
      if (table_.add(hash_bytes(s + begin[i], size), static_cast<u32>(i), same) == i) continue;
      chars += document_.chars(s + begin[i], size);
      next = i + n;
    }
    return chars;
  }

 private:
  static constexpr i64 SHORTEST = 5, HEAD = 16;

  // Equal grams of HEAD bytes or more start with the same HEAD bytes: all others but short ones are left out.
  CURATE_HD void find_candidates() {
    const u8* s = words_.joined;
    const u32* begin = words_.begin;
    u32* again = document_.list(Document::FREE_LIST + 1);
    auto same = [&](u32 a, u32 b) { return same_bytes(s + begin[a], s + begin[b], HEAD); };
    const i64 end = begin[words_.count];
    table_.clear(words_.count);
    for (i64 i = 0; i < words_.count; ++i) {
      again[i] = begin[i] + HEAD > end;
      if (again[i]) continue;
      const u64 first = load8(s + begin[i]), second = load8(s + begin[i] + 8);
      const u64 key = ((first ^ second * 0xD1342543DE82EF95u) * kGolden) >> 1;
      const u32 found = table_.add(key, static_cast<u32>(i), same);
      again[found] |= found != i;
      again[i] = found != i;
    }
    for (i64 i = 0; i + SHORTEST <= words_.count; ++i) {
      candidates_[count_] = static_cast<u32>(i);
      count_ += again[i] | (begin[i + SHORTEST] - begin[i] < HEAD);
    }
  }

  Document& document_;
  const spacy::Words& words_;
  FirstTable table_;
  u32* candidates_ = document_.list(Document::FREE_LIST);
  i64 count_ = 0;
};

CURATE_HD void take_top_grams(Document& document, DatatroveRepetition& out) {
  const spacy::Words& words = document.words();
  FirstTable table = document.table();
  const Parts parts = {words.begin, words.begin + 1, words.count};
  const Outline outline = {words.joined, words.begin[words.count], document.ascii(), parts, {}, nullptr, nullptr, {}};
  const int free = Document::FREE_LIST;
  Grams grams(outline, table, document.list(free), document.list(free + 1), document.list(free + 2),
              document.list(free + 3));
  grams.group_words();
  i64* const chars[] = {&out.top_2_gram_chars, &out.top_3_gram_chars, &out.top_4_gram_chars};
  for (i64 n = 2; n <= 4 && n <= words.count; ++n) {
    grams.lengthen();
    *chars[n - 2] = grams.top_joined_chars();
  }
}

CURATE_HD DatatroveRepetition measure_datatrove_repetition(Document& document) {
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
  take_top_grams(document, out);
  CopiedGrams copied(document);
  i64* const chars[] = {&out.copied_5_gram_chars, &out.copied_6_gram_chars, &out.copied_7_gram_chars,
                        &out.copied_8_gram_chars, &out.copied_9_gram_chars, &out.copied_10_gram_chars};
  for (int n = 5; n <= 10; ++n) *chars[n - 5] = copied.chars(n);
  return out;
}

// The place of a stop word among datatrove's, as a bit; 0 for other words.
CURATE_HD u32 stop_word(const u8* w, i64 n) {
  const char* const words[] = {"the", "be", "to", "of", "and", "that", "have", "with"};
  const int sizes[] = {3, 2, 2, 2, 3, 4, 4, 4};
  if (n < 2 || n > 4) return 0;
  for (int i = 0; i < 8; ++i)
    if (sizes[i] == n && w[0] == static_cast<u8>(words[i][0]) && spacy::equal(w, words[i], n)) return 1u << i;
  return 0;
}

CURATE_HD void take_words(Document& document, DatatroveQuality& out) {
  const spacy::Words& words = document.words();
  u32 stop_words = 0;
  for (i64 i = 0; i < words.count; ++i) {
    const u8* word = words.joined + words.begin[i];
    const i64 n = words.begin[i + 1] - words.begin[i];
    bool letter = false, symbol = true;
    for (i64 at = 0; at < n && (!letter || symbol);) {
      const CodePoint code = decode(word + at, n - at);
      const u32 has = spacy::properties(code.value);
      letter |= (has & spacy::LETTER) != 0;
      symbol &= (has & spacy::SYMBOL) != 0;
      at += code.size;
    }
    out.alphabetic_words += letter;
    out.non_symbol_words += !symbol;
    if (!symbol) out.non_symbol_chars += document.chars(word, n);
    if (letter) stop_words |= stop_word(word, n);
  }
  out.words = words.count;
  out.stop_words = count_bits(stop_words);
}

CURATE_HD void take_symbols(Document& document, DatatroveQuality& out) {
  const u8* s = document.text();
  const i64 size = document.size();
  i64 dots = 0;
  for (i64 i = 0; i < size; ++i) {
    out.hashes += s[i] == '#';
    dots = s[i] == '.' ? dots + 1 : 0;
    if (dots == 3) {
      ++out.ellipses;
      dots = 0;
    }
    out.ellipses += s[i] == 0xE2 && i + 2 < size && s[i + 1] == 0x80 && s[i + 2] == 0xA6;
  }
}

CURATE_HD DatatroveQuality measure_datatrove_quality(Document& document) {
  DatatroveQuality out = {};
  heuristics::take_words(document, out);
  take_symbols(document, out);
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

CURATE_HD DatatroveFineweb measure_datatrove_fineweb(Document& document) {
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
