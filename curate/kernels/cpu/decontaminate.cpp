#include <algorithm>
#include <vector>

#include "arrays.h"
#include "ngram_index.h"

namespace curate::cpu {

namespace {

struct Hit {
  u32 gram;
  i64 begin, end, first;  // bytes, words before it
  int words;
};

// How much of one item a text has, or of all items where it has none.
struct Overlap {
  i64 item = -1, found = 0, total = 0, covered = 0, words = 0, matches = 0;
};
constexpr size_t OVERLAP = sizeof(Overlap) / sizeof(i64);

template <class T>
Out<T> copied(const T* values, size_t count) {
  Fresh<T> copy(count);
  std::copy_n(values, count, copy.data());
  return copy.numpy();
}

class NgramIndex {
 public:
  NgramIndex(In<u8> data, In<i64> offsets, In<i64> items, i64 item_count, int longest, int shortest,
             bool split)
      : breaks_(split ? WordBreaks::at_punctuation : WordBreaks::at_space) {
    TextView texts(data, offsets);
    if (items.shape(0) != static_cast<size_t>(texts.count)) throw std::invalid_argument("an item a text");
    if (shortest < 1 || shortest > longest || longest > kLongestNgram)
      throw std::invalid_argument("n-grams have 1 to 64 words");
    for (i64 i = 0; i < texts.count; ++i)
      if (items.data()[i] < 0 || items.data()[i] >= item_count || (i && items.data()[i] < items.data()[i - 1]))
        throw std::invalid_argument("items must not decrease and be below their count");
    nb::gil_scoped_release unlocked;
    data_.assign(data.data(), data.data() + data.shape(0));
    of_item_.assign(static_cast<size_t>(item_count), 0);
    resize(1 << 10);
    for (i64 from = 0, to; from < texts.count; from = to) {
      for (to = from; to < texts.count && items.data()[to] == items.data()[from];) ++to;
      add_item(texts, from, to, static_cast<u32>(items.data()[from]), longest, shortest);
    }
    close();
  }

  NgramIndex(const NgramIndex&) = delete;  // lengths_ points into filters_

  i64 grams() const { return static_cast<i64>(begin_.size()); }
  i64 items() const { return static_cast<i64>(of_item_.size()); }

  // Distinct grams of each item, int64.
  Out<i64> grams_of_items() const {
    Fresh<i64> counts(of_item_.size());
    std::copy(of_item_.begin(), of_item_.end(), counts.data());
    return counts.numpy();
  }

  Out<i64> overlaps(In<u8> data, In<i64> offsets, In<i64> rows) const {
    TextView texts(data, offsets);
    check_rows(rows, texts.count);
    const size_t count = rows.shape(0);
    Fresh<i64> table(count, OVERLAP);
    {
      nb::gil_scoped_release unlocked;
      std::vector<Hit> hits;
      std::vector<u32> distinct, seen(of_item_.size()), touched;
      for (size_t i = 0; i < count; ++i) {
        const i64 row = rows.data()[i];
        Overlap of;
        of.words = match(texts.begin(row), texts.size(row), hits);
        if (!hits.empty()) weigh(hits, distinct, seen, touched, of);
        std::copy_n(reinterpret_cast<const i64*>(&of), OVERLAP, table.data() + i * OVERLAP);
      }
    }
    return table.numpy();
  }

  // What `overlaps` gives, from what was found elsewhere. words: of each text. begins: where each text's hits begin, and
  // where the last one's end. grams, lasts, sizes: of hits, by text and last word: gram, last word, words.
  Out<i64> weighed(In<i64> words, In<i64> begins, In<u32> grams, In<i64> lasts, In<u32> sizes) const {
    const size_t count = words.shape(0), all = grams.shape(0);
    if (begins.shape(0) != count + 1 || lasts.shape(0) != all || sizes.shape(0) != all)
      throw std::invalid_argument("a beginning a text and one more, a gram, a word and a size a hit");
    for (size_t i = 0; i < count; ++i)
      if (begins.data()[i] < 0 || begins.data()[i] > begins.data()[i + 1])
        throw std::invalid_argument("hits of a text must not end before they begin");
    if (begins.data()[count] > static_cast<i64>(all)) throw std::invalid_argument("begins reach beyond the hits");
    for (size_t i = 0; i < all; ++i)
      if (grams.data()[i] >= begin_.size()) throw std::invalid_argument("a gram that the index does not have");
    Fresh<i64> table(count, OVERLAP);
    {
      nb::gil_scoped_release unlocked;
      std::vector<Hit> hits;
      std::vector<u32> distinct, seen(of_item_.size()), touched;
      for (size_t i = 0; i < count; ++i) {
        Overlap of;
        of.words = words.data()[i];
        hits.clear();
        for (i64 hit = begins.data()[i]; hit < begins.data()[i + 1]; ++hit) {
          const i64 size = sizes.data()[hit];
          hits.push_back({grams.data()[hit], 0, 0, lasts.data()[hit] - size + 1, static_cast<int>(size)});
        }
        if (!hits.empty()) weigh(hits, distinct, seen, touched, of);
        std::copy_n(reinterpret_cast<const i64*>(&of), OVERLAP, table.data() + i * OVERLAP);
      }
    }
    return table.numpy();
  }

  // What NgramIndexView points to, for a copy elsewhere. slots: bytes. filter_begin: of each length, in filters.
  nb::dict parts() const {
    const size_t count = lengths_.size();
    Fresh<int> words(count);
    Fresh<i64> filter_begin(count);
    Fresh<u64> filter_mask(count);
    for (size_t k = 0; k < count; ++k) {
      words.data()[k] = lengths_[k].words;
      filter_begin.data()[k] = lengths_[k].filter - filters_.data();
      filter_mask.data()[k] = lengths_[k].filter_mask;
    }
    nb::dict parts;
    parts["texts"] = copied(data_.data(), data_.size());
    parts["gram_begin"] = copied(begin_.data(), begin_.size());
    parts["gram_end"] = copied(end_.data(), end_.size());
    parts["slots"] = copied(reinterpret_cast<const u8*>(slots_.data()), slots_.size() * sizeof(NgramSlot));
    parts["slot_mask"] = static_cast<u64>(slots_.size() - 1);
    parts["filters"] = copied(filters_.data(), filters_.size());
    parts["words"] = words.numpy();
    parts["filter_begin"] = filter_begin.numpy();
    parts["filter_mask"] = filter_mask.numpy();
    parts["breaks"] = static_cast<int>(breaks_);
    return parts;
  }

  // (data, offsets, pieces): the texts without the matches and `window` code points on both sides of each; what is
  // left between is kept where it has `shortest` code points. pieces: what was left, before that, and how many
  // were kept.
  nb::tuple cut(In<u8> data, In<i64> offsets, In<i64> rows, i64 window, i64 shortest) const {
    TextView texts(data, offsets);
    check_rows(rows, texts.count);
    const size_t count = rows.shape(0);
    Fresh<i64> bounds(count + 1), pieces(count, 2);
    std::vector<u8> kept;
    {
      nb::gil_scoped_release unlocked;
      std::vector<Hit> hits;
      bounds.data()[0] = 0;
      for (size_t i = 0; i < count; ++i) {
        const i64 row = rows.data()[i];
        match(texts.begin(row), texts.size(row), hits);
        cut_text(texts.begin(row), texts.size(row), hits, window, shortest, kept, pieces.data() + 2 * i);
        bounds.data()[i + 1] = static_cast<i64>(kept.size());
      }
    }
    Fresh<u8> bytes(kept.size());
    std::copy(kept.begin(), kept.end(), bytes.data());
    return nb::make_tuple(bytes.numpy(), bounds.numpy(), pieces.numpy());
  }

 private:
  NgramIndexView view() const {
    return {data_.data(),    begin_.data(), end_.data(), slots_.data(), slots_.size() - 1, lengths_.data(),
            static_cast<int>(lengths_.size()), breaks_};
  }

  // Adds the item's grams of the longest kind. An item that has none is one gram: all words of the text of it that
  // has most, if those are enough.
  void add_item(const TextView& texts, i64 from, i64 to, u32 item, int longest, int shortest) {
    i64 most = 0, whole = from;
    for (i64 text = from; text < to; ++text) {
      const i64 words = add_grams(texts, text, item, longest);
      if (words > most) most = words, whole = text;
    }
    if (most < longest && most >= shortest) add_grams(texts, whole, item, static_cast<int>(most));
  }

  // Adds all grams of that many words; returns the words of the text.
  i64 add_grams(const TextView& texts, i64 text, u32 item, int words) {
    const i64 start = texts.offsets[text];
    const NgramLength length = {words, nullptr, 0};
    return each_gram(&length, 1, breaks_, texts.begin(text), texts.size(text), [&](const Gram& gram) {
      add(gram.hash, start + gram.begin, start + gram.end, item, words);
    });
  }

  void add(u64 hash, i64 begin, i64 end, u32 item, int words) {
    if (2 * (begin_.size() + 1) > slots_.size()) resize(2 * slots_.size());
    NgramSlot& slot = slots_[find_slot(view(), hash, data_.data() + begin, end - begin)];
    if (slot.gram == kNoGram) {
      if (begin_.size() == kNoGram) throw std::length_error("more than 2^32 - 1 different n-grams");
      slot = {hash, static_cast<u32>(begin_.size())};
      begin_.push_back(begin);
      end_.push_back(end);
      last_item_.push_back(kNoGram);
      words_.push_back(static_cast<u8>(words));
    }
    if (last_item_[slot.gram] == item) return;
    last_item_[slot.gram] = item;
    postings_.push_back({slot.gram, item});
    ++of_item_[item];
  }

  void resize(size_t size) {
    std::vector<NgramSlot> old(size, {0, kNoGram});
    old.swap(slots_);
    for (const NgramSlot& slot : old) {
      if (slot.gram == kNoGram) continue;
      u64 at = slot.hash >> 20 & (size - 1);
      while (slots_[at].gram != kNoGram) at = (at + 1) & (size - 1);
      slots_[at] = slot;
    }
  }

  // Turns what was gathered into what is looked up: the filter's bits, and the items of each gram.
  void close() {
    i64 grams[kLongestNgram + 1] = {};
    size_t at[kLongestNgram + 1], mask[kLongestNgram + 1], total = 0;
    for (u8 words : words_) ++grams[words];
    for (int words = 1; words <= kLongestNgram; ++words) {
      if (!grams[words]) continue;
      size_t size = 1;
      while (size * 64 < 16 * static_cast<size_t>(grams[words])) size *= 2;
      at[words] = total;
      mask[words] = size * 64 - 1;
      total += size;
    }
    filters_.assign(total, 0);
    for (const NgramSlot& slot : slots_) {
      if (slot.gram == kNoGram) continue;
      const int words = words_[slot.gram];
      const u64 bit = slot.hash & mask[words];
      filters_[at[words] + (bit >> 6)] |= u64{1} << (bit & 63);
    }
    for (int words = 1; words <= kLongestNgram; ++words)
      if (grams[words]) lengths_.push_back({words, filters_.data() + at[words], mask[words]});
    items_from_.assign(begin_.size() + 1, 0);
    for (const auto& posting : postings_) ++items_from_[posting.first + 1];
    for (size_t gram = 0; gram < begin_.size(); ++gram) items_from_[gram + 1] += items_from_[gram];
    items_of_.resize(postings_.size());
    std::vector<i64> next(items_from_.begin(), items_from_.end());
    for (const auto& posting : postings_) items_of_[next[posting.first]++] = posting.second;
    std::vector<std::pair<u32, u32>>().swap(postings_);
    std::vector<u32>().swap(last_item_);
    std::vector<u8>().swap(words_);
  }

  i64 match(const u8* text, i64 size, std::vector<Hit>& hits) const {
    hits.clear();
    return each_match(view(), text, size, [&](u32 number, const Gram& gram) {
      hits.push_back({number, gram.begin, gram.end, gram.first, lengths_[gram.length].words});
    });
  }

  // Finds the item of which the largest share is there; of equal shares that with more grams there, then the first.
  void weigh(const std::vector<Hit>& hits, std::vector<u32>& distinct, std::vector<u32>& seen,
             std::vector<u32>& touched, Overlap& of) const {
    distinct.clear();
    touched.clear();
    for (const Hit& hit : hits) distinct.push_back(hit.gram);
    std::sort(distinct.begin(), distinct.end());
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    for (u32 gram : distinct)
      for (i64 i = items_from_[gram]; i < items_from_[gram + 1]; ++i)
        if (seen[items_of_[i]]++ == 0) touched.push_back(items_of_[i]);
    for (u32 item : touched) {
      const i64 found = seen[item], total = of_item_[item];
      seen[item] = 0;
      const i64 mine = found * of.total, best = of.found * total;
      const bool better = of.item < 0 || mine > best ||
                          (mine == best && (found > of.found || (found == of.found && item < of.item)));
      if (better) of.item = item, of.found = found, of.total = total;
    }
    of.matches = static_cast<i64>(hits.size());
    i64 low = of.words;  // words from here on are counted: hits come by their ends
    for (auto hit = hits.rbegin(); hit != hits.rend(); ++hit) {
      of.covered += std::max<i64>(0, std::min(hit->first + hit->words, low) - hit->first);
      low = std::min(low, hit->first);
    }
  }

  static void cut_text(const u8* text, i64 size, std::vector<Hit>& hits, i64 window, i64 shortest,
                       std::vector<u8>& kept, i64* pieces) {
    std::sort(hits.begin(), hits.end(), [](const Hit& a, const Hit& b) { return a.begin < b.begin; });
    pieces[0] = pieces[1] = 0;
    const size_t start = kept.size();
    i64 done = 0;
    auto piece = [&](i64 end) {
      if (end <= done) return;
      ++pieces[0];
      if (count_code_points(text + done, end - done) < shortest) return;
      ++pieces[1];
      if (kept.size() > start) kept.insert(kept.end(), 2, '\n');
      kept.insert(kept.end(), text + done, text + end);
    };
    for (size_t i = 0; i < hits.size();) {
      i64 begin = hits[i].begin, end = hits[i].end;
      for (++i; i < hits.size() && hits[i].begin <= end; ++i) end = std::max(end, hits[i].end);
      for (i64 left = window; left > 0 && begin > done; left -= !is_continuation(text[begin])) --begin;
      for (i64 left = window; end < size && (left > 0 || is_continuation(text[end])); ++end)
        left -= !is_continuation(text[end]);
      piece(begin);
      done = std::max(done, end);
    }
    piece(size);
  }

  WordBreaks breaks_;
  std::vector<u8> data_;
  std::vector<NgramSlot> slots_;
  std::vector<u64> filters_;
  std::vector<NgramLength> lengths_;     // point into filters_
  std::vector<u8> words_;                // of grams
  std::vector<i64> begin_, end_;         // of grams, in data_
  std::vector<i64> items_from_;          // of grams, in items_of_
  std::vector<u32> items_of_, of_item_;  // items by gram; grams by item
  std::vector<u32> last_item_;
  std::vector<std::pair<u32, u32>> postings_;
};

}  // namespace

void bind_decontaminate(nb::module_& m) {
  m.attr("NGRAM_INDEX_VIEW_BYTES") = sizeof(NgramIndexView);
  nb::class_<NgramIndex>(m, "NgramIndex", nb::is_weak_referenceable())
      .def(nb::init<In<u8>, In<i64>, In<i64>, i64, int, int, bool>(), nb::arg("data"), nb::arg("offsets"),
           nb::arg("items"), nb::arg("item_count"), nb::arg("longest"), nb::arg("shortest"), nb::arg("split"))
      .def("grams", &NgramIndex::grams)
      .def("items", &NgramIndex::items)
      .def("grams_of_items", &NgramIndex::grams_of_items)
      .def("overlaps", &NgramIndex::overlaps, nb::arg("data"), nb::arg("offsets"), nb::arg("rows"))
      .def("weighed", &NgramIndex::weighed, nb::arg("words"), nb::arg("begins"), nb::arg("grams"), nb::arg("lasts"),
           nb::arg("sizes"))
      .def("parts", &NgramIndex::parts)
      .def("cut", &NgramIndex::cut, nb::arg("data"), nb::arg("offsets"), nb::arg("rows"), nb::arg("window"),
           nb::arg("shortest"));
}

}  // namespace curate::cpu
