// Strings that web pages carry for other reasons than prose: URLs, policy notices, filler text.
#pragma once
#include "portable.h"

namespace curate::heuristics {

// Whose lower case is "k", as str.lower() has it. (That of U+0130 starts with an "i", but goes on with a mark
// that no string here has.)
CURATE_HD bool is_kelvin_sign(const u8* s, i64 left) {
  return left >= 3 && s[0] == 0xE2 && s[1] == 0x84 && s[2] == 0xAA;
}

CURATE_HD u8 lower(u8 byte) { return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte; }

// Whether the lower case of text[at..] starts with `wanted`, which is ASCII and in lower case.
CURATE_HD bool starts_folded(const u8* text, i64 size, i64 at, const char* wanted) {
  for (; *wanted; ++wanted) {
    if (at >= size) return false;
    if (lower(text[at]) == static_cast<u8>(*wanted)) {
      ++at;
    } else if (*wanted == 'k' && is_kelvin_sign(text + at, size - at)) {
      at += 3;
    } else {
      return false;
    }
  }
  return true;
}

// A string looked for around the first occurrence of its anchor letter. Nothing before that is a "k", so that
// the start is `offset` bytes back.
struct Phrase {
  const char* text;
  int offset;

  CURATE_HD constexpr Phrase(const char* wanted, char anchor) : text(wanted), offset(0) {
    while (wanted[offset] != anchor) ++offset;
  }
  CURATE_HD bool at(const u8* s, i64 size, i64 anchor) const {
    return anchor >= offset && starts_folded(s, size, anchor - offset, text);
  }
};

// NeMo Curator 1.3.0, policy_substrings of nemo_curator/stages/text/utils/constants.py. Two notices of that
// list are not here because they contain "uses cookies".
CURATE_TABLE Phrase COOKIE_PHRASES[] = {
    {"uses cookies", 'k'},
    {"use cookies", 'k'},
    {"use of cookies", 'k'},
    {"cookie policy", 'k'},
    {"privacy & cookies policy", 'k'},
    {"privacy and cookies policy", 'k'},
    {"necessary cookies are absolutely essential for the website to function properly. this category only "
     "includes cookies that ensures basic functionalities and security features of the website. these "
     "cookies do not store any personal information.",
     'k'},
    {"any cookies that may not be particularly necessary for the website to function and is used "
     "specifically to collect user personal data via analytics, ads, other embedded contents are termed as "
     "non-necessary cookies. it is mandatory to procure user consent prior to running these cookies on your "
     "website.",
     'k'},
    {"if you continue to browse this site without changing your cookie settings, you agree to this use. "
     "acceptread more",
     'k'},
};
CURATE_TABLE Phrase PRIVACY_PHRASES[] = {{"privacy policy", 'v'}, {"privacy overview", 'v'}};
CURATE_TABLE Phrase TERMS_PHRASE = {"terms of use", 'm'};
CURATE_TABLE Phrase FILLER_PHRASE = {"lorem ipsum", 'm'};
CURATE_TABLE Phrase COOKIE = {"cookie", 'k'};

// Whether a policy notice stands around text[anchor], a letter k, v or m of either case or a Kelvin sign.
CURATE_HD bool policy_at(const u8* text, i64 size, i64 anchor) {
  switch (lower(text[anchor])) {
    case 'm':
      return TERMS_PHRASE.at(text, size, anchor);
    case 'v':
      for (const Phrase& phrase : PRIVACY_PHRASES)
        if (phrase.at(text, size, anchor)) return true;
      return false;
    default:
      if (!COOKIE.at(text, size, anchor)) return false;
      for (const Phrase& phrase : COOKIE_PHRASES)
        if (phrase.at(text, size, anchor)) return true;
      return false;
  }
}

CURATE_HD bool is_hex(u8 c) { return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'f'); }

struct UrlBytes {
  bool inside[256] = {};

  CURATE_HD constexpr UrlBytes() {
    for (int c = 0; c < 128; ++c)
      inside[c] = (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    for (const char* c = "$-_@.&+/:=?#~!*(),"; *c; ++c) inside[static_cast<u8>(*c)] = true;
  }
};

CURATE_TABLE UrlBytes URL_BYTES;

// Bytes of the URL around the colon text[colon], 0 where there is none; `end` becomes its end. The pattern is
// NeMo Curator's regex_url: https?:// and one or more of the bytes below or %XX.
CURATE_HD i64 url_at(const u8* text, i64 size, i64 colon, i64* end) {
  if (colon + 3 >= size || text[colon + 1] != '/' || text[colon + 2] != '/') return 0;
  const i64 begin = colon - (colon >= 5 && text[colon - 1] == 's' ? 5 : 4);
  if (begin < 0) return 0;
  const u8* s = text + begin;
  if (s[0] != 'h' || s[1] != 't' || s[2] != 't' || s[3] != 'p') return 0;
  i64 at = colon + 3;
  while (at < size) {
    if (URL_BYTES.inside[text[at]]) {
      ++at;
    } else if (text[at] == '%' && at + 2 < size && is_hex(text[at + 1]) && is_hex(text[at + 2])) {
      at += 3;
    } else {
      break;
    }
  }
  if (at == colon + 3) return 0;
  *end = at;
  return at - begin;
}

}  // namespace curate::heuristics
