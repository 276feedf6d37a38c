"""The command: `python -P -m curate.kernels.check`."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from curate import __version__
from curate.kernels.check.corpus import hard, joined, spoilt, vocabulary, web_like
from curate.kernels.check.identity import (
    differing_edges,
    differing_replaced,
    differing_texts,
    differing_utf8,
    subnormal_scores_differ,
)
from curate.kernels.check.model import models, subnormal_model
from curate.kernels.check.throughput import copy_bandwidth, cudf_minhash_speed, join_speed, kernel_speeds
from curate.kernels.gpu.device import CupyDevice, Device
from curate.kernels.gpu.driver import LIBRARY, device_count
from curate.kernels.gpu.kernels import DeviceKernels

SAME, NO_GPU, OTHER_BITS = 0, 1, 2
#: Texts are generated and compared so many bytes at a time.
PART_BYTES = 64 << 20
#: Of the goals on an H200, GB of text a second.
GOALS = {"sketch char 25": 20.0, "heuristic statistics (gopher)": 20.0, "fastText": 5.0}


def check(device: Device, size: int, repeats: int, part_bytes: int = PART_BYTES) -> dict[str, Any]:
    """Compares and times every kernel over `size` bytes of generated text; the result as the command prints it."""
    random = np.random.default_rng(0)
    words = vocabulary(random)
    scored, subnormal, kernels = models(random, words), subnormal_model(random, words), DeviceKernels(device)
    parts, differing = [hard(random, words, part_bytes // 1000)], Counter[str]()
    while sum(len(part.data) for part in parts) < size:
        parts.append(web_like(random, words, min(part_bytes, size)))
    for part in parts:
        differing.update(differing_texts(kernels, scored, part))
        differing.update(differing_utf8(kernels, spoilt(random, part)))
        differing.update(differing_replaced(kernels, part))
    differing.update(differing_edges(kernels, random, size // 64))
    texts = joined(parts)
    ceiling = copy_bandwidth(device, size, repeats)
    speeds = kernel_speeds(device, scored, texts, repeats)
    return {
        "curate": __version__,
        "device": device.name,
        "text_bytes": len(texts.data),
        "texts": len(texts),
        "differing": dict(differing),
        "differing_by_subnormal_weights": subnormal_scores_differ(kernels, subnormal, parts[-1]),
        "copy_gb_per_second": ceiling,
        "kernels": {
            name: {"gb_per_second": speed, "of_copy_bandwidth": speed / ceiling, "goal": GOALS.get(name)}
            for name, speed in speeds.items()
        },
        "join_gb_per_second": join_speed(device, random, size // 64, repeats),
        "cudf_minhash": cudf_minhash_speed(device, texts, repeats),
    }


def main(arguments: list[str] | None = None) -> int:
    """Exit status: 0 all bits are the same, 1 there is no GPU to check, 2 some bits differ."""
    parser = argparse.ArgumentParser(
        "python -P -m curate.kernels.check", description="Checks and times GPU kernels."
    )
    parser.add_argument("--bytes", type=int, default=1 << 30, help="of generated text (default 1 GiB)")
    parser.add_argument("--repeats", type=int, default=10, help="timed runs of each kernel (default 10)")
    parser.add_argument("--output", type=Path, help="where the result goes (JSON); else to standard output")
    options = parser.parse_args(arguments)
    if device_count() == 0:
        print(f"no GPU to check: the driver ({LIBRARY}) is absent or offers no device", file=sys.stderr)
        return NO_GPU
    try:
        device = CupyDevice()
    except ImportError as error:
        print(f"no GPU to check: {error}; install curate[gpu]", file=sys.stderr)
        return NO_GPU
    return report(check(device, options.bytes, options.repeats), options.output)


def report(result: dict[str, Any], output: Path | None) -> int:
    """Writes the result; returns the exit status it stands for."""
    text = json.dumps(result, indent=2) + "\n"
    if output is None:
        print(text, end="")
    else:
        output.write_text(text)
    different = {name: count for name, count in result["differing"].items() if count}
    if different:
        print(f"other bits than the CPU's: {different}", file=sys.stderr)
        return OTHER_BITS
    return SAME
