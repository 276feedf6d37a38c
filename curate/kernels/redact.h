// E-mail addresses, IP addresses and telephone numbers in a text; docs/redact.md is the definition.
#pragma once
#include "portable.h"

namespace curate {

enum RedactKind { kEmail, kIpv4, kIpv6, kPhone, kRedactKinds };

struct RedactWhat {
  bool emails, phones;
  bool ips, all_ips;  // all_ips: those that are not public too
};

struct RedactFinding {
  i64 begin, end;  // bytes
  RedactKind kind;
};

CURATE_HD bool is_digit(u8 c) { return static_cast<u8>(c - '0') < 10; }
CURATE_HD bool is_letter(u8 c) { return static_cast<u8>((c | 32) - 'a') < 26; }
CURATE_HD bool is_alnum(u8 c) { return is_digit(c) || is_letter(c); }
CURATE_HD bool is_hex(u8 c) { return is_digit(c) || static_cast<u8>((c | 32) - 'a') < 6; }
// Characters beyond ASCII end a word: an address may stand between Chinese characters, or in curly quotes.
CURATE_HD bool is_wordy(u8 c) { return is_alnum(c) || c == '_'; }

class RedactScanner {
 public:
  CURATE_HD RedactScanner(const u8* text, i64 size, RedactWhat what) : text_(text), size_(size), what_(what) {
    if (what.ips || what.phones) starts_[0] |= 0x3FF * bit('0');
    if (what.ips) starts_[0] |= bit(':');
    if (what.all_ips) starts_[1] |= 0x3F * (bit('a') | bit('A'));  // public ones begin with 2 or 3
    if (what.phones) starts_[0] |= bit('+') | bit('(');
    find_email(0);
  }

  // Finds the next one from left to right; false when there is none. Findings do not overlap.
  CURATE_HD bool next(RedactFinding& found) {
    while (at_ < size_) {
      if (at_ == email_.begin) {
        found = email_;
        at_ = email_.end;
        find_email(at_);
        return true;
      }
      if (number_at(at_, found) && found.end <= email_.begin) {
        at_ = found.end;
        return true;
      }
      ++at_;
      while (at_ < size_ && at_ != email_.begin && !starts_number(text_[at_])) ++at_;
    }
    return false;
  }

 private:
  CURATE_HD u8 byte(i64 at) const { return at >= 0 && at < size_ ? text_[at] : 0; }
  CURATE_HD static bool is_local(u8 c) {
    return is_alnum(c) || c == '.' || c == '_' || c == '%' || c == '+' || c == '-';
  }
  CURATE_HD static u64 bit(u8 c) { return u64{1} << (c & 63); }
  CURATE_HD bool starts_number(u8 c) const { return c < 0x80 && (c < 64 ? starts_[0] : starts_[1]) >> (c & 63) & 1; }

  // Sets email_ to the first address that begins at `from` or later.
  CURATE_HD void find_email(i64 from) {
    email_ = {size_ + 1, size_ + 1, kEmail};
    if (!what_.emails) return;
    for (i64 sign = from > sign_ ? from : sign_; sign < size_; ++sign) {
      if (text_[sign] != '@') continue;
      sign_ = sign + 1;
      i64 begin = sign;
      while (begin > from && is_local(text_[begin - 1])) --begin;
      while (begin < sign && !is_wordy(text_[begin])) ++begin;
      if (begin == sign || sign - begin > 64 || text_[sign - 1] == '.') continue;
      const i64 end = domain_end(sign + 1);
      if (end == 0) continue;
      email_ = {begin, end, kEmail};
      return;
    }
    sign_ = size_;
  }

  // Where the longest domain name that begins at `begin` ends, 0 where none does: labels of letters, digits and
  // inner hyphens, at least two, the last of two or more letters, or of punycode.
  CURATE_HD i64 domain_end(i64 begin) const {
    i64 best = 0;
    for (int labels = 0;; ++labels) {
      i64 at = begin;
      while (is_letter(byte(at))) ++at;
      if (labels > 0 && at - begin >= 2 && !is_digit(byte(at))) best = at;
      while (is_alnum(byte(at)) || byte(at) == '-') ++at;
      const bool label = at > begin && at - begin <= 63 && text_[begin] != '-' && text_[at - 1] != '-';
      const bool punycode = label && at - begin > 4 && (byte(begin) | 32) == 'x' && (byte(begin + 1) | 32) == 'n' &&
                            byte(begin + 2) == '-' && byte(begin + 3) == '-';
      if (labels > 0 && punycode) best = at;
      if (!label || byte(at) != '.') break;
      begin = at + 1;
    }
    return best;
  }

  CURATE_HD bool number_at(i64 at, RedactFinding& found) const {
    const u8 c = text_[at], before = byte(at - 1);
    if (is_wordy(before)) return false;
    if (what_.ips && (is_hex(c) || c == ':') && before != ':' && before != '.' && ipv6_at(at, found)) return true;
    if (what_.ips && is_digit(c) && before != '.' && ipv4_at(at, found)) return true;
    return what_.phones && (is_digit(c) || c == '+' || c == '(') && phone_at(at, found);
  }

  // Reads four numbers of 0 to 255 without leading zeros; returns where they end, 0 if they are not there.
  CURATE_HD i64 read_ipv4(i64 at, u32& address) const {
    address = 0;
    for (int part = 0; part < 4; ++part) {
      if (part && byte(at++) != '.') return 0;
      const i64 begin = at;
      u32 value = 0;
      while (at - begin < 3 && is_digit(byte(at))) value = 10 * value + (text_[at++] - '0');
      if (at == begin || value > 255 || (at - begin > 1 && text_[begin] == '0')) return 0;
      address = address << 8 | value;
    }
    return at;
  }

  CURATE_HD bool ipv4_at(i64 at, RedactFinding& found) const {
    u32 address;
    const i64 end = read_ipv4(at, address);
    if (end == 0 || is_wordy(byte(end)) || (byte(end) == '.' && is_digit(byte(end + 1)))) return false;
    found = {at, end, kIpv4};
    return what_.all_ips || is_public_ipv4(address);
  }

  // Not for private networks, the machine itself, documentation, multicast or anything else that IANA's registry of
  // special-purpose addresses sets apart.
  CURATE_HD static bool is_public_ipv4(u32 a) {
    const u32 high = a >> 24, two = a >> 16, three = a >> 8;
    return !(high == 0 || high == 10 || high == 127 || high >= 224 || two == 0xA9FE || two == 0xC0A8 ||
             two >> 4 == 0xAC1 || two >> 1 == 0xC612 >> 1 || two >> 6 == 0x6440 >> 6 || three == 0xC00000 ||
             three == 0xC00002 || three == 0xC63364 || three == 0xCB0071);
  }

  CURATE_HD bool ipv6_at(i64 at, RedactFinding& found) const {
    constexpr int kLongest = 45;
    i64 stop = at;  // stops and a colon that end a sentence, or lead to a page number, are not of the address
    int colons = 0;
    for (i64 after = at; is_hex(byte(after)) || byte(after) == ':' || byte(after) == '.';) {
      const u8 c = text_[after++];
      colons += c == ':';
      if (c != '.' && (c != ':' || byte(after - 2) == ':')) stop = after;
      if (stop - at > kLongest) return false;
    }
    if (colons < 2) return false;
    u32 first, second;
    if (is_wordy(byte(stop)) || !is_ipv6(at, stop, first, second)) return false;
    found = {at, stop, kIpv6};
    const bool documentation = (first == 0x2001 && second == 0xDB8) || (first == 0x3FFF && second < 0x1000);
    return what_.all_ips || (first >> 13 == 1 && !documentation);
  }

  // Whether the bytes are an address as RFC 4291, section 2.2, writes them; its first two groups.
  CURATE_HD bool is_ipv6(i64 at, i64 stop, u32& first, u32& second) const {
    int groups = 0, gap = -1;
    first = second = 0;
    if (byte(at) == ':' && byte(at + 1) == ':') gap = 0, at += 2;
    while (at < stop) {
      u32 v4;
      const i64 after = read_ipv4(at, v4);
      if (after == stop) {
        groups += 2;
        at = after;
        break;
      }
      const i64 begin = at;
      u32 value = 0;
      while (at < stop && at - begin < 4 && is_hex(text_[at])) {
        const u8 c = text_[at++];
        value = value << 4 | (is_digit(c) ? c - '0' : (c | 32) - 'a' + 10u);
      }
      if (at == begin) return false;
      if (groups < 2 && gap < 0) (groups ? second : first) = value;
      ++groups;
      if (at == stop) break;
      if (text_[at++] != ':') return false;
      if (at == stop) return false;
      if (text_[at] == ':') {
        if (gap >= 0) return false;
        gap = groups;
        ++at;
      }
    }
    return gap >= 0 ? groups > 0 && groups < 8 : groups == 8;
  }

  CURATE_HD bool phone_at(i64 at, RedactFinding& found) const {
    const i64 end = text_[at] == '+' ? international_end(at) : american_end(at);
    if (end == 0) return false;
    found = {at, end, kPhone};
    return true;
  }

  CURATE_HD static bool is_separator(u8 c) { return c == ' ' || c == '.' || c == '-'; }

  // + and 7 to 15 digits, one separator or bracket, or both, between two of them at most.
  CURATE_HD i64 international_end(i64 at) const {
    int digits = 0;
    i64 end = 0;
    for (++at; digits < 16; ++digits) {
      i64 from = at;
      if (digits > 0) {
        if (byte(from) == ')') ++from;
        if (is_separator(byte(from)) || byte(from) == '/') ++from;
        if (byte(from) == '(') ++from;
      }
      if (!is_digit(byte(from))) break;
      end = at = from + 1;
    }
    return digits >= 7 && digits <= 15 && !is_wordy(byte(end)) ? end : 0;
  }

  // Ten digits as North America writes them: (234) 567-8901, 234-567-8901, 1.234.567.8901.
  CURATE_HD i64 american_end(i64 at) const {
    if (byte(at) == '1' && is_separator(byte(at + 1))) at += 2;
    const bool bracket = byte(at) == '(';
    at += bracket;
    if (!three_digits(at)) return 0;
    at += 3;
    if (bracket) {
      if (byte(at++) != ')') return 0;
      if (byte(at) == ' ') ++at;
    } else if (!is_separator(byte(at++))) {
      return 0;
    }
    if (!three_digits(at) || !is_separator(byte(at + 3))) return 0;
    at += 4;
    for (int i = 0; i < 4; ++i)
      if (!is_digit(byte(at + i))) return 0;
    return !is_wordy(byte(at + 4)) ? at + 4 : 0;
  }

  CURATE_HD bool three_digits(i64 at) const {
    return is_digit(byte(at)) && byte(at) >= '2' && is_digit(byte(at + 1)) && is_digit(byte(at + 2));
  }

  const u8* text_;
  i64 size_, at_ = 0, sign_ = 0;
  u64 starts_[2] = {0, 0};  // ASCII characters that a number or address may begin with
  RedactWhat what_;
  RedactFinding email_ = {0, 0, kEmail};
};

}  // namespace curate
