// English documents that a heuristic rule should drop, one way for each rule of NeMo Curator's English
// profile.
#pragma once
#include "prose.h"

namespace curate::synth {

enum Rule {
  kNonAlphaNumeric,
  kSymbolToWord,
  kNumbers,
  kUrls,
  kWhiteSpace,
  kParentheses,
  kBoilerplateText,
  kRepeatedLines,
  kRepeatedParagraphs,
  kRepeatedLinesChar,
  kRepeatedParagraphsChar,
  kWordCount,
  kPunctuation,
  kAlphabetic,
  kCommonEnglishWords,
  kMeanWordLength,
  kLongWord,
  kEllipsis,
  kTop2,
  kTop3,
  kTop4,
  kDup5,
  kDup6,
  kDup7,
  kDup8,
  kDup9,
  kDup10,
  kBullets,
  kRules
};

class Junk {
 public:
  Junk(const Grammar& grammar, const Prose& prose)
      : prose_(prose),
        sentence_(grammar.rule("en.high_sentence")),
        fragment_(grammar.rule("en.fragment")),
        policy_(grammar.rule("en.policy_line")),
        url_(grammar.rule("en.url")),
        word_(grammar.rule("en.ns@0")),
        topics_(grammar.topics) {}

  void write(Writer& out, Rule rule) const {
    switch (rule) {
      case kNonAlphaNumeric:
        separated(out, " | ");
        break;
      case kSymbolToWord:
        strewn(out, 5, [&] { out.text += "#"; });
        break;
      case kNumbers:
        strewn(out, 2, [&] { out.number(100000 + out.random.below(99900000)); });
        break;
      case kUrls:
        strewn(out, 14, [&] { out.expand(url_); });
        break;
      case kWhiteSpace:
        white_space(out);
        break;
      case kParentheses:
        parentheses(out);
        break;
      case kBoilerplateText:
        boilerplate(out);
        break;
      case kRepeatedLines:
        repeated_lines(out);
        break;
      case kRepeatedParagraphs:
        repeated_paragraphs(out);
        break;
      case kRepeatedLinesChar:
        repeated_long(out, "\n");
        break;
      case kRepeatedParagraphsChar:
        repeated_long(out, "\n\n");
        break;
      case kWordCount:
        prose_.block(out, kHigh, out.random.between(60, 160));
        break;
      case kPunctuation:
        listing(out, "", "");
        break;
      case kAlphabetic:
        strewn(out, 2, [&] { out.number(out.random.between(1, 99)); });
        break;
      case kCommonEnglishWords:
        capitals(out);
        break;
      case kMeanWordLength:
        glued(out);
        break;
      case kLongWord:
        long_word(out);
        break;
      case kEllipsis:
        listing(out, "", "...");
        break;
      case kTop2:
        phrase(out, 2, 230);
        break;
      case kTop3:
        phrase(out, 3, 194);
        break;
      case kTop4:
        phrase(out, 4, 174);
        break;
      case kBullets:
        listing(out, "\xE2\x80\xA2 ", ".");
        break;
      default:
        repeated_passage(out, rule == kDup5 ? 205 : 145 - 10 * (rule - kDup6));
    }
  }

 private:
  size_t size(Writer& out) const { return out.random.between(700, 2600); }

  // At least so many bytes of sentences, not added to the document.
  std::string prose(Writer& out, size_t bytes) const {
    std::string before;
    before.swap(out.text);
    prose_.block(out, kHigh, bytes);
    before.swap(out.text);
    return before;
  }
  // Calls `word(begin, end)` for each word of s.
  template <typename F>
  static void each_word(const std::string& s, F word) {
    for (size_t i = 0; i < s.size();) {
      size_t end = s.find(' ', i);
      if (end == std::string::npos) end = s.size();
      word(i, end);
      i = end + 1;
    }
  }
  void separated(Writer& out, const char* mark) const {
    std::string s = prose(out, size(out));
    each_word(s, [&](size_t i, size_t end) {
      if (!out.text.empty()) out.text += mark;
      out.text.append(s, i, end - i);
    });
  }
  // Prose with something after every `gap` words or so.
  template <typename F>
  void strewn(Writer& out, u32 gap, F thing) const {
    std::string s = prose(out, size(out));
    u32 left = gap;
    each_word(s, [&](size_t i, size_t end) {
      if (!out.text.empty()) out.text += ' ';
      out.text.append(s, i, end - i);
      if (--left == 0) {
        out.text += ' ';
        thing();
        left = gap + out.random.below(gap > 2 ? 2 : 1);
      }
    });
    out.text += '.';
  }
  void letters(Writer& out, u32 count) const {
    for (u32 i = 0; i < count; ++i) out.text += static_cast<char>('a' + out.random.below(26));
  }
  void white_space(Writer& out) const {
    for (size_t bytes = size(out); out.text.size() < bytes;) {
      std::string s = prose(out, 60);
      u32 words = 0;
      each_word(s, [&](size_t i, size_t end) {
        out.text.append(s, i, end - i);
        out.text.append(++words % 3 ? " " : "\n\n\n\n\n\n");
      });
      out.text += "\n\n\n\n";
    }
  }
  // A word of any topic, without a space inside.
  std::string single_word(Writer& out) const {
    std::string before, word;
    before.swap(out.text);
    do {
      out.text.clear();
      out.expand(word_ + static_cast<int>(out.random.below(topics_)));
    } while (out.text.find(' ') != std::string::npos);
    word.swap(out.text);
    before.swap(out.text);
    return word;
  }
  // Brackets make an eighth of the text: one word to a line, as spaces would break an earlier rule, and
  // sentences.
  void parentheses(Writer& out) const {
    size_t brackets = 0;
    for (size_t bytes = size(out); out.text.size() < bytes || brackets * 8 < out.text.size();) {
      bool enclosed = brackets * 8 <= out.text.size();
      if (enclosed) {
        out.text += (out.random.chance(50) ? "(" + single_word(out) + ")" : "[" + single_word(out) + "]");
        brackets += 2;
      } else {
        out.sentence(sentence_);
      }
      out.text += '\n';
    }
    out.text.pop_back();
  }
  void boilerplate(Writer& out) const {
    for (u32 i = 0, n = out.random.between(5, 12); i < n; ++i) {
      if (i) out.text += "\n\n";
      out.sentence(i % 4 == 1 ? sentence_ : policy_);
    }
  }
  void repeated_lines(Writer& out) const {
    std::string first = prose(out, 40), second = prose(out, 40);
    for (u32 i = 0, n = out.random.between(6, 14); i < n; ++i) {
      prose_.block(out, kHigh, 90);
      out.text += "\n" + first + "\n" + second + "\n";
    }
    out.text.pop_back();
  }
  // Many lines, but few paragraphs that differ.
  void repeated_paragraphs(Writer& out) const {
    std::string again = prose(out, 30);
    for (u32 i = 0, n = out.random.between(4, 7); i < n; ++i) {
      if (i) out.text += "\n\n";
      for (u32 k = 0; k < 6; ++k) {
        if (k) out.text += '\n';
        out.sentence(sentence_);
      }
      out.text += "\n\n" + again;
    }
  }
  void repeated_long(Writer& out, const std::string& gap) const {
    std::string again = prose(out, out.random.between(500, 900));
    u32 n = out.random.between(8, 11);
    for (u32 i = 0; i < n; ++i) {
      if (i) out.text += gap;
      out.sentence(sentence_);
      if (i % 4 == 3) out.text += gap + again;
    }
    out.text += gap + again;
  }
  void listing(Writer& out, const char* begin, const char* end) const {
    for (u32 i = 0, n = out.random.between(14, 40); i < n; ++i) {
      if (i) out.text += '\n';
      out.text += begin;
      out.sentence(fragment_);
      out.text += end;
    }
  }
  void capitals(Writer& out) const {
    out.text = prose(out, size(out));
    for (size_t i = 0; i < out.text.size(); ++i) {
      bool starts = i == 0 || out.text[i - 1] == ' ';
      if (starts && out.text[i] >= 'a' && out.text[i] <= 'z')
        out.text[i] = static_cast<char>(out.text[i] - 32);
    }
  }
  // Three words in one, as where an extractor loses the spaces, and a line that it left whole.
  void glued(Writer& out) const {
    std::string s = prose(out, size(out) + 1200);
    u32 word = 0;
    each_word(s, [&](size_t i, size_t end) {
      if (word) out.text += word % 3 ? "." : " ";
      out.text.append(s, i, end - i);
      ++word;
    });
    out.text += "\n" + prose(out, 400);
  }
  void long_word(Writer& out) const {
    prose_.block(out, kHigh, out.random.between(1500, 3000));
    out.text += ' ';
    letters(out, out.random.between(1010, 1300));
    out.text += ' ';
    prose_.block(out, kHigh, 2600);
  }
  // Prose in which one phrase of `words` words makes `share` thousandths of the text.
  void phrase(Writer& out, u32 words, size_t share) const {
    std::string again;
    for (u32 i = 0; i < words; ++i) again += " " + single_word(out);
    size_t repeated = 0;
    std::string s = prose(out, size(out) + 800);
    each_word(s, [&](size_t i, size_t end) {
      if (!out.text.empty()) out.text += ' ';
      out.text.append(s, i, end - i);
      if (repeated * 1000 < share * out.text.size() && end < s.size()) {
        out.text += again;
        repeated += again.size();
      }
    });
  }
  // Prose with one passage that comes twice and makes `share` thousandths of the text.
  void repeated_passage(Writer& out, size_t share) const {
    prose_.block(out, kHigh, size(out) + 900);
    std::string last = prose(out, 10);
    size_t target = (out.text.size() + last.size()) * share / (1000 - share);
    size_t start = out.text.find(' ', out.random.below(out.text.size() / 4)) + 1;
    size_t end = out.text.find(' ', start + target - 2);
    std::string again = out.text.substr(start, end - start);
    out.text += "\n" + again + "\n" + last;
  }

  const Prose& prose_;
  int sentence_, fragment_, policy_, url_, word_, topics_;
};

}  // namespace curate::synth
