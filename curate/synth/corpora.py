"""The four schemas, as the Hugging Face cards of the true corpora give them.

dclm: mlfoundations/dclm-baseline-1.0-parquet; fineweb-edu: HuggingFaceFW/fineweb-edu-score-2; dolma-cc:
allenai/dolma; zyda-1: Zyphra/Zyda, whose `filtering_features` and `source_other` are JSON text, and
`nemo_id`, which Zyda-2's recipe adds. Writing takes 10 to 30 us a document on one core, gzip the most.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curate.kernels import _cpu
from curate.synth.layout import File

Rows = dict[str, NDArray[Any]]

_HEX = "0123456789abcdef"
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_UUID = "????????-????-4???-a???-????????????"

_WARC_NAMES = (
    "Content-Length",
    "Content-Type",
    "WARC-Block-Digest",
    "WARC-Concurrent-To",
    "WARC-Date",
    "WARC-IP-Address",
    "WARC-Identified-Payload-Type",
    "WARC-Payload-Digest",
    "WARC-Record-ID",
    "WARC-Target-URI",
    "WARC-Truncated",
    "WARC-Type",
    "WARC-Warcinfo-ID",
)
_OPENHERMES = "fasttext_openhermes_reddit_eli5_vs_rw_v2_bigram_200k_train_prob"


class Writer(Protocol):
    """Takes the batches of one file in order."""

    def write(self, rows: Rows, file: File) -> None:
        """Appends the rows."""


@contextmanager
def open_writer(source: str, stream: BinaryIO) -> Iterator[Writer]:
    """A writer of the source's schema to `stream`, which is whole when the context ends."""
    if source == "dolma-cc":
        writer = _GzipWriter(stream)
        yield writer
        writer.close()
    else:
        columns = _COLUMNS[source]
        with pq.ParquetWriter(stream, _SCHEMAS[source], compression="zstd", use_dictionary=False) as parquet:
            yield _ParquetWriter(parquet, columns)


class _ParquetWriter:
    def __init__(
        self, parquet: pq.ParquetWriter, columns: Callable[[Rows, File], dict[str, pa.Array]]
    ) -> None:
        self._parquet, self._columns = parquet, columns

    def write(self, rows: Rows, file: File) -> None:
        self._parquet.write_table(pa.table(self._columns(rows, file), self._parquet.schema))


class _GzipWriter:
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        # Level 1 costs a third of level 6; 31 asks for a gzip header, which then carries no time.
        self._gzip = zlib.compressobj(1, zlib.DEFLATED, 31)

    def write(self, rows: Rows, file: File) -> None:
        lines = dolma_lines(rows, file)
        _, _, data = lines.buffers()
        self._stream.write(self._gzip.compress(data))

    def close(self) -> None:
        self._stream.write(self._gzip.flush())


def _strings(data: NDArray[np.uint8], offsets: NDArray[np.int64]) -> pa.Array:
    buffers = pa.py_buffer(offsets), pa.py_buffer(data)
    return pa.LargeStringArray.from_buffers(len(offsets) - 1, *buffers)


def _text(rows: Rows) -> pa.Array:
    return _strings(rows["text"], rows["text_offsets"]).cast(pa.string())


def _url(rows: Rows) -> pa.Array:
    return _strings(rows["url"], rows["url_offsets"]).cast(pa.string())


def _pattern(rows: Rows, salt: int, pattern: str, alphabet: str = _HEX) -> pa.Array:
    """A string a row: the pattern with random letters of the alphabet for its question marks."""
    data = _cpu.fill_patterns(_salted(rows, salt), pattern, alphabet)
    ends = np.arange(len(rows["hash"]) + 1, dtype=np.int64) * len(pattern)
    return _strings(data, ends).cast(pa.string())


def _salted(rows: Rows, salt: int) -> NDArray[np.uint64]:
    """The rows' hashes, changed so that columns of other salts are unrelated."""
    salted: NDArray[np.uint64] = rows["hash"] ^ np.uint64(salt * 0x9E3779B97F4A7C15 % 2**64)
    return salted


def _uniform(rows: Rows, salt: int) -> NDArray[np.float64]:
    """A number in [0, 1) a row."""
    mixed = _salted(rows, salt)
    mixed = (mixed ^ (mixed >> np.uint64(32))) * np.uint64(0xD6E8FEB86659FD93)
    bits = (mixed ^ (mixed >> np.uint64(32))) >> np.uint64(11)
    uniform: NDArray[np.float64] = np.ldexp(bits.astype(np.float64), -53)
    return uniform


def _constant(value: str, count: int) -> pa.Array:
    return pa.array([value]).take(pa.array(np.zeros(count, np.int8)))


def _dates(rows: Rows, year: int) -> pa.Array:
    """Seconds of a time in the year."""
    first = int(np.datetime64(f"{year}-01-01T00:00:00", "s").astype(np.int64))
    return pa.array((first + _uniform(rows, 11) * 364 * 86400).astype(np.int64)).cast(pa.timestamp("s"))


def _iso(dates: pa.Array) -> pa.Array:
    return pc.strftime(dates, format="%Y-%m-%dT%H:%M:%SZ")


def _language_score(rows: Rows) -> NDArray[np.float64]:
    low = np.array([0.02, 0.82])[(rows["language"] < 0).astype(np.int8)]
    return np.round(low + 0.17 * _uniform(rows, 12), 6)


def _quality_score(rows: Rows) -> NDArray[np.float64]:
    """Educational score: High about 3.4, Medium about 2.2, Low and ungraded about 1.8."""
    middle = np.array([3.4, 2.2, 1.8, 1.8])[rows["quality"]]
    score = middle + (_uniform(rows, 13) + _uniform(rows, 14) - 1) * 1.2
    rounded: NDArray[np.float64] = np.asarray(score, np.float64).clip(1.5, 5.2).round(6)
    return rounded


def _dclm(rows: Rows, file: File) -> dict[str, pa.Array]:
    count = len(rows["kind"])
    quality = np.array([0.5, 0.15, 0.03, 0.03])[rows["quality"]]
    digest = "sha1:" + "?" * 32
    headers = [
        pa.array(rows["words"] * 31 + 9000).cast(pa.string()),
        _constant("application/http; msgtype=response", count),
        _pattern(rows, 1, digest, _BASE32),
        _pattern(rows, 2, f"<urn:uuid:{_UUID}>"),
        _dates(rows, 2013 + file.number % 9),
        _pattern(rows, 3, "198.51.100.1??", "0123456789"),
        _constant("text/html", count),
        _pattern(rows, 4, digest, _BASE32),
        _pattern(rows, 5, f"<urn:uuid:{_UUID}>"),
        _url(rows),
        pa.nulls(count, pa.string()),
        _constant("response", count),
        _constant("<urn:uuid:0b9d9d6a-3f0e-4a55-a9c8-3c1fd7b6a0de>", count),
    ]
    return {
        "bff_contained_ngram_count_before_dedupe": pa.array(
            rows["words"] * (rows["hash"] % 5).astype(np.int64) // 8
        ),
        "language_id_whole_page_fasttext": pa.StructArray.from_arrays(
            [pa.array(_language_score(rows))], ["en"]
        ),
        "metadata": pa.StructArray.from_arrays(headers, list(_WARC_NAMES)),
        "previous_word_count": pa.array(rows["words"]),
        "text": _text(rows),
        "url": _url(rows),
        "warcinfo": _constant(
            f"robots: classic\r\nhostname: crawler-{file.number:05d}.example\r\nformat: WARC/1.0", count
        ),
        _OPENHERMES: pa.array(np.round(quality + 0.4 * quality * _uniform(rows, 15), 6)),
    }


def _fineweb(rows: Rows, file: File) -> dict[str, pa.Array]:
    count = len(rows["kind"])
    score = _quality_score(rows)
    return {
        "text": _text(rows),
        "id": _pattern(rows, 6, f"<urn:uuid:{_UUID}>"),
        "dump": _constant(file.part, count),
        "url": _url(rows),
        "date": _iso(_dates(rows, int(file.part.split("-")[2]))),
        "file_path": _pattern(
            rows,
            7,
            f"s3://commoncrawl/crawl-data/{file.part}/segments/13????????.??/warc/???.warc.gz",
            "0123456789",
        ),
        "language": _constant("en", count),
        "language_score": pa.array(_language_score(rows)),
        "token_count": pa.array(np.diff(rows["text_offsets"]) * 10 // 43 + 1),
        "score": pa.array(score),
        "int_score": pa.array(np.clip(np.rint(score), 2, 5).astype(np.int64)),
    }


def _zyda(rows: Rows, file: File) -> dict[str, pa.Array]:
    size = np.diff(rows["text_offsets"])
    mean = np.round(size / np.maximum(rows["words"], 1) - 1, 4)
    features = pc.binary_join_element_wise(
        '{"length": ',
        pa.array(size).cast(pa.string()),
        ', "mean_word_length": ',
        pa.array(mean).cast(pa.string()),
        "}",
        "",
    )
    return {
        "nemo_id": _pattern(rows, 8, f"{file.part}-{file.number:05d}-????????????", "0123456789"),
        "text": _text(rows),
        "source": _constant(file.part, len(size)),
        "filtering_features": features,
        "source_other": pc.binary_join_element_wise('{"url": "', _url(rows), '"}', ""),
    }


def dolma_lines(rows: Rows, file: File) -> pa.Array:
    """The JSON lines of a batch, newlines included: id, text, source, added, created, metadata."""
    text = _strings(*_cpu.json_strings(rows["text"], rows["text_offsets"]))
    large = pa.large_string()
    created = _iso(_dates(rows, 2020)).cast(large)
    parts = [
        '{"id":"',
        _pattern(rows, 9, "http://" + "?" * 32).cast(large),
        '","text":',
        text,
        ',"source":"common-crawl","added":"2023-04-11T09:57:03.044571+00:00","created":"',
        created,
        f'","metadata":{{"bucket":"{file.part.rpartition("_")[2]}","cc_segment":"crawl-data/CC-MAIN-2020-05","url":"',
        _strings(rows["url"], rows["url_offsets"]),
        '","language":"en"}}\n',
    ]
    return pc.binary_join_element_wise(
        *[pa.scalar(part, large) if isinstance(part, str) else part for part in parts], pa.scalar("", large)
    )


_METADATA = pa.struct(
    [(name, pa.timestamp("s") if name == "WARC-Date" else pa.string()) for name in _WARC_NAMES]
)
_SCHEMAS = {
    "dclm": pa.schema(
        [
            ("bff_contained_ngram_count_before_dedupe", pa.int64()),
            ("language_id_whole_page_fasttext", pa.struct([("en", pa.float64())])),
            ("metadata", _METADATA),
            ("previous_word_count", pa.int64()),
            ("text", pa.string()),
            ("url", pa.string()),
            ("warcinfo", pa.string()),
            (_OPENHERMES, pa.float64()),
        ]
    ),
    "fineweb-edu": pa.schema(
        [(name, pa.string()) for name in ("text", "id", "dump", "url", "date", "file_path", "language")]
        + [
            ("language_score", pa.float64()),
            ("token_count", pa.int64()),
            ("score", pa.float64()),
            ("int_score", pa.int64()),
        ]
    ),
    "zyda-1": pa.schema(
        [(name, pa.string()) for name in ("nemo_id", "text", "source", "filtering_features", "source_other")]
    ),
}
_COLUMNS = {"dclm": _dclm, "fineweb-edu": _fineweb, "zyda-1": _zyda}
