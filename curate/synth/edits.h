// The ways in which a copy of a document differs from it.
#pragma once
#include <utility>

#include "prose.h"

namespace curate::synth {

enum Kind {
  kOriginal,
  kExact,
  kWordEdits,
  kCharEdits,
  kTruncation,
  kBoilerplate,
  kReorder,
  kExtraction,
  kChain,
  kOtherLanguage,
  kJunk
};

class Edits {
 public:
  explicit Edits(const Grammar& grammar)
      : frame_(grammar.rule("en.frame_line")), words_(grammar.rule("en.gn")) {}

  // Replaces `out.text`, a document, by a copy changed as `kind` says; other than kExact, never equal to it.
  void apply(Writer& out, Kind kind) const {
    if (kind == kExact) return;
    std::string original;
    original.swap(out.text);
    change(out, original, kind);
    for (u32 salt = 1; out.text == original; ++salt) {
      out.text.clear();
      change(out, original, salt < 4 ? kWordEdits : kBoilerplate);
    }
  }

 private:
  void change(Writer& out, const std::string& original, Kind kind) const {
    switch (kind) {
      case kWordEdits:
        word_edits(out, original);
        break;
      case kCharEdits:
        char_edits(out, original);
        break;
      case kTruncation:
        truncate(out, original);
        break;
      case kBoilerplate:
        boilerplate(out, original);
        break;
      case kReorder:
        reorder(out, original);
        break;
      default:
        extract(out, original);
    }
  }
  // Between one word in 400 and one in 12 is replaced, dropped, doubled or given company.
  void word_edits(Writer& out, const std::string& s) const {
    static const u32 one_in[] = {400, 200, 100, 60, 30, 12};
    u32 rate = one_in[out.random.below(6)];
    size_t i = 0;
    while (i < s.size()) {
      size_t end = s.find_first_of(" \n", i);
      if (end == std::string::npos) end = s.size();
      if (end == i || out.random.below(rate)) {
        out.text.append(s, i, end - i);
      } else {
        switch (out.random.below(4)) {
          case 0:
            out.expand(words_);
            break;
          case 1:
            break;
          case 2:
            out.text.append(s, i, end - i);
            out.text += ' ';
            out.text.append(s, i, end - i);
            break;
          default:
            out.text.append(s, i, end - i);
            out.text += ' ';
            out.expand(words_);
        }
      }
      if (end < s.size()) out.text += s[end];
      i = end + 1;
    }
  }
  // Between one letter in 2,000 and one in 100 is misspelt; only ASCII letters, so that the text stays UTF-8.
  void char_edits(Writer& out, const std::string& s) const {
    static const u32 one_in[] = {2000, 1000, 500, 250, 100};
    u32 rate = one_in[out.random.below(5)];
    size_t next = out.random.below(2 * rate);
    for (size_t i = 0; i < s.size(); ++i) {
      char c = s[i];
      bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (i < next || !letter) {
        out.text += c;
        continue;
      }
      next = i + 1 + out.random.below(2 * rate);
      switch (out.random.below(4)) {
        case 0:
          out.text += static_cast<char>('a' + out.random.below(26));
          break;
        case 1:
          break;
        case 2:
          out.text.append(2, c);
          break;
        default:
          out.text += static_cast<char>(c ^ 0x20);
      }
    }
  }
  // Keeps the first 35 to 97 per cent, up to the end of a word.
  void truncate(Writer& out, const std::string& s) const {
    size_t cut = s.size() * out.random.between(35, 97) / 100;
    while (cut > 0 && s[cut] != ' ' && s[cut] != '\n' && (static_cast<u8>(s[cut]) & 0xC0) != 0xC0) --cut;
    out.text.assign(s, 0, cut);
  }
  void boilerplate(Writer& out, const std::string& s) const {
    for (u32 i = 0, n = out.random.between(1, 6); i < n; ++i) {
      out.sentence(frame_);
      out.text += '\n';
    }
    out.text += s;
    for (u32 i = 0, n = out.random.between(0, 6); i < n; ++i) {
      out.text += '\n';
      out.sentence(frame_);
    }
  }
  // Shuffles paragraphs (lines where the text has no empty lines).
  void reorder(Writer& out, const std::string& s) const {
    std::string gap = s.find("\n\n") == std::string::npos ? "\n" : "\n\n";
    std::vector<std::string> parts;
    size_t i = 0;
    for (size_t end; (end = s.find(gap, i)) != std::string::npos; i = end + gap.size())
      parts.push_back(s.substr(i, end - i));
    parts.push_back(s.substr(i));
    for (size_t k = parts.size(); k > 1; --k) std::swap(parts[k - 1], parts[out.random.below(k)]);
    for (size_t k = 0; k < parts.size(); ++k) {
      if (k) out.text += gap;
      out.text += parts[k];
    }
  }
  // As another extractor would give it: no empty lines, straight quotes, plain dashes.
  void extract(Writer& out, const std::string& s) const {
    for (size_t i = 0; i < s.size(); ++i) {
      if (s[i] == '\n' && i + 1 < s.size() && s[i + 1] == '\n') continue;
      if (static_cast<u8>(s[i]) != 0xE2 || i + 2 >= s.size() || static_cast<u8>(s[i + 1]) != 0x80) {
        out.text += s[i];
        continue;
      }
      u8 last = static_cast<u8>(s[i + 2]);
      if (last == 0x9C || last == 0x9D)
        out.text += '"';
      else if (last == 0x98 || last == 0x99)
        out.text += '\'';
      else if (last == 0x93 || last == 0x94)
        out.text += '-';
      else
        out.text.append(s, i, 3);
      i += 2;
    }
  }

  int frame_, words_;
};

}  // namespace curate::synth
