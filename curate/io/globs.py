"""Which files a source's patterns mean."""

from __future__ import annotations

from collections.abc import Sequence

from curate.errors import Problem, SourceError
from curate.io.files import source_errors
from curate.io.filesystems import Stat, filesystem_of, local_path, reaching, stat, stat_of

_WILDCARDS = "*?["


def matching_files(name: str, patterns: Sequence[str]) -> list[tuple[str, Stat]]:
    """The files that `patterns` mean, sorted by path, each once: path, size and version.

    patterns: paths, URLs or globs with `*`, `?`, `[...]`, `**`. A glob passes over files and folders whose
    names begin with `.` or `_`. Of remote files nothing but the listing is asked for.

    Raises SourceError, for all patterns at once, where one of them means no file.
    """
    found: dict[str, Stat] = {}
    problems = []
    for pattern in patterns:
        with source_errors(pattern), reaching(pattern):
            files = _expand(pattern)
            if not files:
                problems.append(_nothing_found(name, pattern))
        found.update(files)
    if not patterns:
        problems.append(Problem(f"source {name}", "has no path", fix="write at least one path or glob"))
    if problems:
        raise SourceError(*problems)
    return sorted(found.items())


def _expand(pattern: str) -> dict[str, Stat]:
    filesystem, inside = filesystem_of(pattern)
    if filesystem.isfile(inside):
        files = {inside: filesystem.info(inside)}
    elif any(character in inside for character in _WILDCARDS):
        fixed = _fixed_folder(inside)
        entries = filesystem.glob(inside, detail=True)
        files = {
            path: entry for path, entry in entries.items() if entry["type"] == "file" and _shown(path, fixed)
        }
    else:
        files = {}
    if local_path(pattern) is not None:
        return {path: stat(path) for path in files}
    return {filesystem.unstrip_protocol(path): stat_of(entry) for path, entry in files.items()}


def _fixed_folder(pattern: str) -> str:
    """The folders of a pattern before its first wildcard."""
    folders = pattern.split("/")[:-1]
    wild = (i for i, folder in enumerate(folders) if any(character in folder for character in _WILDCARDS))
    return "/".join(folders[: next(wild, len(folders))])


def _shown(path: str, fixed: str) -> bool:
    below = path.removeprefix(fixed).strip("/")
    return not any(part.startswith((".", "_")) for part in below.split("/"))


def _nothing_found(name: str, pattern: str) -> Problem:
    filesystem, inside = filesystem_of(pattern)
    where = f"source {name}"
    if filesystem.isdir(inside):
        fix = f"name its files, for example {pattern.rstrip('/')}/**/*.parquet"
        return Problem(where, f"{pattern} is a folder", expected="files or a glob", fix=fix)
    deepest = _fixed_folder(inside)
    while deepest and not filesystem.isdir(deepest):
        deepest = deepest.rpartition("/")[0]
    return Problem(
        where,
        f"no file matches {pattern}",
        expected=f"files below {deepest or '/'}, the deepest folder of it that exists",
        fix="correct `path`; names that begin with `.` or `_` are passed over",
    )
