// Shingles of a text as 64-bit hashes, rolled in O(1) a position and handed out in blocks.
// docs/sketch.md is the definition. Memory does not grow with the text.
#pragma once
#include "loops.h"

namespace curate {

constexpr i64 kShingleBlock = 4096;  // most shingle hashes that one call of next() hands out
constexpr i64 kWordBytes = 1024;     // bytes that are split into words at a time
constexpr int kLongestShingle = 64;
constexpr u16 kBegunBefore = kWordBytes + 1;

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

template <class Loops>
class CharShinglesOf {
 public:
  CURATE_HD CharShinglesOf(const ShingleTables& tables) : tables_(tables) {}

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
    hash_ = Loops::roll(tables_.code, tables_.leaving, in, in - tables_.length, take, hash_, hashes + count);
    position_ += take;
    return count + take;
  }

 private:
  const ShingleTables& tables_;
  const u8* text_ = nullptr;
  i64 size_ = 0, position_ = 0;
  u64 hash_ = 0;
};

// Words are hashed all bytes of a block at once. With P(i) = rotl(T[byte i], -7 (i + 1)) and X(e) the exclusive or of
// P(0 .. e - 1), a word from s up to e has the hash rotl(X(e) ^ X(s), 7 e): what one byte waits for is one exclusive
// or, and where words begin and end costs something once a word.
template <class Loops>
class WordShinglesOf {
 public:
  CURATE_HD WordShinglesOf(const ShingleTables& tables) : tables_(tables) {}

  CURATE_HD void open(const u8* text, i64 size) {
    text_ = text;
    size_ = size;
    rewind();
  }
  CURATE_HD void rewind() {
    position_ = 0;
    words_ = 0;
    hash_ = word_ = inside_ = 0;
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
  CURATE_HD i64 split() {
    const i64 size = size_ - position_ < kWordBytes ? size_ - position_ : kWordBytes;
    const i64 chunks = (size + 63) / 64, padding = 64 * chunks + 2 - size;
    u8 padded[kWordBytes + 4];
    for (int i = 0; i < 2; ++i) padded[i] = position_ >= 2 - i ? text_[position_ + i - 2] : 0;
    memcpy(padded + 2, text_ + position_, static_cast<size_t>(size));
    for (i64 i = 0; i < padding; ++i)
      padded[2 + size + i] = position_ + size + i < size_ ? text_[position_ + size + i] : 0;
    position_ += size;

    // Words begin and end in turn: bounds_[2 j] and bounds_[2 j + 1] are those of word j.
    i64 bounds = 0;
    if (inside_) {
      bounds_[bounds++] = kBegunBefore;
      upto_[kBegunBefore] = word_;
    }
    bounds += Loops::word_bounds(padded, chunks, inside_, bounds_ + bounds);
    if (done() && (bounds & 1)) bounds_[bounds++] = static_cast<u16>(64 * chunks);
    upto_[0] = 0;
    Loops::hash_prefixes(tables_.folded, padded + 2, chunks, upto_);

    u64* codes = codes_ + kLongestShingle;
    const i64 count = bounds / 2;
    for (i64 j = 0; j < count; ++j)
      codes[j] = rotl(upto_[bounds_[2 * j + 1]] ^ upto_[bounds_[2 * j]], 7 * bounds_[2 * j + 1]);
    inside_ = bounds & 1;
    word_ = inside_ ? upto_[64 * chunks] ^ upto_[bounds_[bounds - 1]] : 0;
    Loops::mix(codes, count, 0, codes);
    return count;
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
  u64 hash_ = 0;
  u64 inside_ = 0, word_ = 0;  // whether the bytes so far end inside a word, and its hash up to there
  u64 upto_[kWordBytes + 2];     // X of each byte of the block; then that of a word begun before it
  u16 bounds_[kWordBytes + 64];  // word_bounds() may write some more than there are
  u64 codes_[kLongestShingle + kWordBytes] = {};  // the last words of before, then the new ones
};

using CharShingles = CharShinglesOf<PlainLoops>;
using WordShingles = WordShinglesOf<PlainLoops>;

}  // namespace curate
