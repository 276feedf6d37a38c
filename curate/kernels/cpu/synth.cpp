#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "../../synth/generator.h"
#include "arrays.h"

namespace curate::cpu {

using synth::Generator;
using synth::Grammar;
using synth::SourcePlan;

template <typename To, typename From>
static Out<To> numpy(const From& values) {
  Fresh<To> fresh(values.size());
  std::copy(values.begin(), values.end(), fresh.data());
  return fresh.numpy();
}

template <typename T>
static std::vector<T> values(const In<T>& array) {
  return std::vector<T>(array.data(), array.data() + array.shape(0));
}

static void make_generator(Generator* self, nb::bytes pool, In<i64> literals, In<int32_t> tokens,
                           In<i64> alternatives, In<i64> rules, In<u8> skewed, std::vector<std::string> names,
                           In2<i64> plans, u64 seed) {
  Grammar grammar;
  grammar.pool.assign(pool.c_str(), pool.size());
  grammar.literals = values(literals);
  grammar.tokens = values(tokens);
  grammar.alternatives = values(alternatives);
  grammar.rules = values(rules);
  grammar.skewed = values(skewed);
  grammar.names = std::move(names);
  grammar.index();
  if (plans.shape(1) != 7) throw std::invalid_argument("a plan has seven numbers");
  std::vector<SourcePlan> sources;
  for (size_t s = 0; s < plans.shape(0); ++s) {
    const i64* n = plans.data() + 7 * s;
    auto count = [&](int i) { return static_cast<u64>(n[i]); };
    sources.push_back({count(0), count(1), count(2), count(3), count(4), count(5), static_cast<u32>(n[6])});
  }
  new (self) Generator(std::move(grammar), std::move(sources), seed);
}

static nb::dict make_rows(const Generator& generator, u32 source, u64 start, u64 count) {
  if (source >= generator.sources() || start + count > generator.size(source))
    throw std::invalid_argument("the source has no such rows");
  synth::Rows rows;
  {
    nb::gil_scoped_release unlocked;
    rows = generator.rows(source, start, count);
  }
  nb::dict out;
  out["text"] = numpy<u8>(rows.text);
  out["text_offsets"] = numpy<i64>(rows.text_offsets);
  out["url"] = numpy<u8>(rows.url);
  out["url_offsets"] = numpy<i64>(rows.url_offsets);
  out["kind"] = numpy<u8>(rows.kind);
  out["rule"] = numpy<int8_t>(rows.rule);
  out["language"] = numpy<int8_t>(rows.language);
  out["quality"] = numpy<u8>(rows.quality);
  out["original_source"] = numpy<int8_t>(rows.original_source);
  out["original_row"] = numpy<i64>(rows.original_row);
  out["hash"] = numpy<u64>(rows.hash);
  out["words"] = numpy<i64>(rows.words);
  out["jaccard_char25"] = numpy<double>(rows.char25);
  out["jaccard_word5"] = numpy<double>(rows.word5);
  return out;
}

// One text a hash: `pattern` with every '?' replaced by a letter of `alphabet`.
static Out<u8> fill_patterns(In<u64> hashes, const std::string& pattern, const std::string& alphabet) {
  if (alphabet.empty()) throw std::invalid_argument("the alphabet is empty");
  Fresh<u8> out(hashes.shape(0) * pattern.size());
  {
    nb::gil_scoped_release unlocked;
    u8* at = out.data();
    for (size_t i = 0; i < hashes.shape(0); ++i) {
      synth::Random random(hashes.data()[i]);
      for (char c : pattern) *at++ = static_cast<u8>(c == '?' ? alphabet[random.below(alphabet.size())] : c);
    }
  }
  return out.numpy();
}

// Texts as JSON string literals, quotes included.
static nb::tuple json_strings(In<u8> data, In<i64> offsets) {
  TextView texts(data, offsets);
  std::string out;
  std::vector<i64> ends{0};
  {
    nb::gil_scoped_release unlocked;
    static const char hex[] = "0123456789abcdef";
    for (i64 i = 0; i < texts.count; ++i) {
      out += '"';
      const u8* s = texts.begin(i);
      i64 plain = 0, n = texts.size(i);
      for (i64 k = 0; k < n; ++k) {
        u8 c = s[k];
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        out.append(reinterpret_cast<const char*>(s) + plain, static_cast<size_t>(k - plain));
        plain = k + 1;
        if (c == '\n')
          out += "\\n";
        else if (c == '"' || c == '\\')
          (out += '\\') += static_cast<char>(c);
        else
          ((out += "\\u00") += hex[c >> 4]) += hex[c & 15];
      }
      out.append(reinterpret_cast<const char*>(s) + plain, static_cast<size_t>(n - plain));
      out += '"';
      ends.push_back(static_cast<i64>(out.size()));
    }
  }
  return nb::make_tuple(numpy<u8>(out), numpy<i64>(ends));
}

void bind_synth(nb::module_& m) {
  nb::class_<Generator>(m, "SynthGenerator")
      .def("__init__", &make_generator, nb::arg("pool"), nb::arg("literals"), nb::arg("tokens"),
           nb::arg("alternatives"), nb::arg("rules"), nb::arg("skewed"), nb::arg("names"), nb::arg("plans"),
           nb::arg("seed"))
      .def("rows", &make_rows, nb::arg("source"), nb::arg("start"), nb::arg("count"))
      .def("languages", [](const Generator& generator) {
        std::vector<std::string> codes;
        for (const auto& language : generator.languages()) codes.push_back(language.code);
        return codes;
      });
  m.def("fill_patterns", &fill_patterns, nb::arg("hashes"), nb::arg("pattern"), nb::arg("alphabet"));
  m.def("json_strings", &json_strings, nb::arg("data"), nb::arg("offsets"));
}

}  // namespace curate::cpu
