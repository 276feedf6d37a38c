"""Streams of lines, plain, gzip or Zstandard, that give all that can be read of a damaged file."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import zstandard

#: Whole lines are handed on in blocks of about this many bytes, or one line if it is longer.
BLOCK_BYTES = 8 << 20

_PLAIN_READ_BYTES = 1 << 20
_COMPRESSED_READ_BYTES = 128 << 10
_INFLATED_BYTES = 4 << 20


class DamageError(Exception):
    """Nothing more can be read of a file; `reason` is "truncated_file" or "corrupt_file"."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def decompressed(file: BinaryIO, path: str) -> Iterator[bytes]:
    """The content of `file`, by the ending of `path` (.gz, .zst, else plain), in pieces.

    Raises DamageError after the last byte that can be read. Members and frames may follow each other.
    """
    if path.endswith(".gz"):
        return _gunzip(file)
    if path.endswith(".zst"):
        return _unzstd(file)
    return iter(lambda: file.read(_PLAIN_READ_BYTES), b"")


def expansion(file: BinaryIO, path: str) -> float:
    """How many bytes a stored byte of `file` becomes, by its beginning; 1.0 for an empty or unreadable file."""
    given = 0
    try:
        for piece in decompressed(file, path):
            given += len(piece)
            if given >= BLOCK_BYTES:
                break
    except DamageError:
        pass
    return given / file.tell() if given and file.tell() else 1.0


def line_blocks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """`pieces` joined and cut again after newlines, into blocks of at least BLOCK_BYTES (but the last).

    When `pieces` raises DamageError, the whole lines before the damage are given first; a cut line is not.
    """
    pending: list[bytes] = []
    size = 0
    damage: DamageError | None = None
    try:
        for piece in pieces:
            pending.append(piece)
            size += len(piece)
            cut = piece.rfind(b"\n") + 1 if size >= BLOCK_BYTES else 0
            if cut:
                pending[-1] = piece[:cut]
                yield _taken(pending)
                pending.append(piece[cut:])
                size = len(pending[0])
    except DamageError as error:
        damage = error
    if damage is not None:
        whole = _taken(pending)
        pending.append(whole[: whole.rfind(b"\n") + 1])
        del whole
    if any(pending):
        yield _taken(pending)
    if damage is not None:
        raise damage


def _taken(pieces: list[bytes]) -> bytes:
    """The pieces as one, taken out of the list: a line of gigabytes is held by whoever reads it, and by nobody else."""
    joined = b"".join(pieces)
    pieces.clear()
    return joined


def _gunzip(file: BinaryIO) -> Iterator[bytes]:
    member, begun, some = zlib.decompressobj(wbits=31), False, False
    while data := file.read(_COMPRESSED_READ_BYTES):
        while data:
            begun = some = True
            before = member.copy()
            try:
                piece = member.decompress(data, _INFLATED_BYTES)
            except zlib.error as error:
                yield _readable(before, data)
                raise DamageError(
                    "corrupt_file", f"gzip: {error}; rows before it may be wrong too"
                ) from error
            yield piece
            if member.eof:
                data = member.unused_data.lstrip(b"\0")  # members may be padded
                member, begun = zlib.decompressobj(wbits=31), False
            else:
                data = member.unconsumed_tail
    if begun or not some:
        yield member.flush()
        raise DamageError("truncated_file", "gzip: the file ends inside a member")


def _unzstd(file: BinaryIO) -> Iterator[bytes]:
    # Frames written with `zstd --long=31` need a window of 2 GiB.
    decompressor = zstandard.ZstdDecompressor(max_window_size=1 << 31)
    frame, begun, some = decompressor.decompressobj(), False, False
    frame_start = position = 0
    while data := file.read(_COMPRESSED_READ_BYTES):
        while data:
            begun = some = True
            try:
                piece = frame.decompress(data)
            except zstandard.ZstdError as error:
                yield _readable(_at_position(file, decompressor, frame_start, position), data)
                raise DamageError("corrupt_file", f"zstd: {error}") from error
            yield piece
            position += len(data) - len(frame.unused_data)
            data = frame.unused_data
            if frame.eof:
                frame, begun, frame_start = decompressor.decompressobj(), False, position
    if begun or not some:
        raise DamageError("truncated_file", "zstd: the file ends inside a frame")


def _at_position(
    file: BinaryIO, decompressor: zstandard.ZstdDecompressor, frame_start: int, position: int
) -> zstandard.ZstdDecompressionObj:
    """A fresh decoder that has taken in the frame up to `position`, as one that failed is of no more use."""
    frame = decompressor.decompressobj()
    file.seek(frame_start)
    while frame_start < position:
        data = file.read(min(_COMPRESSED_READ_BYTES, position - frame_start))
        frame.decompress(data)
        frame_start += len(data)
    return frame


def _readable(decoder: zlib._Decompress | zstandard.ZstdDecompressionObj, data: bytes) -> bytes:
    """What `decoder` gives of `data` before its first bad byte: the same however the file was cut."""
    pieces = []
    try:
        for i in range(len(data)):
            pieces.append(decoder.decompress(data[i : i + 1]))
    except (zlib.error, zstandard.ZstdError):
        pass
    return b"".join(pieces)
