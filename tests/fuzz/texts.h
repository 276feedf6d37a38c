// Texts that are hard on kernels, the same ones for the same seed. Each lies in memory of exactly its size, so that
// AddressSanitizer sees a read of one byte too many.
#pragma once
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "hash.h"

namespace curate::fuzz {

class Random {
 public:
  explicit Random(u64 seed) : state_(seed) {}
  u64 next() { return splitmix64(state_); }
  u64 below(u64 limit) { return next() % limit; }
  bool one_in(u64 n) { return below(n) == 0; }
  // Small numbers are as likely as large ones.
  i64 size(i64 most) { return static_cast<i64>(below(u64(1) << below(65 - __builtin_clzll(u64(most))))); }

 private:
  u64 state_;
};

class Text {
 public:
  explicit Text(const std::string& content)
      : size_(static_cast<i64>(content.size())), bytes_(static_cast<u8*>(std::malloc(content.size()))) {
    if (size_) std::memcpy(bytes_, content.data(), content.size());
  }
  ~Text() { std::free(bytes_); }
  Text(const Text&) = delete;
  Text& operator=(const Text&) = delete;
  const u8* data() const { return bytes_; }
  i64 size() const { return size_; }

 private:
  i64 size_;
  u8* bytes_;
};

// Pieces that some kernel treats in its own way: separators of words, lines and paragraphs, marks, notices, cut and
// overlong UTF-8, surrogates, the ends of the code space.
inline const std::vector<std::string>& pieces() {
  static const std::vector<std::string> all = {
      " ", "\n", "\n\n", "\r\n", "\t", "\v\f", std::string(1, '\0'), "\x1c", "\x85",
      "\xC2\xA0", "\xC2\x85", "\xE2\x80\x83", "\xE2\x80\xA8", "\xE3\x80\x80", "\xE3\x80\x81", "\xE1\x9A\x80",
      "...", "\xE2\x80\xA6", "[...]", "(...)", "-\xC2\xBB", "read more", "Read More..", "#", "##", "###",
      "\xE2\x80\xA2", "\xE2\x9F\xA8", "\xE2\x9F\xA9", "{", "}", "lorem ipsum", "privacy policy", "terms of use",
      "use cookies", "http://a.b/c?d=e", "https://", "www.", "http", "the", "be", "to", "of", "and", "that",
      "have", "with", "<", ">", "</s>", "__label__", "__label__x", "\xC2", "\xE2\x80", "\xF0\x9F\x98", "\x80",
      "\xBF", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF4\x8F\xBF\xBF", "\xF4\x90\x80\x80",
      "\xF8\x88\x80\x80\x80", "\xFE", "\xFF", "\xEF\xBB\xBF", "\xF0\x9F\x98\x80", "\xD7\xA9", "e\xCC\x81", "0", "9",
      ".", "!", "\"", "'", "A", "Zebra", "word"};
  return all;
}

inline std::string any_bytes(Random& random, i64 size) {
  std::string made;
  for (i64 i = 0; i < size; ++i) made += static_cast<char>(random.next());
  return made;
}

inline std::string few_bytes(Random& random, i64 size) {
  const std::string some = any_bytes(random, 1 + static_cast<i64>(random.below(3)));
  std::string made;
  for (i64 i = 0; i < size; ++i) made += some[random.below(some.size())];
  return made;
}

inline std::string any_pieces(Random& random, i64 size) {
  std::string made;
  while (static_cast<i64>(made.size()) < size) made += pieces()[random.below(pieces().size())];
  return made;
}

// Words of a small vocabulary, so that words, n-grams, lines and paragraphs repeat.
inline std::string prose(Random& random, i64 size) {
  const u64 vocabulary = 1 + random.below(200);
  std::string made, line;
  while (static_cast<i64>(made.size()) < size) {
    if (!random.one_in(4)) line.clear();
    while (line.size() < 60) line += "w" + std::to_string(random.below(vocabulary)) + " ";
    made += line + (random.one_in(5) ? "\n\n" : "\n");
  }
  return made;
}

inline std::string code_points(Random& random, i64 size) {
  std::string made;
  while (static_cast<i64>(made.size()) < size) {
    const u64 c = random.below(u64(1) << (1 + random.below(21)));
    if (c < 0x80) {
      made += static_cast<char>(c);
    } else if (c < 0x800) {
      made += {static_cast<char>(0xC0 | c >> 6), static_cast<char>(0x80 | (c & 63))};
    } else if (c < 0x10000) {
      made += {static_cast<char>(0xE0 | c >> 12), static_cast<char>(0x80 | (c >> 6 & 63)),
               static_cast<char>(0x80 | (c & 63))};
    } else {
      made += {static_cast<char>(0xF0 | c >> 18), static_cast<char>(0x80 | (c >> 12 & 63)),
               static_cast<char>(0x80 | (c >> 6 & 63)), static_cast<char>(0x80 | (c & 63))};
    }
  }
  return made;
}

// Overwrites, cuts out and doubles stretches.
inline std::string disturbed(Random& random, std::string text) {
  for (u64 left = random.below(4); left > 0 && !text.empty(); --left) {
    const size_t at = random.below(text.size());
    const size_t length = std::min(text.size() - at, static_cast<size_t>(random.size(64)) + 1);
    if (random.one_in(3))
      text.erase(at, length);
    else if (random.one_in(2))
      text.insert(at, text.substr(at, length));
    else
      text.replace(at, length, any_bytes(random, static_cast<i64>(length)));
  }
  return text;
}

inline std::string any_text(Random& random) {
  // One in a hundred is longer than any block that a kernel works in.
  const i64 size = random.size(random.one_in(100) ? i64(1) << 17 : 3000);
  switch (random.below(6)) {
    case 0:
      return any_bytes(random, size);
    case 1:
      return few_bytes(random, size);
    case 2:
      return code_points(random, size);
    case 3:
      return any_pieces(random, size);
    case 4:
      return disturbed(random, any_pieces(random, size));
    default:
      return disturbed(random, prose(random, size));
  }
}

}  // namespace curate::fuzz
