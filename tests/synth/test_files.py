"""Layout, schemas and determinism of the files."""

import gzip
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import OutputError
from curate.synth import generate
from tests.synth.corpora import DOCUMENTS


def contents(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def schemas(folder, pattern):
    return [pq.read_schema(path) for path in sorted(folder.glob(pattern))]


def test_dclm_has_the_columns_of_the_true_corpus(corpora):
    found = schemas(corpora.folder, "dclm/*.parquet")
    assert len(found) >= 3
    for schema in found:
        assert schema.names == [
            "bff_contained_ngram_count_before_dedupe",
            "language_id_whole_page_fasttext",
            "metadata",
            "previous_word_count",
            "text",
            "url",
            "warcinfo",
            "fasttext_openhermes_reddit_eli5_vs_rw_v2_bigram_200k_train_prob",
        ]
        assert schema.field("language_id_whole_page_fasttext").type == pa.struct([("en", pa.float64())])
        metadata = schema.field("metadata").type
        assert metadata.field("WARC-Record-ID").type == pa.string()
        assert metadata.field("WARC-Date").type == pa.timestamp("ms")  # Parquet keeps no seconds
        assert metadata.num_fields == 13


def test_fineweb_edu_has_a_folder_a_dump(corpora):
    paths = sorted(corpora.folder.glob("fineweb-edu/*/*.parquet"))
    assert len({path.parent for path in paths}) == 4
    for path in paths:
        table = pq.ParquetFile(path).read()
        strings = ["text", "id", "dump", "url", "date", "file_path", "language"]
        assert table.schema.names == [*strings, "language_score", "token_count", "score", "int_score"]
        assert {str(table.schema.field(name).type) for name in strings} == {"string"}
        assert table["dump"].unique().to_pylist() == [path.parent.name]
        assert set(table["int_score"].to_pylist()) <= {2, 3, 4, 5}
        assert all(
            abs(score - number) <= 0.5 or number == 2
            for score, number in zip(table["score"].to_pylist(), table["int_score"].to_pylist(), strict=True)
        )
        assert table["id"].null_count == 0


def test_zyda_1_has_a_folder_a_component(corpora):
    paths = sorted(corpora.folder.glob("zyda-1/*/*.parquet"))
    assert len({path.parent for path in paths}) == 6
    for path in paths:
        table = pq.ParquetFile(path).read()
        assert table.schema.names == ["nemo_id", "text", "source", "filtering_features", "source_other"]
        assert table["source"].unique().to_pylist() == [path.parent.name]
        assert all(json.loads(text)["length"] > 0 for text in table["filtering_features"].to_pylist())
        assert all(json.loads(text)["url"].startswith("http") for text in table["source_other"].to_pylist())


def test_dolma_cc_is_gzipped_json_lines(corpora):
    paths = sorted(corpora.folder.glob("dolma-cc/*.json.gz"))
    assert [path.name[:-13] for path in paths] == ["cc_en_head", "cc_en_middle", "cc_en_tail"]
    for path in paths:
        for line in gzip.decompress(path.read_bytes()).decode().splitlines():
            record = json.loads(line)
            assert list(record) == ["id", "text", "source", "added", "created", "metadata"]
            assert record["source"] == "common-crawl"
            assert isinstance(record["metadata"], dict)


def test_ids_are_unique_within_a_source(corpora):
    ids = [
        value
        for path in corpora.folder.glob("fineweb-edu/*/*.parquet")
        for value in pq.ParquetFile(path).read(["id"])["id"].to_pylist()
    ]
    assert len(set(ids)) == len(ids) > 0
    lines = [
        line
        for path in corpora.folder.glob("dolma-cc/*")
        for line in gzip.decompress(path.read_bytes()).splitlines()
    ]
    ids = [json.loads(line)["id"] for line in lines]
    assert len(set(ids)) == len(ids) > 0


def test_truth_has_a_row_for_each_document_in_order(corpora):
    assert len(corpora.truth) == DOCUMENTS == len(corpora.texts)
    assert [(row["file"], row["row"]) for row in corpora.truth] == list(
        dict.fromkeys((row["file"], row["row"]) for row in corpora.truth)
    )
    rows = {}
    for row in corpora.truth:
        assert row["file"].startswith(row["source"] + "/")
        assert row["row"] == rows.get(row["file"], 0)
        rows[row["file"]] = row["row"] + 1


def test_bytes_do_not_depend_on_workers(tmp_path):
    generate(tmp_path / "one", 1200, seed=5, workers=1)
    generate(tmp_path / "three", 1200, seed=5, workers=3)
    assert contents(tmp_path / "one") == contents(tmp_path / "three")


def test_a_second_run_replaces_the_first(tmp_path):
    generate(tmp_path / "a", 400, seed=1)
    first = contents(tmp_path / "a")
    generate(tmp_path / "a", 400, seed=2)
    generate(tmp_path / "b", 400, seed=2)
    second = contents(tmp_path / "a")
    assert second == contents(tmp_path / "b")
    assert second.keys() == first.keys()
    assert all(second[name] != first[name] for name in second)


def test_files_of_other_corpora_are_refused(tmp_path):
    stranger = tmp_path / "dclm" / "own.parquet"
    stranger.parent.mkdir()
    stranger.touch()
    with pytest.raises(OutputError, match=r"dclm/own\.parquet"):
        generate(tmp_path, 100)
    assert not (tmp_path / "truth.parquet").exists()


@pytest.mark.parametrize("documents", [1, 2, 7, 60])
def test_few_documents_make_all_four_corpora(tmp_path, documents):
    seen = []
    generate(tmp_path, documents, progress=seen.append)
    assert pq.read_metadata(tmp_path / "truth.parquet").num_rows == documents
    assert seen[-1] == documents
    assert {path.name for path in tmp_path.iterdir() if path.is_dir()} == {
        "dclm",
        "fineweb-edu",
        "zyda-1",
        "dolma-cc",
    }


@pytest.mark.parametrize(("documents", "workers"), [(0, 2), (10, 0)])
def test_counts_below_one_are_refused(tmp_path, documents, workers):
    with pytest.raises(ValueError, match="at least 1"):
        generate(tmp_path, documents, workers=workers)
