"""curate turns raw web corpora into LLM pretraining data.

The public names are loaded on first use, so that `import curate` is quick.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

__version__ = "0.1.0"

#: Public names and the modules that hold them.
_PUBLIC = {
    "Ledger": "curate.io.ledger",
    "Manifest": "curate.io.manifest",
    "load_recipe": "curate.recipe",
    "plan": "curate.plan",
    "run": "curate.run",
}

__all__ = ["Ledger", "Manifest", "__version__", "load_recipe", "plan", "run"]


class _Package(ModuleType):
    """Keeps `curate.run` and `curate.plan` the functions, though modules of those names hold them: importing
    a submodule would bind its name here to it."""

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _PUBLIC and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        value = getattr(importlib.import_module(_PUBLIC[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)


sys.modules[__name__].__class__ = _Package
