"""Receipts: what is done, what has to be done again, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from curate.engines import Engine
from curate.engines.task import Pass, Receipt, Task, Updating
from curate.io.files import join, read_all, remove, sizes_below
from curate.io.shard_formats import SHARD_INDEX
from curate.progress import Progress
from curate.run.metrics import Metrics

_UNREADABLE = "done again: the receipt is damaged, or of another version of curate"


class Journal:
    """Carries out passes through an engine, skipping tasks whose receipt still holds.

    What lies in the folder is listed once, when the journal is opened: from then on only tasks of this run change it.
    """

    def __init__(
        self, out: str, engine: Engine, progress: Progress, metrics: Metrics, ensure_held: Callable[[], None]
    ) -> None:
        """ensure_held: raises where another run has taken the folder over."""
        self.out = out
        self.ensure_held = ensure_held
        self._engine = engine
        self._progress = progress
        self._metrics = metrics
        self._wanted: set[str] = set()
        self._there = {
            f"{folder}/{path}": size
            for folder in ("run", "ledger", "data", "report")
            for path, size in sizes_below(join(out, folder)).items()
        }
        self._finished = True

    def carry_out(self, each: Pass) -> list[Receipt]:
        """Run what is not done and return the receipts of all the pass's tasks, in the order of its tasks."""
        self.ensure_held()
        receipts, waiting, reasons = self._sorted_out(each)
        for reason, tasks in sorted(reasons.items()):
            self._progress.note(f"{each.name}: {tasks} of {len(each.tasks)} tasks are {reason}")
        self._progress.pass_started(
            each.name, len(each.tasks), len(receipts), sum(task.bytes_read for task in waiting)
        )
        self._metrics.pass_started(each.name, len(each.tasks), len(receipts))
        if waiting and self._finished:
            # A manifest, or a list of the shards, says that everything beside it is finished; from here to the end
            # of the run that is not so.
            for path in ("manifest.json", *({SHARD_INDEX} & self._there.keys())):
                remove(join(self.out, path))
            self._finished = False
        for task, receipt in self._engine.map(waiting, self.out):
            self.ensure_held()
            receipts[task.name] = receipt
            self._metrics.task_done(each.name, task, receipt, self._engine.retries)
            documents, kept = receipt.facts.get("documents", 0), receipt.facts.get("kept")
            counted = kept if isinstance(kept, int) else None
            self._progress.task_done(each.name, documents, task.bytes_read, counted)
        self._metrics.write()
        self._progress.pass_finished(each.name, sum(receipt.seconds for receipt in receipts.values()))
        return [receipts[task.name] for task in each.tasks]

    def wanted(self) -> set[str]:
        """Paths relative to OUT of the receipts and outputs of all tasks so far."""
        return self._wanted

    def _sorted_out(self, each: Pass) -> tuple[dict[str, Receipt], list[Task], dict[str, int]]:
        """The receipts that hold, the tasks that are to be done, and how many of these for which reason, in words."""
        receipts: dict[str, Receipt] = {}
        waiting: list[Task] = []
        reasons: dict[str, int] = {}
        earlier = self._receipts([task for task in each.tasks if task.receipt_path in self._there])
        for task in each.tasks:
            self._wanted |= {task.receipt_path, *task.outputs}
            found = earlier.get(task.name)
            if found is None:
                waiting.append(task)
                if task.receipt_path in self._there:
                    reasons[_UNREADABLE] = reasons.get(_UNREADABLE, 0) + 1
            elif stale := _why_stale(task, found, self._there):
                redone = _updated(task, found, self._there)
                waiting.append(redone or task)
                stale = f"done again from kept statistics: {stale}" if redone else f"done again: {stale}"
                reasons[stale] = reasons.get(stale, 0) + 1
            else:
                receipts[task.name] = found
        return receipts, waiting, reasons

    def _receipts(self, tasks: Sequence[Task]) -> dict[str, Receipt]:
        """The receipts of an earlier run that can be read, by the names of their tasks."""
        written = read_all([join(self.out, task.receipt_path) for task in tasks])
        found = {task.name: Receipt.read(text, task.name) for task, text in zip(tasks, written, strict=True)}
        return {name: receipt for name, receipt in found.items() if receipt is not None}


def _why_stale(task: Task, receipt: Receipt, there: Mapping[str, int]) -> str:
    """Why the receipt's work cannot be taken over, empty if it can."""
    changed = _changed(task.inputs, receipt.inputs)
    if changed:
        return f"changed: {', '.join(changed)}"
    return _why_incomplete(task, receipt, there)


def _updated(task: Task, receipt: Receipt, there: Mapping[str, int]) -> Task | None:
    """The task by its update, where that is enough."""
    if task.update is None or _why_incomplete(task, receipt, there):
        return None
    if not task.update.inputs.issuperset(_changed(task.inputs, receipt.inputs)):
        return None
    return replace(task, function=Updating(task, receipt), bytes_read=0)


def _why_incomplete(task: Task, receipt: Receipt, there: Mapping[str, int]) -> str:
    if set(receipt.outputs) != set(task.outputs):
        return "other outputs are asked for"
    for path, (size, _) in receipt.outputs.items():
        if there.get(path) != size:
            return f"an output is gone or cut short, such as {path}"
    return ""


def _changed(now: Mapping[str, str], then: Mapping[str, str]) -> list[str]:
    return sorted(name for name in {*now, *then} if now.get(name) != then.get(name))
