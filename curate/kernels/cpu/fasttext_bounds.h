// Where words begin and end in a text.
#pragma once
#include <cstring>

#include "fasttext.h"
#include "targets.h"

namespace curate::cpu {

// Bit i says whether byte i of 64 belongs to a word.
inline u64 fasttext_word_bytes(const u8* bytes) {
  u64 words = 0;
#if defined(__SSE2__)
  for (int at = 0; at < 64; at += 16) {
    const __m128i c = _mm_loadu_si128(reinterpret_cast<const __m128i*>(bytes + at));
    const __m128i from_tab = _mm_sub_epi8(c, _mm_set1_epi8(9));
    const __m128i controls = _mm_cmpeq_epi8(_mm_min_epu8(from_tab, _mm_set1_epi8(4)), from_tab);
    const __m128i blank = _mm_or_si128(_mm_cmpeq_epi8(c, _mm_set1_epi8(32)), _mm_cmpeq_epi8(c, _mm_setzero_si128()));
    const u32 spaces = static_cast<u32>(_mm_movemask_epi8(_mm_or_si128(controls, blank)));
    words |= static_cast<u64>(~spaces & 0xFFFF) << at;
  }
#else
  for (int at = 0; at < 64; ++at) words |= static_cast<u64>(!fasttext_space(bytes[at])) << at;
#endif
  return words;
}

// The words of a text, some at a time. All ways of finding them find the same.
class WordBounds {
 public:
  static constexpr i32 MOST = 64;  // words at a time

  explicit WordBounds(bool wide) : wide_(wide) {}

  void start(const u8* text, i64 size) {
    text_ = text;
    size_ = size;
    at_ = 0;
    count_ = 0;
    in_word_ = 0;
  }

  // Finds more words, at most MOST; how many, 0 at the end of the text.
  i32 next() {
    if (count_ & 1) bounds_[0] = bounds_[count_ - 1];
    count_ &= 1;
#if defined(__x86_64__)
    if (wide_) take_wide_blocks();
#endif
    while (more()) take_block();
    if (at_ >= size_ && (count_ & 1)) bounds_[count_++] = size_;
    return count_ / 2;
  }
  // Whether there are no more.
  bool finished() const { return at_ >= size_; }
  i64 begin(i32 word) const { return bounds_[2 * word]; }
  i64 end(i32 word) const { return bounds_[2 * word + 1]; }
  // Where words begin and end, one after the other.
  const i64* bounds() const { return bounds_; }

 private:
  bool more() const { return at_ < size_ && count_ < 2 * MOST - 64; }

  void take_block() {
    u64 inside;
    if (size_ - at_ >= 64) {
      inside = fasttext_word_bytes(text_ + at_);
    } else {
      u8 rest[64] = {};
      std::memcpy(rest, text_ + at_, static_cast<size_t>(size_ - at_));
      inside = fasttext_word_bytes(rest);
    }
    u64 changes = inside ^ (inside << 1 | in_word_);
    in_word_ = inside >> 63;
    // Sixteen at a time, whether there or not: how many there are is hard to foretell.
    i64* next = bounds_ + count_;
    for (count_ += __builtin_popcountll(changes); changes; next += 16)
      for (i32 i = 0; i < 16; ++i, changes &= changes - 1) next[i] = at_ + __builtin_ctzll(changes | u64(1) << 63);
    at_ += 64;
  }

#if defined(__x86_64__)
  CURATE_AVX512VBMI void take_wide_blocks() {
    alignas(64) static constexpr u8 PLACES[64] = {
        0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
        22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
        44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};
    const __m512i places = _mm512_load_si512(PLACES);
    for (; more(); at_ += 64) {
      const __mmask64 there = size_ - at_ >= 64 ? ~u64(0) : (u64(1) << (size_ - at_)) - 1;
      const __m512i bytes = _mm512_maskz_loadu_epi8(there, text_ + at_);  // a zero is a space
      const __mmask64 controls =
          _mm512_cmple_epu8_mask(_mm512_sub_epi8(bytes, _mm512_set1_epi8(9)), _mm512_set1_epi8(4));
      const __mmask64 blanks = _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(32));
      const u64 inside = ~(controls | blanks | _mm512_testn_epi8_mask(bytes, bytes));
      const u64 changes = inside ^ (inside << 1 | in_word_);
      in_word_ = inside >> 63;
      __m512i packed = _mm512_maskz_compress_epi8(changes, places);
      const i64 count = _mm_popcnt_u64(changes);
      for (i64 i = 0; i < count; i += 8) {
        const __m512i found = _mm512_cvtepu8_epi64(_mm512_castsi512_si128(packed));
        _mm512_storeu_si512(bounds_ + count_ + i, _mm512_add_epi64(found, _mm512_set1_epi64(at_)));
        packed = _mm512_alignr_epi64(packed, packed, 1);
      }
      count_ += static_cast<i32>(count);
    }
  }
#endif

  const bool wide_;
  const u8* text_ = nullptr;
  i64 size_ = 0, at_ = 0;
  u64 in_word_ = 0;
  i32 count_ = 0;
  i64 bounds_[2 * MOST + 16];
};

}  // namespace curate::cpu
