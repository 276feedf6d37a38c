// Whole documents: exposition, blogs and news, advertisements and chatter, other languages, overlapping
// windows.
#pragma once
#include "grammar.h"

namespace curate::synth {

enum Quality { kHigh, kMedium, kLow, kUngraded };

struct Grade {
  int title, heading, sentence, item, lead, close;
};

struct LowRules {
  int title, ad, chat, post, menu, footer;
};

struct Language {
  std::string code;
  int sentence;
  bool spaces;
  u32 smallest, largest;  // bytes of a document
};

class Prose {
 public:
  explicit Prose(const Grammar& grammar) : grammar_(grammar) {
    auto grade = [&](const std::string& name) {
      auto rule = [&](const char* part) { return grammar.rule("en." + name + "_" + part); };
      return Grade{rule("title"), rule("heading"), rule("sentence"),
                   rule("item"),  rule("lead"),    rule("close")};
    };
    grades_[kHigh] = grade("high");
    grades_[kMedium] = grade("medium");
    auto low = [&](const char* part) { return grammar.rule(std::string("en.low_") + part); };
    low_ = {low("title"), low("ad"), low("chat"), low("post"), low("menu"), low("footer")};
    for (const char* code : {"de", "fr", "es", "it", "pt", "nl", "pl", "ru", "zh", "ja", "ko", "ar"}) {
      bool spaces = code != std::string("zh") && code != std::string("ja");
      languages.push_back(
          {code, grammar.rule(std::string(code) + ".sentence"), spaces, 500, spaces ? 4000u : 3000u});
    }
  }
  std::vector<Language> languages;

  // 100 to 1,200 words, the short ones likelier.
  void graded(Writer& out, Quality quality) const {
    u32 bytes = 700 + out.random.skewed(6800);
    // Up to two thirds of the sentences are of a neighbouring grade, in most documents few: grades can be
    // told apart as a rule and not always.
    u32 blend = out.random.skewed(68);
    if (quality == kLow)
      low(out, 350 + bytes / 3, blend);
    else
      article(out, quality, bytes, blend);
  }
  void paragraph(Writer& out, Quality quality, u32 sentences) const {
    for (u32 i = 0; i < sentences; ++i) {
      if (i) out.text += ' ';
      out.sentence(grades_[quality].sentence);
    }
  }
  void foreign(Writer& out, const Language& language) const {
    size_t bytes = out.random.between(language.smallest, language.largest);
    while (out.text.size() < bytes) {
      if (!out.text.empty()) out.text += "\n\n";
      for (u32 i = 0, n = out.random.between(2, 6); i < n; ++i) {
        if (i && language.spaces) out.text += ' ';
        out.sentence(language.sentence);
      }
    }
  }
  // Window `link` over an endless row of paragraphs: neighbours share eight of ten, far windows little.
  void window(Writer& out, u64 chain_seed, u32 link) const {
    for (u32 i = link; i < link + 9; ++i) {
      if (i != link) out.text += "\n\n";
      out.random = Random(mix(chain_seed, i));
      paragraph(out, kMedium, 3);
    }
  }
  // Exactly one paragraph of at least `bytes` bytes.
  void block(Writer& out, Quality quality, size_t bytes) const {
    size_t start = out.text.size();
    while (out.text.size() - start < bytes) {
      if (out.text.size() != start) out.text += ' ';
      out.sentence(grades_[quality].sentence);
    }
  }

 private:
  void article(Writer& out, Quality quality, size_t bytes, u32 blend) const {
    Random& random = out.random;
    const Grade &own = grades_[quality], &other = grades_[quality == kHigh ? kMedium : kHigh];
    auto pick = [&]() -> const Grade& { return random.chance(blend) ? other : own; };
    const char* gap = random.chance(60) ? "\n\n" : "\n";
    bool headings = random.chance(40);
    u32 list_after = random.chance(35) ? random.between(1, 3) : 99;
    if (random.chance(80)) {
      out.sentence(pick().title);
      out.text += gap;
    }
    for (u32 i = 0; out.text.size() < bytes; ++i) {
      if (i) out.text += gap;
      if (headings && i && random.chance(30)) {
        out.sentence(pick().heading);
        out.text += gap;
      }
      for (u32 k = 0, n = random.between(2, 6); k < n; ++k) {
        if (k) out.text += ' ';
        out.sentence(pick().sentence);
      }
      if (i + 1 == list_after) list(out, pick(), gap);
    }
    out.text += random.chance(50) ? " " : gap;
    out.sentence(pick().close);
  }
  void list(Writer& out, const Grade& rules, const char* gap) const {
    out.text += gap;
    out.sentence(rules.lead);
    u32 style = out.random.below(3);
    for (u32 i = 0, n = out.random.between(3, 5); i < n; ++i) {
      out.text += '\n';
      if (style == 0) out.text += "- ";
      if (style == 1) {
        out.number(i + 1);
        out.text += ". ";
      }
      out.sentence(rules.item);
    }
  }
  void lines(Writer& out, int rule, u32 count) const {
    for (u32 i = 0; i < count; ++i) {
      out.sentence(rule);
      out.text += '\n';
    }
  }
  void low(Writer& out, size_t bytes, u32 blend) const {
    Random& random = out.random;
    u32 style = random.below(3);  // shop, forum, menu page
    if (random.chance(70)) lines(out, low_.title, 1);
    if (style == 2) lines(out, low_.menu, random.between(4, 10));
    while (out.text.size() < bytes) {
      if (style == 1) lines(out, low_.post, 1);
      for (u32 k = 0, n = random.between(1, 4); k < n; ++k) {
        if (k) out.text += ' ';
        int usual = style == 1 || random.chance(10) ? low_.chat : low_.ad;
        out.sentence(random.chance(blend) ? grades_[kMedium].sentence : usual);
      }
      out.text += '\n';
      if (style == 2) lines(out, low_.menu, random.between(0, 2));
    }
    lines(out, low_.footer, random.between(1, 3));
    out.text.pop_back();
  }

  const Grammar& grammar_;
  Grade grades_[2];
  LowRules low_;
};

}  // namespace curate::synth
