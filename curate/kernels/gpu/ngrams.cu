// Which n-grams of an index texts have. A warp takes a text, tile by tile: each thread finds the words that start in its
// bytes, then each takes words and looks up the n-grams that end with them.
#include "code_points.h"
#include "ngram_index.h"

namespace curate::gpu {

constexpr int kWordBytes = 8;    // of a tile, a thread's
constexpr int kWordRing = 256;   // more than the words that can start in a warp's tile and the 63 before it

struct TextWord {
  u64 code;
  i64 begin, end;  // bytes of the text
};

// gram: of the index. last, words: of the text, the n-gram's last word and how many it has.
struct NgramHit {
  i64 place, last;
  u32 gram, words;
};

CURATE_HD_CALLED TextWord word_at(const u8* text, i64 size, i64 at, WordBreaks breaks) {
  WordScanner scan(text + at, size - at, breaks);
  scan.next();
  return {scan.code, at, at + scan.end};
}

class NgramText {
 public:
  // ring: kWordRing words. counts: one a thread.
  __device__ NgramText(const NgramIndexView& index, const u8* text, i64 size, TextWord* ring, u32* counts)
      : index_(index), text_(text), size_(size), ring_(ring), counts_(counts) {}

  // Calls found(word, number of the gram, its words) for each n-gram that the index has, in any order. Returns the words
  // of the text.
  template <class Found>
  __device__ i64 run(Found found) const {
    i64 words = 0;
    for (i64 tile = 0; tile < size_; tile += kWordBytes * static_cast<i64>(blockDim.x)) {
      const i64 from = tile + kWordBytes * static_cast<i64>(threadIdx.x);
      const u32 starts = word_starts(from);
      u32 own = 0;
      for (u32 left = starts; left; left &= left - 1) ++own;
      counts_[threadIdx.x] = own;
      __syncthreads();
      i64 place = words, end = words;
      for (unsigned thread = 0; thread < blockDim.x; ++thread) {
        if (thread < threadIdx.x) place += counts_[thread];
        end += counts_[thread];
      }
      for (u32 left = starts; left; left &= left - 1)
        ring_[place++ & (kWordRing - 1)] = word_at(text_, size_, from + lowest_bit(left), index_.breaks);
      __syncthreads();
      for (i64 word = words + threadIdx.x; word < end; word += blockDim.x) look_up(word, found);
      words = end;
    }
    return words;
  }

 private:
  __device__ CharKind kind(CodePoint point) const {
    if (point.value >= 0x80) return char_kind(point.value);
    const u8 fold = WORD_ASCII[point.value];
    return fold > 1 ? CharKind::letter : fold ? CharKind::space : CharKind::other;
  }
  __device__ bool ends_word(CharKind kind) const {
    return kind == CharKind::space || (kind == CharKind::other && index_.breaks == WordBreaks::at_punctuation);
  }

  // Whether a word that began before goes on at this byte, if a letter stands there.
  __device__ bool inside(i64 at) const {
    while (at > 0) {
      at = code_point_before(text_, size_, at);
      const CharKind before = kind(decode(text_ + at, size_ - at));
      if (before != CharKind::other || ends_word(before)) return before == CharKind::letter;
    }
    return false;
  }

  // Bit i: whether a word starts at byte from + i.
  __device__ u32 word_starts(i64 from) const {
    const i64 to = from + kWordBytes < size_ ? from + kWordBytes : size_;
    u32 starts = 0;
    bool known = false, open = false;
    while (from < to && !starts_code_point(text_, size_, from)) ++from;
    for (i64 at = from; at < to;) {
      const CodePoint point = decode(text_ + at, size_ - at);
      const CharKind of = kind(point);
      if (of == CharKind::letter && !(known ? open : inside(at))) starts |= u32{1} << (at & (kWordBytes - 1));
      if (of == CharKind::unspaced) starts |= u32{1} << (at & (kWordBytes - 1));
      if (of != CharKind::other || ends_word(of)) {
        known = true;
        open = of == CharKind::letter;
      }
      at += point.size;
    }
    return starts;
  }

  // The n-grams that end with this word: a rolled hash is the exclusive or of its words' codes, each turned by its
  // distance from the last.
  template <class Found>
  __device__ void look_up(i64 word, Found found) const {
    u64 rolled = 0;
    const NgramLength* length = index_.lengths;
    const NgramLength* const all = length + index_.length_count;
    for (i64 n = 1; n <= word + 1 && length < all; ++n) {
      const TextWord& first = ring_[(word - n + 1) & (kWordRing - 1)];
      rolled ^= rotl(first.code, static_cast<unsigned>(n - 1));
      if (n < length->words) continue;
      const u64 hash = fmix64(rolled + kGolden * n), bit = hash & length->filter_mask;
      if (length->filter[bit >> 6] >> (bit & 63) & 1) {
        const i64 end = ring_[word & (kWordRing - 1)].end;
        const u64 slot = find_slot(index_, hash, text_ + first.begin, end - first.begin);
        const u32 gram = index_.slots[slot].gram;
        if (gram != kNoGram) found(word, gram, static_cast<u32>(n));
      }
      ++length;
    }
  }

  const NgramIndexView& index_;
  const u8* const text_;
  const i64 size_;
  TextWord* const ring_;
  u32* const counts_;
};

}  // namespace curate::gpu

// words: of each place's text. hits: the first `room` that are found, in any order; found: how many there are.
extern "C" __global__ void __launch_bounds__(32, 20)
    ngram_hits(const curate::u8* data, const curate::i64* offsets, const curate::i64* rows, const curate::i64* places,
               curate::i64 count, const curate::NgramIndexView* index, curate::i64* words, curate::gpu::NgramHit* hits,
               curate::i64 room, unsigned long long* found) {
  using namespace curate;
  CURATE_SHARED(memory);
  gpu::TextWord* ring = reinterpret_cast<gpu::TextWord*>(memory);
  u32* counts = reinterpret_cast<u32*>(ring + gpu::kWordRing);
  const gpu::Texts texts = {data, offsets};
  for (i64 item = blockIdx.x; item < count; item += gridDim.x) {
    const i64 place = places[item];
    const gpu::NgramText text(*index, texts.begin(rows[item]), texts.size(rows[item]), ring, counts);
    const i64 all = text.run([&](i64 word, u32 gram, u32 n) {
      const i64 at = static_cast<i64>(atomicAdd(found, 1ull));
      if (at < room) hits[at] = {place, word, gram, n};
    });
    if (threadIdx.x == 0) words[place] = all;
  }
}
