// Shingles of a text as 64-bit hashes, rolled in O(1) a position and handed out in blocks.
// docs/sketch.md is the definition. Memory does not grow with the text.
#pragma once
#include "hash.h"

namespace curate {

constexpr i64 kShingleBlock = 4096;  // most shingle hashes that one call of next() hands out
constexpr i64 kWordBytes = 1024;     // bytes that are split into words at a time
constexpr int kLongestShingle = 64;

struct ShingleTables {
  u64 code[256];     // T: the code of each byte
  u64 leaving[256];  // T rotated by the shingle length: what a byte still weighs when it leaves the window
  u64 folded[256];   // T after ASCII lowercasing
  int length;        // symbols in a shingle, 1 to kLongestShingle

  CURATE_HD void fill(u64 seed, int symbols) {
    length = symbols;
    for (int c = 0; c < 256; ++c) {
      code[c] = splitmix64(seed);
      leaving[c] = rotl(code[c], static_cast<unsigned>(symbols));
    }
    for (int c = 0; c < 256; ++c) folded[c] = code[c >= 'A' && c <= 'Z' ? c + 32 : c];
  }
};

class CharShingles {
 public:
  CURATE_HD CharShingles(const ShingleTables& tables) : tables_(tables) {}

  CURATE_HD void open(const u8* text, i64 size) {
    text_ = text;
    size_ = size;
    rewind();
  }
  CURATE_HD void rewind() { position_ = 0; }
  CURATE_HD bool done() const { return position_ == size_; }

  // Writes up to kShingleBlock hashes and returns how many; none only when done.
  CURATE_HD i64 next(u64* hashes) {
    i64 count = 0;
    if (position_ == 0) {
      const i64 first = size_ < tables_.length ? size_ : tables_.length;
      u64 h = 0;
      for (; position_ < first; ++position_) h = rotl(h, 1) ^ tables_.code[text_[position_]];
      if (first == 0) return 0;
      hashes[count++] = hash_ = h;
    }
    const i64 left = size_ - position_;
    const i64 take = left < kShingleBlock - count ? left : kShingleBlock - count;
    const u8* in = text_ + position_;
    const i64 n = tables_.length;
    u64* to = hashes + count;
    u64 h = hash_;
    for (i64 i = 0; i < take; ++i) {
      h = rotl(h, 1) ^ (tables_.code[in[i]] ^ tables_.leaving[in[i - n]]);
      to[i] = h;
    }
    hash_ = h;
    position_ += take;
    return count + take;
  }

 private:
  const ShingleTables& tables_;
  const u8* text_ = nullptr;
  i64 size_ = 0, position_ = 0;
  u64 hash_ = 0;
};

class WordShingles {
 public:
  CURATE_HD WordShingles(const ShingleTables& tables) : tables_(tables) {}

  CURATE_HD void open(const u8* text, i64 size) {
    text_ = text;
    size_ = size;
    rewind();
  }
  CURATE_HD void rewind() {
    position_ = 0;
    words_ = 0;
    hash_ = word_ = 0;
  }
  CURATE_HD bool done() const { return position_ == size_; }

  // Writes up to kShingleBlock hashes and returns how many; may return none before it is done.
  CURATE_HD i64 next(u64* hashes) {
    i64 count = 0;
    while (position_ < size_ && count + kWordBytes <= kShingleBlock) count += roll(split(), hashes + count);
    if (done() && words_ > 0 && words_ < tables_.length) hashes[count++] = hash_;
    return count;
  }

 private:
  // Reads the next bytes of the text; returns how many words ended there, their codes after codes_[history].
  // Which bytes are separators is worked out first for all of them, without branches, as any byte of a
  // separator of several bytes can be told from its neighbours.
  CURATE_HD i64 split() {
    const i64 size = size_ - position_ < kWordBytes ? size_ - position_ : kWordBytes;
    u8 padded[kWordBytes + 8], keep[kWordBytes + 4];
    for (int i = 0; i < 2; ++i) padded[i] = position_ >= 2 - i ? text_[position_ + i - 2] : 0;
    memcpy(padded + 2, text_ + position_, static_cast<size_t>(size));
    for (i64 i = 0; i < 4; ++i)
      padded[2 + size + i] = position_ + size + i < size_ ? text_[position_ + size + i] : 0;
    mark(padded, size + 1, keep);

    u64* codes = codes_ + kLongestShingle;
    u64 word = word_;
    i64 count = 0;
    for (i64 i = 0; i < size; ++i) {
      word = (rotl(word, 7) ^ tables_.folded[padded[i + 2]]) & (0 - static_cast<u64>(keep[i]));
      codes[count] = word;
      count += keep[i] & (keep[i + 1] ^ 1);
    }
    word_ = word;
    position_ += size;
    for (i64 i = 0; i < count; ++i) codes[i] = fmix64(codes[i]);
    return count;
  }

  // keep[i] = 1 where byte i of the text belongs to a word; padded holds two bytes before and more after.
  CURATE_HD static void mark(const u8* padded, i64 size, u8* keep) {
    for (i64 i = 0; i < size; ++i) {
      const u8 a = padded[i], b = padded[i + 1], c = padded[i + 2], d = padded[i + 3], e = padded[i + 4];
      const u8 letter = (static_cast<u8>((c | 32) - 'a') < 26) | (c >= 128);
      const u8 digit = static_cast<u8>(c - '0') < 10;
      const u8 in_three = starts3(c, d, e) | starts3(b, c, d) | starts3(a, b, c);
      const u8 in_two = starts2(c, d) | starts2(b, c);
      keep[i] = (letter | digit) & ((in_three | in_two) ^ 1);
    }
  }
  CURATE_HD static u8 starts2(u8 a, u8 b) { return (a == 0xC2) & (b == 0xA0); }
  CURATE_HD static u8 starts3(u8 a, u8 b, u8 c) {
    return ((a == 0xE2) & ((b & 0xFE) == 0x80) & ((c & 0xC0) == 0x80)) |
           ((a == 0xE3) & (b == 0x80) & (static_cast<u8>(c - 0x80) < 3));
  }

  // Rolls over the new codes; returns how many shingles came out.
  CURATE_HD i64 roll(i64 count, u64* hashes) {
    const int n = tables_.length;
    const u64* codes = codes_ + kLongestShingle;
    u64 h = hash_;
    i64 i = 0, made = 0;
    for (; i < count && words_ < n; ++i, ++words_) {
      h = rotl(h, 1) ^ codes[i];
      if (words_ == n - 1) hashes[made++] = h;
    }
    for (; i < count; ++i) {
      h = rotl(h, 1) ^ (codes[i] ^ rotl(codes[i - n], static_cast<unsigned>(n)));
      hashes[made++] = h;
    }
    hash_ = h;
    for (int j = kLongestShingle - n; j < kLongestShingle; ++j) codes_[j] = codes_[j + count];
    return made;
  }

  const ShingleTables& tables_;
  const u8* text_ = nullptr;
  i64 size_ = 0, position_ = 0;
  i64 words_ = 0;  // words so far, counted up to the shingle length
  u64 hash_ = 0, word_ = 0;
  u64 codes_[kLongestShingle + kWordBytes] = {};  // the last words of before, then the new ones
};

}  // namespace curate
