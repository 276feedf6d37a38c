// URLs brought to a common form, so that pages fetched under several spellings are one: docs/sketch.md.
#pragma once
#include "portable.h"

namespace curate {

// Query parameters that say where a reader came from and nothing about the page.
CURATE_TABLE const char* TRACKING[] = {
    "_ga",    "_gl",    "_hsenc", "_hsmi",   "dclid",  "fbclid",      "gbraid",      "gclid",  "gclsrc",
    "igshid", "mc_cid", "mc_eid", "mkt_tok", "msclkid", "oly_anon_id", "oly_enc_id", "ref_src", "srsltid",
    "ttclid", "twclid", "vero_id", "wbraid", "yclid",
};

CURATE_HD u8 ascii_lower(u8 c) { return c >= 'A' && c <= 'Z' ? static_cast<u8>(c + 32) : c; }

CURATE_HD bool is_ascii_letter(u8 c) { return static_cast<u8>((c | 32) - 'a') < 26; }

CURATE_HD bool is_ascii_digit(u8 c) { return static_cast<u8>(c - '0') < 10; }

// RFC 3986, section 2.3.
CURATE_HD bool is_unreserved(u8 c) {
  return is_ascii_letter(c) || is_ascii_digit(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

// A byte that may not stand in a URL as it is.
CURATE_HD bool must_be_escaped(u8 c) {
  return c <= 0x20 || c >= 0x7F || c == '"' || c == '<' || c == '>' || c == '\\' || c == '^' || c == '`' ||
         c == '{' || c == '|' || c == '}';
}

CURATE_HD int hex_value(u8 c) {
  if (is_ascii_digit(c)) return c - '0';
  const u8 lower = ascii_lower(c);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

CURATE_HD i64 escape(u8 c, u8* out) {
  const char* digits = "0123456789ABCDEF";
  out[0] = '%';
  out[1] = static_cast<u8>(digits[c >> 4]);
  out[2] = static_cast<u8>(digits[c & 15]);
  return 3;
}

// Writes s[0..n) with its percent-encoding in normal form; returns the length, at most 3 n.
CURATE_HD i64 write_escaped(const u8* s, i64 n, u8* out) {
  u8* to = out;
  for (i64 i = 0; i < n; ++i) {
    const int high = s[i] == '%' && i + 2 < n ? hex_value(s[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(s[i + 2]) : -1;
    if (low >= 0) {
      const u8 byte = static_cast<u8>(high << 4 | low);
      if (is_unreserved(byte))
        *to++ = byte;
      else
        to += escape(byte, to);
      i += 2;
    } else if (must_be_escaped(s[i])) {
      to += escape(s[i], to);
    } else {
      *to++ = s[i];
    }
  }
  return to - out;
}

// Whether a parameter, in normal form, is named after a tracker.
CURATE_HD bool is_tracking(const u8* s, i64 n) {
  i64 size = 0;
  while (size < n && s[size] != '=') ++size;
  const char* utm = "utm_";
  bool prefix = size >= 4;
  for (i64 i = 0; prefix && i < 4; ++i) prefix = ascii_lower(s[i]) == static_cast<u8>(utm[i]);
  if (prefix) return true;
  for (const char* name : TRACKING) {
    i64 i = 0;
    while (i < size && name[i] && ascii_lower(s[i]) == static_cast<u8>(name[i])) ++i;
    if (i == size && !name[i]) return true;
  }
  return false;
}

// Where the scheme and its `//` end; 0 where there is none.
CURATE_HD i64 scheme_end(const u8* s, i64 n) {
  i64 i = 0;
  if (n > 0 && is_ascii_letter(s[0]))
    while (i < n && (is_ascii_letter(s[i]) || is_ascii_digit(s[i]) || s[i] == '+' || s[i] == '-' || s[i] == '.'))
      ++i;
  if (i > 0) {
    if (i >= n || s[i] != ':') return 0;
    ++i;
  }
  return i + 1 < n && s[i] == '/' && s[i + 1] == '/' ? i + 2 : 0;
}

// Whether a host begins with `www.` and more than a top-level domain follows.
CURATE_HD bool has_www(const u8* s, i64 n) {
  if (n < 4 || s[0] != 'w' || s[1] != 'w' || s[2] != 'w' || s[3] != '.') return false;
  for (i64 i = 4; i < n; ++i)
    if (s[i] == '.') return true;
  return false;
}

// Writes user@www.Host.:port as host:port; returns the length.
CURATE_HD i64 write_host(const u8* s, i64 n, u8* out) {
  for (i64 i = n; i > 0; --i)
    if (s[i - 1] == '@') {
      s += i;
      n -= i;
      break;
    }
  i64 host = n;
  while (host > 0 && is_ascii_digit(s[host - 1])) --host;
  i64 port = n;
  if (host > 0 && s[host - 1] == ':')
    port = host--;
  else
    host = n;
  while (port < n && s[port] == '0') ++port;
  if (host > 0 && s[host - 1] == '.') --host;
  i64 size = write_escaped(s, host, out);
  for (i64 i = 0; i < size; ++i)
    if (out[i] == '%' && i + 2 < size && hex_value(out[i + 1]) >= 0 && hex_value(out[i + 2]) >= 0)
      i += 2;
    else
      out[i] = ascii_lower(out[i]);
  if (has_www(out, size)) {
    for (i64 i = 4; i < size; ++i) out[i - 4] = out[i];
    size -= 4;
  }
  const i64 digits = n - port;
  const bool http = digits == 2 && s[port] == '8' && s[port + 1] == '0';
  const bool https = digits == 3 && s[port] == '4' && s[port + 1] == '4' && s[port + 2] == '3';
  if (digits == 0 || http || https) return size;
  out[size++] = ':';
  for (i64 i = port; i < n; ++i) out[size++] = s[i];
  return size;
}

// Writes the query without trackers and empty parameters, led by `?` where one is left; returns the length.
CURATE_HD i64 write_query(const u8* s, i64 n, u8* out) {
  u8* to = out;
  for (i64 from = 0; from <= n;) {
    i64 stop = from;
    while (stop < n && s[stop] != '&') ++stop;
    const i64 size = write_escaped(s + from, stop - from, to + 1);
    if (size > 0 && !is_tracking(to + 1, size)) {
      *to = to == out ? '?' : '&';
      to += 1 + size;
    }
    from = stop + 1;
  }
  return to - out;
}

// Writes the normal form of a URL to `out`, which has room for 3 n + 1 bytes; returns its length.
CURATE_HD i64 write_url(const u8* s, i64 n, u8* out) {
  while (n > 0 && s[n - 1] <= 0x20) --n;
  while (n > 0 && s[0] <= 0x20) ++s, --n;
  for (i64 i = 0; i < n; ++i)
    if (s[i] == '#') n = i;
  const i64 start = scheme_end(s, n);
  s += start;
  n -= start;
  i64 host = 0;
  while (host < n && s[host] != '/' && s[host] != '?') ++host;
  i64 path = host;
  while (path < n && s[path] != '?') ++path;
  i64 size = write_host(s, host, out);
  size += write_escaped(s + host, path - host, out + size);
  while (size > 0 && out[size - 1] == '/') --size;
  return path < n ? size + write_query(s + path + 1, n - path - 1, out + size) : size;
}

}  // namespace curate
