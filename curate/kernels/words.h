// Words of a text for exact comparison: lower-cased, of letters, marks and numbers only.
#pragma once
#include "hash.h"
#include "unicode.h"
#include "word_tables.h"

namespace curate {

// What ends a word. at_space: white space; other characters inside of a word are left out ("don't" is dont).
// at_punctuation: whatever is no letter, mark or number. Either way a character of a script that is written
// without spaces is a word.
enum class WordBreaks { at_space, at_punctuation };

enum class CharKind { other, space, letter, unspaced };

CURATE_HD CharKind char_kind(u32 code) {
  const u64(&bits)[2][4] = LETTER_BITS[LETTER_BLOCK[code >> 8]];
  if (bits[0][code >> 6 & 3] >> (code & 63) & 1)
    return bits[1][code >> 6 & 3] >> (code & 63) & 1 ? CharKind::unspaced : CharKind::letter;
  return is_white_space(code) ? CharKind::space : CharKind::other;
}

CURATE_HD u32 to_lower(u32 code) {
  return code >> 8 < LOWER_BLOCKS
             ? code + static_cast<u32>(LOWER_SHIFT[LOWER_BLOCK[code >> 8]][code & 255])
             : code;
}

class WordScanner {
 public:
  CURATE_HD WordScanner(const u8* text, i64 size, WordBreaks breaks)
      : text_(text), size_(size), split_(breaks == WordBreaks::at_punctuation) {}

  // Goes to the next word; false when there is none.
  CURATE_HD bool next() {
    u64 hash = kGolden;
    bool inside = false;
    i64 at = at_;
    while (at < size_) {
      const u8 c = text_[at];
      if (c < 0x80) {
        const u8 fold = WORD_ASCII[c];
        if (fold > 1) {
          if (!inside) begin = at;
          inside = true;
          hash = (hash ^ fold) * kMultiplier;
          end = ++at;
          continue;
        }
        ++at;
        if (inside && (fold | static_cast<u8>(split_))) break;
        continue;
      }
      const CodePoint point = decode(text_ + at, size_ - at);
      const CharKind kind = char_kind(point.value);
      if (inside && kind == CharKind::unspaced) break;
      at += point.size;
      if (kind >= CharKind::letter) {
        if (!inside) begin = at - point.size;
        inside = true;
        hash = (hash ^ to_lower(point.value)) * kMultiplier;
        end = at;
        if (kind == CharKind::unspaced) break;
      } else if (inside && (kind == CharKind::space || split_)) {
        break;
      }
    }
    at_ = at;
    code = fmix64(hash);
    return inside;
  }

  // Whether this word and that of another scanner have the same letters.
  CURATE_HD bool same(const WordScanner& other) const {
    i64 i = begin, j = other.begin;
    for (;;) {
      const u32 a = letter(i), b = other.letter(j);
      if (a != b) return false;
      if (a == 0) return true;
    }
  }

  u64 code = 0;            // hash of the word's letters
  i64 begin = 0, end = 0;  // bytes of the text from the word's first letter to behind its last

 private:
  static constexpr u64 kMultiplier = 0x9FB21C651E98DF25ULL;  // odd

  // The next folded letter of the current word from byte i on, 0 behind its last.
  CURATE_HD u32 letter(i64& i) const {
    while (i < end) {
      const CodePoint point = decode(text_ + i, end - i);
      i += point.size;
      if (char_kind(point.value) >= CharKind::letter) return to_lower(point.value);
    }
    return 0;
  }

  const u8* text_;
  i64 size_, at_ = 0;
  bool split_;
};

}  // namespace curate
