// Texts brought to a common form before they are compared: docs/sketch.md defines every mapping.
#pragma once
#include "unicode.h"

namespace curate {

// Steps of normalisation; any of them may be combined.
constexpr int kLowercase = 1;
constexpr int kDigits = 2;
constexpr int kPunctuation = 4;

struct CodeRange {
  u32 first, last;
};

// What counts as punctuation beyond White_Space. In order, and none touches the next.
CURATE_TABLE CodeRange PUNCTUATION[] = {
    {0x0000, 0x002F}, {0x003A, 0x0040}, {0x005B, 0x0060}, {0x007B, 0x00A9}, {0x00AB, 0x00B1}, {0x00B4, 0x00B4},
    {0x00B6, 0x00B8}, {0x00BB, 0x00BB}, {0x00BF, 0x00BF}, {0x00D7, 0x00D7}, {0x00F7, 0x00F7}, {0x055A, 0x055F},
    {0x0589, 0x058A}, {0x05BE, 0x05BE}, {0x05C0, 0x05C0}, {0x05C3, 0x05C3}, {0x05F3, 0x05F4}, {0x060C, 0x060D},
    {0x061B, 0x061F}, {0x066A, 0x066D}, {0x06D4, 0x06D4}, {0x0964, 0x0965}, {0x2000, 0x206F}, {0x20A0, 0x20CF},
    {0x2E00, 0x2E7F}, {0x3000, 0x3003}, {0x3008, 0x3020}, {0x3030, 0x3030}, {0x30FB, 0x30FB}, {0xFE10, 0xFE19},
    {0xFE30, 0xFE6F}, {0xFEFF, 0xFEFF}, {0xFF01, 0xFF0F}, {0xFF1A, 0xFF20}, {0xFF3B, 0xFF40}, {0xFF5B, 0xFF65},
};
constexpr int kPunctuationRanges = sizeof(PUNCTUATION) / sizeof(PUNCTUATION[0]);

// The zeros of the decimal digits that count: each is followed by 1 to 9.
CURATE_TABLE u32 ZEROS[] = {0x0030, 0x0660, 0x06F0, 0x0966, 0x09E6, 0x0E50, 0xFF10};

// Letters from `first` to `last` with a lowercase letter `offset` further on: all of them, or with `step` 2
// every second. No mapping changes how many bytes UTF-8 takes.
struct LowerRange {
  u32 first, last, step, offset;
};

CURATE_TABLE LowerRange LOWER[] = {
    {0x0041, 0x005A, 1, 32}, {0x00C0, 0x00D6, 1, 32}, {0x00D8, 0x00DE, 1, 32}, {0x0100, 0x012E, 2, 1},
    {0x0132, 0x0136, 2, 1},  {0x0139, 0x0147, 2, 1},  {0x014A, 0x0176, 2, 1},  {0x0179, 0x017D, 2, 1},
    {0x01A0, 0x01A0, 1, 1},  {0x01AF, 0x01AF, 1, 1},  {0x0218, 0x021A, 2, 1},
    {0x0386, 0x0386, 1, 38}, {0x0388, 0x038A, 1, 37}, {0x038C, 0x038C, 1, 64}, {0x038E, 0x038F, 1, 63},
    {0x0391, 0x03A1, 1, 32}, {0x03A3, 0x03AB, 1, 32}, {0x0400, 0x040F, 1, 80}, {0x0410, 0x042F, 1, 32},
    {0x0460, 0x0480, 2, 1},  {0x048A, 0x04BE, 2, 1},  {0x04C1, 0x04CD, 2, 1},  {0x04D0, 0x052E, 2, 1},
    {0x0531, 0x0556, 1, 48}, {0x1E00, 0x1E94, 2, 1},  {0x1EA0, 0x1EFE, 2, 1},  {0xFF21, 0xFF3A, 1, 32},
};

CURATE_HD bool is_punctuation(u32 code) {
  int low = 0, high = kPunctuationRanges;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (code > PUNCTUATION[middle].last)
      low = middle + 1;
    else
      high = middle;
  }
  return (low < kPunctuationRanges && code >= PUNCTUATION[low].first) || is_white_space(code);
}

CURATE_HD bool is_decimal(u32 code) {
  for (const u32 zero : ZEROS)
    if (code - zero < 10) return true;
  return false;
}

CURATE_HD u32 lowercase(u32 code) {
  for (const LowerRange& range : LOWER)
    if (code <= range.last)
      return code >= range.first && (code - range.first) % range.step == 0 ? code + range.offset : code;
  return code;
}

// Writes a code point from 0x80 to 0xFFFF; returns its bytes.
CURATE_HD int encode(u32 code, u8* out) {
  if (code < 0x800) {
    out[0] = static_cast<u8>(0xC0 | code >> 6);
    out[1] = static_cast<u8>(0x80 | (code & 63));
    return 2;
  }
  out[0] = static_cast<u8>(0xE0 | code >> 12);
  out[1] = static_cast<u8>(0x80 | (code >> 6 & 63));
  out[2] = static_cast<u8>(0x80 | (code & 63));
  return 3;
}

// Whether a code point is of a gap: one or more become one space, or nothing at the ends of a text.
CURATE_HD bool is_gap(int steps, u32 code) { return (steps & kPunctuation) && is_punctuation(code); }

// What becomes of a code point below 0x80 that is not of a gap.
CURATE_HD u8 normal_byte(int steps, u32 code) {
  if ((steps & kDigits) && is_decimal(code)) return '0';
  return static_cast<u8>((steps & kLowercase) ? lowercase(code) : code);
}

// Writes what becomes of the code point at s, which is not of a gap and has several bytes, or is no UTF-8; returns its bytes, no more than
// there were.
CURATE_HD int write_normal(int steps, const u8* s, CodePoint point, u8* out) {
  if ((steps & kDigits) && is_decimal(point.value)) {
    *out = '0';
    return 1;
  }
  const u32 lower = (steps & kLowercase) ? lowercase(point.value) : point.value;
  if (lower != point.value && point.value >= 0x80) return encode(lower, out);  // below: of an overlong form
  for (int i = 0; i < point.size; ++i) out[i] = s[i];
  return point.size;
}

class Normalizer {
 public:
  // steps: any of kLowercase, kDigits, kPunctuation, added up.
  CURATE_HD explicit Normalizer(int steps) : steps_(steps) {
    for (u32 c = 0; c < 128; ++c) {
      gap_[c] = is_gap(steps, c);
      byte_[c] = normal_byte(steps, c);
    }
  }

  // Writes the normal form of n bytes of UTF-8 to `out`, which has room for n; returns its length. A byte that
  // is no UTF-8 stays as it is.
  CURATE_HD i64 write(const u8* s, i64 n, u8* out) const {
    u8* to = out;
    bool gap = false;
    for (i64 i = 0; i < n;) {
      const u8 byte = s[i];
      const CodePoint point = byte < 0x80 ? CodePoint{byte, 1} : decode(s + i, n - i);
      const bool plain = byte < 0x80;
      if (plain ? gap_[byte] != 0 : is_gap(steps_, point.value)) {
        gap = true;
        i += point.size;
        continue;
      }
      if (gap && to != out) *to++ = ' ';
      gap = false;
      if (plain)
        *to++ = byte_[byte];
      else
        to += write_normal(steps_, s + i, point, to);
      i += point.size;
    }
    return to - out;
  }

 private:
  int steps_;
  u8 gap_[128], byte_[128];
};

}  // namespace curate
