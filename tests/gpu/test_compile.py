"""The module compiles for each generation of GPU that is in use, and what it needs of one is what we mean it to be."""

from __future__ import annotations

import re

import pytest

from curate.kernels.gpu.source import NVRTC_PRELUDE, OPTIONS, entry_points, module_source

nvrtc = pytest.importorskip(
    "cuda.bindings.nvrtc",
    reason="NVIDIA's run-time compiler is not installed: pip install 'curate[gpu-checks]' (170 MB)",
)

#: Most bytes of local memory and registers of a thread. `heuristic_statistics` is a whole program: counters and
#: a padded block of text lie in local memory, and three blocks of 128 threads fit a multiprocessor.
LIMITS = {"heuristic_statistics": (1024, 168)}
#: No local memory; eight blocks of 128 threads fit a multiprocessor's 65,536 registers.
USUAL_LIMITS = (0, 64)
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
    beyond = {
        name: (stack, registers)
        for name, (stack, _, _, registers) in found.items()
        if (limits := LIMITS.get(name, USUAL_LIMITS)) and (stack > limits[0] or registers > limits[1])
    }
    assert beyond == {}
