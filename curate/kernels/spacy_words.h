// Words as spaCy 3.8's blank English pipeline splits text: at white space, then prefixes, suffixes and infixes off,
// with special cases ("don't", "e.g.", ":-)") and URLs kept. Written from the behaviour of its rules; the tables are
// generated.
//
// The words of a text side by side are the text without its white space, so that a word is where it starts there.
#pragma once
#include "spacy_marks.h"
#include "spacy_url.h"

namespace curate::spacy {

// Words of a text: word i is the bytes begin[i] .. begin[i + 1] of `joined`.
struct Words {
  u8* joined;  // the text without white space
  u32* begin;  // count + 1 places
  u8* gap;     // what is before word i: GLUED, BLANK or WHITE
  i64 count;
  bool white_after;  // the text ends with white space that is a token
};

enum Gap : u8 {
  GLUED,  // nothing
  BLANK,  // one space, which is no token
  WHITE   // white space that is a token
};

constexpr int LONGEST_SEQUENCE = 11;  // tokens

// Memory for the words of a text of up to `bytes` bytes.
struct WordsMemory {
  u8* joined;     // bytes + PADDING
  u32* begin;     // bytes + 1
  u32* others;    // bytes + 1
  u32* places;    // bytes + 1
  u8* gap;        // bytes + 1
  u8* other_gap;  // bytes + 1
  u8* lengths;    // bytes + PADDING
};

CURATE_HD u64 load_word(const u8* s) {
  u64 value;
  memcpy(&value, s, 8);
  return value;
}

CURATE_HD constexpr u64 mix_of(u64 first, u64 second, u64 sizes) {
  const u64 mixed = (first ^ second * 0xD1342543DE82EF95u ^ sizes << 56) * 0x9E3779B97F4A7C15u;
  return (mixed ^ mixed >> 29) * 0xBF58476D1CE4E5B9u;
}

CURATE_HD u64 slot_of(u64 first, u64 second, u64 sizes) {
  return mix_of(first, second, sizes) >> (64 - SLOTS_LOG2);
}

CURATE_HD bool equal(const u8* s, const char* wanted, i64 n) {
  for (i64 i = 0; i < n; ++i)
    if (s[i] != static_cast<u8>(wanted[i])) return false;
  return true;
}

// Whether a special case may start with these eight bytes and have this size; wrong for few of other strings.
struct SpecialFilter {
  static constexpr int LOG2 = 16;
  u64 bits[(1 << LOG2) / 64] = {};

  CURATE_HD static constexpr u64 bytes(const char* text, u32 from, u32 to) {
    u64 value = 0;
    for (u32 i = from; i < to && i < from + 8; ++i)
      value |= static_cast<u64>(static_cast<u8>(text[i])) << 8 * (i - from);
    return value;
  }
  CURATE_HD constexpr SpecialFilter() {
    for (const SpecialCase& one : SPECIAL_CASES) {
      const u64 mix = mix_of(bytes(one.text, 0, one.size), one.size);
      bits[mix >> (70 - LOG2)] |= u64(1) << (mix >> (64 - LOG2) & 63);
    }
  }
  CURATE_HD static constexpr u64 mix_of(u64 first, u64 size) { return (first ^ size << 57) * 0x9E3779B97F4A7C15u; }
  CURATE_HD constexpr bool may_be(u64 first, i64 size) const {
    const u64 mix = mix_of(first, static_cast<u64>(size));
    return bits[mix >> (70 - LOG2)] >> (mix >> (64 - LOG2) & 63) & 1;
  }
};

CURATE_TABLE SpecialFilter SPECIAL_FILTER;

// The special case that is the n bytes at s, null where there is none. PADDING bytes after s may be read.
CURATE_HD const SpecialCase* special_case(const u8* s, i64 n) {
  if (n >= 32 || n <= 0) return nullptr;
  const u64 first = low_bytes(load_word(s), n);
  if (!SPECIAL_FILTER.may_be(first, n)) return nullptr;
  u64 slot = slot_of(first, low_bytes(load_word(s + 8), n - 8), static_cast<u64>(n));
  for (; SPECIAL_SLOTS[slot] != FREE_SLOT; slot = (slot + 1) & ((1 << SLOTS_LOG2) - 1)) {
    const SpecialCase& found = SPECIAL_CASES[SPECIAL_SLOTS[slot]];
    if (found.size == n && equal(s, found.text, n)) return &found;
  }
  return nullptr;
}

class Tokenizer {
 public:
  CURATE_HD Tokenizer(const WordsMemory& memory)
      : memory_(memory), s_(memory.joined), words_() {
    words_ = {memory.joined, memory.begin, memory.gap, 0, false};
  }

  // The marks are of this text; they may lie where `lengths` of the memory is.
  CURATE_HD_CALLED Words run(const u8* text, i64 size, const TextMarks& marks) {
    TextMarks::Edges edges(marks);
    i64 end = 0, at = edges.next();
    Gap gap = at > 0 ? WHITE : GLUED;
    while (at < size) {
      const i64 after = edges.next(), n = after - at;
      gap_ = gap;
      copy(text + at, s_ + end, n, size - at);
      if (marks.all_plain(at, after) || is_number(end, end + n)) {
        take_plain(end, end + n);
      } else {
        take_marked(end, end + n, n > 1 && marks.all_plain(at, after - 1));
      }
      end += n;
      at = edges.next();
      gap = (at - after == 1) & (text[after < size ? after : 0] == ' ') ? BLANK : WHITE;
      if (after == size) gap = GLUED;
    }
    words_.white_after = gap == WHITE;
    for (i64 i = 0; i < PADDING; ++i) s_[end + i] = 0;
    words_.begin[words_.count] = static_cast<u32>(end);
    join_sequences();
    return words_;
  }

 private:
  // `left` bytes may be read; PADDING bytes more than n written.
  CURATE_HD static void copy(const u8* from, u8* to, i64 n, i64 left) {
    if (n <= 16 && left >= 16) {
      memcpy(to, from, 16);
    } else {
      memcpy(to, from, static_cast<size_t>(n));
    }
  }

  CURATE_HD void start_word(i64 at) {
    words_.begin[words_.count] = static_cast<u32>(at);
    words_.gap[words_.count++] = gap_;
    gap_ = GLUED;
  }

  CURATE_HD void start_special(i64 at, u32 cuts) {
    start_word(at);
    for (int i = 1; cuts >> i; ++i)
      if (cuts >> i & 1) start_word(at + i);
  }

  // Letters and digits with a digit at the end: no unit is split off.
  CURATE_HD bool is_number(i64 begin, i64 end) const {
    if (!is_digit(s_[end - 1])) return false;
    while (begin < end && is_alphanumeric(s_[begin])) ++begin;
    return begin == end;
  }

  CURATE_HD void take_plain(i64 begin, i64 end) {
    if (const SpecialCase* found = special_case(s_ + begin, end - begin)) {
      start_special(begin, found->cuts);
    } else {
      start_word(begin);
    }
  }

  // Notes the words that marks are among: sequences have some in their first two words. `plain`: no rule is about what
  // is before the last byte.
  CURATE_HD void take_marked(i64 begin, i64 end, bool plain) {
    memory_.others[marked_++] = static_cast<u32>(words_.count);
    if (plain && is_stopped_word(begin, end)) {
      take_plain(begin, end - 1);
      start_word(end - 1);
    } else {
      take_affixes(begin, end);
    }
    memory_.others[marked_++] = static_cast<u32>(words_.count);
  }

  // What take_affixes would do with a plain word before a mark, without the search for anything else.
  CURATE_HD bool is_stopped_word(i64 begin, i64 end) const {
    const u8 mark = s_[end - 1];
    const bool stop = mark == '.' && properties_before(s_ + begin, end - 1 - begin) & BEFORE_STOP;
    if (!stop && mark != ',' && mark != ';' && mark != ':' && mark != '!' && mark != '?') return false;
    return !special_case(s_ + begin, end - begin);
  }

  CURATE_HD void take_affixes(i64 begin, i64 end) {
    i64 suffixes = 0, last_size = 0;
    const SpecialCase* special = nullptr;
    while (begin < end && end - begin != last_size) {
      if ((special = special_case(s_ + begin, end - begin))) break;
      last_size = end - begin;
      const i64 prefix = prefix_size(s_ + begin, end - begin);
      if (prefix) {
        special = special_case(s_ + begin + prefix, end - begin - prefix);
        start_word(begin);
        begin += prefix;
        if (special) break;
      }
      const i64 suffix = suffix_size(s_ + begin, end - begin);
      if (suffix) {
        // What is left is looked up with the prefix that was split off in the same step.
        special = special_case(s_ + begin - prefix, end - suffix - begin + prefix);
        if (special && prefix) {
          begin -= prefix;
          gap_ = static_cast<Gap>(words_.gap[--words_.count]);
        }
        end -= suffix;
        memory_.places[suffixes++] = static_cast<u32>(end);
        if (special) break;
      }
    }
    if (begin < end) take_middle(begin, end, special);
    while (suffixes > 0) start_word(memory_.places[--suffixes]);
  }

  CURATE_HD void take_middle(i64 begin, i64 end, const SpecialCase* special) {
    if (!special) special = special_case(s_ + begin, end - begin);
    if (special) {
      start_special(begin, special->cuts);
    } else if (is_url(s_ + begin, end - begin)) {
      start_word(begin);
    } else {
      take_infixes(begin, end);
    }
  }

  CURATE_HD void take_infixes(i64 begin, i64 end) {
    i64 word = begin;
    for (i64 at = begin; at < end;) {
      const i64 infix = infix_size(s_, begin, at, end);
      if (infix == 0) {
        at += s_[at] < 0x80 ? 1 : decode(s_ + at, end - at).size;
      } else {
        if (at > begin) {
          if (at > word) start_word(word);
          start_word(at);
          word = at + infix;
        }
        at += infix;
      }
    }
    if (word < end) start_word(word);
  }

  // Special cases that the rules have taken apart, found again among the words; the longest first, of equally
  // long ones the one that starts first. One that spaces are in stays as it is, but is in the way of others.
  CURATE_HD void join_sequences() {
    u32* starts = memory_.places;
    const i64 found = find_sequences(starts);
    if (found == 0) return;
    u8* seen = memory_.lengths;
    memset(seen, 0, static_cast<size_t>(words_.count));
    bool changes = false;
    for (i64 tokens = LONGEST_SEQUENCE; tokens > 1; --tokens)
      for (i64 k = 0; k < found; ++k) {
        if (!(memory_.others[k] >> tokens & 1)) continue;
        u8* begin = seen + starts[k];
        const bool taken = !(begin[0] & SEEN) && !(begin[tokens - 1] & SEEN) && is_glued(starts[k], tokens);
        for (i64 i = 0; i < tokens; ++i) begin[i] |= SEEN;
        if (taken) begin[0] |= static_cast<u8>(tokens);
        changes |= taken;
      }
    if (changes) rewrite(seen);
  }

  // Where sequences start, and in `others` how long they are.
  CURATE_HD i64 find_sequences(u32* starts) {
    i64 found = 0, next = 0;
    for (i64 m = 0; m < marked_; m += 2) {
      const i64 first = memory_.others[m] > 0 ? memory_.others[m] - 1 : 0, end = memory_.others[m + 1];
      for (i64 i = first > next ? first : next; i < end && i + 1 < words_.count; ++i) {
        if (!sequences_at(i)) continue;
        starts[found++] = static_cast<u32>(i);
      }
      next = end;
    }
    for (i64 k = 0; k < found; ++k) memory_.others[k] = sequences_at(starts[k]);
    return found;
  }

  static constexpr u8 SEEN = 0x80;

  CURATE_HD bool is_glued(i64 i, i64 tokens) const {
    for (i64 k = 1; k < tokens; ++k)
      if (words_.gap[i + k] != GLUED) return false;
    return true;
  }

  CURATE_HD void rewrite(const u8* taken) {
    const Words old = words_;
    words_.begin = memory_.others;
    words_.gap = memory_.other_gap;
    words_.count = 0;
    for (i64 i = 0; i < old.count;) {
      const i64 tokens = taken[i] & ~SEEN;
      gap_ = static_cast<Gap>(old.gap[i]);
      if (tokens) {
        start_special(old.begin[i], sequence(old, i, tokens)->becomes);
        i += tokens;
      } else {
        start_word(old.begin[i++]);
      }
    }
    words_.begin[words_.count] = old.begin[old.count];
  }

  // The first of the sequences that start with words i and i + 1, null where there is none.
  CURATE_HD const Sequence* first_sequence(const Words& words, i64 i) const {
    const u8 *a = s_ + words.begin[i], *b = s_ + words.begin[i + 1];
    const i64 first = words.begin[i + 1] - words.begin[i], second = words.begin[i + 2] - words.begin[i + 1];
    const i64 longest = 31;
    const u32 known = static_cast<u32>(FIRST_LENGTHS[*a]) >> (first < longest ? first : longest) &
                      static_cast<u32>(SECOND_LENGTHS[*b]) >> (second < longest ? second : longest);
    if (!(known & 1)) return nullptr;
    u64 slot = slot_of(low_bytes(load_word(a), first), low_bytes(load_word(b), second),
                       static_cast<u64>(first << 4 | second));
    for (; SEQUENCE_SLOTS[slot] != FREE_SLOT; slot = (slot + 1) & ((1 << SLOTS_LOG2) - 1)) {
      const Sequence* found = SEQUENCES + SEQUENCE_SLOTS[slot];
      if (found->first == first && found->second == second && equal(a, found->text, first + second)) return found;
    }
    return nullptr;
  }

  CURATE_HD bool is_sequence(const Words& words, i64 i, const Sequence& wanted) const {
    if (i + wanted.tokens > words.count) return false;
    u32 cuts = 0;
    for (u32 k = 1; k < wanted.tokens; ++k) {
      const u32 from = words.begin[i + k] - words.begin[i];
      if (words.gap[i + k] == WHITE || from >= wanted.size) return false;
      cuts |= u32(1) << from;
    }
    return cuts == wanted.cuts && words.begin[i + wanted.tokens] - words.begin[i] == wanted.size &&
           equal(s_ + words.begin[i], wanted.text, wanted.size);
  }

  template <typename Take>
  CURATE_HD void each_sequence(const Words& words, i64 i, Take take) const {
    const Sequence* first = words.gap[i + 1] == WHITE ? nullptr : first_sequence(words, i);
    if (!first) return;
    const u8* text = s_ + words.begin[i];
    for (const Sequence* s = first; s < SEQUENCES + SEQUENCE_COUNT; ++s) {
      if (s->first != first->first || s->second != first->second || !equal(text, s->text, s->first + s->second))
        break;
      if (is_sequence(words, i, *s)) take(*s);
    }
  }

  // Bit n: a sequence of n tokens starts at word i.
  CURATE_HD u32 sequences_at(i64 i) const {
    u32 lengths = 0;
    each_sequence(words_, i, [&](const Sequence& s) { lengths |= u32(1) << s.tokens; });
    return lengths;
  }

  CURATE_HD const Sequence* sequence(const Words& words, i64 i, i64 tokens) const {
    const Sequence* found = nullptr;
    each_sequence(words, i, [&](const Sequence& s) { found = s.tokens == tokens ? &s : found; });
    return found;
  }

  WordsMemory memory_;
  u8* s_;
  Words words_;
  Gap gap_ = GLUED;
  i64 marked_ = 0;
};

}  // namespace curate::spacy
