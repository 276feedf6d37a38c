"""The output folder: whose it is, and what may be removed from it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from curate.errors import OutputError, Problem
from curate.io.files import exists, join, names_in, read_json, remove_all, remove_tree, sizes_below
from curate.io.filesystems import canonical, local_path
from curate.plan import Plan

#: What a run writes into its folder, besides the journal.
RESULTS = ("data", "ledger", "quarantine", "report", "manifest.json", "README.md")
JOURNAL = "run"


def ensure_usable(out: str, plan: Plan) -> None:
    """Raises OutputError unless `out` is new, empty of results, or an earlier run's, and holds none of the sources.

    What an earlier run left is replaced or removed, so nothing else may lie there.
    """
    folder = canonical(out)
    for source in plan.sources:
        for file in source.files:
            if canonical(file.path).startswith(folder + "/"):
                raise OutputError(
                    Problem(
                        f"source {source.source.name}",
                        f"{file.path} lies in the output folder {out}",
                        "sources outside of the output folder",
                        "choose another output folder, or narrow the source's path",
                    )
                )
    foreign = sorted({*RESULTS} & {*names_in(out)})
    if (
        foreign
        and not exists(join(out, f"{JOURNAL}/recipe.json"))
        and not is_manifest(join(out, "manifest.json"))
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
    for name in RESULTS:
        remove_tree(join(out, name))
    _remove_unlocked(out)


def remove_journal(out: str) -> None:
    """Remove the journal, the lock last."""
    _remove_unlocked(out)
    remove_tree(join(out, JOURNAL))


def remove_leftovers(out: str, wanted: Iterable[str]) -> None:
    """Remove shards, ledgers and journal files that an earlier recipe left; `wanted` are paths relative to `out`."""
    keep = {*wanted}
    journal = ("layers", "decisions", "exchange", "quarantine", "receipts")
    for folder in ("data", "ledger", "quarantine", *(f"{JOURNAL}/{part}" for part in journal)):
        below = join(out, folder)
        remove_all([join(below, path) for path in sizes_below(below) if f"{folder}/{path}" not in keep])
        local = local_path(below)
        if local is not None and local.is_dir():
            _remove_empty_folders(local)


def _remove_empty_folders(folder: Path) -> None:
    """Object stores have no folders, so there are none to remove there."""
    for path in [*sorted(folder.rglob("*"), reverse=True), folder]:
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def is_manifest(path: str) -> bool:
    """Whether a run of curate wrote that file."""
    try:
        return "recipe_sha256" in read_json(path)
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return False


def _remove_unlocked(out: str) -> None:
    for name in names_in(join(out, JOURNAL)):
        if name != "lock":
            remove_tree(join(out, f"{JOURNAL}/{name}"))
