"""Tokens of documents: exact with a tokenizer, estimated by language without."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from curate.errors import ModelError, RecipeError
from curate.io.ledger import Ledger
from curate.plan import plan
from curate.recipe import load_recipe
from curate.recipe.load import parse_recipe
from curate.report import verify
from curate.run import run
from tests.run.tokenizer_files import END, write_tokenizer

ENGLISH = "The river ran past the village, and in the morning the children walked over the bridge to school."
GERMAN = "Der Fluss floss am Dorf vorbei, und am Morgen gingen die Kinder über die Brücke zur Schule."
TEXTS = [
    ENGLISH,
    GERMAN,
    "",
    f"a page about {END} tokens",
    ENGLISH * 40,
    "Write to someone@example.org today, please, as early as you can.",
]
RECIPE = """
name: counted
sources: [{name: web, path: "DATA/web.parquet"}]
stages: STAGES
output: OUTPUT
"""


def tokens(folder: Path, stages: str = "[]", output: str = "{}") -> list[dict[str, object]]:
    """The ledger of a run over TEXTS."""
    pq.write_table(pa.table({"text": TEXTS}), folder / "web.parquet")
    text = RECIPE.replace("STAGES", stages).replace("OUTPUT", output).replace("DATA", str(folder))
    (folder / "recipe.yaml").write_text(text)
    run(load_recipe(str(folder / "recipe.yaml")), str(folder / "out"), workers=1)
    assert verify(str(folder / "out")) == []
    return Ledger(str(folder / "out")).arrow().to_pylist()


def test_a_tokenizer_counts_whole_plain_texts(tmp_path: Path) -> None:
    """Whatever truncation and padding its file asks for; and no text holds a special token."""
    plain = write_tokenizer(tmp_path / "tokenizer.json", truncated=True)
    plain.encode_special_tokens = True
    found = tokens(tmp_path, "[redact]", f"{{tokenizer: {tmp_path}/tokenizer.json}}")
    assert [row["tokens"] for row in found] == [len(plain.encode(text).ids) for text in TEXTS]
    written = pq.read_table(next((tmp_path / "out/data").iterdir()))["text"].to_pylist()
    assert not any("someone@example.org" in text for text in written)
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    assert manifest["totals"]["tokens_out"] == sum(len(plain.encode(text).ids) for text in written)
    assert manifest["tokens"]["method"] == "tokenizer"
    assert len(manifest["tokens"]["sha256"]) == 64


def test_tokens_are_estimated_by_language_where_it_is_told(tmp_path: Path) -> None:
    """The table of the manifest: bytes over hundredths of bytes a token, rounded up."""
    told = tokens(tmp_path, "[language: {}]")
    manifest = json.loads((tmp_path / "out/manifest.json").read_text())
    table = manifest["tokens"]["bytes_a_token_by_language"]
    assert {row["lang"] for row in told} >= {"en", "de"}
    for row in told:
        rate = round(100 * table.get(row["lang"], 4.0))
        assert row["tokens"] == -(-100 * row["bytes"] // rate)
    untold = tokens(tmp_path)
    assert [row["tokens"] for row in untold] == [-(-row["bytes"] // 4) for row in untold]


def test_a_language_told_in_a_later_reading_and_after_an_edit_counts_too(tmp_path: Path) -> None:
    found = tokens(tmp_path, "[redact, exact_dedup, language: {}]")
    row = found[5]
    assert row["lang"] == "en"
    assert row["edited_bytes"] != row["bytes"]
    assert row["tokens"] == -(-100 * row["bytes"] // 449)
    assert row["edited_tokens"] == -(-100 * row["edited_bytes"] // 449)


@pytest.mark.parametrize(
    ("output", "found"),
    [
        ("{format: megatron}", "give the tokenizer"),
        (
            "{format: megatron, tokenizer: t.json, compression: zstd}",
            "compression zstd is not for format megatron",
        ),
        ("{format: jsonl, compression: snappy}", "compression snappy is not for format jsonl"),
        ("{format: mds, shard_bytes: 2GB}", "shard_bytes is at most"),
        ('{tokenizer: t.json, end_of_document: "</s>"}', "format parquet writes none"),
        ('{format: mds, end_of_document: "</s>"}', "without a tokenizer"),
        ("{format: mosaic}", "one of parquet, jsonl, mds, megatron"),
    ],
)
def test_keys_that_do_not_go_together_are_refused(output: str, found: str) -> None:
    text = RECIPE.replace("STAGES", "[]").replace("OUTPUT", output)
    with pytest.raises(RecipeError, match=found):
        parse_recipe(text, "recipe.yaml")


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ("tokenizer: nothing_base", "no tokenizer is called nothing_base"),
        ("tokenizer: FOLDER/absent.json", "cannot be read"),
        ("tokenizer: FOLDER/web.parquet.json", "no tokenizer"),
        ('format: mds, tokenizer: FOLDER/tokenizer.json, end_of_document: "</s>"', "no special token"),
    ],
)
def test_tokenizers_that_are_not_to_be_had_stop_the_plan(tmp_path: Path, keys: str, found: str) -> None:
    pq.write_table(pa.table({"text": TEXTS}), tmp_path / "web.parquet")
    (tmp_path / "web.parquet.json").write_text("{}")
    write_tokenizer(tmp_path / "tokenizer.json")
    output = f"{{{keys.replace('FOLDER', str(tmp_path))}}}"
    text = RECIPE.replace("STAGES", "[]").replace("OUTPUT", output).replace("DATA", str(tmp_path))
    with pytest.raises(ModelError, match=found):
        plan(parse_recipe(text, "recipe.yaml"))


def test_tiktoken_counts_with_its_ranks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An encoding made here: bytes, and the pair `th`."""
    tiktoken = pytest.importorskip("tiktoken", reason="tiktoken is not installed")
    ranks = {**{bytes([byte]): byte for byte in range(256)}, b"th": 256}
    made = tiktoken.Encoding("toy", pat_str=r"\S+|\s+", mergeable_ranks=ranks, special_tokens={END: 257})
    monkeypatch.setattr(tiktoken, "list_encoding_names", lambda: ["toy"])
    monkeypatch.setattr(tiktoken, "get_encoding", lambda name: made)
    found = tokens(tmp_path, "[]", "{tokenizer: toy}")
    assert [row["tokens"] for row in found] == [len(text.encode()) - text.count("th") for text in TEXTS]
