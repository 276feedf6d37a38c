"""The device module's source: the kernels of this folder with the CPU's own headers, as one text.

One text needs no include paths, so NVRTC, nvcc and a host compiler take it alike.
"""

from __future__ import annotations

import re
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
"""

_INCLUDE = re.compile(r'^#include ["<]([^">]+)[">].*\n', re.MULTILINE)
_ENTRY = re.compile(r'extern "C" __global__ void\s+(?:__launch_bounds__\([^)]*\)\s+)?(\w+)\(')


def module_source(files: tuple[str, ...] = KERNEL_FILES) -> str:
    """The kernels in these files of this folder, with every header they use; standard headers are left out."""
    seen: set[str] = set()
    return "".join(_with_headers(name, seen) for name in files)


def nvrtc_source() -> str:
    """The module as NVRTC takes it."""
    return NVRTC_PRELUDE + module_source()


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
