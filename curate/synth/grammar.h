// Expands the compiled grammar (curate/synth/lexicon.py) into text.
#pragma once
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include "random.h"

namespace curate::synth {

// Tokens of an alternative: >= 0 a literal; -1 - r rule r; kTopical - r the rule of the document's topic, r
// for topic 0; kSpecial - s a special of the order below.
constexpr int32_t kTopical = -1000000;
constexpr int32_t kSpecial = -2000000;
enum Special { kArticle, kYear, kNumber, kSmall, kPercent, kDay, kKey, kKeys, kWho, kWhere };

struct Grammar {
  std::string pool;               // all literals, side by side
  std::vector<i64> literals;      // bounds of literals in pool
  std::vector<int32_t> tokens;    // all alternatives, side by side
  std::vector<i64> alternatives;  // bounds of alternatives in tokens
  std::vector<i64> rules;         // bounds of rules in alternatives
  std::vector<u8> skewed;  // 1: the first of a rule's words are likelier; 2: from a word of the document's on
  std::vector<std::string> names;  // of the rules
  std::unordered_map<std::string, int> by_name;
  int topics = 0;

  void index() {
    for (size_t i = 0; i < names.size(); ++i) by_name[names[i]] = static_cast<int>(i);
    while (by_name.count("en.ns@" + std::to_string(topics))) ++topics;
    if (topics == 0) throw std::invalid_argument("the grammar has no topics");
  }
  int rule(const std::string& name) const {
    auto found = by_name.find(name);
    if (found == by_name.end()) throw std::invalid_argument("the grammar lacks the rule " + name);
    return found->second;
  }
  u32 size(int rule) const { return static_cast<u32>(rules[rule + 1] - rules[rule]); }
};

// What the sentences of one document share.
struct Subject {
  int topic, other_topic;
  u32 key, first, last, place;
  u32 favourite;  // where the document begins in word lists, so that it has its own frequent words
};

class Writer {
 public:
  Writer(const Grammar& grammar, u64 seed) : random(seed), grammar_(grammar) {
    key_rule_ = grammar.rule("en.n@0");
    keys_rule_ = grammar.rule("en.ns@0");
    first_rule_ = grammar.rule("en.first");
    last_rule_ = grammar.rule("en.last");
    place_rule_ = grammar.rule("en.place");
    subject.topic = static_cast<int>(random.below(grammar.topics));
    subject.other_topic = static_cast<int>(random.below(grammar.topics));
    subject.key = random.below(grammar.size(key_rule_ + subject.topic));
    subject.first = random.below(grammar.size(first_rule_));
    subject.last = random.below(grammar.size(last_rule_));
    subject.place = random.below(grammar.size(place_rule_));
    subject.favourite = random.below(1 << 16);
  }

  Random random;
  Subject subject;
  std::string text;

  void expand(int rule) {
    u32 count = grammar_.size(rule);
    u32 pick = grammar_.skewed[rule] ? random.skewed(count) : random.below(count);
    if (grammar_.skewed[rule] == 2) pick = (pick + subject.favourite) % count;
    alternative(grammar_.rules[rule] + pick);
  }
  // A rule that is a whole sentence, title or line: begins with a capital.
  void sentence(int rule) {
    size_t start = text.size();
    expand(rule);
    capitalise(start);
  }
  void number(u64 value) { text += std::to_string(value); }

 private:
  void alternative(i64 index) {
    for (i64 i = grammar_.alternatives[index]; i < grammar_.alternatives[index + 1]; ++i) {
      int32_t token = grammar_.tokens[i];
      if (token >= 0)
        literal(token);
      else if (token > kTopical)
        expand(-1 - token);
      else if (token > kSpecial)
        expand(kTopical - token + (random.below(8) ? subject.topic : subject.other_topic));
      else
        special(kSpecial - token);
    }
  }
  void literal(i64 index) {
    const char* begin = grammar_.pool.data() + grammar_.literals[index];
    size_t size = static_cast<size_t>(grammar_.literals[index + 1] - grammar_.literals[index]);
    if (article_) {
      article_ = false;
      text += vowel(begin, size) ? "an " : "a ";
    }
    text.append(begin, size);
  }
  static bool vowel(const char* s, size_t n) {
    auto starts = [&](const char* prefix) {
      return std::string_view(s, n).substr(0, std::char_traits<char>::length(prefix)) == prefix;
    };
    if (starts("uni") || starts("use") || starts("usu") || starts("eu") || starts("one")) return false;
    if (starts("hour") || starts("honest") || starts("heir")) return true;
    return n && (s[0] == 'a' || s[0] == 'e' || s[0] == 'i' || s[0] == 'o' || s[0] == 'u');
  }
  void item(int rule, u32 pick) { alternative(grammar_.rules[rule] + pick); }
  void special(int which) {
    switch (which) {
      case kArticle:
        article_ = true;
        break;
      case kYear:
        number(random.between(1780, 2024));
        break;
      case kNumber:
        number(random.chance(50) ? random.between(11, 999) : random.between(1000, 98999));
        break;
      case kSmall:
        number(random.between(2, 12));
        break;
      case kPercent:
        number(random.between(3, 97));
        break;
      case kDay:
        number(random.between(1, 28));
        break;
      case kKey:
        item(key_rule_ + subject.topic, subject.key);
        break;
      case kKeys:
        item(keys_rule_ + subject.topic, subject.key);
        break;
      case kWho:
        item(first_rule_, subject.first);
        text += ' ';
        item(last_rule_, subject.last);
        break;
      case kWhere:
        item(place_rule_, subject.place);
        break;
      default:
        throw std::invalid_argument("unknown special in the grammar");
    }
  }
  // Latin and Cyrillic letters; an opening quote or question mark before the letter is skipped.
  void capitalise(size_t at) {
    while (at + 3 <= text.size() && (text.compare(at, 3, "“") == 0 || text.compare(at, 2, "¿") == 0))
      at += text.compare(at, 3, "“") == 0 ? 3 : 2;
    if (at >= text.size()) return;
    u8 first = static_cast<u8>(text[at]);
    if (first >= 'a' && first <= 'z') text[at] = static_cast<char>(first - 32);
    if (at + 1 >= text.size()) return;
    u8 second = static_cast<u8>(text[at + 1]);
    if (first == 0xC3 && second >= 0xA0) text[at + 1] = static_cast<char>(second - 0x20);
    if (first == 0xD0 && second >= 0xB0) text[at + 1] = static_cast<char>(second - 0x20);
    if (first == 0xD1 && second >= 0x80 && second <= 0x8F) {
      text[at] = static_cast<char>(0xD0);
      text[at + 1] = static_cast<char>(second + 0x20);
    }
  }

  const Grammar& grammar_;
  int key_rule_, keys_rule_, first_rule_, last_rule_, place_rule_;
  bool article_ = false;
};

}  // namespace curate::synth
