// Runs every kernel on hostile input, under AddressSanitizer and UndefinedBehaviorSanitizer: fuzz [SECONDS] [SEED]
//
// A finding of a sanitizer ends the process with its report; so does a property that does not hold. Either way the
// seed and the number of the case are printed first, and `fuzz 0 SEED` with that case's seed runs it alone.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <memory>

#include "bands.h"
#include "exact_math.h"
#include "fasttext_model.h"
#include "fasttext_scorer.h"
#include "heuristics_families.h"
#include "instructions.h"
#include "jaccard_scratch.h"
#include "join.h"
#include "kept_index.h"
#include "normalize.h"
#include "texts.h"
#include "union_find.h"
#include "url.h"
#include "utf8.h"

using namespace curate;
using namespace curate::fuzz;

static u64 running = 0;

static void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "case %llu: not so: %s\n", static_cast<unsigned long long>(running), what);
  std::abort();
}

template <class Shingles, class Loops>
static std::vector<u64> slots_of(const Text& text, const ShingleTables& tables, int hashes, bool minhash) {
  auto scratch = std::make_unique<SketchScratch>();
  auto shingles = std::make_unique<Shingles>(tables);
  std::vector<u64> slots(static_cast<size_t>(hashes));
  Sketch<Shingles, Loops> sketch(*shingles, hashes, *scratch);
  shingles->open(text.data(), text.size());
  const bool found = minhash ? sketch.minhash(slots.data()) : sketch.fast_similarity(slots.data());
  for (u64 slot : slots) require(found == (slot != kEmptySlot), "slots are full where there is a shingle");
  slot_bytes<Loops>(slots.data(), hashes, scratch->mixed, std::vector<u8>(static_cast<size_t>(hashes)).data());
  return slots;
}

template <template <class> class ShinglesOf>
static void sketch_one(Random& random, const Text& text) {
  ShingleTables tables;
  tables.fill(random.next(), 1 + static_cast<int>(random.below(kLongestShingle)));
  const bool minhash = random.one_in(4);
  const i64 most = minhash ? 64 : text.size() > 4000 ? 300 : kMostHashes;
  const int hashes = 1 + static_cast<int>(random.size(most) % most);
  const std::vector<u64> slots = slots_of<ShinglesOf<PlainLoops>, PlainLoops>(text, tables, hashes, minhash);
#if defined(__x86_64__)
  const auto sets = cpu::instruction_sets();
  if (sets.size() > 1)
    require(slots == slots_of<ShinglesOf<cpu::Avx2Loops>, cpu::Avx2Loops>(text, tables, hashes, minhash),
            "avx2 gives the same slots");
  if (sets.size() > 2)
    require(slots == slots_of<ShinglesOf<cpu::Avx512Loops>, cpu::Avx512Loops>(text, tables, hashes, minhash),
            "avx512 gives the same slots");
  if (sets.size() > 3)
    require(slots == slots_of<ShinglesOf<cpu::Avx512VbmiLoops>, cpu::Avx512VbmiLoops>(text, tables, hashes, minhash),
            "avx512vbmi gives the same slots");
#endif
  const int bands = 1 + static_cast<int>(random.below(static_cast<u64>(hashes)));
  band_keys(slots.data(), bands, hashes / bands, std::vector<u64>(static_cast<size_t>(bands)).data());
}

static void sketches(Random& random) {
  const Text text(any_text(random));
  sketch_one<CharShinglesOf>(random, text);
  sketch_one<WordShinglesOf>(random, text);
}

static void hashes_and_encoding(Random& random) {
  const std::string content = any_text(random);
  const Text text(content);
  const Hash128 hash = murmur128(text.data(), text.size()), again = murmur128(text.data(), text.size());
  require(hash.first == again.first && hash.second == again.second, "a hash depends on the bytes alone");
  i64 at = 0, read = 0;
  bool sound = true;
  for (; at < text.size(); ++read) {
    const CodePoint code = decode(text.data() + at, text.size() - at);
    require(code.size >= 1 && at + code.size <= text.size(), "a code point ends inside of the text");
    require(code.value < 0x110000, "a code point is in the code space");
    sound = sound && !(code.value == 0xFFFD && code.size == 1);
    at += code.size;
  }
  if (utf8_valid(text.data(), text.size())) {
    require(sound, "text that is valid can be decoded");
    require(read == count_code_points(text.data(), text.size()), "code points are counted as they are decoded");
  }
}

static void document_statistics(Random& random) {
  const Text text(any_text(random));
  std::unique_ptr<u64[]> scratch(new u64[static_cast<size_t>(heuristics::scratch_words(text.size()))]);
  const heuristics::Statistics found = heuristics::measure(text.data(), text.size(), scratch.get(), ~0u, HashKey(random.next()));
  constexpr size_t count = sizeof found / sizeof(i64);
  i64 values[count];
  std::memcpy(values, &found, sizeof found);
  for (size_t i = 0; i < count; ++i) require(values[i] >= 0 || text.size() == 0, "a statistic is not negative");
  require(found.chars <= text.size(), "there are no more code points than bytes");
  u8 block[heuristics::BLOCK_BYTES];
  for (u8& byte : block) byte = static_cast<u8>(random.next());
  const heuristics::Block a = heuristics::classify(block), b = heuristics::classify_portable(block);
  require(a.space == b.space && a.newline == b.newline && a.high == b.high && a.digits == b.digits,
          "both ways to look at a block agree");
}

struct Measured {
  std::vector<i64> statistics;
  std::string left;

  bool operator==(const Measured& other) const { return statistics == other.statistics && left == other.left; }
};

// What families give one after the other, in memory for texts of up to `longest` bytes that holds `held` everywhere.
static Measured measured_in(const Text& text, const std::vector<u32>& families, i64 longest, int held,
                            HashKey key) {
  const size_t words = static_cast<size_t>(heuristics::Document::memory_words(longest));
  const size_t scratch_words = static_cast<size_t>(heuristics::scratch_words(longest));
  std::unique_ptr<u64[]> memory(new u64[words]), scratch(new u64[scratch_words]);
  std::memset(memory.get(), held, words * sizeof(u64));
  std::memset(scratch.get(), held, scratch_words * sizeof(u64));
  heuristics::Document document(longest, memory.get(), key);
  document.open(text.data(), text.size());
  Measured found;
  found.statistics.resize(families.size() * sizeof(heuristics::Statistics) / sizeof(i64));
  i64* out = found.statistics.data();
  for (u32 family : families) out = heuristics::measure_family(family, ~0u, document, scratch.get(), out);
  found.left.assign(reinterpret_cast<const char*>(document.text()), static_cast<size_t>(document.size()));
  return found;
}

static void statistics_of_families(Random& random) {
  const Text text(any_text(random));
  std::vector<u32> families(1 + random.below(4));
  for (u32& family : families) family = static_cast<u32>(random.below(heuristics::FAMILY_COUNT));
  const Measured found = measured_in(text, families, text.size(), 0, HashKey(0));
  require(static_cast<i64>(found.left.size()) <= text.size(), "an edited text is no longer");
  require(found == measured_in(text, families, text.size() + random.size(500), 0xFF, HashKey(random.next())),
          "neither what memory held nor the key of hashes changes a statistic");
}

template <class Shingles>
static void compare_one(Random& random, const Text& a, const Text& b) {
  cpu::JaccardScratch<Shingles> scratch(1 + static_cast<int>(random.below(kLongestShingle)));
  const double there = scratch.compare(a.data(), a.size(), b.data(), b.size());
  require(there >= 0 && there <= 1, "a similarity lies between 0 and 1");
  require(there == scratch.compare(b.data(), b.size(), a.data(), a.size()), "similarity is symmetric");
}

static void similarities(Random& random) {
  const std::string content = any_text(random);
  const Text a(content), b(random.one_in(2) ? disturbed(random, content) : any_text(random));
  compare_one<CharShingles>(random, a, b);
  compare_one<WordShingles>(random, a, b);
}

static void joins(Random& random) {
  const i64 count = random.size(2000);
  std::vector<KeyedDoc<Key64>> rows;
  for (i64 i = 0; i < count; ++i) rows.push_back({{random.size(1 << 12) * kGolden}, random.below(1 << 12)});
  int bits = 1;
  while (i64(1) << bits <= count) ++bits;
  std::vector<u32> places(size_t(1) << bits), first(rows.size()), parents;
  std::vector<u64> least(rows.size()), names;
  std::vector<Edge> edges(rows.size());
  const i64 made =
      key_edges(rows.data(), count, HashKey(random.next()), places.data(), bits, 0, first.data(), least.data(),
                edges.data());
  require(made <= std::max<i64>(0, count - 1), "there are fewer edges than rows");
  for (u32 i = 0; i < 1 << 12; ++i) {
    parents.push_back(i);
    names.push_back(i);
  }
  for (i64 i = 0; i < made; ++i) {
    require(edges[i].to < edges[i].from, "an edge leads to a smaller document");
    unite(parents.data(), names.data(), static_cast<u32>(edges[i].from), static_cast<u32>(edges[i].to));
  }
  for (u32 i = 0; i < 1 << 12; ++i) require(find_root(parents.data(), i) <= i, "a root is the smallest of its set");
}

template <class Matches>
static void survivors_as(const Cluster& cluster, int needed, bool across) {
  const size_t size = static_cast<size_t>(cluster.size);
  std::vector<i64> kept(size);
  std::vector<u64> witness(size), witness_of_many(size);
  std::vector<int> matches(size), matches_of_many(size);
  std::fill(matches.begin(), matches.end(), -1);
  keep_dissimilar(cluster, across, kept.data(), witness.data(), BySignature<Matches>{cluster, needed, matches.data()});
  if (!cpu::KeptIndex(cluster, needed, across).worthwhile()) return;
  std::fill(matches_of_many.begin(), matches_of_many.end(), -1);
  cpu::keep_dissimilar_of_many(cluster, needed, across, witness_of_many.data(),
                               BySignature<Matches>{cluster, needed, matches_of_many.data()});
  require(witness == witness_of_many && matches == matches_of_many, "an index finds what a walk finds");
}

static void survivors(Random& random) {
  const i64 size = 1 + random.size(400);
  const int hashes = 1 + static_cast<int>(random.below(300));
  const u64 values = 1 + random.size(256), changed = 1 + random.below(40);
  std::vector<u8> signatures(static_cast<size_t>(size * hashes));
  std::vector<u64> docs;
  for (i64 i = 0; i < size; ++i) docs.push_back((i * 3 / size) * (u64(1) << 56) + static_cast<u64>(i));
  for (size_t i = 0; i < signatures.size(); ++i) {
    const bool copy = i >= static_cast<size_t>(hashes) && !random.one_in(changed);
    signatures[i] = copy ? signatures[i - static_cast<size_t>(hashes)] : static_cast<u8>(random.below(values));
  }
  const std::unique_ptr<bool[]> pinned(new bool[static_cast<size_t>(size)]());
  for (i64 i = 0, first = random.one_in(2) ? 0 : random.size(size); i < first && i < size; ++i) pinned[i] = true;
  const Cluster cluster{docs.data(), signatures.data(), pinned.get(), size, hashes};
  const int needed = static_cast<int>(random.below(static_cast<u64>(hashes) + 1));
  const bool across = random.one_in(2);
  survivors_as<PlainMatches>(cluster, needed, across);
  const auto sets = cpu::instruction_sets();
  if (sets.size() > 1) survivors_as<cpu::Avx2Matches>(cluster, needed, across);
  if (sets.size() > 2) survivors_as<cpu::Avx512Matches>(cluster, needed, across);
}

// A model without a dictionary: every n-gram has its row.
static FastTextView rowless_model(Random& random, const u64* filter) {
  FastTextView model = {};
  model.words = 1 + static_cast<i32>(random.below(100));
  model.min_n = 1 + static_cast<i32>(random.below(4));
  model.max_n = model.min_n + static_cast<i32>(random.below(4));
  model.word_ngrams = 1 + static_cast<i32>(random.below(5));
  model.bucket = 1 + static_cast<u32>(random.size(1 << 21));
  model.bucket_inverse = ~u64(0) / model.bucket + 1;
  model.kept_filter = filter;
  model.kept_mask = 63;
  return model;
}

static void language_rows(Random& random) {
  const Text text(any_text(random));
  const u64 filter = ~u64(0);
  const FastTextView model = rowless_model(random, &filter);
  const auto row = [&](i32 found) {
    require(found >= model.words && found < model.words + static_cast<i32>(model.bucket), "a row is in its table");
  };
  const i64 prefix = fasttext_prefix(text.data(), text.size(), random.size(4000));
  require(prefix >= 0 && prefix <= text.size(), "a prefix is no longer than its text");
  std::vector<u32> hashes;
  i64 at = 0;
  u32 hash = 0;
  while (const i64 size = fasttext_next_word(text.data(), prefix, &at, &hash)) {
    const u8* word = text.data() + at - size;
    require(fasttext_bucket(model, hash) == hash % model.bucket, "a bucket is the remainder");
    fasttext_label_prefix(word, size);
    fasttext_word_rows(model, word, size, -1, row);
    hashes.push_back(hash);
  }
  hashes.shrink_to_fit();
  fasttext_word_ngram_rows(model, hashes.data(), static_cast<i64>(hashes.size()), row);
}

// Arrays as a reader hands them over: all counts agree, every value is hostile.
struct HostileModel {
  std::vector<u8> spelling, rows, codes;
  std::vector<i64> begin, end, label_counts;
  std::vector<i32> kept_buckets, kept_rows;
  std::vector<float> centroids, norms, output, output_norms;
  cpu::FastTextParts parts = {};
};

static float hostile_float(Random& random) {
  static const float values[] = {0.0f, -0.0f, 1e38f, -1e38f, 3.4e38f, 1e-45f, -1.0f};
  return random.one_in(4) ? values[random.below(7)] : static_cast<float>(random.below(2001)) / 1000.0f - 1.0f;
}

static std::vector<float> hostile_floats(Random& random, i64 count) {
  std::vector<float> values(static_cast<size_t>(count));
  for (float& value : values) value = hostile_float(random);
  return values;
}

template <typename T>
static cpu::Span<T> span(const std::vector<T>& values) {
  return {values.data(), values.size()};
}

static void hostile_dictionary(Random& random, HostileModel& model) {
  cpu::FastTextParts& parts = model.parts;
  static const char* const likely[] = {"</s>", "__label__", "__label__x", "the", "a", "", "\xff\x80", "\xd0\xba"};
  for (i32 i = 0; i < parts.words + parts.labels; ++i) {
    std::string word = i < 8 && !random.one_in(8) ? likely[i] : std::to_string(i) + any_text(random).substr(0, 80);
    model.begin.push_back(static_cast<i64>(model.spelling.size()));
    model.spelling.insert(model.spelling.end(), word.begin(), word.end());
    model.end.push_back(static_cast<i64>(model.spelling.size()));
    if (i >= parts.words) model.label_counts.push_back(random.size(i64(1) << 45));
  }
  model.spelling.shrink_to_fit();
}

static i64 hostile_pruning(Random& random, HostileModel& model) {
  cpu::FastTextParts& parts = model.parts;
  parts.pruned = parts.bucket > 0 && random.one_in(2);
  if (!parts.pruned) return parts.words + parts.bucket;
  const i64 kept = random.size(300), rows = 1 + random.size(300);
  for (i64 i = 0; i < kept; ++i) {
    model.kept_buckets.push_back(static_cast<i32>(random.below(static_cast<u64>(parts.bucket))));
    model.kept_rows.push_back(static_cast<i32>(random.below(static_cast<u64>(rows))));
  }
  return parts.words + rows;
}

static void hostile_matrices(Random& random, HostileModel& model, i64 rows) {
  cpu::FastTextParts& parts = model.parts;
  if (parts.pruned || random.one_in(2)) {
    parts.part = 1 + static_cast<i32>(random.below(static_cast<u64>(parts.dim)));
    model.codes.resize(static_cast<size_t>(rows * ((parts.dim + parts.part - 1) / parts.part)));
    for (u8& code : model.codes) code = static_cast<u8>(random.next());
    model.centroids = hostile_floats(random, 256 * parts.dim);
    if (random.one_in(2)) model.norms = hostile_floats(random, rows);
  }
  if (model.codes.empty()) {
    const std::vector<float> values = hostile_floats(random, rows * parts.dim);
    model.rows.resize(values.size() * sizeof(float));
    if (!values.empty()) std::memcpy(model.rows.data(), values.data(), model.rows.size());
  }
  model.output = hostile_floats(random, i64(parts.labels) * parts.dim);
  if (random.one_in(2)) model.output_norms = hostile_floats(random, parts.labels);
}

static void hostile_parts(Random& random, HostileModel& model) {
  cpu::FastTextParts& parts = model.parts;
  parts.words = static_cast<i32>(random.below(12));
  parts.labels = 1 + static_cast<i32>(random.size(40));
  parts.min_n = static_cast<i32>(random.size(64));
  parts.max_n = static_cast<i32>(random.size(64));
  parts.word_ngrams = static_cast<i32>(random.size(64));
  parts.bucket = static_cast<i32>(random.size(3000));
  if (parts.bucket == 0) parts.max_n = parts.word_ngrams = 0;
  parts.dim = 1 + static_cast<i32>(random.size(70));
  parts.loss = 1 + static_cast<i32>(random.below(4));
  hostile_dictionary(random, model);
  hostile_matrices(random, model, hostile_pruning(random, model));
  parts.spelling = span(model.spelling);
  parts.begin = span(model.begin);
  parts.end = span(model.end);
  parts.label_counts = span(model.label_counts);
  parts.kept_buckets = span(model.kept_buckets);
  parts.kept_rows = span(model.kept_rows);
  parts.rows = span(model.rows);
  parts.codes = span(model.codes);
  parts.centroids = span(model.centroids);
  parts.norms = span(model.norms);
  parts.output = span(model.output);
  parts.output_norms = span(model.output_norms);
}

static void score_twice(Random& random, const cpu::FastTextModel& model) {
  const int k = 1 + static_cast<int>(random.below(5));
  const size_t room = static_cast<size_t>(k);
  cpu::FastTextScorer scorer(model), narrow(model, false);
  for (int i = 0; i < 3; ++i) {
    const Text text(any_text(random));
    std::vector<i32> labels(room), labels_narrow(room), again(2 * room);
    std::vector<float> scores(room), scores_narrow(room), scores_again(2 * room);
    const auto same = [&](i64) { return std::pair(text.data(), text.size()); };
    scorer.score(1, same, k, labels.data(), scores.data());
    scorer.score(2, same, k, again.data(), scores_again.data());
    narrow.score(1, same, k, labels_narrow.data(), scores_narrow.data());
    require(labels == labels_narrow, "instructions change no label");
    require(std::memcmp(scores.data(), scores_narrow.data(), room * sizeof(float)) == 0,
            "instructions change no score");
    again.erase(again.begin(), again.begin() + k);
    scores_again.erase(scores_again.begin(), scores_again.begin() + k);
    require(labels == again, "remembered words change no label");
    require(std::memcmp(scores.data(), scores_again.data(), room * sizeof(float)) == 0,
            "remembered words change no score");
    for (i32 label : labels) require(label >= -1 && label < model.view.labels, "a label is one of the model's");
    for (float score : scores) require(score >= 0 && score < 1.1f, "a probability lies between 0 and 1");
  }
}

static void models(Random& random) {
  HostileModel parts;
  hostile_parts(random, parts);
  std::unique_ptr<cpu::FastTextModel> model;
  try {
    model = std::make_unique<cpu::FastTextModel>(parts.parts);
  } catch (const std::invalid_argument&) {
    return;  // a word stands twice, or the counts make no tree
  }
  score_twice(random, *model);
}

static void normal_forms(Random& random) {
  const Text text(any_text(random));
  const Normalizer normalizer(static_cast<int>(random.below(8)));
  std::vector<u8> once(static_cast<size_t>(text.size())), url(static_cast<size_t>(3 * text.size() + 1));
  const i64 size = normalizer.write(text.data(), text.size(), once.data());
  require(size <= text.size(), "a normal form is no longer than its text");
  require(!utf8_valid(text.data(), text.size()) || utf8_valid(once.data(), size), "valid UTF-8 stays valid");
  const i64 key = write_url(text.data(), text.size(), url.data());
  for (i64 i = 0; i < key; ++i) require(url[static_cast<size_t>(i)] > 0x20, "a URL has no white space");
}

static void exact_functions(Random& random) {
  for (int i = 0; i < 100; ++i) {
    const double x = double_of_bits(random.next());
    const double e = exact_exp(x), l = exact_log(std::fabs(x));
    require(std::isnan(x) || e >= 0, "exp is not negative");
    require(!(x > 1e-300 && x < 1e300) || std::fabs(l - std::log(x)) <= 1e-14 * (1 + std::fabs(l)), "log is close");
    require(!(std::fabs(x) < 600) || std::fabs(e / std::exp(x) - 1) < 1e-14, "exp is close");
  }
}

struct Target {
  const char* name;
  void (*run)(Random&);
};

static const Target TARGETS[] = {
    {"sketches", sketches},         {"hashes, UTF-8", hashes_and_encoding},
    {"statistics", document_statistics}, {"similarities", similarities},
    {"joins", joins},               {"survivors", survivors},
    {"language rows", language_rows}, {"exp and log", exact_functions},
    {"normal forms", normal_forms}, {"fastText models", models},
    {"families", statistics_of_families},
};
constexpr size_t TARGET_COUNT = sizeof TARGETS / sizeof *TARGETS;

static void announce() {
  std::fprintf(stderr, "\nfailed in case %llu: fuzz 0 %llu runs it alone\n",
               static_cast<unsigned long long>(running), static_cast<unsigned long long>(running));
}

// The sanitizers call this before they end the process.
extern "C" void __sanitizer_set_death_callback(void (*callback)());

int main(int count, char** arguments) {
  const double seconds = count > 1 ? std::atof(arguments[1]) : 60;
  running = count > 2 ? std::strtoull(arguments[2], nullptr, 10) : 0;
  __sanitizer_set_death_callback(announce);
  u64 runs[TARGET_COUNT] = {};
  const auto start = std::chrono::steady_clock::now();
  do {
    Random random(running * kGolden);
    TARGETS[running % TARGET_COUNT].run(random);
    ++runs[running % TARGET_COUNT];
    ++running;
  } while (std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() < seconds);
  for (size_t i = 0; i < TARGET_COUNT; ++i)
    std::printf("%-14s %8llu cases\n", TARGETS[i].name, static_cast<unsigned long long>(runs[i]));
  return 0;
}
