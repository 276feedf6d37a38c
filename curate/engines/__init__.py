"""Where tasks run. One line here and one module a kind of engine, loaded when it is asked for."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, fields

from curate.engines.base import Engine, EngineOptions
from curate.errors import EngineError, Problem

__all__ = ["ENGINES", "Engine", "EngineOptions", "ensure_fitting", "start"]


@dataclass(frozen=True, slots=True)
class EngineKind:
    """module: has `start(options) -> Engine`. takes: the fields of `EngineOptions` that mean something to it."""

    module: str
    takes: frozenset[str]


_CLUSTER = frozenset({"workers", "device", "address", "dashboard"})

#: Name on the command line -> the engine.
ENGINES = {
    "local": EngineKind("curate.engines.local", frozenset({"workers", "device"})),
    "dask": EngineKind("curate.engines.dask", _CLUSTER | {"scheduler_file"}),
    "ray": EngineKind("curate.engines.ray", _CLUSTER),
}

_INSTALLED_BY = {"dask": "dask", "distributed": "dask", "dask_cuda": "rapids", "ray": "ray"}


def ensure_fitting(name: str, options: EngineOptions) -> None:
    """Raises EngineError where there is no such engine, or an option means nothing to it."""
    if name not in ENGINES:
        raise EngineError(Problem("--engine", name, f"one of {', '.join(ENGINES)}"))
    plain = EngineOptions()
    problems = []
    for field in fields(EngineOptions):
        if field.name not in ENGINES[name].takes and getattr(options, field.name) != getattr(
            plain, field.name
        ):
            fitting = [other for other, kind in ENGINES.items() if field.name in kind.takes]
            problems.append(
                Problem(
                    _option(field.name),
                    f"means nothing to --engine {name}",
                    f"--engine {' or '.join(fitting)}",
                )
            )
    if options.address and options.scheduler_file:
        problems.append(Problem("--scheduler-file", "given together with --address", "one of them"))
    if options.workers and (options.address or options.scheduler_file):
        problems.append(
            Problem(
                "--workers",
                "given for a cluster that is there already, which has the workers it has",
                fix="leave --workers out, or start more workers there",
            )
        )
    if problems:
        raise EngineError(*problems)


def start(name: str, options: EngineOptions) -> Engine:
    """The engine `name`, ready to carry out tasks. Raises EngineError where that cannot be."""
    ensure_fitting(name, options)
    try:
        module = importlib.import_module(ENGINES[name].module)
        engine: Engine = module.start(options)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in _INSTALLED_BY:
            raise
        fix = f"pip install 'curate[{_INSTALLED_BY[package]}]'"
        raise EngineError(
            Problem(f"--engine {name}", f"the package {package} is not installed", fix=fix)
        ) from error
    return engine


def _option(field: str) -> str:
    return "--" + field.replace("_", "-")
