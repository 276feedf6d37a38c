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

  CURATE_HD i64 white_end(i64 at) const { return next_bit(white_, ~u64(0), at, size_); }
  CURATE_HD i64 chunk_end(i64 at) const { return next_bit(white_, 0, at, size_); }
  CURATE_HD bool all_letters(i64 begin, i64 end) const { return next_bit(letters_, ~u64(0), begin, end) == end; }

 private:
  u64 *white_, *letters_;
  i64 size_ = 0;
};

}  // namespace curate::spacy
