"""Where tasks run. One line here and one module a kind of engine."""

from __future__ import annotations

from collections.abc import Callable

from curate.engines.base import Engine
from curate.engines.local import Local

#: Name on the command line -> maker of the engine from a number of workers.
ENGINES: dict[str, Callable[[int], Engine]] = {"local": Local}

__all__ = ["ENGINES", "Engine"]
