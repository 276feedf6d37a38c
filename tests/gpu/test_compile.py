"""The module compiles for each generation of GPU that is in use, and what it needs of one is what we mean it to be."""

from __future__ import annotations

import re

import pytest

from curate.kernels.gpu.source import KERNEL_FILES, OPTIONS, entry_points, module_source, nvrtc_source

nvrtc = pytest.importorskip(
    "cuda.bindings.nvrtc",
    reason="NVIDIA's run-time compiler is not installed: pip install 'curate[gpu-checks]' (170 MB)",
)

#: What CuPy adds to a module's own options (14.2): subnormal numbers of 32 bits become 0, and functions without
#: a mark are the device's.
OPTIONS_OF_CUPY = ("-ftz=true", "--device-as-default-execution-space")

#: Most bytes of local memory, bytes of spills (of called functions too) and registers of a thread. Statistics are whole
#: programs: their counters and a padded block of text lie in local memory, and four blocks of 128 threads fit a
#: multiprocessor, 16 of its 64 warps. Best labels are sought by four such blocks (fasttext.LABEL_THREADS_A_BLOCK), and
#: of blocks of a warp that look up n-grams 20 do.
LIMITS = {
    "heuristic_statistics": (2048, 64, 128),
    "heuristic_families": (4096, 192, 128),
    "fasttext_labels": (0, 0, 128),
    "ngram_hits": (0, 0, 96),
}
#: Nothing in local memory; eight blocks of 128 threads fit a multiprocessor's 65,536 registers.
USUAL_LIMITS = (0, 0, 64)
FUNCTION = re.compile(
    r"Function properties for (\w+)\n.*?(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads"
)
REGISTERS = re.compile(r"Function properties for (\w+)\n.*\n.*?Used (\d+) registers")


def compiled(file: str, architecture: str) -> str:
    """The compiler's log."""
    source = nvrtc_source(file).encode()
    _, program = nvrtc.nvrtcCreateProgram(source, b"curate.cu", 0, [], [])
    options = [f"--gpu-architecture={architecture}", "--ptxas-options=-v", *OPTIONS, *OPTIONS_OF_CUPY]
    (outcome,) = nvrtc.nvrtcCompileProgram(program, len(options), [option.encode() for option in options])
    _, size = nvrtc.nvrtcGetProgramLogSize(program)
    log = b" " * size
    nvrtc.nvrtcGetProgramLog(program, log)
    assert outcome == nvrtc.nvrtcResult.NVRTC_SUCCESS, log.decode()[:4000]
    return log.decode()


@pytest.mark.parametrize("file", KERNEL_FILES)
@pytest.mark.parametrize("architecture", ["sm_80", "sm_90", "sm_100"])
def test_kernels_stay_within_their_registers(architecture, file) -> None:
    log = compiled(file, architecture)
    functions = {name: tuple(map(int, sizes)) for name, *sizes in FUNCTION.findall(log)}
    registers = {name: int(used) for name, used in REGISTERS.findall(log)}
    assert registers.keys() == set(entry_points(module_source((file,))))
    called = sum(sum(spills) for name, (_, *spills) in functions.items() if name not in registers)
    beyond = {}
    for name, used in registers.items():
        stack, *spills = functions[name]
        need = (stack, sum(spills) + called, used)
        print(f"{architecture} {name}: {used} registers, {stack} B local, {need[1]} B spilled")
        if any(have > most for have, most in zip(need, LIMITS.get(name, USUAL_LIMITS), strict=True)):
            beyond[name] = need
    assert beyond == {}
