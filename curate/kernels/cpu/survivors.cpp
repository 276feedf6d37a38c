#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "arrays.h"
#include "instructions.h"
#include "jaccard_scratch.h"
#include "kept_index.h"

namespace curate::cpu {

// From this size on an index pays, if only a little: results are the same.
constexpr i64 kManyMembers = 512;

static void check_clusters(const In<i64>& offsets, const In<u64>& docs) {
  if (offsets.shape(0) < 1 || offsets.data()[0] != 0)
    throw std::invalid_argument("offsets must begin with 0");
  const size_t clusters = offsets.shape(0) - 1;
  if (offsets.data()[clusters] != static_cast<i64>(docs.shape(0)))
    throw std::invalid_argument("offsets must end with the number of docs");
  for (size_t c = 0; c < clusters; ++c) {
    if (offsets.data()[c] > offsets.data()[c + 1]) throw std::invalid_argument("offsets must not decrease");
    for (i64 i = offsets.data()[c] + 1; i < offsets.data()[c + 1]; ++i)
      if (docs.data()[i - 1] >= docs.data()[i]) throw std::invalid_argument("docs of a cluster must ascend");
  }
}

static void check_members(const In<u64>& docs, const In2<u8>& signatures, const In<bool>& pinned) {
  if (signatures.shape(0) != docs.shape(0))
    throw std::invalid_argument("as many signatures as docs are needed");
  if (pinned.shape(0) != docs.shape(0)) throw std::invalid_argument("pinned must say so of every doc");
}

static Cluster cluster_at(const In<i64>& offsets, const In<u64>& docs, const In2<u8>& signatures,
                          const In<bool>& pinned, size_t c) {
  const i64 from = offsets.data()[c], size = offsets.data()[c + 1] - from;
  const int hashes = static_cast<int>(signatures.shape(1));
  return {docs.data() + from, signatures.data() + from * hashes, pinned.data() + from, size, hashes};
}

template <class Similar>
static void keep_who_stays(const Cluster& cluster, int needed, bool across, i64* kept, u64* witness,
                             Similar&& similar) {
  if (cluster.size >= kManyMembers && KeptIndex(cluster, needed, across).worthwhile())
    keep_dissimilar_of_many(cluster, needed, across, witness, similar);
  else
    keep_dissimilar(cluster, across, kept, witness, similar);
}

// needed: matching slots that make a duplicate; negative: only the best of a cluster stays, unverified.
static nb::tuple resolve(In<i64> offsets, In<u64> docs, In2<u8> signatures, In<bool> pinned, int needed,
                         bool across, const std::string& instruction_set) {
  check_clusters(offsets, docs);
  check_members(docs, signatures, pinned);
  const Instructions set = instructions(instruction_set);
  Fresh<u64> witness(docs.shape(0));
  Fresh<int> matches(docs.shape(0));
  {
    nb::gil_scoped_release unlocked;
    std::vector<i64> kept(docs.shape(0));
    std::fill(matches.data(), matches.data() + docs.shape(0), -1);
    with_matches(set, [&](auto loops) {
      using Matches = decltype(loops);
      for (size_t c = 0; c + 1 < offsets.shape(0); ++c) {
        const Cluster cluster = cluster_at(offsets, docs, signatures, pinned, c);
        u64* to = witness.data() + offsets.data()[c];
        int* equal = matches.data() + offsets.data()[c];
        if (needed < 0)
          keep_best<Matches>(cluster, across, to, equal);
        else
          keep_who_stays(cluster, needed, across, kept.data(), to, BySignature<Matches>{cluster, needed, equal});
      }
    });
  }
  return nb::make_tuple(witness.numpy(), matches.numpy());
}

// Where the texts of documents are: text i is buffers[buffer[i]][start[i] .. stop[i]).
struct TextPlaces {
  std::vector<In<u8>> buffers;
  const u32* buffer;
  const i64 *start, *stop;

  TextPlaces(std::vector<In<u8>> all, const In<u32>& which, const In<i64>& starts, const In<i64>& stops,
             size_t count)
      : buffers(std::move(all)), buffer(which.data()), start(starts.data()), stop(stops.data()) {
    if (which.shape(0) != count || starts.shape(0) != count || stops.shape(0) != count)
      throw std::invalid_argument("every doc needs the place of its text");
    for (size_t i = 0; i < count; ++i) {
      if (buffer[i] >= buffers.size()) throw std::invalid_argument("a text is in no buffer");
      const i64 size = static_cast<i64>(buffers[buffer[i]].shape(0));
      if (start[i] < 0 || start[i] > stop[i] || stop[i] > size)
        throw std::invalid_argument("a text reaches outside of its buffer");
    }
  }
};

// Candidates are those that match in `plausible` slots; their texts decide. Of a pinned document there is no text:
// `needed` equal slots decide, and the similarity is what they stand for (curate/dedup/verify.py).
template <class Matches, class Shingles>
struct ByText {
  const Cluster& cluster;
  const TextPlaces& texts;
  i64 first;  // place of the cluster among all documents
  int plausible, needed;
  double least;
  JaccardScratch<Shingles>& scratch;
  double* similarity;

  bool operator()(i64 kept, i64 i) const {
    const int equal = Matches::count(cluster.signature(kept), cluster.signature(i), cluster.hashes);
    const i64 a = first + i, b = first + kept;
    if (cluster.pinned[kept]) {
      if (equal < needed) return false;
      similarity[a] = std::max(256 * equal - cluster.hashes, 0) / (255.0 * cluster.hashes);
      return true;
    }
    if (equal < plausible) return false;
    const double found = scratch.compare(text(a), size(a), text(b), size(b));
    if (found < least) return false;
    similarity[a] = found;
    return true;
  }
  const u8* text(i64 i) const { return texts.buffers[texts.buffer[i]].data() + texts.start[i]; }
  i64 size(i64 i) const { return texts.stop[i] - texts.start[i]; }
};

static nb::tuple resolve_exactly(In<i64> offsets, In<u64> docs, In2<u8> signatures, In<bool> pinned,
                                 std::vector<In<u8>> buffers, In<u32> buffer, In<i64> start, In<i64> stop,
                                 int plausible, int needed, double least, bool across, bool words, int length) {
  check_clusters(offsets, docs);
  const size_t count = docs.shape(0);
  if (length < 1 || length > kLongestShingle) throw std::invalid_argument("length must be 1 to 64");
  check_members(docs, signatures, pinned);
  const TextPlaces texts(std::move(buffers), buffer, start, stop, count);
  Fresh<u64> witness(count);
  Fresh<double> similarity(count);
  {
    nb::gil_scoped_release unlocked;
    std::vector<i64> kept(count);
    std::fill(similarity.data(), similarity.data() + count, std::nan(""));
    const auto walk = [&](auto loops, auto& scratch) {
      using Scratch = std::decay_t<decltype(scratch)>;
      for (size_t c = 0; c + 1 < offsets.shape(0); ++c) {
        const i64 from = offsets.data()[c];
        const Cluster cluster = cluster_at(offsets, docs, signatures, pinned, c);
        using Similar = ByText<decltype(loops), typename Scratch::Unit>;
        keep_who_stays(cluster, plausible, across, kept.data(), witness.data() + from,
                         Similar{cluster, texts, from, plausible, needed, least, scratch, similarity.data()});
      }
    };
    with_matches(instructions(""), [&](auto loops) {
      if (words) {
        JaccardScratch<WordShingles> scratch(length);
        walk(loops, scratch);
      } else {
        JaccardScratch<CharShingles> scratch(length);
        walk(loops, scratch);
      }
    });
  }
  return nb::make_tuple(witness.numpy(), similarity.numpy());
}

static Out<int> count_matches(In2<u8> a, In2<u8> b, const std::string& instruction_set) {
  if (a.shape(0) != b.shape(0) || a.shape(1) != b.shape(1))
    throw std::invalid_argument("signatures to compare must have one shape");
  const Instructions set = instructions(instruction_set);
  const int hashes = static_cast<int>(a.shape(1));
  Fresh<int> matches(a.shape(0));
  {
    nb::gil_scoped_release unlocked;
    with_matches(set, [&](auto loops) {
      using Matches = decltype(loops);
      for (size_t i = 0; i < a.shape(0); ++i)
        matches.data()[i] = Matches::count(a.data() + i * hashes, b.data() + i * hashes, hashes);
    });
  }
  return matches.numpy();
}

void bind_survivors(nb::module_& m) {
  m.def("resolve", &resolve, nb::arg("offsets"), nb::arg("docs"), nb::arg("signatures"), nb::arg("pinned"),
        nb::arg("needed"), nb::arg("across"), nb::arg("instruction_set") = "");
  m.def("resolve_exactly", &resolve_exactly, nb::arg("offsets"), nb::arg("docs"), nb::arg("signatures"),
        nb::arg("pinned"), nb::arg("buffers"), nb::arg("buffer"), nb::arg("start"), nb::arg("stop"),
        nb::arg("plausible"), nb::arg("needed"), nb::arg("least"), nb::arg("across"), nb::arg("words"), nb::arg("length"));
  m.def("count_matches", &count_matches, nb::arg("a"), nb::arg("b"), nb::arg("instruction_set") = "");
}

}  // namespace curate::cpu
