// Which pieces of text spaCy's tokeniser takes for URLs or e-mail addresses, and does not split.
#pragma once
#include "spacy_affixes.h"

namespace curate::spacy {

CURATE_HD bool is_host_char(u32 code) {
  return code < 0x80 ? is_digit(static_cast<u8>(code)) || ((code | 0x20) >= 'a' && (code | 0x20) <= 'z')
                     : code >= 0xA1 && code <= 0xFFFF;
}

// A port and a path, as far as they are there, up to the end.
CURATE_HD bool is_url_rest(const u8* s, i64 at, i64 n) {
  if (at < n && s[at] == ':') {
    int digits = 0;
    for (++at; at < n; ++digits) {
      const CodePoint code = decode(s + at, n - at);
      if (!(properties(code.value) & DIGIT)) break;
      at += code.size;
    }
    if (digits < 2 || digits > 5) return false;
  }
  return at == n || s[at] == '/' || s[at] == '?' || s[at] == '#';
}

// Labels with full stops after them, then a top-level domain of lower-case letters.
CURATE_HD bool is_domain(const u8* s, i64 at, i64 n) {
  i64 chars = 0;
  bool begins = false, ends = false;  // with a character that a label may begin and end with
  while (at < n) {
    const CodePoint code = decode(s + at, n - at);
    at += code.size;
    if (code.value != '.') {
      const bool inside = is_host_char(code.value);
      if (!inside && code.value != '-' && code.value != '_') return false;
      if (chars++ == 0) begins = inside;
      ends = inside;
      continue;
    }
    if (chars == 0 || chars > 64 || !begins || !ends) return false;
    chars = 0;
    i64 letters = 0, end = at;
    while (end < n) {
      const CodePoint letter = decode(s + end, n - end);
      if (!(properties(letter.value) & LOWER)) break;
      end += letter.size;
      ++letters;
    }
    if (letters >= 2 && letters <= 63 && is_url_rest(s, end, n)) return true;
  }
  return false;
}

// Up to three digits at s[at]; `value` is right where all are ASCII. Others count as 9, which no pattern takes in
// places where it does not take all digits, but `first` says whether the first one is from 1 to 9.
struct Octet {
  int digits = 0, value = 0;
  bool first = false;
};

CURATE_HD Octet octet_at(const u8* s, i64* at, i64 n) {
  Octet octet;
  while (*at < n && octet.digits < 4) {
    const CodePoint code = decode(s + *at, n - *at);
    if (!(properties(code.value) & DIGIT)) break;
    if (octet.digits == 0) octet.first = code.value >= '1' && code.value <= '9';
    octet.value = 10 * octet.value + (code.value < 0x80 ? static_cast<int>(code.value) - '0' : 9);
    ++octet.digits;
    *at += code.size;
  }
  return octet;
}

CURATE_HD bool is_within(const Octet& octet, int low, int high) {
  return octet.value >= low && octet.value <= high && (octet.digits < 3 || octet.value >= 100);
}

CURATE_HD bool is_address(const u8* s, i64 at, i64 n) {
  Octet octets[4];
  for (int i = 0; i < 4; ++i) {
    if (i > 0 && (at >= n || s[at++] != '.')) return false;
    octets[i] = octet_at(s, &at, n);
    if (octets[i].digits < 1 || octets[i].digits > 3) return false;
  }
  if (!octets[0].first || !is_within(octets[0], 1, 223) || !is_within(octets[1], 0, 255) ||
      !is_within(octets[2], 0, 255) || !octets[3].first || !is_within(octets[3], 1, 254))
    return false;
  const int a = octets[0].value, b = octets[1].first ? octets[1].value : -1;
  if (a == 10 || a == 127 || (a == 169 && b == 254) || (a == 192 && b == 168) || (a == 172 && b >= 16 && b <= 31))
    return false;
  return is_url_rest(s, at, n);
}

CURATE_HD bool is_host(const u8* s, i64 at, i64 n) { return is_address(s, at, n) || is_domain(s, at, n); }

// The end of "scheme://" at the start of s, 0 where there is none.
CURATE_HD i64 scheme_end(const u8* s, i64 n) {
  int chars = 0;
  for (i64 at = 0; at < n; ++chars) {
    const CodePoint code = decode(s + at, n - at);
    if (code.value == ':') return chars >= 2 && at + 2 < n && s[at + 1] == '/' && s[at + 2] == '/' ? at + 3 : 0;
    const bool inside = properties(code.value) & WORD || code.value == '+' || code.value == '-' || code.value == '.';
    if (!inside) return 0;
    at += code.size;
  }
  return 0;
}

CURATE_HD bool is_url(const u8* s, i64 n) {
  if (!memchr(s, '.', static_cast<size_t>(n))) return false;
  const i64 scheme = scheme_end(s, n);
  if (is_host(s, 0, n) || (scheme && is_host(s, scheme, n))) return true;
  // Whatever is before an "@" may be a user's name, if there is anything.
  for (i64 at = 1; at + 1 < n; ++at)
    if (s[at] == '@' && is_host(s, at + 1, n)) return true;
  return false;
}

}  // namespace curate::spacy
