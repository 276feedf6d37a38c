// Which document stands where, and its text: everything follows from (seed, plan, source, row).
#pragma once
#include <limits>

#include "../kernels/cpu/jaccard_scratch.h"
#include "edits.h"
#include "junk.h"

namespace curate::synth {

constexpr u32 kChainLinks = 6;
constexpr i64 kNowhere = -1;

// The documents of a source are numbered by role: originals first, then low-quality ones, copies, links of
// chains, other languages, junk. A permutation scatters the numbers over the rows, so that both ways are
// computable.
struct SourcePlan {
  u64 originals, low, copies, chains, foreign, junk;
  u32 high_percent;  // of the originals; the others are Medium
  u64 size() const { return originals + low + copies + chains + foreign + junk; }
  u64 first_chain() const { return originals + low + copies; }
};

struct Place {
  u32 source = 0;
  u64 number = 0;
};

// What is known of a document before its text is written.
struct Fate {
  Kind kind = kOriginal;
  int rule = -1, language = -1;  // language: -1 is English, else an index of Prose::languages
  Quality quality = kUngraded;
  bool copied = false;
  Place original;  // when copied
};

struct Rows {
  std::string text, url;
  std::vector<i64> text_offsets{0}, url_offsets{0};
  std::vector<u8> kind, quality;
  std::vector<int8_t> rule, language, original_source;
  std::vector<i64> original_row;
  std::vector<u64> hash;
  std::vector<i64> words;
  std::vector<double> char25, word5;
};

class Generator {
 public:
  Generator(Grammar grammar, std::vector<SourcePlan> plans, u64 seed)
      : grammar_(std::move(grammar)),
        prose_(grammar_),
        edits_(grammar_),
        junk_(grammar_, prose_),
        plans_(std::move(plans)),
        seed_(mix(seed)),
        host_(grammar_.rule("en.host")),
        path_(grammar_.rule("en.path")) {
    for (size_t s = 0; s < plans_.size(); ++s) {
      orders_.emplace_back(plans_[s].size(), mix(seed_, 1, s));
      total_originals_ += plans_[s].originals + plans_[s].low;
    }
  }
  const std::vector<Language>& languages() const { return prose_.languages; }
  u64 size(u32 source) const { return plans_.at(source).size(); }
  u32 sources() const { return static_cast<u32>(plans_.size()); }

  // Rows [start, start + count) of a source.
  Rows rows(u32 source, u64 start, u64 count) const {
    Rows out;
    cpu::JaccardScratch<CharShingles> characters(25);
    cpu::JaccardScratch<WordShingles> words(5);
    std::string original;
    for (u64 row = start; row < start + count; ++row) {
      Place place{source, orders_[source].backward(row)};
      Fate known = fate(place);
      size_t begin = out.text.size();
      out.text += compose(place, known, original);
      describe(place, known, out);
      double char25 = std::numeric_limits<double>::quiet_NaN(), word5 = char25;
      if (known.copied) {
        const u8* a = reinterpret_cast<const u8*>(out.text.data()) + begin;
        const u8* b = reinterpret_cast<const u8*>(original.data());
        i64 na = static_cast<i64>(out.text.size() - begin), nb = static_cast<i64>(original.size());
        char25 = characters.compare(a, na, b, nb);
        word5 = words.compare(a, na, b, nb);
      }
      out.char25.push_back(char25);
      out.word5.push_back(word5);
      out.words.push_back(count_words(out.text, begin));
      out.text_offsets.push_back(static_cast<i64>(out.text.size()));
    }
    return out;
  }

 private:
  u64 identity(Place place) const { return mix(seed_, 2 + place.source, place.number); }

  Fate fate(Place place) const {
    const SourcePlan& plan = plans_[place.source];
    Random random(mix(identity(place), 3));
    Fate known;
    u64 i = place.number;
    if (i < plan.originals) {
      known.quality = random.chance(plan.high_percent) ? kHigh : kMedium;
    } else if ((i -= plan.originals) < plan.low) {
      known.quality = kLow;
    } else if ((i -= plan.low) < plan.copies) {
      static const Kind kinds[] = {kExact,       kExact,       kExact,      kExact,      kExact,
                                   kWordEdits,   kWordEdits,   kWordEdits,  kWordEdits,  kCharEdits,
                                   kCharEdits,   kTruncation,  kTruncation, kTruncation, kBoilerplate,
                                   kBoilerplate, kBoilerplate, kReorder,    kExtraction, kExtraction};
      known.kind = kinds[random.below(20)];
      known.copied = true;
      known.original = pick(place.source, random);
      known.quality = fate(known.original).quality;
    } else if ((i -= plan.copies) < plan.chains) {
      known.kind = kChain;
      known.quality = kMedium;
      u64 chains = plan.chains / links(place.source), link = place.source + plans_.size() * (i / chains);
      known.copied = link > 0;
      if (link > 0) known.original = chain_link(i % chains, link - 1);
    } else if ((i -= plan.chains) < plan.foreign) {
      known.kind = kOtherLanguage;
      known.language = static_cast<int>(random.below(prose_.languages.size()));
    } else {
      known.kind = kJunk;
      known.rule = static_cast<int>((i - plan.foreign) % kRules);
    }
    return known;
  }
  // Links 0 to 5 of a chain stand in sources 0, 1, 2, 3, 0, 1.
  u64 links(u32 source) const { return (kChainLinks - source + plans_.size() - 1) / plans_.size(); }
  Place chain_link(u64 chain, u64 link) const {
    u32 source = static_cast<u32>(link % plans_.size());
    const SourcePlan& plan = plans_[source];
    return {source, plan.first_chain() + link / plans_.size() * (plan.chains / links(source)) + chain};
  }
  // A third of the copies stay in their source. One in eight copies a popular document: clusters of dozens.
  Place pick(u32 source, Random& random) const {
    if (plans_.size() > 1 && !random.chance(35)) {
      u64 at = (static_cast<unsigned __int128>(random.next()) * total_originals_) >> 64;
      for (source = 0; at >= plans_[source].originals + plans_[source].low; ++source)
        at -= plans_[source].originals + plans_[source].low;
    }
    u64 range = plans_[source].originals + plans_[source].low;
    if (random.below(8) == 0) range = range / 2000 + 1;
    return {source, static_cast<u64>((static_cast<unsigned __int128>(random.next()) * range) >> 64)};
  }

  // The text of a document; `original` becomes the text that it is a copy of.
  std::string compose(Place place, const Fate& known, std::string& original) const {
    Writer out(grammar_, mix(identity(place), 4));
    if (known.kind == kChain) {
      const SourcePlan& plan = plans_[place.source];
      u64 i = place.number - plan.first_chain(), chains = plan.chains / links(place.source);
      return chain_text(i % chains, place.source + plans_.size() * (i / chains), original);
    }
    if (known.copied) {
      std::string unused;
      original = compose(known.original, fate(known.original), unused);
      out.text = original;
      edits_.apply(out, known.kind);
    } else if (known.kind == kOtherLanguage) {
      prose_.foreign(out, prose_.languages[static_cast<size_t>(known.language)]);
    } else if (known.kind == kJunk) {
      junk_.write(out, static_cast<Rule>(known.rule));
    } else {
      prose_.graded(out, known.quality);
    }
    return std::move(out.text);
  }
  std::string chain_text(u64 chain, u64 link, std::string& original) const {
    u64 chain_seed = mix(seed_, 1000, chain);
    Writer before(grammar_, chain_seed), out(grammar_, chain_seed);
    if (link > 0) prose_.window(before, chain_seed, static_cast<u32>(link - 1));
    prose_.window(out, chain_seed, static_cast<u32>(link));
    original = std::move(before.text);
    return std::move(out.text);
  }

  void describe(Place place, const Fate& known, Rows& out) const {
    out.kind.push_back(static_cast<u8>(known.kind));
    out.quality.push_back(static_cast<u8>(known.quality));
    out.rule.push_back(static_cast<int8_t>(known.rule));
    out.language.push_back(static_cast<int8_t>(known.language));
    out.original_source.push_back(
        static_cast<int8_t>(known.copied ? static_cast<int>(known.original.source) : -1));
    out.original_row.push_back(
        known.copied ? static_cast<i64>(orders_[known.original.source].forward(known.original.number))
                     : kNowhere);
    u64 own = identity(place);
    out.hash.push_back(mix(own, 5));
    // Most copies in another source come from the page itself: the same URL, perhaps written in another way.
    bool same_page = known.copied && known.original.source != place.source && own % 10 < 6;
    address(same_page ? identity(known.original) : own, same_page ? own / 10 % 4 : 0, out.url);
    out.url_offsets.push_back(static_cast<i64>(out.url.size()));
  }
  void address(u64 page, u64 spelling, std::string& url) const {
    Writer out(grammar_, mix(page, 6));
    bool www = out.random.chance(50);
    url += spelling == 1 ? "http://" : "https://";
    if (www != (spelling == 2)) url += "www.";
    out.expand(host_);
    out.text += '/';
    out.expand(path_);
    out.text += '-';
    out.number(page % 1000000);
    for (char c : out.text) append_plain(url, c);
    if (spelling == 3) url += "?utm_source=feed&utm_medium=rss";
  }
  // Lower case, hyphens for spaces, nothing but ASCII letters, digits and the marks of a URL.
  static void append_plain(std::string& url, char c) {
    if (c == ' ') c = '-';
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '/') url += c;
  }
  static i64 count_words(const std::string& s, size_t i) {
    i64 words = 0;
    bool inside = false;
    for (; i < s.size(); ++i) {
      bool space = s[i] == ' ' || s[i] == '\n';
      words += !space && !inside;
      inside = !space;
    }
    return words;
  }

  Grammar grammar_;
  Prose prose_;
  Edits edits_;
  Junk junk_;
  std::vector<SourcePlan> plans_;
  std::vector<Permutation> orders_;
  u64 seed_, total_originals_ = 0;
  int host_, path_;
};

}  // namespace curate::synth
