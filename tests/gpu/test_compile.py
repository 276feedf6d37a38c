"""The module compiles for each generation of GPU that is in use, and what it needs of one is what we mean it to be."""

from __future__ import annotations

import re

import pytest

from curate.kernels.gpu.source import OPTIONS, entry_points, module_source, nvrtc_source

nvrtc = pytest.importorskip(
    "cuda.bindings.nvrtc",
    reason="NVIDIA's run-time compiler is not installed: pip install 'curate[gpu-checks]' (170 MB)",
)

#: Most bytes of local memory, bytes of spills and registers of a thread. `heuristic_statistics` is a whole program: its
#: counters and a padded block of text lie in local memory, and two blocks of 128 threads fit a multiprocessor.
LIMITS = {"heuristic_statistics": (1024, 96, 255)}
#: Nothing in local memory; eight blocks of 128 threads fit a multiprocessor's 65,536 registers.
USUAL_LIMITS = (0, 0, 64)
FUNCTION = re.compile(
    r"Function properties for (\w+)\n.*?(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads\n"
    r".*?Used (\d+) registers"
)


def compiled(architecture: str) -> str:
    """The compiler's log."""
    source = nvrtc_source().encode()
    _, program = nvrtc.nvrtcCreateProgram(source, b"curate.cu", 0, [], [])
    options = [f"--gpu-architecture={architecture}", "--ptxas-options=-v", *OPTIONS]
    (outcome,) = nvrtc.nvrtcCompileProgram(program, len(options), [option.encode() for option in options])
    _, size = nvrtc.nvrtcGetProgramLogSize(program)
    log = b" " * size
    nvrtc.nvrtcGetProgramLog(program, log)
    assert outcome == nvrtc.nvrtcResult.NVRTC_SUCCESS, log.decode()[:4000]
    return log.decode()


@pytest.mark.parametrize("architecture", ["sm_80", "sm_90", "sm_100"])
def test_kernels_stay_within_their_registers(architecture) -> None:
    found = {name: tuple(map(int, sizes)) for name, *sizes in FUNCTION.findall(compiled(architecture))}
    assert found.keys() >= set(entry_points(module_source()))
    needs = {
        name: (stack, stores + loads, registers) for name, (stack, stores, loads, registers) in found.items()
    }
    for name, (stack, spills, registers) in needs.items():
        print(f"{architecture} {name}: {registers} registers, {stack} B local, {spills} B spilled")
    beyond = {
        name: need
        for name, need in needs.items()
        if any(have > most for have, most in zip(need, LIMITS.get(name, USUAL_LIMITS), strict=True))
    }
    assert beyond == {}
