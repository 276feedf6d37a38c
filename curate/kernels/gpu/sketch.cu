// Signatures and band keys of texts by shingles of characters or words; docs/sketch.md is the definition.
#include "sketch_slots.h"
#include "shingle.h"
#include "word_bytes.h"

namespace curate::gpu {

// The codes of all bytes; the stream of SplitMix64 can be entered anywhere.
__device__ inline void fill_codes(u64* codes, u64 seed, bool folded) {
  for (int c = threadIdx.x; c < 256; c += blockDim.x) {
    const int byte = folded && c >= 'A' && c <= 'Z' ? c + 32 : c;
    u64 state = seed + static_cast<u64>(byte) * kGolden;
    codes[c] = splitmix64(state);
  }
  __syncthreads();
}

// Windows `begin` to `end` of a text, which start at those bytes. Each thread rolls over its share of them.
struct CharPiece {
  const u8* text;
  i64 size, begin, end;
  int length;
  const u64* codes;

  __device__ void operator()(const Bins& bins) const {
    const i64 share = (end - begin + blockDim.x - 1) / blockDim.x;
    const i64 from = begin + threadIdx.x * share, to = from + share < end ? from + share : end;
    if (from >= to) return;
    const unsigned symbols = static_cast<unsigned>(size < length ? size : length);
    ByteStream in(text + from), out(text + from);
    u64 h = 0;
    for (unsigned i = 0; i < symbols; ++i) h = rotl(h, 1) ^ codes[in.next()];
    bins.take(h);
    for (i64 window = from + 1; window < to; ++window) {
      h = rotl(h, 1) ^ codes[in.next()] ^ rotl(codes[out.next()], symbols);
      bins.take(h);
    }
  }
};

constexpr int kSegmentBytes = 16;    // of a tile, a thread's
constexpr int kSegmentWords = 8;     // that can end in it
constexpr int kHistory = kLongestShingle;

// What a stretch of bytes does to the word that is open where it begins.
struct WordStretch {
  u64 code;      // of the word that is open at the end, as far as it lies in here
  u32 words;     // that end in here
  u8 rotation;   // of what came before, where the word lies in here with all bytes
  bool inside;   // all bytes are of one word

  __device__ void append(const WordStretch& next) {
    code = next.inside ? rotl(code, next.rotation) ^ next.code : next.code;
    rotation = static_cast<u8>((rotation + next.rotation) & 63);
    inside &= next.inside;
    words += next.words;
  }
};

struct WordMemory {
  u64* spare;            // kHistory
  u64* codes;            // the kHistory words before the tile, then those that end in it
  WordStretch* stretches;  // one a thread
};

// All words of a text, tile by tile: codes by a scan over the threads' segments, then shingles rolled over codes.
class WordText {
 public:
  __device__ WordText(const u8* text, i64 size, int length, const u64* folded, const WordMemory& memory)
      : text_(text), size_(size), length_(length), folded_(folded), memory_(memory) {}

  __device__ void operator()(const Bins& bins) const {
    i64 before = 0;
    WordStretch open = {0, 0, 0, false};
    const i64 tile = static_cast<i64>(kSegmentBytes) * blockDim.x;
    for (i64 at = 0; at < size_; at += tile) {
      open = split(at + static_cast<i64>(kSegmentBytes) * threadIdx.x, open.code);
      const i64 count = open.words;
      roll(bins, before, count);
      keep_history(count);
      before += count;
    }
    if (threadIdx.x == 0 && before > 0 && before < length_) {
      u64 h = 0;
      for (i64 i = kHistory - before; i < kHistory; ++i) h = rotl(h, 1) ^ memory_.codes[i];
      bins.take(h);
    }
    __syncthreads();
  }

 private:
  __device__ u8 byte(i64 i) const { return i >= 0 && i < size_ ? text_[i] : 0; }

  // Bit i: whether byte begin + i is of a word; of one more byte than a segment has.
  __device__ u32 marks(i64 begin) const {
    u8 a = byte(begin - 2), b = byte(begin - 1), c = byte(begin), d = byte(begin + 1);
    u32 found = 0;
    for (int i = 0; i <= kSegmentBytes; ++i) {
      const u8 e = byte(begin + i + 2);
      found |= static_cast<u32>(begin + i < size_ ? in_word(a, b, c, d, e) : 0) << i;
      a = b, b = c, c = d, d = e;
    }
    return found;
  }

  // Passes the codes of the words that end in the segment to `take`; returns that of the word still open.
  template <class Take>
  __device__ u64 segment(i64 begin, u32 marks, u64 code, Take take) const {
    for (int i = 0; i < kSegmentBytes; ++i) {
      if (!(marks >> i & 1)) {
        code = 0;
        continue;
      }
      code = rotl(code, 7) ^ folded_[text_[begin + i]];
      if (!(marks >> (i + 1) & 1)) take(code);
    }
    return code;
  }

  // Writes the codes of the words that end in the tile; returns what the tile does, from `carried` on.
  __device__ WordStretch split(i64 begin, u64 carried) const {
    const u32 in_words = marks(begin);
    WordStretch own = {0, 0, 7 * kSegmentBytes & 63, (in_words & 0xFFFF) == 0xFFFF};
    own.code = segment(begin, in_words, 0, [&](u64) { ++own.words; });
    const WordStretch until = scanned(own, carried);
    const u32 place = until.words - own.words;
    const u64 open = threadIdx.x == 0 ? carried : memory_.stretches[threadIdx.x - 1].code;
    u64* to = memory_.codes + kHistory + place;
    segment(begin, in_words, open, [&](u64 code) { *to++ = fmix64(code); });
    const WordStretch whole = memory_.stretches[blockDim.x - 1];
    __syncthreads();
    return whole;
  }

  // The stretches up to and with each thread's own, in memory_.stretches (Hillis and Steele's scan).
  __device__ WordStretch scanned(const WordStretch& own, u64 carried) const {
    WordStretch sum = own;
    if (threadIdx.x == 0) {
      sum = {carried, 0, 0, false};
      sum.append(own);
    }
    memory_.stretches[threadIdx.x] = sum;
    __syncthreads();
    for (unsigned step = 1; step < blockDim.x; step *= 2) {
      if (threadIdx.x >= step) {
        WordStretch longer = memory_.stretches[threadIdx.x - step];
        longer.append(sum);
        sum = longer;
      }
      __syncthreads();
      memory_.stretches[threadIdx.x] = sum;
      __syncthreads();
    }
    return sum;
  }

  // The shingles that end with the tile's words, of which `before` came earlier.
  __device__ void roll(const Bins& bins, i64 before, i64 count) const {
    const i64 n = length_, first = before >= n - 1 ? 0 : n - 1 - before;
    const i64 share = (count - first + blockDim.x - 1) / blockDim.x;
    const i64 from = first + threadIdx.x * share, to = from + share < count ? from + share : count;
    if (from >= to) return;
    const u64* codes = memory_.codes + kHistory;
    u64 h = 0;
    for (i64 i = from - n + 1; i <= from; ++i) h = rotl(h, 1) ^ codes[i];
    bins.take(h);
    for (i64 i = from + 1; i < to; ++i) {
      h = rotl(h, 1) ^ codes[i] ^ rotl(codes[i - n], static_cast<unsigned>(n));
      bins.take(h);
    }
  }

  __device__ void keep_history(i64 count) const {
    __syncthreads();
    for (int i = threadIdx.x; i < kHistory; i += blockDim.x) memory_.spare[i] = memory_.codes[count + i];
    __syncthreads();
    for (int i = threadIdx.x; i < kHistory; i += blockDim.x) memory_.codes[i] = memory_.spare[i];
    __syncthreads();
  }

  const u8* text_;
  const i64 size_;
  const int length_;
  const u64* folded_;
  const WordMemory memory_;
};

}  // namespace curate::gpu

// Pieces of texts, one after another a block: windows begins[i] .. ends[i] of text rows[i]. A text in one piece
// (splits[i] < 0) is finished here; of others the slots go into row splits[i] of split_slots, which start empty.
extern "C" __global__ void sketch_chars(const curate::u8* data, const curate::i64* offsets, const curate::i64* rows,
                                        const curate::i64* places, const curate::i64* begins,
                                        const curate::i64* ends, const curate::i64* splits, curate::i64 pieces,
                                        curate::u64 seed, int length, int hashes, int bands, int minhash,
                                        curate::u64* split_slots, curate::i64 documents, curate::u64* keys,
                                        curate::u8* signatures, curate::u8* sketched) {
  using namespace curate;
  CURATE_SHARED(memory);
  u64 *codes = memory, *slots = memory + 256;
  const gpu::Texts texts = {data, offsets};
  const gpu::SketchShape shape = {hashes, bands, minhash != 0};
  const gpu::Sketched out = {keys, signatures, sketched, documents};
  gpu::fill_codes(codes, seed, false);
  for (i64 i = blockIdx.x; i < pieces; i += gridDim.x) {
    const gpu::CharPiece piece = {texts.begin(rows[i]), texts.size(rows[i]), begins[i], ends[i], length, codes};
    const bool has_shingles = gpu::fill_slots(slots, shape, piece);
    if (splits[i] < 0) {
      out.write(places[i], slots, shape, has_shingles);
    } else {
      for (int j = threadIdx.x; j < hashes; j += blockDim.x)
        gpu::lower_slot(split_slots + splits[i] * hashes + j, slots[j]);
    }
    __syncthreads();
  }
}

// Finishes the texts that were sketched in pieces: row i of split_slots is the text of places[i].
extern "C" __global__ void sketch_split_texts(const curate::u64* split_slots, const curate::i64* places,
                                              curate::i64 count, int hashes, int bands, curate::i64 documents,
                                              curate::u64* keys, curate::u8* signatures, curate::u8* sketched) {
  using namespace curate;
  const gpu::SketchShape shape = {hashes, bands, false};
  const gpu::Sketched out = {keys, signatures, sketched, documents};
  for (i64 i = blockIdx.x; i < count; i += gridDim.x) out.write(places[i], split_slots + i * hashes, shape, true);
}

// Whole texts by shingles of words, one after another a block.
extern "C" __global__ void sketch_words(const curate::u8* data, const curate::i64* offsets, const curate::i64* rows,
                                        const curate::i64* places, curate::i64 count, curate::u64 seed, int length,
                                        int hashes, int bands, int minhash, curate::i64 documents, curate::u64* keys,
                                        curate::u8* signatures, curate::u8* sketched) {
  using namespace curate;
  CURATE_SHARED(memory);
  u64 *folded = memory, *slots = folded + 256, *spare = slots + hashes;
  const gpu::WordMemory words = {
      spare, spare + gpu::kHistory,
      reinterpret_cast<gpu::WordStretch*>(spare + 2 * gpu::kHistory + gpu::kSegmentWords * blockDim.x)};
  const gpu::Texts texts = {data, offsets};
  const gpu::SketchShape shape = {hashes, bands, minhash != 0};
  const gpu::Sketched out = {keys, signatures, sketched, documents};
  gpu::fill_codes(folded, seed, true);
  for (i64 i = blockIdx.x; i < count; i += gridDim.x) {
    const gpu::WordText text(texts.begin(rows[i]), texts.size(rows[i]), length, folded, words);
    const bool has_shingles = gpu::fill_slots(slots, shape, text);
    out.write(places[i], slots, shape, has_shingles);
    __syncthreads();
  }
}
