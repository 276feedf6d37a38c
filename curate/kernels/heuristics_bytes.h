// What a document's bytes are, 64 at a time: the first step of the heuristic statistics.
#pragma once
#include "portable.h"

#if defined(__SSE2__) && !defined(__CUDACC__)
#include <emmintrin.h>
#define CURATE_HEURISTICS_SSE2 1
#endif

namespace curate::heuristics {

constexpr int BLOCK_BYTES = 64;

// Bit i of a mask stands for byte i of the block.
struct Block {
  u64 space;         // ASCII bytes that str.split takes for white space
  u64 newline;       // "\n"
  u64 anchor;        // bytes at which a string looked for is recognised: ":" k v m, of either case
  u64 high;          // not ASCII
  u64 continuation;  // 0x80..0xBF
  u64 wide;          // lead bytes of the white space, brackets and Kelvin sign outside of ASCII: C2 E1 E2 E3
  u32 prose;         // bytes of [a-zA-Z0-9\n?!,.]
  u32 digits;        // bytes of [0-9]
  u32 blanks;        // bytes of [\t\n\r\b ]
  u32 parentheses;   // bytes of [{}()] and square brackets
};

enum ByteFlag : u8 { SPACE = 1, NEWLINE = 2, ANCHOR = 4, HIGH = 8, CONTINUATION = 16, WIDE = 32 };

struct ByteClasses {
  u8 flags[256] = {};
  u32 counts[256] = {};  // a byte each, from the lowest: prose, digits, blanks, parentheses

  CURATE_HD constexpr void count(const char* bytes, int place) {
    for (const char* c = bytes; *c; ++c) counts[static_cast<u8>(*c)] |= 1u << 8 * place;
  }
  CURATE_HD constexpr ByteClasses() {
    for (int c = 0; c < 256; ++c) {
      const int lower = c | 0x20;
      if (c == ' ' || (c >= 9 && c <= 13) || (c >= 28 && c <= 31)) flags[c] |= SPACE;
      if (c == '\n') flags[c] |= NEWLINE;
      if (c == ':' || lower == 'k' || lower == 'v' || lower == 'm') flags[c] |= ANCHOR;
      if (c >= 0x80) flags[c] |= HIGH;
      if (c >= 0x80 && c < 0xC0) flags[c] |= CONTINUATION;
      if (c == 0xC2 || (c >= 0xE1 && c <= 0xE3)) flags[c] |= WIDE;
      if (lower >= 'a' && lower <= 'z') counts[c] |= 1;
    }
    count("0123456789\n?!,.", 0);
    count("0123456789", 1);
    count("\t\n\r\b ", 2);
    count("{}[]()", 3);
  }
};

CURATE_TABLE ByteClasses BYTE_CLASSES;

CURATE_HD Block classify_portable(const u8* bytes) {
  Block block = {};
  u32 counts = 0;
  for (int i = 0; i < BLOCK_BYTES; ++i) {
    const u64 flags = BYTE_CLASSES.flags[bytes[i]];
    counts += BYTE_CLASSES.counts[bytes[i]];
    block.space |= (flags & 1) << i;
    block.newline |= (flags >> 1 & 1) << i;
    block.anchor |= (flags >> 2 & 1) << i;
    block.high |= (flags >> 3 & 1) << i;
    block.continuation |= (flags >> 4 & 1) << i;
    block.wide |= (flags >> 5 & 1) << i;
  }
  block.prose = counts & 0xFF;
  block.digits = counts >> 8 & 0xFF;
  block.blanks = counts >> 16 & 0xFF;
  block.parentheses = counts >> 24;
  return block;
}

#if defined(CURATE_HEURISTICS_SSE2)

namespace sse2 {

inline __m128i load(const u8* bytes) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes)); }

inline __m128i either(__m128i a, __m128i b) { return _mm_or_si128(a, b); }

inline __m128i is(__m128i bytes, char value) { return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(value)); }

inline __m128i within(__m128i bytes, int low, int high) {
  const __m128i above = _mm_sub_epi8(bytes, _mm_set1_epi8(static_cast<char>(low)));
  return _mm_cmpeq_epi8(_mm_min_epu8(above, _mm_set1_epi8(static_cast<char>(high - low))), above);
}

inline u64 mask(__m128i lanes, int part) { return static_cast<u64>(_mm_movemask_epi8(lanes)) << 16 * part; }

inline u32 total(__m128i lanes) {
  const __m128i sums = _mm_sad_epu8(lanes, _mm_setzero_si128());
  return static_cast<u32>(_mm_cvtsi128_si32(sums) + _mm_extract_epi16(sums, 4));
}

struct Counts {
  __m128i prose = _mm_setzero_si128(), digits = prose, blanks = prose, parentheses = prose;
};

inline void classify_part(__m128i x, int part, Block& block, Counts& counts) {
  const __m128i lower = _mm_or_si128(x, _mm_set1_epi8(0x20));
  const __m128i newline = is(x, '\n'), blank = is(x, ' ');
  const __m128i digit = within(x, '0', '9');
  const __m128i comma = is(_mm_and_si128(x, _mm_set1_epi8(~2)), ',');  // and full stop
  const __m128i stops = either(either(is(x, '?'), is(x, '!')), comma);
  const __m128i letters = either(within(lower, 'a', 'z'), digit);
  const __m128i controls = either(within(x, 9, 13), within(x, 28, 31));
  const __m128i round = is(_mm_and_si128(x, _mm_set1_epi8(~1)), '(');  // and ")"
  const __m128i curly = either(is(lower, '{'), is(lower, '}'));  // and square: they differ by 0x20
  const __m128i anchor = either(either(is(x, ':'), is(lower, 'k')), either(is(lower, 'v'), is(lower, 'm')));
  counts.prose = _mm_sub_epi8(counts.prose, either(either(letters, stops), newline));
  counts.digits = _mm_sub_epi8(counts.digits, digit);
  counts.blanks = _mm_sub_epi8(counts.blanks, either(either(blank, within(x, 8, 10)), is(x, '\r')));
  counts.parentheses = _mm_sub_epi8(counts.parentheses, either(round, curly));
  block.space |= mask(either(blank, controls), part);
  block.newline |= mask(newline, part);
  block.anchor |= mask(anchor, part);
  const u64 high = mask(x, part);
  if (high == 0) return;
  block.high |= high;
  block.continuation |= mask(within(x, 0x80, 0xBF), part);
  block.wide |= mask(either(is(x, static_cast<char>(0xC2)), within(x, 0xE1, 0xE3)), part);
}

}  // namespace sse2

inline Block classify_sse2(const u8* bytes) {
  Block block = {};
  sse2::Counts counts;
  for (int part = 0; part < BLOCK_BYTES / 16; ++part)
    sse2::classify_part(sse2::load(bytes + 16 * part), part, block, counts);
  block.prose = sse2::total(counts.prose);
  block.digits = sse2::total(counts.digits);
  block.blanks = sse2::total(counts.blanks);
  block.parentheses = sse2::total(counts.parentheses);
  return block;
}

#endif

// Both ways give the same masks and counts.
CURATE_HD Block classify(const u8* bytes) {
#if defined(CURATE_HEURISTICS_SSE2)
  return classify_sse2(bytes);
#else
  return classify_portable(bytes);
#endif
}

}  // namespace curate::heuristics
