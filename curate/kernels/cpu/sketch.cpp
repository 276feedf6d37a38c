#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "arrays.h"
#include "bands.h"
#include "hash_secret.h"
#include "instructions.h"
#include "sketch_memory.h"

namespace curate::cpu {

struct SketchOptions {
  bool words, minhash;
  int length, hashes, bands;
  u64 seed;
};

struct Sketched {
  u64* keys;  // band after band
  u8* signatures;
  bool* sketched;
};

template <class Shingles, class Loops>
static void sketch_rows(const TextView& texts, const i64* rows, i64 count, const SketchOptions& options,
                        SketchMemory* memory, Sketched out) {
  auto tables = std::make_unique<ShingleTables>();
  tables->fill(options.seed, options.length);
  auto scratch = std::make_unique<SketchScratch>();
  auto shingles = std::make_unique<Shingles>(*tables);
  std::vector<u64> slots(options.hashes), keys(options.bands);
  Sketch<Shingles, Loops> sketch(*shingles, options.hashes, *scratch);
  const int band_rows = options.hashes / options.bands;
  const auto sketch_one = [&](i64 row, u8* bytes) {
    shingles->open(texts.begin(row), texts.size(row));
    const bool any = options.minhash ? sketch.minhash(slots.data()) : sketch.fast_similarity(slots.data());
    if (any) {
      band_keys(slots.data(), options.bands, band_rows, keys.data());
      slot_bytes<Loops>(slots.data(), options.hashes, scratch->mixed, bytes);
    } else {
      std::fill(keys.begin(), keys.end(), 0);
      std::fill(bytes, bytes + options.hashes, 0);
    }
    return any;
  };
  for (i64 i = 0; i < count; ++i) {
    u8* bytes = out.signatures + i * options.hashes;
    const Hash128 hash = memory ? murmur128(texts.begin(rows[i]), texts.size(rows[i])) : Hash128{};
    if (!memory || !memory->recall(hash, keys.data(), bytes, out.sketched[i])) {
      out.sketched[i] = sketch_one(rows[i], bytes);
      if (memory) memory->keep(hash, keys.data(), bytes, out.sketched[i]);
    }
    for (int j = 0; j < options.bands; ++j) out.keys[j * count + i] = keys[j];
  }
}

static void check(const SketchOptions& options) {
  if (options.length < 1 || options.length > kLongestShingle)
    throw std::invalid_argument("length must be 1 to 64 symbols");
  if (options.hashes < 1 || options.hashes > kMostHashes)
    throw std::invalid_argument("hashes must be 1 to 4096");
  if (options.bands < 1 || options.bands > options.hashes)
    throw std::invalid_argument("bands must be 1 to the number of hashes");
}

static nb::tuple sketch(In<u8> data, In<i64> offsets, In<i64> rows, bool words, int length, int hashes,
                        int bands, u64 seed, bool minhash, SketchMemory* memory,
                        const std::string& instruction_set) {
  const SketchOptions options{words, minhash, length, hashes, bands, seed};
  check(options);
  if (memory && !memory->fits(hashes, bands))
    throw std::invalid_argument("the memory is of other sketches");
  const Instructions set = instructions(instruction_set);
  TextView texts(data, offsets);
  check_rows(rows, texts.count);
  const i64 count = static_cast<i64>(rows.shape(0));
  Fresh<u64> keys(bands, count);
  Fresh<u8> signatures(count, hashes);
  Fresh<bool> sketched(count);
  {
    nb::gil_scoped_release unlocked;
    with_loops(set, [&](auto loops) {
      using Loops = decltype(loops);
      const Sketched out{keys.data(), signatures.data(), sketched.data()};
      if (words)
        sketch_rows<WordShinglesOf<Loops>, Loops>(texts, rows.data(), count, options, memory, out);
      else
        sketch_rows<CharShinglesOf<Loops>, Loops>(texts, rows.data(), count, options, memory, out);
    });
  }
  return nb::make_tuple(keys.numpy(), signatures.numpy(), sketched.numpy());
}

static Out<u64> text_hash(In<u8> data, In<i64> offsets, In<i64> rows) {
  TextView texts(data, offsets);
  check_rows(rows, texts.count);
  const i64 count = static_cast<i64>(rows.shape(0));
  Fresh<u64> hashes(count, 2);
  {
    nb::gil_scoped_release unlocked;
    for (i64 i = 0; i < count; ++i) {
      const i64 row = rows.data()[i];
      const Hash128 hash = murmur128(texts.begin(row), texts.size(row));
      hashes.data()[2 * i] = hash.first;
      hashes.data()[2 * i + 1] = hash.second;
    }
  }
  return hashes.numpy();
}

void bind_sketch(nb::module_& m) {
  m.def("instruction_sets", &instruction_sets);
  nb::class_<SketchMemory>(m, "SketchMemory")
      .def(nb::init<int, int, i64, u64>(), nb::arg("hashes"), nb::arg("bands"), nb::arg("texts"),
           nb::arg("hash_secret") = hash_secret())
      .def_prop_ro("recalled", &SketchMemory::recalled);
  m.def("sketch", &sketch, nb::arg("data"), nb::arg("offsets"), nb::arg("rows"), nb::arg("words"),
        nb::arg("length"), nb::arg("hashes"), nb::arg("bands"), nb::arg("seed"), nb::arg("minhash"),
        nb::arg("memory").none() = nb::none(),
        nb::arg("instruction_set") = "");
  m.def("text_hash", &text_hash, nb::arg("data"), nb::arg("offsets"), nb::arg("rows"));
}

}  // namespace curate::cpu
