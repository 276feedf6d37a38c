// A document that families of statistics measure one after the other, with its words and memory to work in.
#pragma once
#include "heuristics_repeats.h"
#include "spacy_words.h"

namespace curate::heuristics {

// A text, its words once they are asked for, and memory to measure it with.
class Document {
 public:
  // 64-bit words of memory for texts of up to `bytes` bytes, of which ordinary text touches a fraction.
  CURATE_HD static i64 memory_words(i64 bytes) {
    const i64 parts = bytes + 2, slots = FirstTable::slots(parts);
    return slots + (slots + LISTS * parts) / 2 + (BYTE_LISTS * (parts + spacy::PADDING)) / 8 + 8;
  }

  CURATE_HD Document(i64 longest, u64* memory, HashKey key)
      : parts_(longest + 2), slots_(FirstTable::slots(parts_)), keys_(memory), key_(key), marks_(nullptr) {
    u32* at = reinterpret_cast<u32*>(memory + slots_);
    items_ = at;
    at += slots_;
    for (u32*& part : lists_) part = (at += parts_) - parts_;
    u8* bytes = reinterpret_cast<u8*>(at);
    auto take = [&] { return (bytes += parts_ + spacy::PADDING) - parts_ - spacy::PADDING; };
    words_memory_ = {take(), list(0), list(1), list(2), take(), take(), take()};
    line_memory_ = {take(), list(3), list(4), list(5), take(), take(), take()};
    edited_ = take();
    marks_ = spacy::TextMarks(take());
  }

  CURATE_HD void open(const u8* text, i64 size) {
    text_ = text;
    size_ = size;
    chars_ = count_code_points(text, size);
    has_words_ = has_marks_ = false;
    word_count_ = -1;
  }

  CURATE_HD const u8* text() const { return text_; }
  CURATE_HD i64 size() const { return size_; }
  CURATE_HD i64 chars() const { return chars_; }
  CURATE_HD bool ascii() const { return chars_ == size_; }
  CURATE_HD i64 chars(const u8* s, i64 n) const { return ascii() ? n : count_code_points(s, n); }
  // The same for a word of words().
  CURATE_HD i64 word_chars(const u8* s, i64 n) const { return ascii() ? n : count_word_code_points(s, n); }

  CURATE_HD const spacy::TextMarks& marks() {
    if (!has_marks_) marks_.scan(text_, size_);
    has_marks_ = true;
    return marks_;
  }

  CURATE_HD const spacy::Words& words() {
    if (!has_words_) {
      words_ = spacy::Tokenizer(words_memory_).run(text_, size_, marks());
      has_words_ = true;
      word_count_ = words_.count;
    }
    return words_;
  }
  CURATE_HD i64 word_count() { return word_count_ >= 0 ? word_count_ : words().count; }

  CURATE_HD bool has_words() const { return has_words_; }

  // Words of another text that is not longer, until this is called again.
  CURATE_HD spacy::Words words_of(const u8* text, i64 size) {
    spacy::TextMarks marks(line_memory_.lengths);
    marks.scan(text, size);
    return spacy::Tokenizer(line_memory_).run(text, size, marks);
  }

  // Room for an edited text, at most as long, that `open_edited` puts in place of this one.
  CURATE_HD u8* edited() { return edited_; }
  CURATE_HD void open_edited(i64 begin, i64 size, i64 words) {
    open(edited_ + begin, size);
    word_count_ = words;
  }

  CURATE_HD HashKey hash_key() const { return key_; }
  CURATE_HD FirstTable table() { return FirstTable(keys_, items_, key_); }

  // The first lists belong to words; the others are free.
  static constexpr int FREE_LIST = 6, LISTS = 12, BYTE_LISTS = 10;
  CURATE_HD u32* list(int place) { return lists_[place]; }

 private:
  i64 parts_, slots_;
  u64* keys_;
  u32* items_;
  HashKey key_;
  u32* lists_[LISTS];
  u8* edited_;
  spacy::TextMarks marks_;
  spacy::WordsMemory words_memory_, line_memory_;
  const u8* text_ = nullptr;
  i64 size_ = 0, chars_ = 0, word_count_ = -1;
  spacy::Words words_ = {};
  bool has_words_ = false, has_marks_ = false;
};

// Whether a line may end here, as str.splitlines() has it: C2 and E2 start longer line ends, and other characters.
CURATE_HD bool may_end_line(u8 c) { return (c >= 10 && c <= 13) || (c >= 28 && c <= 30) || c == 0xC2 || c == 0xE2; }

CURATE_HD i64 find_line_end(const u8* s, i64 size, i64 at) {
#if defined(CURATE_HEURISTICS_SSE2)
  using namespace sse2;
  for (; at + 16 <= size; at += 16) {
    const __m128i x = load(s + at);
    const __m128i longer = either(is(x, static_cast<char>(0xC2)), is(x, static_cast<char>(0xE2)));
    const u64 found = mask(either(longer, either(within(x, 10, 13), within(x, 28, 30))), 0);
    if (found) return at + lowest_bit(found);
  }
#endif
  while (at < size && !may_end_line(s[at])) ++at;
  return at;
}

// The end of the line that starts at `at`; `next` becomes where the next one starts.
CURATE_HD i64 line_end(const u8* s, i64 size, i64 at, i64* next) {
  while ((at = find_line_end(s, size, at)) < size) {
    const u8 c = s[at];
    i64 n = c == '\r' && at + 1 < size && s[at + 1] == '\n' ? 2 : c < 0x80 ? 1 : 0;
    if (c == 0xC2 && at + 1 < size && s[at + 1] == 0x85) n = 2;
    if (c == 0xE2 && at + 2 < size && s[at + 1] == 0x80 && (s[at + 2] == 0xA8 || s[at + 2] == 0xA9)) n = 3;
    if (n > 0) {
      *next = at + n;
      return at;
    }
    ++at;
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

}  // namespace curate::heuristics
