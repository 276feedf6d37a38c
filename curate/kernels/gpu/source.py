"""The device modules' source: the kernels of this folder with the CPU's own headers, as one text.

One text needs no include paths, so NVRTC, nvcc and a host compiler take it alike.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent
FOLDERS = (HERE, HERE.parent)
KERNEL_FILES = tuple(sorted(path.name for path in HERE.glob("*.cu")))

#: Scores are specified without fused multiply-add.
OPTIONS = ("-std=c++17", "--fmad=false")

#: NVRTC has no standard library: the few names that headers use.
NVRTC_PRELUDE = """\
namespace std {
using uint8_t = unsigned char;
using int8_t = signed char;
using uint16_t = unsigned short;
using int32_t = int;
using uint32_t = unsigned int;
using int64_t = long long;
using uint64_t = unsigned long long;
}  // namespace std
#define __builtin_memcpy memcpy
__device__ inline const void* memchr(const void* memory, int wanted, size_t size) {
  const unsigned char* bytes = static_cast<const unsigned char*>(memory);
  for (size_t i = 0; i < size; ++i)
    if (bytes[i] == static_cast<unsigned char>(wanted)) return bytes + i;
  return nullptr;
}
__device__ inline void* memmove(void* to, const void* from, size_t size) {
  unsigned char* out = static_cast<unsigned char*>(to);
  const unsigned char* in = static_cast<const unsigned char*>(from);
  if (out <= in)
    for (size_t i = 0; i < size; ++i) out[i] = in[i];
  else
    for (size_t i = size; i-- > 0;) out[i] = in[i];
  return to;
}
"""

_INCLUDE = re.compile(r'^#include ["<]([^">]+)[">].*\n', re.MULTILINE)
_ENTRY = re.compile(r'extern "C" __global__ void\s+(?:__launch_bounds__\([^)]*\)\s+)?(\w+)\(')


def module_source(files: tuple[str, ...] = KERNEL_FILES) -> str:
    """The kernels in these files of this folder, with every header they use; standard headers are left out."""
    seen: set[str] = set()
    return "".join(_with_headers(name, seen) for name in files)


def nvrtc_source(file: str) -> str:
    """A kernel file as NVRTC takes it."""
    return NVRTC_PRELUDE + module_source((file,))


@cache
def file_of(kernel: str) -> str:
    """The kernel file that has this entry point. Each is a module of its own, compiled where it is used: families of
    statistics take most of a minute, the others seconds."""
    return next(file for file in KERNEL_FILES if kernel in entry_points((HERE / file).read_text()))


def entry_points(source: str) -> list[str]:
    """Names of the kernels in a source."""
    return _ENTRY.findall(source)


def _with_headers(name: str, seen: set[str]) -> str:
    if name in seen:
        return ""
    path = next((folder / name for folder in FOLDERS if (folder / name).exists()), None)
    if path is None:
        return ""
    seen.add(name)
    text = path.read_text().replace("#pragma once\n", "")
    return _INCLUDE.sub(lambda include: _with_headers(include[1], seen), text)
