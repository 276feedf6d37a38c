// Where a text has white space and where letters, a bit a byte: what it is split into chunks by.
#pragma once
#include "heuristics_scan.h"

namespace curate::spacy {

constexpr int PADDING = 64;  // bytes after texts and lists that may be read or written

CURATE_HD bool is_alphanumeric(u8 byte) {
  return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z');
}

// Bit i stands for byte i of 64.
struct MarkBlock {
  u64 white;    // ASCII white space
  u64 letters;  // of ASCII
  u64 perhaps;  // first bytes of white space outside of ASCII: C2 E1 E2 E3
};

CURATE_HD MarkBlock mark_portable(const u8* bytes) {
  MarkBlock block = {};
  for (int i = 0; i < heuristics::BLOCK_BYTES; ++i) {
    const u8 c = bytes[i], low = c | 0x20;
    block.white |= static_cast<u64>(c == ' ' || (c >= 9 && c <= 13) || (c >= 28 && c <= 31)) << i;
    block.letters |= static_cast<u64>(low >= 'a' && low <= 'z') << i;
    block.perhaps |= static_cast<u64>(c == 0xC2 || (c >= 0xE1 && c <= 0xE3)) << i;
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
    const __m128i perhaps = either(is(x, static_cast<char>(0xC2)), within(x, 0xE1, 0xE3));
    block.white |= mask(either(is(x, ' '), controls), part);
    block.letters |= mask(within(low, 'a', 'z'), part);
    block.perhaps |= mask(perhaps, part);
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
      : white_(reinterpret_cast<u64*>((reinterpret_cast<size_t>(memory) + 7) & ~size_t(7))), letters_(nullptr) {}

  CURATE_HD void scan(const u8* text, i64 size) {
    constexpr i64 bytes = heuristics::BLOCK_BYTES;
    size_ = size;
    letters_ = white_ + size / bytes + 1;
    u64 spill = 0;
    for (i64 at = 0; at < size; at += bytes) {
      MarkBlock block;
      if (at + bytes <= size) {
        block = mark(text + at);
      } else {
        u8 padded[bytes] = {};
        for (i64 i = at; i < size; ++i) padded[i - at] = text[i];
        block = mark(padded);
      }
      block.white |= spill;
      spill = 0;
      for (u64 rest = block.perhaps; rest; rest &= rest - 1) {
        const int i = heuristics::lowest_bit(rest);
        const CodePoint code = decode(text + at + i, size - at - i);
        if (!is_white_space(code.value)) continue;
        const u64 own = (u64(1) << code.size) - 1;
        block.white |= own << i;
        if (i + code.size > bytes) spill = own >> (bytes - i);
      }
      white_[at / bytes] = block.white;
      letters_[at / bytes] = block.letters;
    }
  }

  // Whether the bytes begin .. end, of which there are some, are letters of ASCII.
  CURATE_HD bool all_letters(i64 begin, i64 end) const {
    if (end - begin > 56) return next_bit(letters_, ~u64(0), begin, end) == end;
    u64 bits;
    memcpy(&bits, reinterpret_cast<const u8*>(letters_) + begin / 8, 8);
    return (~bits >> (begin & 7) & ((u64(1) << (end - begin)) - 1)) == 0;
  }

  // The pieces between white space of a part of the text.
  struct Pieces {
    i64 count, bytes;
    bool solid;  // one may have more than 64 bytes; where it does not hold, none has 128
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
  u64 *white_, *letters_;
  i64 size_ = 0;
};

}  // namespace curate::spacy
