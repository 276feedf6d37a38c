"""The module compiles for each generation of GPU that is in use, and what it needs of one is what we mean it to be."""

from __future__ import annotations

import re

import pytest

from curate.kernels.gpu.source import NVRTC_PRELUDE, OPTIONS, entry_points, module_source

nvrtc = pytest.importorskip(
    "cuda.bindings.nvrtc",
    reason="NVIDIA's run-time compiler is not installed: pip install 'curate[gpu-checks]' (170 MB)",
)

#: Bytes of local memory a thread may have: tables and arrays that a kernel indexes at run time. Others have none.
STACK_BYTES = {}
#: Most registers with which four blocks of 128 threads fit a multiprocessor (65,536 registers).
MOST_REGISTERS = 128
FUNCTION = re.compile(
    r"Function properties for (\w+)\n.*?(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads\n"
    r".*?Used (\d+) registers"
)


def compiled(architecture: str) -> str:
    """The compiler's log."""
    source = (NVRTC_PRELUDE + module_source()).encode()
    _, program = nvrtc.nvrtcCreateProgram(source, b"curate.cu", 0, [], [])
    options = [f"--gpu-architecture={architecture}", "--ptxas-options=-v", *OPTIONS]
    (outcome,) = nvrtc.nvrtcCompileProgram(program, len(options), [option.encode() for option in options])
    _, size = nvrtc.nvrtcGetProgramLogSize(program)
    log = b" " * size
    nvrtc.nvrtcGetProgramLog(program, log)
    assert outcome == nvrtc.nvrtcResult.NVRTC_SUCCESS, log.decode()[:4000]
    return log.decode()


@pytest.mark.parametrize("architecture", ["sm_80", "sm_90", "sm_100"])
def test_kernels_compile_without_spills(architecture) -> None:
    found = {name: tuple(map(int, sizes)) for name, *sizes in FUNCTION.findall(compiled(architecture))}
    assert found.keys() >= set(entry_points(module_source()))
    for name, (stack, stores, loads, registers) in found.items():
        print(f"{architecture} {name}: {registers} registers, {stack} B local, {stores + loads} B spilled")
    assert {name: sizes for name, sizes in found.items() if sizes[1] or sizes[2]} == {}
    assert {name: sizes for name, sizes in found.items() if sizes[0] > STACK_BYTES.get(name, 0)} == {}
    assert {name: sizes for name, sizes in found.items() if sizes[3] > MOST_REGISTERS} == {}
