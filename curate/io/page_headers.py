"""Whether the pages of a Parquet file have checksums: their headers tell, the footer does not."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq

#: Thrift's compact protocol: a 32-bit integer whose field number is one more than that of the field before.
_NEXT_INT32 = 0x15
#: Fields of PageHeader before `crc`: type, uncompressed_page_size, compressed_page_size.
_BEFORE = 3
_HEADER_BYTES = 64


def has_checksum(path: Path, chunk: pq.ColumnChunkMetaData) -> bool:
    """Whether the first page of a column chunk of the file has a CRC32, as the pages of a writer all have or have not.
    Also where its header is not as it should be. Raises OSError."""
    with path.open("rb") as file:
        file.seek(chunk.dictionary_page_offset if chunk.has_dictionary_page else chunk.data_page_offset)
        header = file.read(_HEADER_BYTES)
    at = 0
    for _ in range(_BEFORE):
        if header[at : at + 1] != bytes([_NEXT_INT32]):
            return True
        at += 1
        while at < len(header) and header[at] & 0x80:
            at += 1
        at += 1
    return header[at : at + 1] in (b"", bytes([_NEXT_INT32]))
