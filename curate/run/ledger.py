"""The last word on each document: tallies of what stays, copies by the mix, the final ledger."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from curate.engines.task import Facts
from curate.io.files import join
from curate.io.ledger import MIX
from curate.models.tokens import TokenCount
from curate.plan import EDITED_COLUMNS
from curate.run.edits import size_left
from curate.run.layers import write_parquet
from curate.run.standing import Decided, Standing
from curate.stages.mix import copies_of

#: The reason of documents that the mix leaves out.
MIX_RULE = f"{MIX}.weight"


@dataclass(frozen=True, slots=True)
class TallyArguments:
    decided: Decided
    tokens: TokenCount


def tally_file(out: str, arguments: TallyArguments) -> Facts:
    """What is left of a file after every stage."""
    standing = Standing.read(out, arguments.decided)
    kept = _recounted(standing.table, arguments.tokens).filter(pa.array(standing.alive))
    return {
        "documents": len(standing.table),
        "kept": {"documents": len(kept), **_sizes_left(kept)},
    }


@dataclass(frozen=True, slots=True)
class LedgerArguments:
    """copies: expected copies of each kept document of the file; None where the recipe does not mix."""

    decided: Decided
    copies: float | None
    seed: int
    ledger: str
    tokens: TokenCount


def write_ledger(out: str, arguments: LedgerArguments) -> Facts:
    """Write the final ledger of one source file and count what goes into the shards.

    The facts hold `emitted`: for copy 0, 1, ... how many documents have that copy, and their bytes and tokens.
    """
    standing = Standing.read(out, arguments.decided)
    alive = standing.alive
    docs = np.uint64(arguments.decided.base) + np.arange(len(alive), dtype=np.uint64)
    copies = alive.astype(np.int32)
    if arguments.copies is not None:
        copies *= copies_of(docs, arguments.copies, arguments.seed)
    table = _recounted(standing.table, arguments.tokens).append_column("copies", pa.array(copies))
    left_out = alive & (copies == 0)
    if left_out.any():
        for name, value in (("dropped_by", MIX), ("reason", MIX_RULE), ("value", arguments.copies)):
            column = pc.if_else(pa.array(left_out), pa.scalar(value, table[name].type), table[name])
            table = table.set_column(table.column_names.index(name), name, column)
    table = table.add_column(0, "doc", pa.array(docs))
    write_parquet(join(out, arguments.ledger), table)
    emitted = []
    for copy in range(int(copies.max(initial=0))):
        has = table.filter(pa.array(copies > copy))
        emitted.append([len(has), *_sizes_left(has).values()])
    return {
        "documents": len(table),
        "kept": int(np.count_nonzero(copies)),
        "bytes_in": _total(table["bytes"]),
        "tokens_in": _total(table["tokens"]),
        "emitted": emitted,
    }


def _recounted(table: pa.Table, tokens: TokenCount) -> pa.Table:
    """The table with tokens counted by language, where that is known: the last word on them, as on each document."""
    if "lang" not in table.column_names:
        return table
    for size, name in (("bytes", "tokens"), EDITED_COLUMNS):
        if name in table.column_names:
            columns = (table[column].combine_chunks() for column in (size, name, "lang"))
            table = table.set_column(table.column_names.index(name), name, tokens.recount(*columns))
    return table


def _sizes_left(table: pa.Table) -> dict[str, int]:
    return {unit: _total(size_left(table, unit)) for unit in ("bytes", "tokens")}


def _total(column: pa.ChunkedArray) -> int:
    return int(pc.sum(column).as_py() or 0)
