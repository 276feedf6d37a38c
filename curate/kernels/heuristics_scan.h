// One scan of a document: where its words, lines and paragraphs lie, how many characters are of which kind.
#pragma once
#include "heuristics_bytes.h"
#include "heuristics_strings.h"
#include "unicode.h"

namespace curate::heuristics {

// Parts of a document: part i is the bytes begin[i] .. end[i].
struct Parts {
  u32* begin;
  u32* end;
  i64 count;
};

struct Outline {
  const u8* text;
  i64 size;
  bool ascii;
  Parts words;       // as str.split() gives them
  Parts lines;       // those of split("\n") that hold a word, with their white space
  u32* first_word;   // of a line
  u32* after_words;  // of a line: one past its last word
  Parts paragraphs;  // as split("\n\n") gives them, empty ones included
};

struct CharacterCounts {
  i64 chars = 0;
  i64 prose = 0;
  i64 digits = 0;
  i64 blanks = 0;
  i64 parentheses = 0;
  i64 url = 0;
  i64 newlines = 0;
  i64 outside_lines = 0;  // of lines that hold no word, without their "\n"
  i64 policy_paragraphs = 0;
  bool filler = false;
};

CURATE_HD int lowest_bit(u64 mask) {
#if defined(__CUDA_ARCH__)
  return __ffsll(static_cast<long long>(mask)) - 1;
#else
  return __builtin_ctzll(mask);
#endif
}

// Baseline x86-64 has no instruction for it.
CURATE_HD int count_bits(u64 mask) {
  mask -= mask >> 1 & 0x5555555555555555u;
  mask = (mask & 0x3333333333333333u) + (mask >> 2 & 0x3333333333333333u);
  return static_cast<int>(((mask + (mask >> 4)) & 0x0F0F0F0F0F0F0F0Fu) * 0x0101010101010101u >> 56);
}

class Scanner {
 public:
  CURATE_HD Scanner(Outline& outline, CharacterCounts& counts) : outline_(outline), counts_(counts) {}

  CURATE_HD_CALLED void run() {
    const i64 size = outline_.size;
    i64 at = 0;
    for (; at + BLOCK_BYTES <= size; at += BLOCK_BYTES) take(outline_.text + at, at, ~u64(0));
    if (at < size) {
      u8 padded[BLOCK_BYTES] = {};  // zero is of no class
      for (i64 i = at; i < size; ++i) padded[i - at] = outline_.text[i];
      take(padded, at, (u64(1) << (size - at)) - 1);
    }
    if (outline_.words.count < started_) outline_.words.end[outline_.words.count++] = static_cast<u32>(size);
    close_line(size, started_);
    close_paragraph(size);
    counts_.chars += size;
  }

 private:
  CURATE_HD void take(const u8* bytes, i64 at, u64 valid) {
    Block block = classify(bytes);
    block.space |= spill_ | ~valid;
    spill_ = 0;
    counts_.prose += block.prose;
    counts_.digits += block.digits;
    counts_.blanks += block.blanks;
    counts_.parentheses += block.parentheses;
    if (block.high) take_high(block, at);
    const u64 before = block.space << 1 | after_space_;
    const u64 starts = ~block.space & before;
    take_words(starts, block.space & ~before, at);
    for (u64 rest = block.newline; rest; rest &= rest - 1) {
      const int i = lowest_bit(rest);
      take_newline(at + i, started_ + count_bits(starts & ((u64(1) << i) - 1)));
    }
    started_ += count_bits(starts);
    for (u64 rest = block.anchor; rest; rest &= rest - 1) take_anchor(at + lowest_bit(rest));
    after_space_ = block.space >> 63;
  }

  CURATE_HD void take_high(Block& block, i64 at) {
    outline_.ascii = false;
    counts_.chars -= count_bits(block.continuation);
    for (u64 rest = block.wide; rest; rest &= rest - 1) {
      const int i = lowest_bit(rest);
      const u8* s = outline_.text + at + i;
      const CodePoint code = decode(s, outline_.size - at - i);
      if (is_white_space(code.value)) {
        const u64 bytes = (u64(1) << code.size) - 1;
        block.space |= bytes << i;
        if (i + code.size > BLOCK_BYTES) spill_ = bytes >> (BLOCK_BYTES - i);
      }
      counts_.parentheses += code.value == 0x27E8 || code.value == 0x27E9;  // mathematical angle brackets
      if (is_kelvin_sign(s, outline_.size - at - i)) block.anchor |= u64(1) << i;
    }
  }

  CURATE_HD void take_words(u64 starts, u64 ends, i64 at) {
    u32* begin = outline_.words.begin + started_;
    for (; starts; starts &= starts - 1) *begin++ = static_cast<u32>(at + lowest_bit(starts));
    u32* end = outline_.words.end + outline_.words.count;
    for (; ends; ends &= ends - 1) *end++ = static_cast<u32>(at + lowest_bit(ends));
    outline_.words.count = end - outline_.words.end;
  }

  CURATE_HD void take_newline(i64 at, i64 words_before) {
    ++counts_.newlines;
    close_line(at, words_before);
    if (at == second_newline_) {
      close_paragraph(at - 1);
      paragraph_begin_ = at + 1;
      second_newline_ = -1;
    } else {
      second_newline_ = at + 1;
    }
  }

  CURATE_HD void close_line(i64 end, i64 words_before) {
    if (words_before > line_word_) {
      const i64 line = outline_.lines.count++;
      outline_.lines.begin[line] = static_cast<u32>(line_begin_);
      outline_.lines.end[line] = static_cast<u32>(end);
      outline_.first_word[line] = static_cast<u32>(line_word_);
      outline_.after_words[line] = static_cast<u32>(words_before);
    } else {
      counts_.outside_lines += count_code_points(outline_.text + line_begin_, end - line_begin_);
    }
    line_begin_ = end + 1;
    line_word_ = words_before;
  }

  CURATE_HD void close_paragraph(i64 end) {
    const i64 paragraph = outline_.paragraphs.count++;
    outline_.paragraphs.begin[paragraph] = static_cast<u32>(paragraph_begin_);
    outline_.paragraphs.end[paragraph] = static_cast<u32>(end);
  }

  CURATE_HD void take_anchor(i64 at) {
    const u8* text = outline_.text;
    if (text[at] == ':') {
      if (at >= url_end_) counts_.url += url_at(text, outline_.size, at, &url_end_);
      return;
    }
    if (lower(text[at]) == 'm' && FILLER_PHRASE.at(text, outline_.size, at)) counts_.filler = true;
    if (!policy_at(text, outline_.size, at)) return;
    const i64 paragraph = paragraph_of(at);
    counts_.policy_paragraphs += paragraph != policy_paragraph_;
    policy_paragraph_ = paragraph;
  }

  // Paragraphs of this block are already closed when its anchors are looked at.
  CURATE_HD i64 paragraph_of(i64 at) const {
    i64 paragraph = outline_.paragraphs.count;
    if (at >= paragraph_begin_) return paragraph;
    do --paragraph;
    while (at < outline_.paragraphs.begin[paragraph]);
    return paragraph;
  }

  Outline& outline_;
  CharacterCounts& counts_;
  u64 after_space_ = 1;  // whether the byte before the block is white space; so is what comes before the text
  u64 spill_ = 0;        // bytes of the next block that belong to a white space of this one
  i64 started_ = 0;      // words
  i64 line_begin_ = 0, line_word_ = 0;
  i64 paragraph_begin_ = 0, second_newline_ = -1, policy_paragraph_ = -1;
  i64 url_end_ = 0;
};

}  // namespace curate::heuristics
