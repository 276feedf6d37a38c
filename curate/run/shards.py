"""Output shards: planned so that each holds the sources in proportion, read once, shuffled inside."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.engines.task import Facts
from curate.errors import Problem, SourceError
from curate.io.changes import ensure_unchanged
from curate.io.files import join, open_binary
from curate.io.row_ranges import row_ranges
from curate.io.shard_formats import SHARD_FORMATS, ShardOptions
from curate.io.sources import RawBatch, SourceColumns, SourceFile, read_batches
from curate.kernels import Texts
from curate.run.documents import BatchLimits
from curate.run.edits import size_left
from curate.run.layers import read_columns
from curate.run.shard_rows import ShardRows
from curate.stages.base import DocumentStage, edited
from curate.stages.mix import shuffle_keys


@dataclass(frozen=True, slots=True)
class Emitting:
    """A source file and the stages that edit its documents.

    counts, bytes: for copy 0, 1, ... how many of its documents have that copy, and their bytes of text.
    """

    file: SourceFile
    base: int
    ledger: str
    columns: SourceColumns
    counts: tuple[int, ...]
    bytes: tuple[int, ...]
    edits: tuple[DocumentStage, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """Documents `start` to `stop` of those in a file that have copy number `copy`."""

    emitting: Emitting
    copy: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class ShardArguments:
    pieces: tuple[Piece, ...]
    schema: pa.Schema
    format: str
    options: ShardOptions
    seed: int
    paths: tuple[str, ...]
    limits: BatchLimits


def plan_shards(
    out: str, files_by_source: Mapping[str, Sequence[Emitting]], shards: int
) -> list[tuple[Piece, ...]]:
    """Deal each source's documents, copy after copy and file after file, to `shards` shards of equal bytes of text.

    Reads the ledgers of files that are cut, for where to cut them.
    """
    dealt: list[list[Piece]] = [[] for _ in range(shards)]
    for files in files_by_source.values():
        total = sum(sum(file.bytes) for file in files)
        bounds = [total * shard // shards for shard in range(1, shards)]
        begin = 0
        for copy, file in _runs(files):
            first = bisect_right(bounds, begin)
            last = max(first, bisect_left(bounds, begin + file.bytes[copy]))
            inner = _cuts(out, file, copy, [bound - begin for bound in bounds[first:last]])
            cuts = [0, *inner, file.counts[copy]]
            for shard, (start, stop) in enumerate(pairwise(cuts), start=first):
                if start < stop:
                    dealt[shard].append(Piece(file, copy, start, stop))
            begin += file.bytes[copy]
    return [tuple(pieces) for pieces in dealt]


def _runs(files: Sequence[Emitting]) -> Iterator[tuple[int, Emitting]]:
    for copy in range(max((len(file.counts) for file in files), default=0)):
        for file in files:
            if copy < len(file.counts):
                yield copy, file


def _cuts(out: str, file: Emitting, copy: int, offsets: Sequence[int]) -> list[int]:
    """How many of the file's documents with copy `copy` come before each offset in their bytes."""
    if not offsets:
        return []
    ledger = _read_ledger(out, file, "bytes")
    has = ledger["copies"].to_numpy() > copy
    ends = np.cumsum(size_left(ledger, "bytes").to_numpy()[has])
    return [int(cut) for cut in np.searchsorted(ends, np.array(offsets), side="left")]


def _read_ledger(out: str, file: Emitting, unit: str) -> pa.Table:
    """`copies`, and what `size_left` needs for the unit."""
    with open_binary(join(out, file.ledger)) as opened:
        return read_columns(opened, ["copies", f"edited_{unit}", unit])


def shard_schema(kept: Mapping[str, pa.DataType]) -> pa.Schema:
    """text, id, source, then the metadata columns that sources keep."""
    own = {"text": pa.large_string(), "id": pa.string(), "source": pa.string()}
    return pa.schema([*own.items(), *((name, kind) for name, kind in kept.items() if name not in own)])


def write_shard(out: str, arguments: ShardArguments) -> Facts:
    """Read the pieces' texts, shuffle them by a hash of (seed, doc, copy), write the shard."""
    rows = ShardRows(arguments.schema, arguments.limits.memory.spool)
    keys, tokens = [np.zeros(0, np.uint64)], 0
    by_source: dict[str, int] = {}
    for piece in arguments.pieces:
        chosen, piece_tokens = _read_piece(out, piece, arguments, rows)
        docs = np.uint64(piece.emitting.base) + chosen.astype(np.uint64)
        keys.append(shuffle_keys(docs, piece.copy, arguments.seed))
        tokens += piece_tokens
        source = piece.emitting.file.source
        by_source[source] = by_source.get(source, 0) + len(chosen)
    order = np.argsort(np.concatenate(keys), kind="stable")
    paths = [join(out, path) for path in arguments.paths]
    written = SHARD_FORMATS[arguments.format].write(
        paths, arguments.schema, rows.groups(order), arguments.options
    )
    return {
        "documents": len(order),
        "tokens": tokens,
        "rows_by_source": dict(sorted(by_source.items())),
        "format": written,
    }


def _read_piece(
    out: str, piece: Piece, arguments: ShardArguments, to: ShardRows
) -> tuple[NDArray[np.int64], int]:
    """Adds the piece's rows; returns which rows of the file they are, and their tokens."""
    emitting = piece.emitting
    ledger = _read_ledger(out, emitting, "tokens")
    chosen = np.flatnonzero(ledger["copies"].to_numpy() > piece.copy)[piece.start : piece.stop]
    limits = arguments.limits
    ensure_unchanged(emitting.file)
    for raw in read_batches(
        emitting.file,
        emitting.columns,
        text=True,
        max_documents=limits.documents,
        max_bytes=limits.bytes,
        rows=row_ranges(chosen),
    ):
        low, high = np.searchsorted(chosen, [raw.start, raw.start + len(raw)])
        if low < high:
            to.add(_rows_for_shard(raw, chosen[low:high], emitting, arguments.schema))
    ensure_unchanged(emitting.file)
    tokens = int(pc.sum(size_left(ledger, "tokens").take(pa.array(chosen))).as_py() or 0)
    return chosen, tokens


def _rows_for_shard(
    raw: RawBatch, rows: NDArray[np.int64], emitting: Emitting, schema: pa.Schema
) -> pa.Table:
    at = pa.array(rows - raw.start)
    source = emitting.file.source
    positions = pc.binary_join_element_wise(
        f"{source}:{emitting.file.index}", pa.array(rows).cast(pa.string()), ":"
    )
    ids = positions if raw.ids is None else pc.coalesce(raw.ids.take(at).cast(pa.string()), positions)
    assert raw.texts is not None, "shards are read with their texts"
    texts = raw.texts if len(rows) == len(raw) else raw.texts.take(at)
    if emitting.edits:
        texts = edited(Texts.from_arrow(texts), np.arange(len(rows)), emitting.edits).to_arrow()
    found = {"text": texts, "id": ids, "source": pa.repeat(source, len(rows))}
    found |= {name: column.take(at) for name, column in raw.columns.items() if name not in found}
    columns = [
        _fitted(found[field.name], field, emitting.file.path)
        if field.name in found
        else pa.nulls(len(rows), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)


def _fitted(column: pa.Array, field: pa.Field, path: str) -> pa.Array:
    """The column in the shards' type, which was chosen by the files' types and not by every value in them."""
    try:
        return column.cast(field.type)
    except pa.ArrowInvalid as error:
        raise SourceError(
            Problem(
                path,
                f"column {field.name} has a value that does not fit: {error}",
                f"values of {field.type}, the type that all files' {field.name} meet in",
                f"take {field.name} out of `keep`, or convert it in this file or in the others",
            )
        ) from error
