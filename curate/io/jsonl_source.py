"""JSON lines files as documents, plain, .gz or .zst, streamed in blocks of whole lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import BinaryIO

from curate.io.batches import BadRow, RawBatch, SourceColumns, SourceFile, overlaps, split
from curate.io.compressed import DamageError, decompressed, line_blocks
from curate.io.files import open_binary, source_errors
from curate.io.filesystems import Stat, local_path
from curate.io.footers import fingerprint
from curate.io.json_lines import LineReader, Lines

_END_BYTES = 64 << 10
#: What one request to a remote file system asks for: lines are read from end to end.
_AHEAD_BYTES = 8 << 20
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def inspect(source: str, index: int, path: str, stat: Stat) -> SourceFile:
    """What the ends of the file at `path`, or a remote file's version, tell. Raises SourceError where it cannot be
    opened."""
    size = stat.bytes
    if local_path(path) is None and stat.modified:
        identity = fingerprint(size, stat.modified.encode())
    else:
        with source_errors(path), open_binary(path) as file:
            head = file.read(_END_BYTES)
            file.seek(max(0, size - _END_BYTES))
            identity = fingerprint(size, head, file.read(_END_BYTES))
    plain = size if not path.endswith((".gz", ".zst")) else None
    return SourceFile(source, index, path, "jsonl", size, stat.modified, identity, None, plain)


def read(
    file: SourceFile,
    columns: SourceColumns,
    text: bool,
    max_documents: int,
    max_bytes: int,
    rows: Sequence[tuple[int, int]] | None,
) -> Iterator[RawBatch]:
    """See `curate.io.sources.read_batches`. Lines before the first range are passed over unparsed."""
    reader = LineReader(columns, text)
    start = 0
    with source_errors(file.path):
        opened = open_binary(file.path, _AHEAD_BYTES)
    with closing(opened):
        blocks = _blocks(opened, file.path)
        while rows is None or any(start < last for _, last in rows):
            try:
                with source_errors(file.path):
                    block = next(blocks, None)
            except DamageError as error:
                detail = f"row {start} and all after it cannot be read: {error}"
                yield RawBatch(start, 0, None, None, bad=(BadRow(None, 0, error.reason, detail),))
                return
            if block is None:
                return
            lines = Lines.of(block)
            del block
            stop = start + len(lines)
            wanted = [
                (first, lines.part(first - start, last - start))
                for first, last in overlaps(rows, start, stop)
            ]
            # What holds the block goes before the batch is looked at: the last line may be one of gigabytes.
            del lines
            while wanted:
                yield from split(_read(reader, wanted), max_documents, max_bytes)
            start = stop


def _read(reader: LineReader, wanted: list[tuple[int, Lines]]) -> RawBatch:
    """The batch of the first of these lines, which are taken out of the list."""
    start, lines = wanted.pop(0)
    return reader.read(lines, start)


def _blocks(file: BinaryIO, path: str) -> Iterator[bytes]:
    blocks = line_blocks(decompressed(file, path))
    first = next(blocks, b"").removeprefix(_BYTE_ORDER_MARK)
    if first:
        yield first
    yield from blocks
