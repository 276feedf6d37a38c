"""A task: the unit that an engine carries out, a receipt records and a resumed run skips."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from typing import Any

from curate.io.files import join, recording, sha256_of, write_json
from curate.memory import give_back_unused

#: What the task under way in this thread has noted about its stages; see `timed`.
_stages: ContextVar[dict[str, tuple[int, float]] | None] = ContextVar("_stages", default=None)

#: What a task found out, as JSON values: counts, never timings.
Facts = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Update:
    """A cheaper way to redo a task of which only some inputs changed.

    function: (out, arguments, facts of the last time) -> facts; it changes the outputs of the last time. inputs: the
    names of the inputs that it can take in.
    """

    function: Callable[[str, Any, Facts], Facts]
    inputs: frozenset[str]


@dataclass(frozen=True, slots=True)
class Task:
    """One call of `function(out, arguments)`, which writes `outputs` and returns its facts.

    name: unique in a run; also the receipt's path under OUT/run/receipts.
    inputs: everything the outputs depend on, each under a name a user understands, as a fingerprint.
    outputs: paths relative to OUT; the function writes each with `atomic_write`, in the thread it is called in.
    bytes_read: bytes of input the task will read, for progress.
    update: how it is done again where little changed.
    """

    name: str
    function: Callable[[str, Any], Facts]
    arguments: Any
    inputs: Mapping[str, str]
    outputs: tuple[str, ...]
    bytes_read: int = 0
    update: Update | None = None

    @property
    def receipt_path(self) -> str:
        return receipt_path(self.name)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The record that a task is done. outputs: path relative to OUT -> [bytes, sha256].

    stages: stage -> documents shown to it and seconds it took, as far as the task says. Its file also holds a checksum
    of all that: it is not flushed, so a power failure may leave anything of it.
    """

    task: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, tuple[int, str]]
    facts: Facts
    seconds: float
    stages: Mapping[str, tuple[int, float]] = field(default_factory=dict)

    def write(self, out: str) -> None:
        values = asdict(self)
        content = {**values, "checksum": fingerprint(values)}
        write_json(join(out, receipt_path(self.task)), content, flushed=False, indent=None)

    @classmethod
    def read(cls, content: bytes, task: str) -> Receipt | None:
        """What `write` wrote for that task; None for anything else."""
        with suppress(ValueError, KeyError, TypeError, AttributeError):
            found = json.loads(content)
            if found.pop("checksum") == fingerprint(found) and found["task"] == task:
                for name in ("outputs", "stages"):
                    found[name] = {key: tuple(pair) for key, pair in found[name].items()}
                return cls(**found)
        return None


@dataclass(frozen=True, slots=True)
class Pass:
    """Tasks that may run in any order, at once."""

    name: str
    tasks: tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Updating:
    """Carries out a task by its update, if the outputs are still what the receipt says; else in full."""

    task: Task
    receipt: Receipt

    def __call__(self, out: str, arguments: Any) -> Facts:
        assert self.task.update is not None
        for path, (_, digest) in self.receipt.outputs.items():
            if sha256_of(join(out, path)) != digest:  # a run was killed while it changed them
                return self.task.function(out, arguments)
        return self.task.update.function(out, arguments, self.receipt.facts)


def execute(task: Task, out: str) -> Receipt:
    """Carry out the task on a worker and write its receipt, the last thing written."""
    started = time.monotonic()
    with noting() as stages, recording() as written:
        facts = task.function(out, task.arguments)
    # An update may leave outputs as they are.
    outputs = dict(task.function.receipt.outputs) if isinstance(task.function, Updating) else {}
    for path in task.outputs:
        if path not in outputs or join(out, path) in written:
            outputs[path] = (written[join(out, path)].bytes, written[join(out, path)].sha256)
    seconds = round(time.monotonic() - started, 3)
    rounded = {stage: (documents, round(spent, 6)) for stage, (documents, spent) in stages.items()}
    receipt = Receipt(task.name, dict(task.inputs), outputs, facts, seconds, rounded)
    receipt.write(out)
    give_back_unused()
    return receipt


def receipt_path(task: str) -> str:
    return f"run/receipts/{task}.json"


@contextmanager
def noting() -> Iterator[dict[str, tuple[int, float]]]:
    """Gathers what `timed` notes inside the block: stage -> documents shown to it and seconds it took."""
    stages: dict[str, tuple[int, float]] = {}
    mark = _stages.set(stages)
    try:
        yield stages
    finally:
        _stages.reset(mark)


@contextmanager
def timed(stage: str, documents: int) -> Iterator[None]:
    """Within a task: adds the block's time and the number of documents shown to it to the stage's."""
    started = time.monotonic()
    yield
    stages = _stages.get()
    if stages is not None:
        shown, spent = stages.get(stage, (0, 0.0))
        stages[stage] = (shown + documents, spent + time.monotonic() - started)


def fingerprint(value: object) -> str:
    """A short stable hash of JSON values."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def outputs_fingerprint(receipts: Iterable[Receipt]) -> str:
    """One fingerprint of the contents that these receipts' tasks wrote."""
    return fingerprint(
        sorted((path, found[1]) for receipt in receipts for path, found in receipt.outputs.items())
    )
