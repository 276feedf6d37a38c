// Which lines may be of a list of lines or begin as one of some lines do, so that few are left to be compared in full. What it
// lets through may be no such line; what it holds back is none.
#pragma once
#include "hash.h"
#include "unicode.h"

namespace curate {

constexpr u32 kLineEnd = 0xFFFFFFFF;      // also ends a beginning
constexpr u32 kDigitRun = 0x110000;       // in a beginning: one or more of 0 to 9
constexpr u32 kNoWordFollows = 0x110001;  // in a beginning: the line ends here, or goes on without a letter or digit of ASCII
constexpr u32 kSpaceMark = 0x80000000;
constexpr int kBeginningBuckets = 129;

struct LineSieve {
  const u32* folded;  // of each code point below fold_count: its lower case, with kSpaceMark where that is white space
  u32 fold_count;
  const u32* beginnings;  // code points in lower case
  const int* buckets;     // for each code point below 128, and all others: where its beginnings begin
  const u64* slots;       // hashes of listed lines, open addressing, 0 where free; none at all without a list
  u64 slot_mask;
  i64 max_chars;  // longer lines are none
};

CURATE_HD u64 add_to_line_hash(u64 hash, u32 code) { return (hash ^ code) * 0x9FB21C651E98DF25ULL; }
CURATE_HD u64 line_hash_of(u64 hash) {
  const u64 mixed = fmix64(hash);
  return mixed ? mixed : 1;
}

class SievedLine {
 public:
  // A line that begins at `at`.
  CURATE_HD SievedLine(const LineSieve& sieve, const u8* text, i64 size, i64 at)
      : sieve_(sieve), text_(text), size_(size), at_(at) {}

  CURATE_HD bool passes() const {
    i64 at = at_, chars = 0, after = at_;
    u32 code = read(at, &after);
    while (code != kLineEnd && code & kSpaceMark) {
      if (++chars > sieve_.max_chars) return false;
      code = read(at = after, &after);
    }
    if (code == kLineEnd) return false;
    const bool begins = begins_as_one(at, code);
    return (begins || sieve_.slots) && is_short_enough(at, chars, begins);
  }

 private:
  // The code point at `at` in lower case, kLineEnd at the line's end; `after` becomes where the next one is.
  CURATE_HD u32 read(i64 at, i64* after) const {
    if (at >= size_ || text_[at] == '\n') return kLineEnd;
    const CodePoint point = decode(text_ + at, size_ - at);
    *after = at + point.size;
    return point.value < sieve_.fold_count ? sieve_.folded[point.value] : point.value;
  }

  CURATE_HD bool begins_as_one(i64 at, u32 code) const {
    const int bucket = code < 128 ? static_cast<int>(code) : kBeginningBuckets - 1;
    const u32* wanted = sieve_.beginnings + sieve_.buckets[bucket];
    const u32* const end = sieve_.beginnings + sieve_.buckets[bucket + 1];
    while (wanted < end) {
      if (begins_as(at, wanted)) return true;
      while (*wanted != kLineEnd) ++wanted;
      ++wanted;
    }
    return false;
  }

  CURATE_HD static bool is_digit_of_line(u32 code) { return code - '0' < 10; }

  CURATE_HD bool begins_as(i64 at, const u32* wanted) const {
    i64 after = at;
    for (; *wanted != kLineEnd; ++wanted) {
      u32 code = read(at, &after);
      if (*wanted == kNoWordFollows) {
        if (code - 'a' < 26 || is_digit_of_line(code)) return false;
        continue;
      }
      if (*wanted == kDigitRun) {
        if (!is_digit_of_line(code)) return false;
        for (; is_digit_of_line(code); code = read(at, &after)) at = after;
        continue;
      }
      if ((code & ~kSpaceMark) != *wanted) return false;
      at = after;
    }
    return true;
  }

  // Whether the line has no more characters than may be; unless it `begins` as wanted, it must be listed too. chars: before
  // `at`.
  CURATE_HD bool is_short_enough(i64 at, i64 chars, bool begins) const {
    u64 hash = kGolden, trimmed = kGolden;
    i64 after = at;
    for (u32 code = read(at, &after); code != kLineEnd; code = read(at = after, &after)) {
      if (++chars > sieve_.max_chars) return false;
      hash = add_to_line_hash(hash, code & ~kSpaceMark);
      if (!(code & kSpaceMark)) trimmed = hash;
    }
    return begins || is_listed(line_hash_of(trimmed));
  }

  CURATE_HD bool is_listed(u64 hash) const {
    for (u64 at = hash & sieve_.slot_mask; sieve_.slots[at]; at = (at + 1) & sieve_.slot_mask)
      if (sieve_.slots[at] == hash) return true;
    return false;
  }

  const LineSieve& sieve_;
  const u8* const text_;
  const i64 size_, at_;
};

// Whether a line that begins at one of the bytes `from` to `to` (not included) passes.
CURATE_HD bool any_line_passes(const LineSieve& sieve, const u8* text, i64 size, i64 from, i64 to) {
  for (i64 at = from; at < to; ++at)
    if ((at == 0 || text[at - 1] == '\n') && SievedLine(sieve, text, size, at).passes()) return true;
  return false;
}

}  // namespace curate
