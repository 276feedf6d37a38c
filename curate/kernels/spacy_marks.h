// Where a text has white space, which splits it into chunks, and where characters that no rule is about: a bit a byte.
#pragma once
#include "heuristics_scan.h"
#include "spacy_affixes.h"

namespace curate::spacy {

constexpr int PADDING = 64;  // bytes after texts and lists that may be read or written

CURATE_HD bool is_alphanumeric(u8 byte) {
  return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z');
}

// Bit i stands for byte i of 64.
struct MarkBlock {
  u64 white;    // ASCII white space
  u64 letters;  // of ASCII
  u64 pairs;    // first bytes of two: C3 to DF, none of them white space
  u64 others;   // first bytes of two or three that white space may have: C2, E0 to EF
  u64 seconds;  // continuation bytes
};

// Whether no rule is about a character outside of ASCII that is no white space.
CURATE_HD constexpr bool is_plain(u32 code) {
  // Rules name these by themselves: dashes between letters, the apostrophe before an s, two ellipses.
  const bool named = is_hyphen(code) || code == 0x2019 || code == 0x2026;
  return !(properties(code) & (PREFIX | SUFFIX | ICON)) && !named;
}

// A bit for each character of two bytes that a rule is about, by their first, from C3 to DF, and second byte.
struct PairRules {
  u64 seconds[0xE0 - 0xC3] = {};

  CURATE_HD constexpr PairRules() {
    for (u32 code = 0xC0; code < 0x800; ++code)
      if (!is_plain(code)) seconds[(code >> 6) - 3] |= u64(1) << (code & 63);
  }
};

CURATE_TABLE PairRules PAIR_RULES;

CURATE_HD MarkBlock mark_portable(const u8* bytes) {
  MarkBlock block = {};
  for (int i = 0; i < heuristics::BLOCK_BYTES; ++i) {
    const u8 c = bytes[i], low = c | 0x20;
    block.white |= static_cast<u64>(c == ' ' || (c >= 9 && c <= 13) || (c >= 28 && c <= 31)) << i;
    block.letters |= static_cast<u64>(low >= 'a' && low <= 'z') << i;
    block.pairs |= static_cast<u64>(c >= 0xC3 && c <= 0xDF) << i;
    block.others |= static_cast<u64>(c == 0xC2 || (c >= 0xE0 && c <= 0xEF)) << i;
    block.seconds |= static_cast<u64>(c >= 0x80 && c <= 0xBF) << i;
  }
  return block;
}

CURATE_HD MarkBlock mark(const u8* bytes) {
#if defined(CURATE_HEURISTICS_SSE2)
  using namespace heuristics::sse2;
  MarkBlock block = {};
  for (int part = 0; part < heuristics::BLOCK_BYTES / 16; ++part) {
    const __m128i x = load(bytes + 16 * part), low = _mm_or_si128(x, _mm_set1_epi8(0x20));
    const __m128i controls = either(within(x, 9, 13), within(x, 28, 31));
    const __m128i others = either(is(x, static_cast<char>(0xC2)), within(x, 0xE0, 0xEF));
    block.white |= mask(either(is(x, ' '), controls), part);
    block.letters |= mask(within(low, 'a', 'z'), part);
    block.pairs |= mask(within(x, 0xC3, 0xDF), part);
    block.others |= mask(others, part);
    block.seconds |= mask(within(x, 0x80, 0xBF), part);
  }
  return block;
#else
  return mark_portable(bytes);
#endif
}

// The first place from `at` on with a bit set, `size` where there is none. `flip` turns all bits.
CURATE_HD i64 next_bit(const u64* bits, u64 flip, i64 at, i64 size) {
  i64 block = at >> 6;
  u64 rest = (bits[block] ^ flip) >> (at & 63) << (at & 63);
  while (rest == 0) {
    if (++block << 6 >= size) return size;
    rest = bits[block] ^ flip;
  }
  const i64 found = (block << 6) + heuristics::lowest_bit(rest);
  return found < size ? found : size;
}

class TextMarks {
 public:
  // `memory` holds as many bytes as the longest text, and PADDING.
  CURATE_HD explicit TextMarks(u8* memory)
      : white_(reinterpret_cast<u64*>((reinterpret_cast<size_t>(memory) + 7) & ~size_t(7))), plain_(nullptr) {}

  CURATE_HD void scan(const u8* text, i64 size) {
    constexpr i64 bytes = heuristics::BLOCK_BYTES;
    size_ = size;
    plain_ = white_ + size / bytes + 1;
    u64 white = 0, plain = 0;  // bytes of the next block, of characters that began before it
    for (i64 at = 0; at < size; at += bytes) {
      MarkBlock block;
      if (at + bytes <= size) {
        block = mark(text + at);
      } else {
        u8 padded[bytes] = {};
        for (i64 i = at; i < size; ++i) padded[i - at] = text[i];
        block = mark(padded);
      }
      const u64 pairs = plain_pairs(block, text + at, size - at);
      white |= block.white;
      plain |= block.letters | pairs | pairs << 1;
      u64 white_after = 0, plain_after = pairs >> 63;
      for (u64 rest = block.others; rest; rest &= rest - 1) {
        const int i = heuristics::lowest_bit(rest);
        const CodePoint code = decode(text + at + i, size - at - i);
        const u64 own = (u64(1) << code.size) - 1, after = i + code.size > bytes ? own >> (bytes - i) : 0;
        if (is_white_space(code.value)) {
          white |= own << i;
          white_after |= after;
        } else if (is_plain(code.value)) {
          plain |= own << i;
          plain_after |= after;
        }
      }
      white_[at / bytes] = white;
      plain_[at / bytes] = plain;
      white = white_after;
      plain = plain_after;
    }
  }

  // Whether the bytes begin .. end, of which there are some, are letters of ASCII and characters of two and three bytes
  // that no rule is about.
  CURATE_HD bool all_plain(i64 begin, i64 end) const {
    if (end - begin > 56) return next_bit(plain_, ~u64(0), begin, end) == end;
    u64 bits;
    memcpy(&bits, reinterpret_cast<const u8*>(plain_) + begin / 8, 8);
    return (~bits >> (begin & 7) & ((u64(1) << (end - begin)) - 1)) == 0;
  }

  // The pieces between white space of a part of the text.
  struct Pieces {
    i64 count, bytes;
    bool solid;  // one has 64 bytes or more; without it none has 128
  };
  CURATE_HD Pieces pieces(i64 begin, i64 end) const {
    Pieces out = {0, 0, false};
    u64 inside_piece = 0;
    for (i64 block = begin >> 6; block << 6 < end; ++block) {
      u64 inside = ~u64(0);
      if (begin > block << 6) inside <<= begin & 63;
      if (end < (block + 1) << 6) inside &= (u64(1) << (end & 63)) - 1;
      const u64 black = ~white_[block] & inside;
      out.count += heuristics::count_bits(black & ~(black << 1 | inside_piece));
      out.bytes += heuristics::count_bits(black);
      out.solid |= black == ~u64(0);
      inside_piece = black >> 63;
    }
    return out;
  }

  CURATE_HD i64 white_end(i64 at) const { return next_bit(white_, ~u64(0), at, size_); }
  CURATE_HD i64 chunk_end(i64 at) const { return next_bit(white_, 0, at, size_); }

  // Goes through the places where white space starts or ends.
  class Edges {
   public:
    // The text starts as if behind white space.
    CURATE_HD explicit Edges(const TextMarks& marks) : white_(marks.white_), size_(marks.size_) {
      if (size_ > 0) load();
    }

    // The next place where white space ends or starts in turn, `size` where there is none.
    CURATE_HD i64 next() {
      while (rest_ == 0) {
        if ((block_ + 1) << 6 >= size_) return size_;
        ++block_;
        load();
      }
      const i64 found = (block_ << 6) + heuristics::lowest_bit(rest_);
      rest_ &= rest_ - 1;
      return found < size_ ? found : size_;
    }

   private:
    CURATE_HD void load() {
      const u64 white = white_[block_];
      rest_ = white ^ (white << 1 | before_);
      before_ = white >> 63;
    }

    const u64* white_;
    i64 size_, block_ = 0;
    u64 rest_ = 0, before_ = 1;
  };

 private:
  // The first bytes of characters of two bytes that no rule is about.
  CURATE_HD static u64 plain_pairs(const MarkBlock& block, const u8* text, i64 size) {
    constexpr int bytes = heuristics::BLOCK_BYTES;
    const u64 beyond = size > bytes && is_continuation(text[bytes]);
    u64 plain = block.pairs & (block.seconds >> 1 | beyond << (bytes - 1));
    for (u64 rest = plain; rest; rest &= rest - 1) {
      const int i = heuristics::lowest_bit(rest);
      if (PAIR_RULES.seconds[text[i] - 0xC3] >> (text[i + 1] & 63) & 1) plain &= ~(u64(1) << i);
    }
    return plain;
  }

  u64 *white_, *plain_;
  i64 size_ = 0;
};

}  // namespace curate::spacy
