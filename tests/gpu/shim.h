// Runs CUDA kernels on the CPU. Each thread of a block is a fiber that runs up to a barrier; then the next one runs.
//
// Faithful in what can change a result: every thread has its own stack, barriers hold until all threads of the block
// reach them (else the launch fails), shared memory starts with rubbish, and the order of blocks and of threads
// between two barriers is shuffled by a seed, so that a missing barrier shows as a result that depends on the seed.
#pragma once
#include <setjmp.h>
#include <ucontext.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

#define __CUDACC__
#define __CUDA_ARCH__ 900
#define __device__
#define __host__
#define __global__
#define __forceinline__ inline
#define __noinline__ inline
#define __restrict__
#define __launch_bounds__(...)

namespace shim {

struct Dim3 {
  unsigned x = 1, y = 1, z = 1;
};

constexpr size_t STACK_BYTES = 256 << 10;

enum State { RUNNABLE, WAITING, DONE };

// A fiber starts with its context; from then on the cheaper jumps do, which make no system calls.
struct Fiber {
  ucontext_t context;
  jmp_buf place;
  bool started;
  std::vector<char> stack = std::vector<char>(STACK_BYTES);
  State state;
};

struct Block {
  std::vector<Fiber> fibers;
  jmp_buf scheduler;
  std::vector<uint64_t> shared;
  unsigned current = 0;
  int votes = 0, decided = 0;
  void (*body)(void*) = nullptr;
  void* arguments = nullptr;
};

inline Block& block() {
  static Block one;
  return one;
}

inline void wait() {
  Block& b = block();
  Fiber& self = b.fibers[b.current];
  self.state = WAITING;
  if (!_setjmp(self.place)) _longjmp(b.scheduler, 1);
}

}  // namespace shim

static shim::Dim3 threadIdx, blockIdx, blockDim, gridDim;

static inline void __syncthreads() { shim::wait(); }
static inline int __syncthreads_or(int vote) {
  shim::block().votes |= vote != 0;
  shim::wait();
  return shim::block().decided;
}
template <class T>
T atomicMin(T* place, T value) {
  const T before = *place;
  if (value < before) *place = value;
  return before;
}
template <class T>
T atomicAdd(T* place, T value) {
  const T before = *place;
  *place = before + value;
  return before;
}
// How often kernels looked at slots of hash tables, since this was asked last.
namespace shim {
inline uint64_t slot_looks = 0;
}
#define CURATE_SLOT_LOOK() ++::shim::slot_looks
extern "C" inline __attribute__((used)) uint64_t take_slot_looks() { return std::exchange(shim::slot_looks, 0); }

static inline int __ffsll(long long mask) { return __builtin_ffsll(mask); }
static inline uint64_t __umul64hi(uint64_t a, uint64_t b) {
  return static_cast<uint64_t>(static_cast<unsigned __int128>(a) * b >> 64);
}
#define CURATE_SHARED(name) ::curate::u64* const name = ::shim::block().shared.data()

namespace shim {

inline void enter() {
  Block& b = block();
  b.body(b.arguments);
  b.fibers[b.current].state = DONE;
  _longjmp(b.scheduler, 1);
}

// Runs a thread up to its next barrier or its end.
__attribute__((noinline)) inline void resume(unsigned thread) {
  Block& b = block();
  Fiber& fiber = b.fibers[thread];
  b.current = threadIdx.x = thread;
  if (_setjmp(b.scheduler)) return;
  if (fiber.started) _longjmp(fiber.place, 1);
  fiber.started = true;
  setcontext(&fiber.context);
}

// Runs the threads from barrier to barrier; false if some end where others wait.
inline bool run_block(std::mt19937& random) {
  Block& b = block();
  const unsigned threads = blockDim.x;
  std::vector<unsigned> order(threads);
  for (unsigned i = 0; i < threads; ++i) {
    Fiber& fiber = b.fibers[i];
    fiber.state = RUNNABLE;
    getcontext(&fiber.context);
    fiber.context.uc_stack.ss_sp = fiber.stack.data();
    fiber.context.uc_stack.ss_size = fiber.stack.size();
    fiber.context.uc_link = nullptr;
    fiber.started = false;
    makecontext(&fiber.context, reinterpret_cast<void (*)()>(enter), 0);
    order[i] = i;
  }
  for (;;) {
    std::shuffle(order.begin(), order.end(), random);
    unsigned waiting = 0;
    for (unsigned i : order) {
      resume(i);
      waiting += b.fibers[i].state == WAITING;
    }
    if (waiting == 0) return true;
    if (waiting != threads) return false;
    b.decided = b.votes;
    b.votes = 0;
    for (Fiber& fiber : b.fibers) fiber.state = RUNNABLE;
  }
}

enum Outcome { RAN = 0, WRONG_ARGUMENTS = 1, BARRIER_NOT_REACHED_BY_ALL = 2 };

template <class... Args>
int launch(void (*kernel)(Args...), unsigned grid, unsigned threads, size_t shared_bytes, unsigned seed, void** args,
           const size_t* sizes, size_t count) {
  const size_t expected[] = {sizeof(Args)...};
  if (count != sizeof...(Args) || !std::equal(sizes, sizes + count, expected)) return WRONG_ARGUMENTS;
  Block& b = block();
  auto pack = std::make_pair(kernel, args);
  b.arguments = &pack;
  b.body = [](void* p) {
    auto& [f, values] = *static_cast<decltype(pack)*>(p);
    [&]<size_t... I>(std::index_sequence<I...>) {
      f(*static_cast<std::remove_const_t<Args>*>(values[I])...);
    }(std::index_sequence_for<Args...>{});
  };
  if (b.fibers.size() < threads) b.fibers.resize(threads);
  b.votes = 0;
  blockDim.x = threads;
  gridDim.x = grid;
  std::mt19937 random(seed);
  std::vector<unsigned> order(grid);
  for (unsigned i = 0; i < grid; ++i) order[i] = i;
  std::shuffle(order.begin(), order.end(), random);
  for (unsigned i : order) {
    blockIdx.x = i;
    b.shared.assign((shared_bytes + 7) / 8, 0xCDCDCDCDCDCDCDCDu);
    if (!run_block(random)) return BARRIER_NOT_REACHED_BY_ALL;
  }
  return RAN;
}

}  // namespace shim

#define SHIM_KERNEL(name)                                                                                            \
  extern "C" int launch_##name(unsigned grid, unsigned threads, size_t shared, unsigned seed, void** args,           \
                               const size_t* sizes, size_t count) {                                                  \
    return shim::launch(name, grid, threads, shared, seed, args, sizes, count);                                      \
  }
