"""Receipts: what is done, what has to be done again, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from curate.engines import Engine
from curate.engines.task import Pass, Receipt, Task, Updating
from curate.io.files import exists, join, read_json, remove, size_of
from curate.progress import Progress


class Journal:
    """Carries out passes through an engine, skipping tasks whose receipt still holds."""

    def __init__(self, out: str, engine: Engine, progress: Progress) -> None:
        self.out = out
        self._engine = engine
        self._progress = progress
        self._wanted: set[str] = set()

    def carry_out(self, each: Pass) -> list[Receipt]:
        """Run what is not done and return the receipts of all the pass's tasks, in the order of its tasks."""
        receipts: dict[str, Receipt] = {}
        waiting: list[Task] = []
        reasons: dict[str, int] = {}
        for task in each.tasks:
            self._wanted |= {task.receipt_path, *task.outputs}
            found = self._receipt(task)
            if found is None:
                waiting.append(task)
            elif stale := _why_stale(task, found, self.out):
                redone = _updated(task, found, self.out)
                waiting.append(redone or task)
                stale = f"done again from kept statistics: {stale}" if redone else f"done again: {stale}"
                reasons[stale] = reasons.get(stale, 0) + 1
            else:
                receipts[task.name] = found
        for reason, tasks in sorted(reasons.items()):
            self._progress.note(f"{each.name}: {tasks} of {len(each.tasks)} tasks are {reason}")
        self._progress.pass_started(
            each.name, len(each.tasks), len(receipts), sum(task.bytes_read for task in waiting)
        )
        if waiting:
            # A manifest says that everything beside it is finished; from here to the end of the run that is not so.
            remove(join(self.out, "manifest.json"))
        for task, receipt in self._engine.map(waiting, self.out):
            receipts[task.name] = receipt
            self._progress.task_done(each.name, receipt.facts.get("documents", 0), task.bytes_read)
        self._progress.pass_finished(each.name, sum(receipt.seconds for receipt in receipts.values()))
        return [receipts[task.name] for task in each.tasks]

    def wanted(self) -> set[str]:
        """Paths relative to OUT of the receipts and outputs of all tasks so far."""
        return self._wanted

    def _receipt(self, task: Task) -> Receipt | None:
        path = join(self.out, task.receipt_path)
        if not exists(path):
            return None
        found = read_json(path)
        outputs = {name: (int(size), str(digest)) for name, (size, digest) in found["outputs"].items()}
        return Receipt(found["task"], found["inputs"], outputs, found["facts"], found["seconds"])


def _why_stale(task: Task, receipt: Receipt, out: str) -> str:
    """Why the receipt's work cannot be taken over, empty if it can."""
    changed = _changed(task.inputs, receipt.inputs)
    if changed:
        return f"changed: {', '.join(changed)}"
    return _why_incomplete(task, receipt, out)


def _updated(task: Task, receipt: Receipt, out: str) -> Task | None:
    """The task by its update, where that is enough."""
    if task.update is None or _why_incomplete(task, receipt, out):
        return None
    if not task.update.inputs.issuperset(_changed(task.inputs, receipt.inputs)):
        return None
    return replace(task, function=Updating(task, receipt), bytes_read=0)


def _why_incomplete(task: Task, receipt: Receipt, out: str) -> str:
    if set(receipt.outputs) != set(task.outputs):
        return "other outputs are asked for"
    for path, (size, _) in receipt.outputs.items():
        if not exists(join(out, path)) or size_of(join(out, path)) != size:
            return f"an output is gone or cut short, such as {path}"
    return ""


def _changed(now: Mapping[str, str], then: Mapping[str, str]) -> list[str]:
    return sorted(name for name in {*now, *then} if now.get(name) != then.get(name))
