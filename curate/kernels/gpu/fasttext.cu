// fastText scores. A warp takes a text, 32 bytes at a time: each thread finds the rows that begin at its byte, then each
// sums the columns that are its own, over the rows of a word and then over the words (of a long text over the rows alone),
// in the order of the text. So every float is added in the CPU's order.
#include "device.h"
#include "fasttext_drift.h"

namespace curate::gpu {

enum WordState : u32 { STARTS = 1, COUNTS = 2, ENDS_TEXT = 4 };

// What the threads know of the words that start at their bytes; the last entry is the word open before the tile.
struct WordTile {
  i64* begins;
  i64* sizes;
  u32* states;
  u32* hashes;
  u32* row_counts;
  i32* rows;  // room a thread
  i32 room;
  u32* positive;  // signs of each lane, and how many there are of each
};

class HiddenVector {
 public:
  __device__ HiddenVector(const FastTextView& model, const u8* text, i64 size, const WordTile& tile, u32* word_hashes,
                          float* sums)
      : m_(model), text_(text), size_(size), tile_(tile), word_hashes_(word_hashes), sums_(sums),
        word_sums_(sums + model.dim), in_order_(fasttext_in_order(model, size)) {}

  // Fills sums with the mean of the text's rows; returns how many there are, to threads that have a column.
  __device__ i64 run() {
    for (int column = threadIdx.x; column < m_.dim; column += blockDim.x) sums_[column] = word_sums_[column] = 0.0f;
    if (threadIdx.x == 0) tile_.states[blockDim.x] = 0;
    if (threadIdx.x <= FASTTEXT_LANES) tile_.positive[threadIdx.x] = 0;
    __syncthreads();
    bool ended = false;
    for (i64 at = 0; at < size_ && !ended; at += blockDim.x) ended = take_bytes(at);
    if (!ended) take_end_of_sentence();
    close_word();
    if (m_.word_ngrams > 1)
      for (i64 first = 0; first < words_; first += blockDim.x) take_word_ngrams(first);
    if (added_ == 0) return 0;
    const float share = static_cast<float>(1.0 / static_cast<double>(added_));
    for (int column = threadIdx.x; column < m_.dim; column += blockDim.x) sums_[column] *= share;
    return added_;
  }

  // F of fasttext_drift.h, after `run`; 0 of a text that was added in order.
  __device__ double squares() {
    pass_signs();
    __syncthreads();
    FastTextRepeats repeats;
    for (i32 lane = 0; lane < FASTTEXT_LANES; ++lane) repeats.positive[lane] = tile_.positive[lane];
    repeats.count = tile_.positive[FASTTEXT_LANES];
    return in_order_ ? 0.0 : repeats.squares();
  }

 private:
  // The rows that begin at the tile's bytes; whether the text ends in it.
  __device__ bool take_bytes(i64 at) {
    const int self = threadIdx.x, threads = blockDim.x;
    const i64 place = at + self;
    const bool in_word = place < size_ && !fasttext_space(text_[place]);
    const bool starts = in_word && (place == 0 || fasttext_space(text_[place - 1]));
    const i32 entry = starts ? start_word(place) : -1;
    if (!starts) tile_.states[self] = 0;
    __syncthreads();
    int word = self;
    while (word >= 0 && !(tile_.states[word] & STARTS)) --word;
    if (word < 0) word = threads;
    const int last = last_word();
    tile_.row_counts[self] = 0;
    if (in_word && (word == threads || word <= last)) list_rows(place, word, starts, entry);
    list_words(last);
    __syncthreads();
    if (in_order_)
      add_rows(sums_);
    else
      add_word_rows();
    if (self == threads - 1 && word != threads) keep_open(word);
    __syncthreads();
    return last < threads;
  }

  // Writes down the word that starts here; returns its dictionary entry.
  __device__ i32 start_word(i64 place) {
    i64 end = place;
    u32 hash;
    const i64 size = fasttext_next_word(text_, size_, &end, &hash);
    const u8* word = text_ + place;
    const i32 entry = fasttext_entry(m_, word, size, hash);
    const u32 counts = fasttext_is_label(m_, word, size, entry) ? 0 : COUNTS;
    tile_.states[threadIdx.x] = STARTS | counts | (fasttext_end_of_sentence(word, size) ? ENDS_TEXT : 0);
    tile_.begins[threadIdx.x] = place;
    tile_.sizes[threadIdx.x] = size;
    tile_.hashes[threadIdx.x] = hash;
    return entry;
  }

  // The thread at which the last word of the text starts; as many as there are where it does not in this tile.
  __device__ int last_word() const {
    for (int i = 0; i < static_cast<int>(blockDim.x); ++i)
      if (tile_.states[i] & ENDS_TEXT) return i;
    return blockDim.x;
  }

  __device__ void add_row(i32 row) {
    tile_.rows[threadIdx.x * tile_.room + static_cast<int>(tile_.row_counts[threadIdx.x]++)] = row;
  }

  __device__ void list_rows(i64 place, int word, bool starts, i32 entry) {
    const u32 state = tile_.states[word];
    if (!(state & COUNTS)) return;
    if (entry >= 0) add_row(entry);
    if (m_.max_n <= 0 || state & ENDS_TEXT) return;
    const u8* spelling = text_ + tile_.begins[word];
    const auto add_and_count = [&](i32 row) {
      add_row(row);
      count_sign(static_cast<u32>(row));
    };
    const auto add = [&](u32 bucket) { fasttext_bucket_row(m_, bucket, add_and_count); };
    for (i64 start = starts ? -1 : place - tile_.begins[word]; start <= place - tile_.begins[word]; ++start)
      if (start < 0 || !fasttext_continuation(spelling[start]))
        fasttext_ngrams_from(m_, spelling, tile_.sizes[word], start, add);
  }

  // The hashes of the words that start in the tile and count, behind those of before.
  __device__ void list_words(int last) {
    i64 place = words_;
    for (int i = 0; i < static_cast<int>(blockDim.x) && i <= last; ++i) {
      if (!(tile_.states[i] & COUNTS)) continue;
      if (i == static_cast<int>(threadIdx.x)) {
        count_sign(tile_.hashes[i]);
        if (m_.word_ngrams > 1) word_hashes_[place] = tile_.hashes[i];
      }
      ++place;
    }
    words_ = place;
  }

  __device__ void count_sign(u32 token) {
    signs_.add(token);
    if (++counted_ == FastTextSigns::MOST) pass_signs();
  }

  // Adds this thread's signs to the block's.
  __device__ void pass_signs() {
    for (i32 i = 0; i < FASTTEXT_LANES / 2; ++i) {
      atomicAdd(&tile_.positive[2 * i], static_cast<u32>(signs_.low >> 10 * i & 1023));
      atomicAdd(&tile_.positive[2 * i + 1], static_cast<u32>(signs_.high >> 10 * i & 1023));
    }
    atomicAdd(&tile_.positive[FASTTEXT_LANES], static_cast<u32>(counted_));
    signs_ = FastTextSigns();
    counted_ = 0;
  }

  __device__ void keep_open(int word) {
    const int open = blockDim.x;
    tile_.states[open] = tile_.states[word];
    tile_.begins[open] = tile_.begins[word];
    tile_.sizes[open] = tile_.sizes[word];
  }

  __device__ void take_end_of_sentence() {
    const u8* word = FASTTEXT_END_OF_SENTENCE;
    u32 hash = FASTTEXT_HASH_SEED;
    for (int i = 0; i < 4; ++i) hash = fasttext_hash(hash, word[i]);
    const i32 entry = fasttext_entry(m_, word, 4, hash);
    if (fasttext_is_label(m_, word, 4, entry)) return;
    if (threadIdx.x == 0) {
      tile_.row_counts[0] = 0;
      if (entry >= 0) add_row(entry);
      count_sign(hash);
      if (m_.word_ngrams > 1) word_hashes_[words_] = hash;
    } else {
      tile_.row_counts[threadIdx.x] = 0;
    }
    ++words_;
    close_word();
    __syncthreads();
    add_rows(in_order_ ? sums_ : word_sums_);
    __syncthreads();
  }

  __device__ void take_word_ngrams(i64 first) {
    const i64 word = first + threadIdx.x;
    tile_.row_counts[threadIdx.x] = 0;
    const auto add = [&](u32 bucket) { fasttext_bucket_row(m_, bucket, [&](i32 row) { add_row(row); }); };
    if (word < words_) fasttext_word_ngrams_from(m_, word_hashes_, words_, word, add);
    __syncthreads();
    add_rows(sums_);
    __syncthreads();
  }

  // Adds the listed rows, thread by thread, to the columns of `sums` that are this thread's own.
  __device__ void add_rows(float* sums) {
    i64 rows = 0;
    for (int column = threadIdx.x; column < m_.dim; column += blockDim.x) {
      float sum = sums[column];
      rows = 0;
      for (int thread = 0; thread < static_cast<int>(blockDim.x); ++thread) rows += add_listed(thread, column, &sum);
      sums[column] = sum;
    }
    added_ += rows;
  }

  // The same for rows of words: where a word starts, the sum of the one before goes to the text's.
  __device__ void add_word_rows() {
    i64 rows = 0;
    for (int column = threadIdx.x; column < m_.dim; column += blockDim.x) {
      float sum = sums_[column], word = word_sums_[column];
      rows = 0;
      for (int thread = 0; thread < static_cast<int>(blockDim.x); ++thread) {
        if (tile_.states[thread] & STARTS) {
          sum += word;
          word = 0.0f;
        }
        rows += add_listed(thread, column, &word);
      }
      sums_[column] = sum;
      word_sums_[column] = word;
    }
    added_ += rows;
  }

  // Adds the column of a thread's rows; returns how many there are.
  __device__ int add_listed(int thread, int column, float* sum) const {
    const int count = static_cast<int>(tile_.row_counts[thread]);
    for (int i = 0; i < count; ++i) *sum += term(tile_.rows[thread * tile_.room + i], column);
    return count;
  }

  __device__ void close_word() {
    for (int column = threadIdx.x; column < m_.dim; column += blockDim.x) {
      sums_[column] += word_sums_[column];
      word_sums_[column] = 0.0f;
    }
  }

  // The device's copy of the rows is aligned.
  __device__ float term(i32 row, int column) const {
    if (!m_.codes) return reinterpret_cast<const float*>(m_.rows)[static_cast<i64>(row) * m_.dim + column];
    const i32 part = column / m_.part, first = part * m_.part;
    const i32 width = m_.dim - first < m_.part ? m_.dim - first : m_.part;
    const i64 code = m_.codes[static_cast<i64>(row) * m_.parts + part];
    const float norm = m_.norms ? m_.norms[row] : 1.0f;
    return norm * m_.centroids[static_cast<i64>(256) * first + code * width + (column - first)];
  }

  const FastTextView& m_;
  const u8* text_;
  const i64 size_;
  const WordTile tile_;
  u32* word_hashes_;
  float *sums_, *word_sums_;
  const bool in_order_;
  i64 words_ = 0, added_ = 0;
  FastTextSigns signs_;
  i64 counted_ = 0;
};

}  // namespace curate::gpu

// The hidden vectors of texts. room: rows that one byte can bring. word_hashes: scratch, of which each text's part begins
// at hash_begins: two 32-bit words and one for two bytes of text, where the model has word n-grams. hidden: a row a place.
// added: rows that went into it. squares: F of fasttext_drift.h.
extern "C" __global__ void __launch_bounds__(32, 32)
    fasttext_hidden(const curate::u8* data, const curate::i64* offsets, const curate::i64* rows,
                    const curate::i64* places, curate::i64 count,
                    const curate::FastTextView* model, curate::i64 characters, int room,
                    curate::u32* word_hashes, const curate::i64* hash_begins, float* hidden,
                    curate::i64* added, double* squares) {
  using namespace curate;
  CURATE_SHARED(memory);
  const unsigned words = blockDim.x + 1;
  gpu::WordTile tile;
  tile.begins = reinterpret_cast<i64*>(memory);
  tile.sizes = tile.begins + words;
  tile.states = reinterpret_cast<u32*>(tile.sizes + words);
  tile.hashes = tile.states + words;
  tile.row_counts = tile.hashes + words;
  tile.rows = reinterpret_cast<i32*>(tile.row_counts + words);
  tile.room = room;
  tile.positive = reinterpret_cast<u32*>(tile.rows + static_cast<int>(blockDim.x) * room);
  float* sums = reinterpret_cast<float*>(tile.positive + FASTTEXT_LANES + 1);
  const gpu::Texts texts = {data, offsets};
  for (i64 item = blockIdx.x; item < count; item += gridDim.x) {
    const u8* text = texts.begin(rows[item]);
    const i64 size = fasttext_prefix(text, texts.size(rows[item]), characters);
    gpu::HiddenVector vector(*model, text, size, tile, word_hashes + hash_begins[item], sums);
    const i64 found = vector.run();
    for (int column = threadIdx.x; column < model->dim; column += blockDim.x)
      hidden[places[item] * model->dim + column] = sums[column];
    const double strays = vector.squares();
    if (threadIdx.x == 0) {
      added[places[item]] = found;
      squares[places[item]] = strays;
    }
    __syncthreads();
  }
}

// The best labels of texts from their hidden vectors, a thread a text; the first is FASTTEXT_STRAYS where the text is to be
// added in fastText's order. scratch: three numbers a thread for each label
// and one more.
extern "C" __global__ void fasttext_labels(const curate::FastTextView* model, float* hidden, const curate::i64* added,
                                           const double* squares, curate::i64 count, float* scratch, int k,
                                           curate::i32* labels, float* scores) {
  using namespace curate;
  const i64 width = model->labels + 1;
  float* own = scratch + gpu::first_thread() * 3 * width;
  for (i64 item = gpu::first_thread(); item < count; item += gpu::all_threads()) {
    if (added[item] > 0) {
      const FastTextScratch work = {hidden + item * model->dim, own, reinterpret_cast<i32*>(own + width),
                                    own + 2 * width};
      i32* first = labels + item * k;
      fasttext_best(*model, work, k, first, scores + item * k);
      if (fasttext_strays(*model, work, squares[item], added[item], *first, scores[item * k])) *first = FASTTEXT_STRAYS;
      continue;
    }
    for (int i = 0; i < k; ++i) {
      labels[item * k + i] = -1;
      scores[item * k + i] = 0.0f;
    }
  }
}
