import gzip
import json

import pyarrow.parquet as pq
import pytest

from curate.io.sources import SourceColumns, list_files, read_batches
from tests.shared_data import shared_data

_COLUMNS = {
    "dclm": ("**/*.parquet", SourceColumns("text", None, ("url", "metadata.WARC-Record-ID"))),
    "fineweb-edu": ("*.parquet", SourceColumns("text", "id", ("url",))),
    "zyda-1": ("*.parquet", SourceColumns("text", "nemo_id")),
    "dolma-cc": ("*.json.gz", SourceColumns("text", "id", ("source", "metadata.url"))),
}


def _independent_texts(path: str) -> list[str]:
    if path.endswith(".parquet"):
        return [str(text) for text in pq.read_table(path, columns=["text"])["text"].to_pylist()]
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        return [json.loads(line)["text"] for line in lines]


@pytest.mark.parametrize("source", _COLUMNS)
def test_a_file_of_each_corpus_reads_whole(source: str) -> None:
    pattern, columns = _COLUMNS[source]
    files = list_files(source, [str(shared_data("corpora") / source / pattern)], None, columns)
    assert len(files) == 4
    batches = list(read_batches(files[0], columns, text=True, max_documents=500, max_bytes=1 << 20))
    texts = [text for batch in batches if batch.texts is not None for text in batch.texts.to_pylist()]
    assert texts == _independent_texts(files[0].path)
    assert [bad for batch in batches for bad in batch.bad] == []
    if columns.id:
        assert all(batch.ids is not None and batch.ids.null_count == 0 for batch in batches)
