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
    return slots + (slots + LISTS * parts) / 2 + (BYTE_LISTS * (parts + spacy::PADDING)) / 8 + 8;
  }

  CURATE_HD Document(i64 longest, u64* memory)
      : parts_(longest + 2), slots_(FirstTable::slots(parts_)), keys_(memory) {
    u32* at = reinterpret_cast<u32*>(memory + slots_);
    items_ = at;
    at += slots_;
    for (u32*& part : lists_) part = (at += parts_) - parts_;
    u8* bytes = reinterpret_cast<u8*>(at);
    auto take = [&] { return (bytes += parts_ + spacy::PADDING) - parts_ - spacy::PADDING; };
    words_memory_ = {take(), list(0), list(1), list(2), take(), take(), take()};
    line_memory_ = {take(), list(3), list(4), list(5), take(), take(), take()};
    edited_ = take();
    marks_memory_ = take();
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

  CURATE_HD bool has_words() const { return has_words_; }

  // Words of another text that is not longer, until this is called again.
  CURATE_HD spacy::Words words_of(const u8* text, i64 size) { return spacy::Tokenizer(line_memory_).run(text, size); }

  // Room for an edited text, at most as long, that `open_edited` puts in place of this one.
  CURATE_HD u8* edited() { return edited_; }
  CURATE_HD u8* marks_memory() { return marks_memory_; }
  CURATE_HD void open_edited(i64 begin, i64 size, i64 words) {
    open(edited_ + begin, size);
    word_count_ = words;
  }

  // At least 16 bytes for each byte of the text; a table() has them as well.
  CURATE_HD u64* bits() { return keys_; }
  CURATE_HD FirstTable table() { return FirstTable(keys_, items_); }

  // The first lists belong to words; the others are free.
  static constexpr int FREE_LIST = 6, LISTS = 10, BYTE_LISTS = 10;
  CURATE_HD u32* list(int place) { return lists_[place]; }

 private:
  i64 parts_, slots_;
  u64* keys_;
  u32* items_;
  u32* lists_[LISTS];
  u8 *edited_, *marks_memory_;
  spacy::WordsMemory words_memory_, line_memory_;
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
//
// A gram that occurs twice starts twice with the same bytes: grams whose first bytes, as many as they have of HEADS,
// start no other word are left out.
class CopiedGrams {
 public:
  CURATE_HD CopiedGrams(Document& document)
      : document_(document), words_(document.words()), s_(words_.joined), begin_(words_.begin), table_(document.table()) {
    find_candidates();
  }

  CURATE_HD i64 chars(i64 n) {
    auto same = [&](u32 a, u32 b) {
      const i64 size = size_of(b, n);
      return size == size_of(a, n) && same_bytes(s_ + begin_[a], s_ + begin_[b], size);
    };
    table_.clear(count_);
    i64 chars = 0, next = 0;
    for (i64 c = 0; c < count_; ++c) {
      const i64 i = candidates_[c];
      if (i < next || i + n > words_.count) continue;
      const i64 size = size_of(i, n);
      if (repeated_[i] < head_of(size)) continue;
      if (table_.add(hash_bytes(s_ + begin_[i], size), static_cast<u32>(i), same) == i) continue;
      chars += document_.chars(s_ + begin_[i], size);
      next = i + n;
    }
    return chars;
  }

 private:
  static constexpr i64 SHORTEST = 5;  // words
  static constexpr int HEAD_COUNT = 6;

  CURATE_HD static i64 head(int place) {
    const i64 heads[HEAD_COUNT] = {0, 8, 16, 24, 32, 48};
    return heads[place];
  }
  CURATE_HD static u32 head_of(i64 size) {
    int place = HEAD_COUNT - 1;
    while (head(place) > size) --place;
    return static_cast<u32>(head(place));
  }
  CURATE_HD i64 size_of(i64 i, i64 words) const { return begin_[i + words] - begin_[i]; }

  CURATE_HD void find_candidates() {
    const i64 end = begin_[words_.count];
    sieve();
    raise(16, [&](i64 i) { return begin_[i] + 16 <= end; });
    // Grams under 16 bytes are equal to others under 16 bytes only.
    keep([&](i64 i) { return repeated_[i] > 0 || size_of(i, SHORTEST) < 16; });
    raise(8, [&](i64 i) { return size_of(i, SHORTEST) < 16 && begin_[i] + 8 <= end; });
    for (int place = 3; place < HEAD_COUNT; ++place)
      raise(head(place), [&](i64 i) { return repeated_[i] >= head(place - 1) && begin_[i] + head(place) <= end; });
    keep([&](i64 i) { return repeated_[i] > 0 || size_of(i, SHORTEST) < 8; });
  }

  // Leaves out most of the long grams whose first 16 bytes start no other word: those whose hash is alone.
  CURATE_HD void sieve() {
    const i64 starts = words_.count - SHORTEST + 1;
    i64 bits = 64;
    while (bits < 16 * starts) bits *= 2;
    u64 *once = document_.bits(), *again = once + bits / 64;
    for (i64 i = 0; i < bits / 32; ++i) once[i] = 0;
    for (i64 i = 0; i < starts; ++i) {
      const u8* s = s_ + begin_[i];
      const u64 mixed = (load8(s) ^ load8(s + 8) * 0xD1342543DE82EF95u) * kGolden;
      const u64 place = (mixed >> 32) & static_cast<u64>(bits - 1);
      const u64 bit = u64(1) << (place & 63);
      again[place >> 6] |= once[place >> 6] & bit;
      once[place >> 6] |= bit;
      repeated_[i] = static_cast<u32>(place);
    }
    for (i64 i = 0; i < starts; ++i) {
      const u32 place = repeated_[i];
      repeated_[i] = 0;
      candidates_[count_] = static_cast<u32>(i);
      count_ += (again[place >> 6] >> (place & 63) & 1) | (size_of(i, SHORTEST) < 16);
    }
  }

  template <typename Stays>
  CURATE_HD void keep(Stays stays) {
    i64 kept = 0;
    for (i64 c = 0; c < count_; ++c) {
      const u32 i = candidates_[c];
      candidates_[kept] = i;
      kept += stays(i);
    }
    count_ = kept;
  }

  // Notes which candidates start with the same `bytes` bytes as another, among those that `has` holds for.
  template <typename Has>
  CURATE_HD void raise(i64 bytes, Has has) {
    auto same = [&](u32 a, u32 b) { return same_bytes(s_ + begin_[a], s_ + begin_[b], bytes); };
    const u32 raised = static_cast<u32>(bytes);
    table_.clear(count_);
    for (i64 c = 0; c < count_; ++c) {
      const u32 i = candidates_[c];
      if (!has(i)) continue;
      const u32 first = table_.add(hash_bytes(s_ + begin_[i], bytes), i, same);
      if (first == i) continue;
      if (repeated_[first] < raised) repeated_[first] = raised;
      if (repeated_[i] < raised) repeated_[i] = raised;
    }
  }

  Document& document_;
  const spacy::Words& words_;
  const u8* s_;
  const u32* begin_;
  FirstTable table_;
  u32* candidates_ = document_.list(Document::FREE_LIST);
  u32* repeated_ = document_.list(Document::FREE_LIST + 1);  // bytes at a word that another starts with as well
  i64 count_ = 0;
};

// The most frequent n-gram of 2, then 3, then 4 words; of equally frequent ones the one that starts first.
class TopGrams {
 public:
  CURATE_HD TopGrams(Document& document)
      : document_(document), words_(document.words()), s_(words_.joined), begin_(words_.begin), table_(document.table()) {
    group_pairs();
  }

  // Code points of all occurrences of the most frequent gram, its words joined by spaces; 0 where there is none.
  CURATE_HD i64 chars() const {
    if (words_.count < length_) return 0;
    u32 top = 0, most = 1;
    for (i64 c = 0; c < candidates_; ++c) {
      const u32 place = places_[c];
      if (first_[place] != place || count_[place] <= most) continue;
      most = count_[place];
      top = place;
    }
    const i64 chars = document_.chars(s_ + begin_[top], begin_[top + length_] - begin_[top]);
    return most * (chars + length_ - 1);
  }

  // A longer gram that occurs again starts where both shorter ones in it do; all other places are left out.
  CURATE_HD void lengthen() {
    i64 kept = 0;
    for (i64 c = 0; c + 1 < candidates_; ++c) {
      const u32 place = places_[c], next = places_[c + 1];
      places_[kept] = place;
      kept += (next == place + 1) & (count_[first_[place]] > 1) & (count_[first_[next]] > 1);
    }
    candidates_ = kept;
    ++length_;
    table_.clear(kept);
    for (i64 c = 0; c < kept; ++c) {
      const u32 place = places_[c];
      const u64 key = static_cast<u64>(first_[place]) << 32 | first_[place + 1];
      note(place, table_.add(key, place, [](u32, u32) { return true; }));
    }
  }

 private:
  CURATE_HD void group_pairs() {
    auto same = [&](u32 a, u32 b) {
      const i64 size = begin_[b + 2] - begin_[b];
      return begin_[a + 1] - begin_[a] == begin_[b + 1] - begin_[b] && begin_[a + 2] - begin_[a] == size &&
             same_bytes(s_ + begin_[a], s_ + begin_[b], size);
    };
    candidates_ = words_.count > 1 ? words_.count - 1 : 0;
    table_.clear(candidates_);
    for (i64 i = 0; i < candidates_; ++i) {
      places_[i] = static_cast<u32>(i);
      note(i, table_.add(key_of(i), static_cast<u32>(i), same));
    }
  }

  CURATE_HD u64 key_of(i64 i) const {
    const u8* s = s_ + begin_[i];
    const i64 size = begin_[i + 2] - begin_[i];
    const u64 lead = static_cast<u64>(begin_[i + 1] - begin_[i]) << 48;
    if (size > 16) return (hash_bytes(s, size) ^ lead) >> 1;
    const u64 second = size > 8 ? spacy::low_bytes(load8(s + 8), size - 8) : 0;
    return ((spacy::low_bytes(load8(s), size) ^ second * 0xD1342543DE82EF95u ^ lead) * kGolden) >> 1;
  }

  CURATE_HD void note(i64 place, u32 first) {
    first_[place] = first;
    count_[place] = 0;
    ++count_[first];
  }

  Document& document_;
  const spacy::Words& words_;
  const u8* s_;
  const u32* begin_;
  FirstTable table_;
  u32* first_ = document_.list(Document::FREE_LIST);
  u32* count_ = document_.list(Document::FREE_LIST + 1);
  u32* places_ = document_.list(Document::FREE_LIST + 2);
  i64 candidates_ = 0, length_ = 2;
};

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

// The place of a stop word among datatrove's, as a bit; 0 for other words. Eight bytes at w may be read.
CURATE_HD u32 stop_word(const u8* w, i64 n) {
  if (n < 2 || n > 4) return 0;
  switch (spacy::low_bytes(load8(w), n)) {
    case 0x656874:  // the
      return 1;
    case 0x6562:  // be
      return 2;
    case 0x6F74:  // to
      return 4;
    case 0x666F:  // of
      return 8;
    case 0x646E61:  // and
      return 16;
    case 0x74616874:  // that
      return 32;
    case 0x65766168:  // have
      return 64;
    case 0x68746977:  // with
      return 128;
    default:
      return 0;
  }
}

struct WordKind {
  bool letter, symbol;  // has a letter; has nothing but punctuation and control characters
};

CURATE_HD WordKind kind_of(const u8* word, i64 n) {
  WordKind kind = {(word[0] | 0x20) >= 'a' && (word[0] | 0x20) <= 'z', true};
  kind.symbol = !kind.letter;
  for (i64 at = 0; at < n && (!kind.letter || kind.symbol);) {
    const CodePoint code = decode(word + at, n - at);
    const u32 has = spacy::properties(code.value);
    kind.letter |= (has & spacy::LETTER) != 0;
    kind.symbol &= (has & spacy::SYMBOL) != 0;
    at += code.size;
  }
  return kind;
}

CURATE_HD void take_words(Document& document, DatatroveQuality& out) {
  const spacy::Words& words = document.words();
  u32 stop_words = 0;
  for (i64 i = 0; i < words.count; ++i) {
    const u8* word = words.joined + words.begin[i];
    const i64 n = words.begin[i + 1] - words.begin[i];
    const WordKind kind = kind_of(word, n);
    out.alphabetic_words += kind.letter;
    out.non_symbol_words += !kind.symbol;
    if (!kind.symbol) out.non_symbol_chars += document.chars(word, n);
    if (kind.letter) stop_words |= stop_word(word, n);
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
