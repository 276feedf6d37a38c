// Large arrays that are read at random.
#pragma once
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#include "portable.h"

namespace curate::cpu {

struct Freed {
  void operator()(void* memory) const { std::free(memory); }
};

// An array of plain values that begins at a cache line. From 2 MiB on it begins at a huge page and asks Linux for such
// pages: with those of 4 KiB nearly every read at random would walk the page table first.
template <typename T>
class HugePages {
 public:
  HugePages() = default;
  explicit HugePages(size_t count) : count_(count) {
    const size_t bytes = std::max(count * sizeof(T), size_t(1));
    const size_t unit = bytes < HUGE_PAGE ? CACHE_LINE : HUGE_PAGE;
    const size_t room = (bytes + unit - 1) / unit * unit;
    values_.reset(static_cast<T*>(std::aligned_alloc(unit, room)));
    if (!values_) throw std::bad_alloc();
#if defined(__linux__)
    if (unit == HUGE_PAGE) madvise(values_.get(), room, MADV_HUGEPAGE);  // refused: slower, nothing else
#endif
  }

  static HugePages zeros(size_t count) {
    HugePages array(count);
    std::memset(static_cast<void*>(array.data()), 0, count * sizeof(T));
    return array;
  }

  T* data() { return values_.get(); }
  const T* data() const { return values_.get(); }
  size_t size() const { return count_; }
  T& operator[](size_t place) { return values_.get()[place]; }
  const T& operator[](size_t place) const { return values_.get()[place]; }

 private:
  static constexpr size_t CACHE_LINE = 64, HUGE_PAGE = size_t(2) << 20;
  std::unique_ptr<T, Freed> values_;
  size_t count_ = 0;
};

}  // namespace curate::cpu
