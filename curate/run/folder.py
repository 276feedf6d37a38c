"""The output folder: whose it is, and what may be removed from it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from pathlib import Path

from curate.errors import OutputError, Problem
from curate.io.files import join, local_path
from curate.plan import Plan

#: What a run writes into its folder, besides the journal.
RESULTS = ("data", "ledger", "quarantine", "report", "manifest.json", "README.md")
JOURNAL = "run"


def ensure_usable(out: str, plan: Plan) -> None:
    """Raises OutputError unless `out` is new, empty of results, or an earlier run's, and holds none of the sources.

    What an earlier run left is replaced or removed, so nothing else may lie there.
    """
    folder = Path(out)
    inside = folder.resolve()
    for source in plan.sources:
        for file in source.files:
            path = local_path(file.path)
            if path is not None and path.resolve().is_relative_to(inside):
                raise OutputError(
                    Problem(
                        f"source {source.source.name}",
                        f"{file.path} lies in the output folder {out}",
                        "sources outside of the output folder",
                        "choose another output folder, or narrow the source's path",
                    )
                )
    foreign = [name for name in RESULTS if (folder / name).exists()]
    if (
        foreign
        and not (folder / JOURNAL / "recipe.json").exists()
        and not is_manifest(folder / "manifest.json")
    ):
        raise OutputError(
            Problem(
                out,
                f"holds {', '.join(foreign)}, which no run of curate left there",
                "a new or empty folder, or that of an earlier run",
                "choose another output folder",
            )
        )


def remove_results(out: str) -> None:
    """Remove everything that runs left in the folder, but not the lock that this one holds."""
    _remove([*(Path(out, name) for name in RESULTS), *_journal(out)])


def remove_journal(out: str) -> None:
    """Remove the journal, the lock last."""
    _remove(_journal(out))
    _remove([Path(out, JOURNAL)])


def remove_leftovers(out: str, wanted: Iterable[str]) -> None:
    """Remove shards, ledgers and journal files that an earlier recipe left; `wanted` are paths relative to `out`."""
    keep = {Path(join(out, path)) for path in wanted}
    journal = ("layers", "decisions", "exchange", "quarantine", "receipts")
    for name in ("data", "ledger", "quarantine", *(f"{JOURNAL}/{part}" for part in journal)):
        folder = Path(join(out, name))
        for path in sorted(folder.rglob("*"), reverse=True):
            if path.is_dir():
                _remove_if_empty(path)
            elif path not in keep:
                path.unlink()
        if folder.is_dir():
            _remove_if_empty(folder)


def _remove_if_empty(folder: Path) -> None:
    if not any(folder.iterdir()):
        folder.rmdir()


def is_manifest(path: Path) -> bool:
    """Whether a run of curate wrote that file."""
    try:
        return "recipe_sha256" in json.loads(path.read_bytes())
    except (OSError, ValueError, TypeError):
        return False


def _journal(out: str) -> list[Path]:
    folder = Path(out, JOURNAL)
    return [path for path in folder.iterdir() if path.name != "lock"] if folder.is_dir() else []


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
