import gzip
import io
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard

from curate.io import compressed
from curate.io.sources import SourceColumns
from tests.io.reading import content

TEXT = SourceColumns("text")
_TEXTS = ["".join(random.Random(i).choices("abcdefgh ", k=200)) for i in range(2000)]
_LINES = b"".join(b'{"text": "%s"}\n' % text.encode() for text in _TEXTS)


def _compress(kind: str, data: bytes) -> bytes:
    return (
        gzip.compress(data, mtime=0)
        if kind == "gz"
        else zstandard.ZstdCompressor(write_checksum=True).compress(data)
    )


def _write(folder: Path, kind: str, data: bytes) -> Path:
    path = folder / f"a.jsonl.{kind}"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("kind", ["gz", "zst"])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_truncated_file_gives_what_is_there(tmp_path: Path, kind: str, share: float) -> None:
    whole = _compress(kind, _LINES)
    read = content(_write(tmp_path, kind, whole[: int(len(whole) * share)]), TEXT)
    count = len(read.rows)
    assert read.texts == _TEXTS[:count]
    assert read.reasons() == [(None, 0, "truncated_file")]
    assert read.batches[-1].start == count
    assert f"row {count} and all after it cannot be read" in read.bad[0].detail
    assert count == 0 if share < 0.1 else count > 0.8 * share * len(_TEXTS) - 700


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_corrupt_data_gives_what_comes_before_it(tmp_path: Path, kind: str) -> None:
    whole = bytearray(_compress(kind, _LINES))
    middle = len(whole) // 2
    whole[middle : middle + 2000] = bytes(2000)
    read = content(_write(tmp_path, kind, bytes(whole)), TEXT)
    count = len(read.rows)
    assert 500 < count < 1500
    assert read.texts[:500] == _TEXTS[:500]
    assert read.reasons()[-1] == (None, 0, "corrupt_file")
    assert read.batches[-1].start == count
    # What a gzip decoder makes of corrupt data can go on for a while before it is no longer gzip.
    assert ("rows before it may be wrong" in read.bad[-1].detail) == (kind == "gz")


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_a_wrong_checksum_comes_after_all_rows(tmp_path: Path, kind: str) -> None:
    whole = bytearray(_compress(kind, _LINES))
    whole[-1 if kind == "zst" else -6] ^= 1
    read = content(_write(tmp_path, kind, bytes(whole)), TEXT)
    assert read.texts == _TEXTS
    assert read.reasons() == [(None, 0, "corrupt_file")]
    assert read.batches[-1].start == len(_TEXTS)


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_members_follow_each_other(tmp_path: Path, kind: str) -> None:
    cut = len(_LINES) // 2 + 7  # within a line
    parts = [_compress(kind, part) for part in (_LINES[:cut], b"", _LINES[cut:])]
    path = _write(tmp_path, kind, b"".join(parts))
    read = content(path, TEXT)
    assert (read.texts, read.bad) == (_TEXTS, [])
    path.write_bytes(b"".join(parts) + b"garbage")
    read = content(path, TEXT)
    assert (read.texts, read.reasons()) == (_TEXTS, [(None, 0, "corrupt_file")])


def test_padding_and_skippable_frames_are_no_damage(tmp_path: Path) -> None:
    read = content(_write(tmp_path, "gz", _compress("gz", _LINES) + bytes(1000)), TEXT)
    assert (read.texts, read.bad) == (_TEXTS, [])
    skippable = b"\x50\x2a\x4d\x18" + (5).to_bytes(4, "little") + b"12345"
    read = content(_write(tmp_path, "zst", skippable + _compress("zst", _LINES) + skippable), TEXT)
    assert (read.texts, read.bad) == (_TEXTS, [])


def test_a_line_that_damage_cuts_is_not_given(tmp_path: Path) -> None:
    path = _write(tmp_path, "gz", _compress("gz", _LINES[:-1])[:-8])
    read = content(path, TEXT)
    assert read.texts == _TEXTS[:-1]
    assert read.reasons() == [(None, 0, "truncated_file")]


@pytest.mark.parametrize("kind", ["gz", "zst"])
@pytest.mark.parametrize("cut", ["truncated", "corrupt"])
def test_how_a_file_is_cut_into_reads_does_not_change_what_is_readable(
    monkeypatch: pytest.MonkeyPatch, kind: str, cut: str
) -> None:
    whole = bytearray(_compress(kind, _LINES))
    if cut == "truncated":
        del whole[-50_000:]
    else:
        whole[-50_000:-45_000] = bytes(5000)
    given = []
    for size in (977, 16 << 10, 1 << 20):
        monkeypatch.setattr(compressed, "_COMPRESSED_READ_BYTES", size)
        pieces: list[bytes] = []
        with pytest.raises(compressed.DamageError) as raised:
            _take(compressed.decompressed(io.BytesIO(whole), f"a.{kind}"), pieces)
        given.append((b"".join(pieces), raised.value.reason))
    assert given[0] == given[1] == given[2]
    assert len(given[0][0]) > 100_000


def _take(source: Iterator[bytes], pieces: list[bytes]) -> None:
    for piece in source:
        pieces.append(piece)


def test_long_windows_are_read(tmp_path: Path) -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=30, enable_ldm=True)
    buffer = io.BytesIO()
    with zstandard.ZstdCompressor(compression_params=parameters).stream_writer(
        buffer, closefd=False
    ) as writer:
        writer.write(_LINES)
    assert content(_write(tmp_path, "zst", buffer.getvalue()), TEXT).texts == _TEXTS
