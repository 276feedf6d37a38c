"""A task: the unit that an engine carries out, a receipt records and a resumed run skips."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from curate.io.files import join, sha256_of, size_of, write_json

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
    outputs: paths relative to OUT; each is written atomically by the function.
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
        return f"run/receipts/{self.name}.json"


@dataclass(frozen=True, slots=True)
class Receipt:
    """The record that a task is done. outputs: path relative to OUT -> [bytes, sha256]."""

    task: str
    inputs: Mapping[str, str]
    outputs: Mapping[str, tuple[int, str]]
    facts: Facts
    seconds: float


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
    facts = task.function(out, task.arguments)
    outputs = {path: (size_of(join(out, path)), sha256_of(join(out, path))) for path in task.outputs}
    receipt = Receipt(task.name, dict(task.inputs), outputs, facts, round(time.monotonic() - started, 3))
    write_json(join(out, task.receipt_path), asdict(receipt))
    return receipt


def fingerprint(value: object) -> str:
    """A short stable hash of JSON values."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def outputs_fingerprint(receipts: Iterable[Receipt]) -> str:
    """One fingerprint of the contents that these receipts' tasks wrote."""
    return fingerprint(
        sorted((path, found[1]) for receipt in receipts for path, found in receipt.outputs.items())
    )
