// Scores batches of texts with a fastText model whose arrays Python has read and checked.
#include "fasttext.h"

#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>

#include <cstring>
#include <optional>
#include <tuple>
#include <vector>

#include "arrays.h"
#include "fasttext_output.h"

namespace curate::cpu {

namespace {

constexpr i64 BUFFERED_ROWS = 4096;

i32 bits_for(u64 slots) {
  i32 bits = 4;
  while ((u64(1) << bits) < slots) ++bits;
  return bits;
}

// The rows of words met before in this call: the last word of each slot. Most words of a text are repeats,
// and one look-up replaces hashing and finding all their n-grams. What is remembered never changes a result.
class RememberedWords {
 public:
  // Where a word's spelling and, right behind it, its rows lie in the store.
  struct Entry {
    u32 hash, first;
    std::uint16_t size, count;
  };
  RememberedWords() : entries_(size_t(1) << BITS) { store_.reserve(STORE + 2048); }

  const Entry* find(const u8* word, i64 size, u32 hash) const {
    const Entry& entry = entries_[fasttext_slot(hash, 64 - BITS)];
    const u8* spelling = reinterpret_cast<const u8*>(store_.data() + entry.first);
    return entry.hash == hash && entry.size == size && fasttext_same(spelling, word, size) ? &entry : nullptr;
  }
  const i32* rows(const Entry& entry) const { return &store_[entry.first] + (entry.size + 3) / 4; }

  template <typename Fill>
  const Entry* remember(const u8* word, i64 size, u32 hash, Fill&& fill) {
    if (store_.size() > STORE) {
      entries_.assign(entries_.size(), Entry{});
      store_.clear();
    }
    Entry entry{hash, static_cast<u32>(store_.size()), static_cast<std::uint16_t>(size), 0};
    store_.resize(store_.size() + (size + 3) / 4);
    std::memcpy(&store_[entry.first], word, size);
    size_t rows = store_.size();
    fill([&](i32 row) { store_.push_back(row); });
    entry.count = static_cast<std::uint16_t>(store_.size() - rows);
    return &(entries_[fasttext_slot(hash, 64 - BITS)] = entry);
  }

  static constexpr i64 LONGEST = 48;

 private:
  static constexpr i32 BITS = 13;
  static constexpr size_t STORE = size_t(1) << 17;
  std::vector<Entry> entries_;
  std::vector<i32> store_;
};

}  // namespace

class FastText {
 public:
  FastText(i32 words, i32 labels, i32 min_n, i32 max_n, i32 word_ngrams, i32 bucket, i32 dim, i32 loss,
           In<u8> spelling, In<i64> begin, In<i64> end, In<i64> label_counts,
           std::optional<In<i32>> kept_buckets, std::optional<In<i32>> kept_rows, In<u8> rows, In<u8> codes,
           In<float> centroids, In<float> norms, i32 part, In2<float> output, In<float> output_norms)
      : spelling_(spelling), begin_(begin), end_(end), rows_(rows), codes_(codes), centroids_(centroids),
        norms_(norms), output_norms_(output_norms) {
    view_ = FastTextView{};
    view_.words = words;
    view_.labels = labels;
    view_.min_n = min_n;
    view_.max_n = max_n;
    view_.word_ngrams = word_ngrams;
    view_.bucket = static_cast<u32>(bucket);
    view_.bucket_inverse = bucket ? ~u64(0) / view_.bucket + 1 : 0;
    view_.dim = dim;
    view_.loss = loss;
    view_.rows = rows_.data();
    view_.codes = codes_.shape(0) ? codes_.data() : nullptr;
    view_.centroids = centroids_.data();
    view_.norms = norms_.shape(0) ? norms_.data() : nullptr;
    view_.part = part;
    view_.parts = part ? (dim + part - 1) / part : 0;
    view_.output_norms = output_norms_.shape(0) ? output_norms_.data() : nullptr;
    index_words();
    if (kept_buckets && kept_rows)
      index_kept(*kept_buckets, *kept_rows);
    else
      kept_filter_.assign(1, ~u64(0));
    view_.kept_filter = kept_filter_.data();
    view_.kept_mask = static_cast<u32>(kept_filter_.size() * 64 - 1);
    take_output(output);
    if (loss == HIERARCHICAL) build_tree(label_counts);
  }

  std::tuple<Out<i32>, Out<float>> score(In<u8> data, In<i64> offsets, In<i64> rows, i32 k,
                                         i64 characters) const {
    TextView texts(data, offsets);
    check_rows(rows, texts.count);
    if (k < 1 || characters < 0) throw std::invalid_argument("k must be at least 1, characters at least 0");
    size_t count = rows.shape(0);
    Fresh<i32> labels(count, k);
    Fresh<float> scores(count, k);
    {
      nb::gil_scoped_release unlocked;
      Work work(view_);
      for (size_t i = 0; i < count; ++i) {
        const u8* text = texts.begin(rows.data()[i]);
        i64 size = fasttext_prefix(text, texts.size(rows.data()[i]), characters);
        score_one(work, text, size, k, labels.data() + i * k, scores.data() + i * k);
      }
    }
    return {labels.numpy(), scores.numpy()};
  }

  // The fields of FastTextView by name: numbers, and arrays in this object's memory, which `self` keeps.
  nb::dict view(nb::handle self) const {
    nb::dict fields;
#define CURATE_NUMBER(name) fields[#name] = view_.name;
    CURATE_NUMBER(word_shift) CURATE_NUMBER(words) CURATE_NUMBER(labels)
    CURATE_NUMBER(min_n) CURATE_NUMBER(max_n) CURATE_NUMBER(word_ngrams)
    CURATE_NUMBER(bucket) CURATE_NUMBER(bucket_inverse)
    CURATE_NUMBER(pruned) CURATE_NUMBER(kept_mask) CURATE_NUMBER(kept_shift)
    CURATE_NUMBER(dim) CURATE_NUMBER(part) CURATE_NUMBER(parts) CURATE_NUMBER(loss)
#undef CURATE_NUMBER
    const auto array = [&](const char* name, const auto* values, size_t count) {
      using T = std::remove_pointer_t<decltype(values)>;
      fields[name] = nb::ndarray<nb::numpy, T, nb::ndim<1>>(values, {count}, self);
    };
    array("spelling", spelling_.data(), spelling_.shape(0));
    array("begin", begin_.data(), begin_.shape(0));
    array("end", end_.data(), end_.shape(0));
    array("hashes", hashes_.data(), hashes_.size());
    array("word_slots", word_slots_.data(), word_slots_.size());
    array("kept_filter", kept_filter_.data(), kept_filter_.size());
    array("kept_slots", kept_slots_.data(), kept_slots_.size());
    array("rows", rows_.data(), rows_.shape(0));
    array("codes", codes_.data(), codes_.shape(0));
    array("centroids", centroids_.data(), centroids_.shape(0));
    array("norms", norms_.data(), norms_.shape(0));
    array("output", output_.data(), output_.size());
    array("output_norms", output_norms_.data(), output_norms_.shape(0));
    array("left", left_.data(), left_.size());
    array("right", right_.data(), right_.size());
    array("sigmoid", sigmoid_, 513);
    return fields;
  }

 private:
  // Buffers of one call, used again for every text of it.
  struct Work {
    explicit Work(const FastTextView& m)
        : hidden(m.dim), logits(m.labels), node_scores(m.labels + 1), nodes(m.labels + 1) {
      rows.reserve(BUFFERED_ROWS + 1024);
      scratch = FastTextScratch{hidden.data(), logits.data(), nodes.data(), node_scores.data()};
    }
    std::vector<float> hidden, logits, node_scores;
    std::vector<i32> nodes, rows;
    std::vector<u32> hashes;
    RememberedWords remembered;
    FastTextScratch scratch;
    i64 added = 0;

    void add(const FastTextView& m, i32 row) {
      rows.push_back(row);
      if (rows.size() >= BUFFERED_ROWS) flush(m);
    }
    void flush(const FastTextView& m) {
      fasttext_add_rows(m, rows.data(), static_cast<i64>(rows.size()), hidden.data());
      added += static_cast<i64>(rows.size());
      rows.clear();
    }
  };

  // Adds one word's rows; false if it counts for nothing because it is, or is spelt like, a label.
  bool add_word(Work& work, const u8* word, i64 size, u32 hash) const {
    if (size <= RememberedWords::LONGEST) {
      const auto* known = work.remembered.find(word, size, hash);
      if (known) {
        append(work, *known);
        return true;
      }
    }
    i32 entry = fasttext_entry(view_, word, size, hash);
    if (fasttext_is_label(view_, word, size, entry)) return false;
    if (size <= RememberedWords::LONGEST && view_.max_n > 0) {
      append(work, *work.remembered.remember(word, size, hash, [&](auto&& row) {
        fasttext_word_rows(view_, word, size, entry, row);
      }));
    } else {
      fasttext_word_rows(view_, word, size, entry, [&](i32 row) { work.add(view_, row); });
    }
    return true;
  }

  void append(Work& work, const RememberedWords::Entry& entry) const {
    const i32* rows = work.remembered.rows(entry);
    work.rows.insert(work.rows.end(), rows, rows + entry.count);
    if (work.rows.size() >= BUFFERED_ROWS) work.flush(view_);
  }

  void score_one(Work& work, const u8* text, i64 size, i32 k, i32* labels, float* scores) const {
    std::fill(work.hidden.begin(), work.hidden.end(), 0.0f);
    work.hashes.clear();
    work.added = 0;
    bool ended = false;
    u32 hash;
    for (i64 at = 0, length; !ended && (length = fasttext_next_word(text, size, &at, &hash)) > 0;) {
      const u8* word = text + at - length;
      if (add_word(work, word, length, hash)) work.hashes.push_back(hash);
      ended = fasttext_end_of_sentence(word, length);
    }
    if (!ended) {
      hash = FASTTEXT_HASH_SEED;
      for (u8 c : FASTTEXT_END_OF_SENTENCE) hash = fasttext_hash(hash, c);
      if (add_word(work, FASTTEXT_END_OF_SENTENCE, 4, hash)) work.hashes.push_back(hash);
    }
    if (view_.word_ngrams > 1)
      fasttext_word_ngram_rows(view_, work.hashes.data(), static_cast<i64>(work.hashes.size()),
                               [&](i32 row) { work.add(view_, row); });
    work.flush(view_);
    if (work.added == 0) {
      std::fill(labels, labels + k, -1);
      std::fill(scores, scores + k, 0.0f);
      return;
    }
    float share = static_cast<float>(1.0 / static_cast<double>(work.added));
    for (float& value : work.hidden) value *= share;
    fasttext_best(view_, work.scratch, k, labels, scores);
  }

  void index_words() {
    size_t entries = begin_.shape(0);
    i32 bits = bits_for(2 * entries + 1);
    word_slots_.assign(size_t(1) << bits, 0);
    hashes_.resize(entries);
    view_.spelling = spelling_.data();
    view_.begin = begin_.data();
    view_.end = end_.data();
    view_.word_shift = 64 - bits;
    view_.hashes = hashes_.data();
    view_.word_slots = word_slots_.data();
    u32 mask = static_cast<u32>(word_slots_.size() - 1);
    for (size_t i = 0; i < entries; ++i) {
      u32 hash = FASTTEXT_HASH_SEED;
      for (i64 at = view_.begin[i]; at < view_.end[i]; ++at) hash = fasttext_hash(hash, view_.spelling[at]);
      hashes_[i] = hash;
      if (fasttext_entry(view_, view_.spelling + view_.begin[i], view_.end[i] - view_.begin[i], hash) >= 0)
        throw std::invalid_argument("a word stands twice in the dictionary");
      u32 slot = fasttext_slot(hash, view_.word_shift);
      while (word_slots_[slot]) slot = (slot + 1) & mask;
      word_slots_[slot] = static_cast<u32>(i + 1);
    }
  }

  void index_kept(const In<i32>& buckets, const In<i32>& rows) {
    size_t count = buckets.shape(0);
    i32 bits = bits_for(2 * count + 1);
    kept_slots_.assign(size_t(1) << bits, 0);
    kept_filter_.assign(size_t(1) << (bits_for(16 * count + 64) - 6), 0);
    view_.pruned = true;
    view_.kept_shift = 64 - bits;
    u32 mask = static_cast<u32>(kept_slots_.size() - 1);
    for (size_t i = 0; i < count; ++i) {
      u32 bucket = static_cast<u32>(buckets.data()[i]);
      u32 bit = bucket & static_cast<u32>(kept_filter_.size() * 64 - 1);
      kept_filter_[bit >> 6] |= u64(1) << (bit & 63);
      u32 slot = fasttext_slot(bucket, view_.kept_shift);
      while (kept_slots_[slot] && (kept_slots_[slot] - 1) >> 32 != bucket) slot = (slot + 1) & mask;
      kept_slots_[slot] = (u64(bucket) << 32 | static_cast<u32>(view_.words + rows.data()[i])) + 1;
    }
    view_.kept_slots = kept_slots_.data();
  }

  // Copies the output matrix in the order that its loss reads it, and fills the table of the logistic
  // function.
  void take_output(const In2<float>& output) {
    i64 labels = view_.labels, dim = view_.dim;
    output_.resize(labels * dim);
    for (i64 i = 0; i < labels; ++i)
      for (i64 j = 0; j < dim; ++j)
        output_[view_.loss == HIERARCHICAL ? i * dim + j : j * labels + i] = output.data()[i * dim + j];
    view_.output = output_.data();
    for (i32 i = 0; i <= 512; ++i) sigmoid_[i] = fasttext_sigmoid_entry(i);
    view_.sigmoid = sigmoid_;
  }

  // Huffman's tree as fastText builds it from the labels' counts, which it expects to fall from label to
  // label.
  void build_tree(const In<i64>& label_counts) {
    i64 labels = view_.labels;
    std::vector<i64> counts(2 * labels - 1, i64(1000000000000000));
    for (i64 i = 0; i < labels; ++i) counts[i] = label_counts.data()[i];
    left_.resize(labels);
    right_.resize(labels);
    i64 leaf = labels - 1, node = labels;
    for (i64 i = labels; i < 2 * labels - 1; ++i) {
      i64 least[2];
      for (i64& choice : least) {
        choice = leaf >= 0 && counts[leaf] < counts[node] ? leaf-- : node++;
        if (choice >= i) throw std::invalid_argument("the labels' counts make no tree");
      }
      left_[i - labels] = static_cast<i32>(least[0]);
      right_[i - labels] = static_cast<i32>(least[1]);
      counts[i] = counts[least[0]] + counts[least[1]];
    }
    view_.left = left_.data();
    view_.right = right_.data();
  }

  FastTextView view_;
  In<u8> spelling_;
  In<i64> begin_, end_;
  In<u8> rows_, codes_;
  In<float> centroids_, norms_, output_norms_;
  std::vector<u32> hashes_, word_slots_;
  std::vector<u64> kept_slots_, kept_filter_;
  std::vector<float> output_;
  std::vector<i32> left_, right_;
  float sigmoid_[513];
};

// Reads `count` dictionary entries (spelling, 0, int64 count, int8 type) from byte `at` on. Stops early where
// the bytes end: the arrays then hold fewer than `count` entries.
static std::tuple<Out<i64>, Out<i64>, Out<i64>, Out<u8>, i64, i64> fasttext_entries(In<u8> data, i64 at,
                                                                                    i64 count) {
  i64 size = static_cast<i64>(data.shape(0));
  if (at < 0 || at > size || count < 0 || count > (size - at) / 10)
    throw std::invalid_argument("no room for entries");
  Fresh<i64> begin(count), end(count), counts(count);
  Fresh<u8> types(count);
  i64 read = 0;
  for (; read < count; ++read) {
    const void* zero = at < size ? std::memchr(data.data() + at, 0, static_cast<size_t>(size - at)) : nullptr;
    if (!zero) break;
    i64 stop = static_cast<const u8*>(zero) - data.data();
    if (size - stop < 10) break;
    begin.data()[read] = at;
    end.data()[read] = stop;
    std::memcpy(counts.data() + read, data.data() + stop + 1, sizeof(i64));
    types.data()[read] = data.data()[stop + 9];
    at = stop + 10;
  }
  return {begin.numpy(), end.numpy(), counts.numpy(), types.numpy(), read, at};
}

void bind_fasttext(nb::module_& m) {
  m.attr("FASTTEXT_VIEW_BYTES") = sizeof(FastTextView);
  m.def("fasttext_entries", &fasttext_entries, nb::arg("data"), nb::arg("at"), nb::arg("count"));
  nb::class_<FastText>(m, "FastText")
      .def(nb::init<i32, i32, i32, i32, i32, i32, i32, i32, In<u8>, In<i64>, In<i64>, In<i64>,
                    std::optional<In<i32>>, std::optional<In<i32>>, In<u8>, In<u8>, In<float>, In<float>, i32,
                    In2<float>, In<float>>(),
           nb::kw_only(), nb::arg("words"), nb::arg("labels"), nb::arg("min_n"), nb::arg("max_n"),
           nb::arg("word_ngrams"), nb::arg("bucket"), nb::arg("dim"), nb::arg("loss"), nb::arg("spelling"),
           nb::arg("begin"), nb::arg("end"), nb::arg("label_counts"), nb::arg("kept_buckets").none(),
           nb::arg("kept_rows").none(), nb::arg("rows"), nb::arg("codes"), nb::arg("centroids"),
           nb::arg("norms"), nb::arg("part"), nb::arg("output"), nb::arg("output_norms"))
      .def("view", [](nb::handle self) { return nb::cast<const FastText&>(self).view(self); })
      .def("score", &FastText::score, nb::arg("data"), nb::arg("offsets"), nb::arg("rows"), nb::arg("k"),
           nb::arg("characters"));
}

}  // namespace curate::cpu
