"""The rows of a shard between reading, in the order of the sources, and writing, in the order of the shuffle."""

from __future__ import annotations

import mmap
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curate.io.files import output_errors

#: A row group of a shard holds at most so many rows, and so many bytes of text or one document: small enough for
#: streaming readers, large enough to compress well.
GROUP_ROWS, GROUP_BYTES = 8_192, 128 << 20
#: Small tables are put together to such blocks, in which rows are looked up.
_BLOCK_BYTES = 8 << 20
_SLACK_BYTES = 1 << 20


class ShardRows:
    """Rows of one schema that has a column `text`, held in memory up to a limit and in a temporary file beyond it."""

    def __init__(self, schema: pa.Schema, limit: int) -> None:
        self._schema = schema
        self._limit = limit
        self._pending: list[pa.RecordBatch] = []
        self._pending_bytes = self._held_bytes = 0
        self._blocks: list[pa.RecordBatch] = []
        self._rows: list[int] = []
        self._sizes: list[NDArray[np.int64]] = [np.zeros(0, np.int64)]
        self._file: IO[bytes] | None = None
        self._writer: pa.RecordBatchFileWriter | None = None

    def add(self, table: pa.Table) -> None:
        self._sizes.append(pc.binary_length(table["text"]).to_numpy().astype(np.int64))
        for batch in table.to_batches():
            if batch.nbytes >= _BLOCK_BYTES:
                self._close_block()
            self._pending.append(_alone(batch))
            self._pending_bytes += batch.nbytes
            if self._pending_bytes >= _BLOCK_BYTES:
                self._close_block()

    def groups(self, order: NDArray[np.int64]) -> Iterator[pa.Table]:
        """All rows in this order, cut into row groups. No row can be added afterwards."""
        self._close_block()
        if self._writer is not None:
            assert self._file is not None, "there is a writer of it"
            self._move()
            with output_errors(tempfile.gettempdir()):
                self._writer.close()
                self._file.flush()
            mapped = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
            reader = pa.ipc.open_file(pa.BufferReader(pa.py_buffer(mapped)))
            self._blocks = [reader.get_batch(block) for block in range(reader.num_record_batches)]
        starts = np.cumsum([0, *self._rows])
        ends = np.cumsum(np.concatenate(self._sizes)[order])
        begin = 0
        while begin < len(order):
            before = int(ends[begin - 1]) if begin else 0
            fits = int(np.searchsorted(ends, before + GROUP_BYTES, side="right"))
            stop = min(begin + GROUP_ROWS, max(fits, begin + 1))
            yield self._take(order[begin:stop], starts)
            begin = stop

    def _take(self, rows: NDArray[np.int64], starts: NDArray[np.int64]) -> pa.Table:
        which = np.searchsorted(starts, rows, side="right") - 1
        if len(rows) == 1:
            return pa.Table.from_batches([self._blocks[which[0]].slice(rows[0] - starts[which[0]], 1)])
        order = np.argsort(which, kind="stable")
        blocks, counts = np.unique(which, return_counts=True)
        parts = np.split(rows[order], np.cumsum(counts)[:-1])
        back = np.empty(len(rows), np.int64)
        back[order] = np.arange(len(rows))
        by_block = [(block, part - starts[block]) for block, part in zip(blocks.tolist(), parts, strict=True)]
        return self._rows_of(by_block).take(pa.array(back))

    def _rows_of(self, by_block: Sequence[tuple[int, NDArray[np.int64]]]) -> pa.Table:
        """Rows of blocks as one chunk. Nothing else refers to the copies this takes, so they are gone afterwards."""
        taken = [self._blocks[block].take(pa.array(rows)) for block, rows in by_block]
        return pa.Table.from_batches(taken, self._schema).combine_chunks()

    def _close_block(self) -> None:
        if not self._pending:
            return
        (block,) = pa.Table.from_batches(self._pending, self._schema).combine_chunks().to_batches()
        self._pending, self._pending_bytes = [], 0
        self._rows.append(len(block))
        self._held_bytes += block.nbytes
        self._blocks.append(block)
        if self._held_bytes > self._limit:
            self._move()

    def _move(self) -> None:
        """Write the blocks that are held to the file."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="curate.")  # noqa: SIM115 - closed with the rows
            weakref.finalize(self, self._file.close)
            self._writer = pa.ipc.new_file(pa.PythonFile(self._file, mode="w"), self._schema)
        assert self._writer is not None, "it came with the file"
        with output_errors(tempfile.gettempdir()):
            for block in self._blocks:
                self._writer.write_batch(block)
        self._blocks, self._held_bytes = [], 0


def _alone(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch, copied where it would keep far more in memory than itself, such as a long text beside it."""
    if batch.get_total_buffer_size() <= 2 * batch.nbytes + _SLACK_BYTES:
        return batch
    return batch.take(pa.array(np.arange(len(batch))))
