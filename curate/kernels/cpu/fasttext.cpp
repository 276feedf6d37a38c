// Scores batches of texts with a fastText model whose arrays Python has read and checked.
#include <nanobind/stl/optional.h>
#include <nanobind/stl/tuple.h>

#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <tuple>
#include <vector>

#include "arrays.h"
#include "fasttext_model.h"
#include "fasttext_scorer.h"

namespace curate::cpu {

namespace {

template <typename Array>
auto span(const Array& array) {
  return Span<std::remove_const_t<std::remove_pointer_t<decltype(array.data())>>>{array.data(), array.size()};
}

}  // namespace

class FastText {
 public:
  FastText(i32 words, i32 labels, i32 min_n, i32 max_n, i32 word_ngrams, i32 bucket, i32 dim, i32 loss,
           In<u8> spelling, In<i64> begin, In<i64> end, In<i64> label_counts,
           std::optional<In<i32>> kept_buckets, std::optional<In<i32>> kept_rows, In<u8> rows, In<u8> codes,
           In<float> centroids, In<float> norms, i32 part, In2<float> output, In<float> output_norms)
      : spelling_(spelling), begin_(begin), end_(end), rows_(rows), codes_(codes), centroids_(centroids),
        norms_(norms), output_norms_(output_norms) {
    FastTextParts parts{words, labels, min_n, max_n, word_ngrams, bucket, dim, loss, part};
    parts.spelling = span(spelling_);
    parts.begin = span(begin_);
    parts.end = span(end_);
    parts.label_counts = span(label_counts);
    parts.pruned = kept_buckets && kept_rows;
    if (parts.pruned) {
      parts.kept_buckets = span(*kept_buckets);
      parts.kept_rows = span(*kept_rows);
    }
    parts.rows = span(rows_);
    parts.codes = span(codes_);
    parts.centroids = span(centroids_);
    parts.norms = span(norms_);
    parts.output = span(output);
    parts.output_norms = span(output_norms_);
    nb::gil_scoped_release unlocked;
    model_ = std::make_unique<FastTextModel>(parts);
  }

  std::tuple<Out<i32>, Out<float>> score(In<u8> data, In<i64> offsets, In<i64> rows, i32 k, i64 characters) {
    TextView texts(data, offsets);
    check_rows(rows, texts.count);
    if (k < 1 || characters < 0) throw std::invalid_argument("k must be at least 1, characters at least 0");
    size_t count = rows.shape(0);
    Fresh<i32> labels(count, k);
    Fresh<float> scores(count, k);
    {
      nb::gil_scoped_release unlocked;
      std::unique_ptr<FastTextScorer> scorer = take_scorer();
      const auto text = [&](i64 i) {
        const i64 row = rows.data()[i];
        return std::pair(texts.begin(row), fasttext_prefix(texts.begin(row), texts.size(row), characters));
      };
      scorer->score(static_cast<i64>(count), text, k, labels.data(), scores.data());
      std::lock_guard<std::mutex> lock(mutex_);
      idle_.push_back(std::move(scorer));
    }
    return {labels.numpy(), scores.numpy()};
  }

  // The fields of FastTextView by name: numbers, and arrays in this object's memory, which `self` keeps.
  nb::dict view(nb::handle self) const {
    const FastTextModel& model = *model_;
    nb::dict fields;
#define CURATE_NUMBER(name) fields[#name] = model.view.name;
    CURATE_NUMBER(word_shift) CURATE_NUMBER(words) CURATE_NUMBER(labels)
    CURATE_NUMBER(min_n) CURATE_NUMBER(max_n) CURATE_NUMBER(word_ngrams)
    CURATE_NUMBER(bucket) CURATE_NUMBER(bucket_inverse)
    CURATE_NUMBER(pruned) CURATE_NUMBER(kept_mask) CURATE_NUMBER(kept_shift)
    CURATE_NUMBER(dim) CURATE_NUMBER(part) CURATE_NUMBER(parts) CURATE_NUMBER(loss) CURATE_NUMBER(reach)
#undef CURATE_NUMBER
    const auto array = [&](const char* name, const auto* values, size_t count) {
      using T = std::remove_pointer_t<decltype(values)>;
      fields[name] = nb::ndarray<nb::numpy, T, nb::ndim<1>>(values, {count}, self);
    };
    array("spelling", spelling_.data(), spelling_.shape(0));
    array("begin", begin_.data(), begin_.shape(0));
    array("end", end_.data(), end_.shape(0));
    array("word_slots", model.word_slots.data(), model.word_slots.size());
    array("kept_filter", model.kept_filter.data(), model.kept_filter.size());
    array("kept_slots", model.kept_slots.data(), model.kept_slots.size());
    const bool folded = model.folded.size() > 0;
    array("rows", model.view.rows, folded ? model.folded.size() * 4 : rows_.shape(0));
    array("codes", codes_.data(), folded ? 0 : codes_.shape(0));
    array("centroids", centroids_.data(), folded ? 0 : centroids_.shape(0));
    array("norms", norms_.data(), folded ? 0 : norms_.shape(0));
    array("output", model.output.data(), folded ? 0 : model.output.size());
    array("output_norms", output_norms_.data(), folded ? 0 : output_norms_.shape(0));
    array("left", model.left.data(), model.left.size());
    array("right", model.right.data(), model.right.size());
    array("sigmoid", model.sigmoid, 513);
    return fields;
  }

 private:
  // Scorers remember words from one batch to the next: one for each thread that ever scored at the same time.
  std::unique_ptr<FastTextScorer> take_scorer() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (!idle_.empty()) {
        std::unique_ptr<FastTextScorer> scorer = std::move(idle_.back());
        idle_.pop_back();
        return scorer;
      }
    }
    return std::make_unique<FastTextScorer>(*model_);
  }

  In<u8> spelling_;
  In<i64> begin_, end_;
  In<u8> rows_, codes_;
  In<float> centroids_, norms_, output_norms_;
  std::unique_ptr<FastTextModel> model_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<FastTextScorer>> idle_;
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
  nb::class_<FastText>(m, "FastText", nb::is_weak_referenceable())
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
