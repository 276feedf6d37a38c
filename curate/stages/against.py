"""Earlier runs that a deduplication stage looks at: what they collected, and which of their documents they kept.

An earlier run's exchange files stay in its OUT/run/exchange, so its documents are compared without reading their text.
They are better than any document of this run and cannot be dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from curate.engines.task import Facts, Pass, Task
from curate.errors import OutputError, Problem, SourceError
from curate.io.exchange import write_arrays
from curate.io.files import exists, join, open_binary, sha256_of
from curate.io.filesystems import absolute
from curate.io.ledger import MIX, pack_doc
from curate.io.manifest import Manifest, StageEntry


@dataclass(frozen=True, slots=True)
class EarlierFile:
    """base: `doc` of row 0 in that run. paths: its exchange files, whole paths. ledger: its ledger, a whole path."""

    base: int
    paths: tuple[str, ...]
    ledger: str


@dataclass(frozen=True, slots=True)
class EarlierRun:
    """What an earlier run collected for the same comparison.

    path: as the recipe gives it. stage: the stage of that run. later: what dropped documents after that stage had kept
    them. documents: at most so many were collected. fingerprint: of that run's manifest.
    """

    path: str
    stage: str
    later: tuple[str, ...]
    files: tuple[EarlierFile, ...]
    documents: int
    fingerprint: str


def each_once(against: tuple[str, ...]) -> tuple[str, ...]:
    """The paths, without slashes at their ends. Raises ValueError where one is there twice or is empty."""
    paths = tuple(path.rstrip("/") for path in against)
    if "" in paths or len(set(paths)) < len(paths):
        raise ValueError("against must name each earlier run once")
    return paths


def find_earlier(
    path: str, kind: str, definition: Mapping[str, object], suffixes: Sequence[str]
) -> EarlierRun:
    """The finished run under `path`, by its last stage of that kind that compares by the same `definition`.

    suffixes: of the exchange files wanted. Raises SourceError where there is no such run or stage, or its exchange
    files are gone.
    """
    try:
        manifest = Manifest.load(path)
    except OutputError as error:
        raise SourceError(*error.problems) from error
    stage = _same_stage(path, manifest, kind, definition)
    shown = [source for source in manifest.sources if stage.sources is None or source.name in stage.sources]
    files = tuple(
        EarlierFile(
            pack_doc(source.index, file.index, 0),
            tuple(
                join(absolute(path), f"run/exchange/{stage.name}/{source.name}/{file.index:06d}.{suffix}")
                for suffix in suffixes
            ),
            join(absolute(path), file.ledger),
        )
        for source in shown
        for file in source.files
    )
    missing = [name for file in files for name in file.paths if not exists(name)]
    if missing:
        raise SourceError(
            Problem(
                missing[0],
                f"exchange files of the earlier run are gone ({len(missing)} of them)",
                "the journal of that run",
                "`curate clean` removed it: run that recipe again in that folder",
            )
        )
    names = [entry.name for entry in manifest.stages]
    later = (*names[names.index(stage.name) + 1 :], MIX)
    documents = sum(source.documents for source in shown)
    return EarlierRun(path, stage.name, later, files, documents, sha256_of(join(path, "manifest.json")))


def _same_stage(path: str, manifest: Manifest, kind: str, definition: Mapping[str, object]) -> StageEntry:
    stages = [stage for stage in manifest.stages if stage.kind == kind]
    if not stages:
        raise SourceError(Problem(path, f"a run without {kind}", f"an earlier run with a {kind} stage"))
    different = [
        {
            key: stage.definition.get(key)
            for key, value in definition.items()
            if stage.definition.get(key) != value
        }
        for stage in stages
    ]
    for stage, differences in zip(reversed(stages), reversed(different), strict=True):
        if not differences:
            return stage
    raise SourceError(
        *(
            Problem(
                f"{path}, stage {stage.name}",
                ", ".join(f"{key} is {value}" for key, value in differences.items()),
                ", ".join(f"{key}: {definition[key]}" for key in differences),
                "only what is defined alike can be compared: use the settings of the earlier run",
            )
            for stage, differences in zip(stages, different, strict=True)
        )
    )


@dataclass(frozen=True, slots=True)
class GoneArguments:
    run: EarlierRun
    gone: str


def gone_pass(name: str, runs: Sequence[EarlierRun]) -> Pass:
    """A task an earlier run, which lists the documents that the run did not keep at its stage, sorted by doc."""
    tasks = []
    for number, run in enumerate(runs):
        key = f"{name}/against/{number:03d}"
        path = f"run/exchange/{key}.arrow"
        tasks.append(
            Task(key, list_gone, GoneArguments(run, path), {f"run {run.path}": run.fingerprint}, (path,))
        )
    return Pass(f"{name}: against", tuple(tasks))


def list_gone(out: str, arguments: GoneArguments) -> Facts:
    """Write the documents that the earlier run dropped up to its stage."""
    found = [np.zeros(0, np.uint64)]
    for file in sorted(arguments.run.files, key=lambda file: file.base):
        with open_binary(file.ledger) as opened:
            dropped_by = pq.read_table(opened, columns=["dropped_by"])["dropped_by"]
        kept = pc.or_(dropped_by.is_null(), pc.is_in(dropped_by, pa.array(arguments.run.later)))
        rows = np.flatnonzero(~kept.to_numpy())
        found.append(rows.astype(np.uint64) + np.uint64(file.base))
    docs = np.concatenate(found)
    write_arrays(join(out, arguments.gone), [{"doc": docs}], {})
    return {"gone": len(docs)}
