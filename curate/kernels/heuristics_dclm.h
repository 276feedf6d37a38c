// What DCLM's Gopher filters count: stripped lines and paragraphs, marks, words between Unicode boundaries.
#pragma once
#include "heuristics_dolma.h"

namespace curate::heuristics {

// Lines and paragraphs without the white space around them, as far as they hold a word.
class Stripped {
 public:
  // `parts` and `seen` hold a value a line.
  CURATE_HD Stripped(const Outline& outline, FirstTable& table, Parts parts, u32* seen)
      : outline_(outline), table_(table), parts_(parts), seen_(seen) {}

  CURATE_HD_CALLED void take(Statistics& out) {
    take_lines(out);
    take_paragraphs(out);
  }

 private:
  CURATE_HD void take_lines(Statistics& out) {
    parts_.count = 0;
    for (i64 i = 0; i < outline_.lines.count; ++i) {
      add(i, i);
      const u8* begin = outline_.text + parts_.begin[i];
      const u8* end = outline_.text + parts_.end[i];
      out.listed_lines += is_listed(begin, end - begin);
      out.dotted_lines += is_dotted(begin, end - begin);
    }
    out.stripped_line_chars = chars();
    count_repeats(outline_, parts_, table_, seen_, &out.repeated_lines, &out.repeated_line_chars);
  }

  CURATE_HD void take_paragraphs(Statistics& out) {
    const Parts &lines = outline_.lines, &paragraphs = outline_.paragraphs;
    parts_.count = 0;
    i64 line = 0;
    for (i64 i = 0; i < paragraphs.count; ++i) {
      const i64 first = line;
      while (line < lines.count && lines.end[line] <= paragraphs.end[i]) ++line;
      if (line > first) add(first, line - 1);
    }
    out.stripped_paragraphs = parts_.count;
    out.stripped_paragraph_chars = chars();
    count_repeats(outline_, parts_, table_, seen_, &out.repeated_paragraphs, &out.repeated_paragraph_chars);
  }

  // From the first word of a line to the last word of another.
  CURATE_HD void add(i64 first, i64 last) {
    parts_.begin[parts_.count] = outline_.words.begin[outline_.first_word[first]];
    parts_.end[parts_.count++] = outline_.words.end[outline_.after_words[last] - 1];
  }

  CURATE_HD i64 chars() const {
    i64 chars = 0;
    for (i64 i = 0; i < parts_.count; ++i) {
      const i64 n = parts_.end[i] - parts_.begin[i];
      chars += outline_.ascii ? n : count_code_points(outline_.text + parts_.begin[i], n);
    }
    return chars;
  }

  CURATE_HD static bool is_listed(const u8* line, i64 n) {
    if (line[0] == '*' || line[0] == '-') return true;
    const u32 code = line[0] == 0xE2 ? decode(line, n).value : 0;
    return code == 0x2022 || code == 0x25CF;
  }

  CURATE_HD static bool is_dotted(const u8* line, i64 n) {
    if (n < 3) return false;
    const u8* end = line + n;
    if (end[-1] != '.') return is_dots(end - 3, 3);
    if (end[-2] == '.') return end[-3] == '.';
    return n >= 5 && end[-2] == ' ' && end[-3] == '.' && end[-4] == ' ' && end[-5] == '.';
  }

  const Outline& outline_;
  FirstTable& table_;
  Parts parts_;
  u32* seen_;
};

// Characters at which a mark or a word may start.
struct MarkMasks {
  u64 alphanumeric;  // of [a-zA-Z0-9]
  u64 blank;         // what fastText takes for white space: space \t \n \v \f \r and NUL
  u64 hash, dot, space;
  u64 dots;  // 0xE2, which U+2026 starts with
  u64 high;  // not ASCII
};

CURATE_HD MarkMasks mark_masks_portable(const u8* bytes) {
  MarkMasks masks = {};
  for (int i = 0; i < BLOCK_BYTES; ++i) {
    const u8 c = bytes[i];
    const u64 bit = u64(1) << i;
    if (word_break::ascii_letter(c) || word_break::ascii_digit(c)) masks.alphanumeric |= bit;
    if (c == ' ' || c == 0 || (c >= 9 && c <= 13)) masks.blank |= bit;
    if (c == '#') masks.hash |= bit;
    if (c == '.') masks.dot |= bit;
    if (c == ' ') masks.space |= bit;
    if (c == 0xE2) masks.dots |= bit;
    if (c >= 0x80) masks.high |= bit;
  }
  return masks;
}

#if defined(CURATE_HEURISTICS_SSE2)

inline MarkMasks mark_masks_sse2(const u8* bytes) {
  using namespace sse2;
  MarkMasks masks = {};
  for (int part = 0; part < BLOCK_BYTES / 16; ++part) {
    const __m128i x = load(bytes + 16 * part), space = is(x, ' ');
    const __m128i letters = within(_mm_or_si128(x, _mm_set1_epi8(0x20)), 'a', 'z');
    masks.alphanumeric |= mask(either(letters, within(x, '0', '9')), part);
    masks.blank |= mask(either(space, either(is(x, 0), within(x, 9, 13))), part);
    masks.hash |= mask(is(x, '#'), part);
    masks.dot |= mask(is(x, '.'), part);
    masks.space |= mask(space, part);
    masks.dots |= mask(is(x, static_cast<char>(0xE2)), part);
    masks.high |= mask(x, part);
  }
  return masks;
}

#endif

// Both ways give the same masks.
CURATE_HD MarkMasks mark_masks(const u8* bytes) {
#if defined(CURATE_HEURISTICS_SSE2)
  return mark_masks_sse2(bytes);
#else
  return mark_masks_portable(bytes);
#endif
}

class Marks {
 public:
  CURATE_HD Marks(const u8* text, i64 size, Statistics& out) : text_(text), size_(size), out_(out) {}

  CURATE_HD_CALLED void take() {
    for (i64 at = 0; at < size_; at += BLOCK_BYTES) {
      u8 padded[BLOCK_BYTES] = {};
      const bool whole = at + BLOCK_BYTES <= size_;
      if (!whole)
        for (i64 i = at; i < size_; ++i) padded[i - at] = text_[i];
      take_block(mark_masks(whole ? text_ + at : padded), at);
    }
  }

 private:
  CURATE_HD void take_block(const MarkMasks& masks, i64 at) {
    const u64 starts = ~masks.blank & (masks.blank << 1 | blank_before_);
    blank_before_ = masks.blank >> 63;
    out_.blank_words += count_bits(starts & masks.alphanumeric);
    if (masks.hash) out_.hashes += count_bits(masks.hash);
    const u64 edge = u64(1) << 63;
    for (u64 rest = masks.dot & (masks.dot >> 1 | edge); rest; rest &= rest - 1) {
      const i64 place = at + lowest_bit(rest);
      if (place >= dots_end_ && stands("...", 3, place)) dots_end_ = place + 3, ++out_.ellipses;
    }
    const u64 spaced = (masks.space >> 1 & masks.dot >> 2) | edge | edge >> 1;
    for (u64 rest = masks.dot & spaced; rest; rest &= rest - 1) {
      const i64 place = at + lowest_bit(rest);
      if (place >= spaced_end_ && stands(". . .", 5, place)) spaced_end_ = place + 5, ++out_.ellipses;
    }
    for (u64 rest = masks.dots; rest; rest &= rest - 1) {
      const i64 place = at + lowest_bit(rest);
      out_.ellipses += is_dots(text_ + place, size_ - place);
    }
    for (u64 rest = masks.high & starts; rest; rest &= rest - 1) {
      const i64 place = at + lowest_bit(rest);
      out_.blank_words += is_alphanumeric(decode(text_ + place, size_ - place).value);
    }
  }

  CURATE_HD bool stands(const char* wanted, int n, i64 at) const {
    if (at + n > size_) return false;
    for (int i = 0; i < n; ++i)
      if (text_[at + i] != static_cast<u8>(wanted[i])) return false;
    return true;
  }

  const u8* text_;
  i64 size_;
  Statistics& out_;
  u64 blank_before_ = 1;
  i64 dots_end_ = 0, spaced_end_ = 0;
};

// The grams are of words between Unicode boundaries.
CURATE_HD_CALLED void take_breaks(Grams& grams, Statistics& out) {
  i64* const top[] = {&out.uax_top_2_gram_chars, &out.uax_top_3_gram_chars, &out.uax_top_4_gram_chars};
  i64* const covered[] = {&out.uax_covered_5_gram_chars, &out.uax_covered_6_gram_chars,
                          &out.uax_covered_7_gram_chars, &out.uax_covered_8_gram_chars,
                          &out.uax_covered_9_gram_chars, &out.uax_covered_10_gram_chars};
  out.uax_words = grams.words();
  out.uax_word_chars = grams.all_chars();
  for (int n = 2; n <= LONGEST_GRAM && n <= grams.words(); ++n) {
    grams.lengthen();
    if (n <= 4)
      *top[n - 2] = grams.longest_top_word_chars();
    else
      *covered[n - 5] = grams.covered_word_chars();
  }
}

}  // namespace curate::heuristics
