// The integer statistics of a document that heuristic filters are made of, in one scan of its UTF-8 bytes.
//
// Words are those of Python's str.split(), lines and paragraphs those of split("\n") and split("\n\n"),
// lengths are in code points. Bytes that are not well-formed UTF-8 give some answer and never a read outside
// of the text.
#pragma once
#include "heuristics_dclm.h"
#include "heuristics_dolma.h"
#include "heuristics_repeats.h"
#include "heuristics_statistics.h"

namespace curate::heuristics {

// The longest text taken, in bytes: places in it are 32-bit.
constexpr i64 LONGEST_TEXT = i64(1) << 31;

// The most words, lines or paragraphs that a text of so many bytes can have, and two more. Lines and
// paragraphs are at most every other byte, Unicode words two of three: a letter and a numeral like U+00B2.
CURATE_HD i64 parts_of(i64 bytes) { return bytes / 3 * 2 + 4; }

// 64-bit words of scratch memory for texts of up to `bytes` bytes, of which ordinary text touches a fraction.
CURATE_HD i64 scratch_words(i64 bytes) {
  const i64 parts = parts_of(bytes);
  const i64 slots = FirstTable::slots(parts);
  return slots + (slots + 16 * parts) / 2 + 1;
}

CURATE_HD bool ends_with(const u8* begin, const u8* end, const char* wanted, int n) {
  if (end - begin < n) return false;
  for (int i = 0; i < n; ++i)
    if (lower(end[i - n]) != static_cast<u8>(wanted[i])) return false;
  return true;
}

// NeMo Curator 1.3.0, ellipsis_marks: "...", "[...]", "(...)", U+2026 alone and in brackets, "-" and U+00BB, "read more",
// "read more..".
CURATE_HD bool ends_with_ellipsis(const u8* begin, const u8* end) {
  switch (lower(end[-1])) {
    case '.':
      return ends_with(begin, end, "...", 3) || ends_with(begin, end, "read more..", 11);
    case ']':
      return ends_with(begin, end, "[...]", 5) || ends_with(begin, end, "[\xE2\x80\xA6]", 5);
    case ')':
      return ends_with(begin, end, "(...)", 5);
    case 'e':
      return ends_with(begin, end, "read more", 9);
    case 0xA6:
      return ends_with(begin, end, "\xE2\x80\xA6", 3);
    case 0xBB:
      return ends_with(begin, end, "-\xC2\xBB", 3);
    default:
      return false;
  }
}

// Marks with white space in them cannot be words.
CURATE_HD bool is_ellipsis(const u8* word, i64 n) {
  if (n == 3) return ends_with_ellipsis(word, word + n);  // any of the three-byte marks
  return n == 5 && (word[4] == ']' || word[4] == ')') && ends_with_ellipsis(word, word + n);
}

CURATE_HD bool is_end_mark(u8 byte) {
  return byte == '.' || byte == '?' || byte == '!' || byte == '"' || byte == '\'';
}

// NeMo Curator 1.3.0, bullet_list; hyphens and stars are not in it.
CURATE_HD bool is_bullet(u32 code) {
  switch (code) {
    case 0x2022:
    case 0x2023:
    case 0x2043:
    case 0x204C:
    case 0x204D:
    case 0x2219:
    case 0x25CB:
    case 0x25CF:
    case 0x25D8:
    case 0x25E6:
    case 0x29BE:
    case 0x29BF:
      return true;
    default:
      return false;
  }
}

CURATE_HD bool is_alphabetic_word(const u8* word, i64 n) {
  for (i64 i = 0; i < n;) {
    if (lower(word[i]) >= 'a' && lower(word[i]) <= 'z') return true;
    const CodePoint code = decode(word + i, n - i);
    if (is_alphabetic(code.value)) return true;
    i += code.size;
  }
  return false;
}

// Runs of # make up more than half of a word only where it is # at every other place from first to last.
CURATE_HD bool is_hashes(const u8* word, i64 n, i64 chars) {
  if (word[0] != '#' || word[n - 1] != '#') return false;
  i64 runs = 0;
  for (i64 i = 0; i < n; ++i) runs += word[i] == '#' && (i == 0 || word[i - 1] != '#');
  return 2 * runs > chars;
}

CURATE_HD_CALLED void take_lines(const Outline& outline, Statistics& out) {
  for (i64 i = 0; i < outline.lines.count; ++i) {
    const u8* begin = outline.text + outline.words.begin[outline.first_word[i]];
    const u8* end = outline.text + outline.words.end[outline.after_words[i] - 1];
    out.ended_lines += is_end_mark(end[-1]);
    out.ellipsis_lines += ends_with_ellipsis(begin, end);
    out.bullet_lines += begin[0] >= 0x80 && is_bullet(decode(begin, end - begin).value);
  }
}

CURATE_HD_CALLED void take_words(const Outline& outline, const Grams& grams, Statistics& out) {
  out.word_chars = grams.all_chars();
  for (i64 i = 0; i < grams.words(); ++i) {
    const u8* word = outline.text + outline.words.begin[i];
    const i64 n = outline.words.end[i] - outline.words.begin[i], chars = grams.chars(i);
    if (chars > out.longest_word) out.longest_word = chars;
    if (word_break::ascii_letter(word[0])) {  // starts no ellipsis and no hashes
      ++out.alphabetic_words;
      out.common_words += is_common_word(load_start(word, n, outline.size - outline.words.begin[i]), n);
      continue;
    }
    out.symbol_words += is_ellipsis(word, n) || is_hashes(word, n, chars);
    out.alphabetic_words += is_alphabetic_word(word, n);
  }
}

// The grams are of `n` words.
CURATE_HD void take_grams(const Grams& grams, int n, Statistics& out) {
  i64* const top[] = {&out.top_2_gram_chars, &out.top_3_gram_chars, &out.top_4_gram_chars};
  i64* const copied[] = {&out.copied_5_gram_chars, &out.copied_6_gram_chars, &out.copied_7_gram_chars,
                         &out.copied_8_gram_chars, &out.copied_9_gram_chars, &out.copied_10_gram_chars};
  if (n <= 4)
    *top[n - 2] = grams.top_chars();
  else
    *copied[n - 5] = grams.copy_chars();
}

CURATE_HD void take_scan(const Outline& outline, const CharacterCounts& counts, Statistics& out) {
  out.chars = counts.chars;
  out.prose_chars = counts.prose;
  out.digits = counts.digits;
  out.blanks = counts.blanks;
  out.parentheses = counts.parentheses;
  out.url_chars = counts.url;
  out.policy_paragraphs = counts.policy_paragraphs;
  out.filler = counts.filler;
  out.paragraphs = outline.paragraphs.count;
  out.paragraph_chars = counts.chars - 2 * (out.paragraphs - 1);
  out.lines = outline.lines.count;
  out.line_chars = counts.chars - counts.newlines - counts.outside_lines;
  out.words = outline.words.count;
}

CURATE_HD bool wants(u32 groups, Group group) { return groups >> group & 1; }

// `histogram` and `bins` as middle_chars takes them.
CURATE_HD_CALLED void take_word_groups(const Outline& outline, Grams& grams, u32 groups, u32* histogram, i64 bins,
                                Statistics& out) {
  const bool longer = wants(groups, GRAMS) || wants(groups, REPEATS);
  if (longer || wants(groups, WORDS) || wants(groups, KINDS)) grams.list_words();
  if (wants(groups, WORDS)) heuristics::take_words(outline, grams, out);
  if (wants(groups, KINDS)) take_kinds(outline, grams, histogram, bins, out);
  for (int n = 2; longer && n <= LONGEST_GRAM && n <= grams.words(); ++n) {
    grams.lengthen();
    if (wants(groups, GRAMS)) heuristics::take_grams(grams, n, out);
    if (wants(groups, REPEATS)) take_repeats(grams, n, out);
  }
}

// The statistics of the groups whose bits are set in `groups`; others are zero. `scratch` holds
// scratch_words(m) words for some m >= size; size is at most LONGEST_TEXT.
CURATE_HD Statistics measure(const u8* text, i64 size, u64* scratch, u32 groups, HashKey key) {
  const i64 parts = parts_of(size);
  const i64 slots = FirstTable::slots(parts);
  u32* at = reinterpret_cast<u32*>(scratch + slots);
  FirstTable table(scratch, at, key);
  at += slots;
  auto take = [&] { return (at += parts) - parts; };
  const Parts words = {take(), take(), 0}, lines = {take(), take(), 0}, paragraphs = {take(), take(), 0};
  Outline outline = {text, size, true, words, lines, take(), take(), paragraphs};
  CharacterCounts counts;
  Scanner(outline, counts).run();
  u32 *first = take(), *count = take(), *places = take(), *chars_before = take(), *histogram = take();
  u32 *word_hashes = take(), *gram_hashes = take(), *tops = take();

  Statistics out = {};
  take_scan(outline, counts, out);
  if (wants(groups, LINES)) {
    count_copies(outline, outline.paragraphs, table, &out.copied_paragraphs, &out.copied_paragraph_chars);
    count_copies(outline, outline.lines, table, &out.copied_lines, &out.copied_line_chars);
    heuristics::take_lines(outline, out);
  }
  const Parts pieces = {first, count, 0};
  if (wants(groups, RAW_LINES)) take_raw_lines(outline, counts.newlines, table, pieces, places, out);
  if (wants(groups, STRIPPED)) Stripped(outline, table, pieces, places).take(out);
  if (wants(groups, MARKS)) Marks(text, size, out).take();
  Grams grams(outline, {word_hashes, gram_hashes, places, tops, first, count, table}, chars_before);
  take_word_groups(outline, grams, groups, histogram, parts, out);
  if (wants(groups, BREAKS)) {
    outline.words.count = 0;
    word_break::Splitter(text, size, outline.words).run();
    grams.list_words();
    take_breaks(grams, out);
  }
  return out;
}

}  // namespace curate::heuristics
