// Words between the word boundaries of Unicode Standard Annex #29, revision of Unicode 16: those that start with
// an alphanumeric character.
//
// ASCII goes 64 bytes at a time. From the last space or line feed before any other character the rules are
// applied one character after the other: no rule sees what is left of a space or line feed.
#pragma once
#include "heuristics_repeats.h"
#include "word_break_tables.h"

namespace curate {

// Values of Word_Break as generate_word_break_tables.py numbers them. A class MidX or a quote may join what stands on
// both its sides.
enum WordClass : u8 {
  WORD_OTHER,
  WORD_NEWLINE,
  WORD_EXTEND,
  WORD_ZWJ,
  WORD_SPACE,
  WORD_LETTER,
  WORD_HEBREW,
  WORD_NUMERIC,
  WORD_KATAKANA,
  WORD_CONNECTOR,
  WORD_MID_LETTER,
  WORD_MID_NUMBER,
  WORD_MID_BOTH,
  WORD_SINGLE_QUOTE,
  WORD_DOUBLE_QUOTE
};

constexpr u8 WORD_CLASS_BITS = 15, IS_PICTOGRAPH = 16, IS_LETTER = 32, IS_ALPHANUMERIC = 64;

CURATE_HD u8 word_value(u32 code) {
  return WORD_VALUE[WORD_BLOCK[WORD_TOP[code >> 10] << 6 | (code >> 4 & 63)] << 4 | (code & 15)];
}

// str.isalpha of Python, with the Unicode version of the tables.
CURATE_HD bool is_letter(u32 code) { return word_value(code) & IS_LETTER; }

// str.isalnum of Python, with the Unicode version of the tables.
CURATE_HD bool is_alphanumeric(u32 code) { return word_value(code) & IS_ALPHANUMERIC; }

namespace word_break {

CURATE_HD constexpr u32 classes(u32 first) { return 1u << first; }

template <typename... More>
CURATE_HD constexpr u32 classes(u32 first, More... more) {
  return 1u << first | classes(more...);
}

constexpr u32 LETTERS = classes(WORD_LETTER, WORD_HEBREW);
constexpr u32 JOINS_LETTERS = classes(WORD_MID_LETTER, WORD_MID_BOTH, WORD_SINGLE_QUOTE);
constexpr u32 JOINS_NUMBERS = classes(WORD_MID_NUMBER, WORD_MID_BOTH, WORD_SINGLE_QUOTE);

CURATE_HD bool within(u32 set, u32 word_class) { return set >> word_class & 1; }

// Rules 5, 7a, 8, 9, 10, 13, 13a and 13b: the classes that each class is never parted from.
CURATE_HD u32 joined_to(u32 before) {
  constexpr u32 alphanumeric = LETTERS | classes(WORD_NUMERIC, WORD_CONNECTOR);
  switch (before) {
    case WORD_LETTER:
    case WORD_NUMERIC:
      return alphanumeric;
    case WORD_HEBREW:
      return alphanumeric | classes(WORD_SINGLE_QUOTE);
    case WORD_KATAKANA:
      return classes(WORD_KATAKANA, WORD_CONNECTOR);
    case WORD_CONNECTOR:
      return alphanumeric | classes(WORD_KATAKANA);
    default:
      return 0;
  }
}

// Rules 6, 7, 7b, 7c, 11 and 12: whether `middle` holds its neighbours together.
CURATE_HD bool bridges(u32 before, u32 middle, u32 after) {
  if (within(LETTERS, before) && within(LETTERS, after))
    return within(JOINS_LETTERS, middle) ||
           (middle == WORD_DOUBLE_QUOTE && before == WORD_HEBREW && after == WORD_HEBREW);
  return before == WORD_NUMERIC && after == WORD_NUMERIC && within(JOINS_NUMBERS, middle);
}

// Bit i of a mask stands for byte i of 64.
struct Masks {
  u64 letters, digits, connectors;  // of [a-zA-Z], of [0-9], "_"
  u64 joins_letters, joins_digits;  // of [.':] and of [.',;]
  u64 breaks;                       // " " and "\n"
  u64 high;                         // not ASCII
};

CURATE_HD bool ascii_letter(u8 byte) { return (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z'; }
CURATE_HD bool ascii_digit(u8 byte) { return byte >= '0' && byte <= '9'; }

CURATE_HD Masks masks_portable(const u8* bytes) {
  Masks masks = {};
  for (int i = 0; i < heuristics::BLOCK_BYTES; ++i) {
    const u8 c = bytes[i];
    const u64 bit = u64(1) << i;
    const bool both = c == '.' || c == '\'';
    if (ascii_letter(c)) masks.letters |= bit;
    if (ascii_digit(c)) masks.digits |= bit;
    if (c == '_') masks.connectors |= bit;
    if (both || c == ':') masks.joins_letters |= bit;
    if (both || c == ',' || c == ';') masks.joins_digits |= bit;
    if (c == ' ' || c == '\n') masks.breaks |= bit;
    if (c >= 0x80) masks.high |= bit;
  }
  return masks;
}

#if defined(CURATE_HEURISTICS_SSE2)

inline Masks masks_sse2(const u8* bytes) {
  using namespace heuristics::sse2;
  Masks masks = {};
  for (int part = 0; part < heuristics::BLOCK_BYTES / 16; ++part) {
    const __m128i x = load(bytes + 16 * part);
    const __m128i both = either(is(x, '.'), is(x, '\''));
    const __m128i lower = _mm_or_si128(x, _mm_set1_epi8(0x20));
    masks.letters |= mask(heuristics::sse2::within(lower, 'a', 'z'), part);
    masks.digits |= mask(heuristics::sse2::within(x, '0', '9'), part);
    masks.connectors |= mask(is(x, '_'), part);
    masks.joins_letters |= mask(either(both, is(x, ':')), part);
    masks.joins_digits |= mask(either(both, either(is(x, ','), is(x, ';'))), part);
    masks.breaks |= mask(either(is(x, ' '), is(x, '\n')), part);
    masks.high |= mask(x, part);
  }
  return masks;
}

#endif

// Both ways give the same masks.
CURATE_HD Masks masks_of(const u8* bytes) {
#if defined(CURATE_HEURISTICS_SSE2)
  return masks_sse2(bytes);
#else
  return masks_portable(bytes);
#endif
}

// Writes the words of a text; there are at most two to three bytes, and one more.
class Splitter {
 public:
  CURATE_HD Splitter(const u8* text, i64 size, heuristics::Parts& words)
      : text_(text), size_(size), words_(words) {}

  CURATE_HD_CALLED void run() {
    constexpr int n = heuristics::BLOCK_BYTES;
    for (i64 at = 0; at < size_;) {
      u8 padded[n] = {};
      const bool whole = at + n <= size_;
      if (!whole)
        for (i64 i = at; i < size_; ++i) padded[i - at] = text_[i];
      const Masks masks = masks_of(whole ? text_ + at : padded);
      if (masks.high) {
        at = take_characters(leave_ascii(masks, at));
      } else {
        take_ascii(masks, at);
        at += n;
      }
    }
    close(size_);
  }

 private:
  // The words of 64 bytes of ASCII are the runs of letters, digits, "_" and what stands between two letters or
  // two digits; those that start with "_" are left out.
  CURATE_HD void take_ascii(const Masks& masks, i64 at) {
    const i64 next = at + heuristics::BLOCK_BYTES;
    const u64 letter_next = next < size_ && ascii_letter(text_[next]);
    const u64 digit_next = next < size_ && ascii_digit(text_[next]);
    const u64 letters = masks.letters, digits = masks.digits;
    u64 inside = letters | digits | masks.connectors;
    inside |= masks.joins_letters & (letters << 1 | letter_before_) & (letters >> 1 | letter_next << 63);
    inside |= masks.joins_digits & (digits << 1 | digit_before_) & (digits >> 1 | digit_next << 63);
    const u64 starts = inside & ~(inside << 1 | inside_before_ | left_out_before_);
    const u64 outs = (starts & masks.connectors) | (inside & left_out_before_);
    const u64 kept = inside & (inside + outs);  // the carry clears a run from its start
    const u64 shifted = kept << 1 | inside_before_;
    for (u64 rest = kept & ~shifted; rest; rest &= rest - 1)
      words_.begin[started_++] = static_cast<u32>(at + heuristics::lowest_bit(rest));
    for (u64 rest = ~kept & shifted; rest; rest &= rest - 1)
      words_.end[words_.count++] = static_cast<u32>(at + heuristics::lowest_bit(rest));
    inside_before_ = kept >> 63;
    left_out_before_ = (inside & ~kept) >> 63;
    letter_before_ = letters >> 63;
    digit_before_ = digits >> 63;
  }

  // Takes the words before the space or line feed that is the last before other characters than ASCII; gives
  // the place after it, from where words already taken are given up.
  CURATE_HD i64 leave_ascii(const Masks& masks, i64 at) {
    u64 breaks = masks.breaks & ((u64(1) << heuristics::lowest_bit(masks.high)) - 1);
    if (breaks) {
      int last = 0;
      for (; breaks; breaks &= breaks - 1) last = heuristics::lowest_bit(breaks);
      const u64 below = (u64(1) << last) - 1;
      take_ascii({masks.letters & below, masks.digits & below, masks.connectors & below,
                  masks.joins_letters & below, masks.joins_digits & below, 0, 0},
                 at);
      at += last + 1;
    } else {
      while (at > 0 && !is_break(text_[at - 1])) --at;
      while (started_ > 0 && words_.begin[started_ - 1] >= at) --started_;
      if (words_.count > started_) words_.count = started_;
    }
    inside_before_ = left_out_before_ = letter_before_ = digit_before_ = 0;
    return at;
  }

  // Goes on from the start of the text or after a space or line feed, up to a space or line feed that eight
  // ASCII bytes follow, or the end of the text; gives its place.
  CURATE_HD i64 take_characters(i64 at) {
    u32 last = at > 0 && text_[at - 1] == ' ' ? WORD_SPACE : WORD_NEWLINE;  // of any class
    u32 previous = last, before = WORD_OTHER;  // leaving out what rule 4 leaves out
    while (at < size_) {
      if (is_break(text_[at]) && at + 8 < size_ && !(heuristics::load8(text_ + at + 1) & HIGH_BITS)) break;
      const CodePoint code = decode(text_ + at, size_ - at);
      const u8 value = word_value(code.value);
      const u32 word_class = value & WORD_CLASS_BITS;
      const bool transparent = word_class == WORD_EXTEND || word_class == WORD_ZWJ;
      if (transparent ? last == WORD_NEWLINE : !joined(before, previous, last, value, at + code.size)) {
        close(at);
        if (value & IS_ALPHANUMERIC) words_.begin[started_++] = static_cast<u32>(at);
      }
      if (!transparent) {
        before = previous;
        previous = word_class;
      }
      last = word_class;
      at += code.size;
    }
    close(at);
    return at;
  }

  CURATE_HD bool joined(u32 before, u32 previous, u32 last, u8 value, i64 next) const {
    const u32 word_class = value & WORD_CLASS_BITS;
    if (within(joined_to(previous), word_class)) return true;
    if (last == WORD_ZWJ && (value & IS_PICTOGRAPH)) return true;
    if (previous >= WORD_MID_LETTER) return bridges(before, previous, word_class);
    return word_class >= WORD_MID_LETTER && bridges(previous, word_class, class_from(next));
  }

  // The class of the first character from `at` that rule 4 does not leave out.
  CURATE_HD u32 class_from(i64 at) const {
    while (at < size_) {
      const CodePoint code = decode(text_ + at, size_ - at);
      const u32 word_class = word_value(code.value) & WORD_CLASS_BITS;
      if (word_class != WORD_EXTEND && word_class != WORD_ZWJ) return word_class;
      at += code.size;
    }
    return WORD_NEWLINE;
  }

  CURATE_HD void close(i64 end) {
    if (words_.count < started_) words_.end[words_.count++] = static_cast<u32>(end);
  }

  CURATE_HD static bool is_break(u8 byte) { return byte == ' ' || byte == '\n'; }

  static constexpr u64 HIGH_BITS = 0x8080808080808080u;

  const u8* text_;
  i64 size_;
  heuristics::Parts& words_;
  i64 started_ = 0;
  // Of the byte before the block: in a word, in a run left out, a letter, a digit.
  u64 inside_before_ = 0, left_out_before_ = 0, letter_before_ = 0, digit_before_ = 0;
};

}  // namespace word_break
}  // namespace curate
