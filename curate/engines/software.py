"""The software that outputs depend on, so that workers with another kind can be told apart."""

from __future__ import annotations

import functools
import hashlib
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import curate

#: Packages whose versions may show in the bytes of outputs.
PACKAGES = ("duckdb", "numpy", "pyarrow")


@functools.cache
def software() -> Mapping[str, str]:
    """Name -> version of what this process runs. `curate's code` is a digest of its Python modules."""
    return {
        "Python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "curate": curate.__version__,
        "curate's code": _code(Path(curate.__file__).parent),
        **{package: _version(package) for package in PACKAGES},
    }


def differences(here: Mapping[str, str], there: Mapping[str, str]) -> list[str]:
    """What differs, each as `name there (here ...)`."""
    return [
        f"{name} {there.get(name, 'not known')} (here {here[name]})"
        for name in here
        if there.get(name) != here[name]
    ]


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _code(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(str(path.relative_to(folder)).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
