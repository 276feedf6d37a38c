// Going through the lines of a text that is rewritten in place, and words of a line.
#pragma once
#include "heuristics_document.h"

namespace curate::heuristics {

// The place after the line that starts at `at`, which is where its line feed or the end is.
CURATE_HD i64 feed_after(const u8* s, i64 end, i64 at) {
  const void* found = memchr(s + at, '\n', static_cast<size_t>(end - at));
  return found ? static_cast<const u8*>(found) - s : end;
}

// What a line becomes: bytes of it at its new place, or GONE.
constexpr i64 GONE = -1;

// Rewrites s[inside.begin .. inside.end) line by line, joined by line feeds, as split("\n") has them: `rewrite`
// takes a line, its bytes and the place that it goes to, which is the line's or before it.
template <typename Rewrite>
CURATE_HD Span rewrite_lines(u8* s, Span inside, Rewrite rewrite) {
  i64 end = inside.begin;
  bool first = true;
  for (i64 at = inside.begin; at <= inside.end;) {
    const i64 feed = feed_after(s, inside.end, at);
    const i64 place = end + !first, size = rewrite(s + at, feed - at, s + place);
    if (size != GONE) {
      if (!first) s[end] = '\n';
      end = place + size;
      first = false;
    }
    at = feed + 1;
  }
  return {inside.begin, end};
}

CURATE_HD i64 move_line(const u8* line, i64 n, u8* to) {
  if (to != line) memmove(to, line, static_cast<size_t>(n));
  return n;
}

CURATE_HD bool is_white_at(const u8* s, i64 n, i64 at, int* size) {
  const CodePoint code = decode(s + at, n - at);
  *size = code.size;
  return is_white_space(code.value);
}

// Words of a line as str.split() gives them; counting stops at `most`.
CURATE_HD i64 count_words(const u8* s, i64 n, i64 most) {
  i64 words = 0;
  bool inside = false;
  int size = 1;
  for (i64 at = 0; at < n && words < most; at += size) {
    const bool white = is_white_at(s, n, at, &size);
    words += !white && !inside;
    inside = !white;
  }
  return words;
}

}  // namespace curate::heuristics
